//! The key behind reports: KMS signs, and tells the public half once.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_kms::{
    Client,
    primitives::Blob,
    types::{MessageType, SigningAlgorithmSpec},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use tokio::sync::OnceCell;
use tributary::{aws::Refusal, error::Error};

/// Bytes of a coordinate, and of each half of a signature.
const HALF: usize = 32;
/// What a P-256 public key begins with as SubjectPublicKeyInfo (RFC 5480), up to its two coordinates.
const SPKI: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];

/// A public key, as a JSON Web Key has it (RFC 7517, RFC 7518 section 6.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PublicKey {
    /// The thumbprint (RFC 7638).
    pub(super) kid: String,
    pub(super) x: String,
    pub(super) y: String,
}

/// Signs reports.
#[derive(Debug, Clone)]
pub(crate) struct ReportSigner {
    client: Client,
    key_arn: String,
    public: Arc<OnceCell<PublicKey>>,
}

impl ReportSigner {
    /// A signer with a key of KMS.
    pub(crate) fn new(client: Client, key_arn: String) -> Self {
        Self {
            client,
            key_arn,
            public: Arc::default(),
        }
    }

    /// The public half of the key, asked for once.
    pub(super) async fn public(&self) -> Result<&PublicKey, Error> {
        self.public
            .get_or_try_init(|| async {
                let answer = self
                    .client
                    .get_public_key()
                    .key_id(&self.key_arn)
                    .send()
                    .await
                    .map_err(|error| Refusal::of(&error).into_error("kms:GetPublicKey"))?;
                let der = answer.public_key.map(Blob::into_inner).unwrap_or_default();
                public_key(&der).ok_or_else(|| {
                    Error::internal("report_key", "the key of reports is no P-256 key")
                })
            })
            .await
    }

    /// A compact JWS of a payload.
    pub(crate) async fn sign(&self, payload: &[u8]) -> Result<String, Error> {
        let header = json!({ "alg": "ES256", "kid": self.public().await?.kid, "typ": "JWS" });
        let input = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(payload)
        );
        let answer = self
            .client
            .sign()
            .key_id(&self.key_arn)
            // KMS takes 4,096 bytes of a message; a report has more.
            .message(Blob::new(digest(&SHA256, input.as_bytes()).as_ref()))
            .message_type(MessageType::Digest)
            .signing_algorithm(SigningAlgorithmSpec::EcdsaSha256)
            .send()
            .await
            .map_err(|error| Refusal::of(&error).into_error("kms:Sign"))?;
        let der = answer.signature.map(Blob::into_inner).unwrap_or_default();
        let signature = plain_signature(&der)
            .ok_or_else(|| Error::internal("report_signature", "KMS answered no signature"))?;
        Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn public_key(der: &[u8]) -> Option<PublicKey> {
    let (x, y) = der
        .strip_prefix(&SPKI[..])
        .filter(|point| point.len() == 2 * HALF)?
        .split_at(HALF);
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    // Members in order, as the thumbprint wants them.
    let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    let kid = URL_SAFE_NO_PAD.encode(digest(&SHA256, members.as_bytes()));
    Some(PublicKey { kid, x, y })
}

/// The two halves of a signature side by side, as a JWS has them (RFC 7518 section 3.4), out of the DER that
/// KMS answers.
fn plain_signature(der: &[u8]) -> Option<[u8; 2 * HALF]> {
    let (body, rest) = element(0x30, der)?;
    let (r, after) = element(0x02, body)?;
    let (s, end) = element(0x02, after)?;
    if !rest.is_empty() || !end.is_empty() {
        return None;
    }
    let mut plain = [0; 2 * HALF];
    for (number, place) in [r, s].into_iter().zip(plain.chunks_exact_mut(HALF)) {
        // A leading zero keeps a number from being negative.
        let number = number.strip_prefix(&[0]).unwrap_or(number);
        let begin = HALF.checked_sub(number.len())?;
        place.get_mut(begin..)?.copy_from_slice(number);
    }
    Some(plain)
}

/// The content of a short DER element, and what follows it.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (head, rest) = der.split_at_checked(2)?;
    let is_short = head[1] < 0x80;
    (head[0] == tag && is_short).then(|| rest.split_at_checked(usize::from(head[1])))?
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::{
        encoding::{AsDer as _, PublicKeyX509Der},
        rand::SystemRandom,
        signature::{
            ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED, EcdsaKeyPair, KeyPair as _,
            UnparsedPublicKey,
        },
    };

    use super::*;

    #[test]
    fn signatures_of_kms_become_signatures_of_a_jws() {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key().as_ref());
        // Among these are halves with a leading zero and halves that are shorter.
        for number in 0..600_u32 {
            let message = number.to_be_bytes();
            let der = key.sign(&SystemRandom::new(), &message).unwrap();
            let plain = plain_signature(der.as_ref()).unwrap();
            public.verify(&message, &plain).unwrap();
        }
        for broken in [
            &[][..],
            &[0x30],
            &[0x30, 2, 2, 1],
            &[0x31, 0],
            &[0x30, 0x81, 1],
        ] {
            assert_eq!(plain_signature(broken), None);
        }
    }

    #[test]
    fn the_public_key_is_read_off_what_kms_answers() {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let der: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
        let read = public_key(der.as_ref()).unwrap();
        let point = [
            URL_SAFE_NO_PAD.decode(&read.x).unwrap(),
            URL_SAFE_NO_PAD.decode(&read.y).unwrap(),
        ]
        .concat();
        assert_eq!(&key.public_key().as_ref()[1..], point);
        assert_eq!(URL_SAFE_NO_PAD.decode(&read.kid).unwrap().len(), 32);
        assert_eq!(public_key(&der.as_ref()[1..]), None);
    }
}
