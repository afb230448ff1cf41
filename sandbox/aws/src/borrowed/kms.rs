//! KMS, with encryption contexts that cannot be confused and signatures that hold.
//!
//! The borrowed service binds a ciphertext to `a=1,b=2`, which is also what the context
//! `{"a": "1,b=2"}` reads as. Each context is therefore handed over as one pair that holds its
//! canonical JSON. Its asymmetric keys sign with an HMAC and have a random public half, so those of
//! the curve P-256 are replaced by real ones.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::{
    digest::{Digest, SHA256, digest},
    encoding::{AsDer as _, PublicKeyX509Der},
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::StatusCode;
use sandbox_core::{AwsCall, AwsReply};
use serde_json::{Value, json};
use winterbaume_kms::KmsService;

const CONTEXTS: [&str; 3] = [
    "EncryptionContext",
    "SourceEncryptionContext",
    "DestinationEncryptionContext",
];

/// KMS of one account.
#[derive(Default)]
pub(super) struct Keys {
    service: KmsService,
    /// The pairs of P-256 keys, by ARN.
    pairs: Mutex<BTreeMap<String, Arc<EcdsaKeyPair>>>,
}

pub(super) async fn handle(keys: &Keys, call: &AwsCall) -> AwsReply {
    let Ok(mut ask) = call.json() else {
        return super::json(&keys.service, call, &call.body).await;
    };
    for name in CONTEXTS {
        if let Some(context) = ask.get_mut(name)
            && let Some(canonical) = canonical(context)
        {
            *context = json!({ "context": canonical });
        }
    }
    let reply = super::json(&keys.service, call, ask.to_string().as_bytes()).await;
    keys.with_real_keys(&ask, reply)
}

impl Keys {
    /// Replaces what the borrowed service made up: it has checked the key and its usage by now.
    fn with_real_keys(&self, ask: &Value, mut reply: AwsReply) -> AwsReply {
        let Ok(mut answer) = serde_json::from_slice::<Value>(&reply.body) else {
            return reply;
        };
        let key = answer["KeyId"].as_str().unwrap_or_default().to_owned();
        if reply.status != StatusCode::OK || key.is_empty() {
            return reply;
        }
        let done = if answer["KeySpec"] == "ECC_NIST_P256" && answer.get("PublicKey").is_some() {
            self.public(&key)
                .map(|public| answer["PublicKey"] = public.into())
        } else if answer["SigningAlgorithm"] == "ECDSA_SHA_256" && answer.get("Signature").is_some()
        {
            self.sign(&key, ask)
                .map(|signed| answer["Signature"] = signed.into())
        } else {
            return reply;
        };
        if done.is_some() {
            reply.body = Bytes::from(answer.to_string());
        } else {
            let refused = json!({
                "__type": "ValidationException",
                "message": "Digest is invalid length for algorithm ECDSA_SHA_256.",
            });
            reply.status = StatusCode::BAD_REQUEST;
            reply.body = Bytes::from(refused.to_string());
        }
        reply
    }

    fn pair(&self, key: &str) -> Option<Arc<EcdsaKeyPair>> {
        let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pair) = pairs.get(key) {
            return Some(Arc::clone(pair));
        }
        let pair = Arc::new(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).ok()?);
        pairs.insert(key.to_owned(), Arc::clone(&pair));
        Some(pair)
    }

    fn public(&self, key: &str) -> Option<String> {
        let der: PublicKeyX509Der<'_> = self.pair(key)?.public_key().as_der().ok()?;
        Some(STANDARD.encode(der.as_ref()))
    }

    fn sign(&self, key: &str, ask: &Value) -> Option<String> {
        let message = STANDARD.decode(ask["Message"].as_str()?).ok()?;
        let digest = if ask["MessageType"] == "DIGEST" {
            Digest::import_less_safe(&message, &SHA256).ok()?
        } else {
            digest(&SHA256, &message)
        };
        let signature = self.pair(key)?.sign_digest(&digest).ok()?;
        Some(STANDARD.encode(signature.as_ref()))
    }
}

/// The pairs in order of their keys; `None` for an empty context, which binds nothing.
fn canonical(context: &Value) -> Option<String> {
    let pairs: BTreeMap<&String, &Value> = context.as_object()?.iter().collect();
    (!pairs.is_empty()).then(|| json!(pairs).to_string())
}
