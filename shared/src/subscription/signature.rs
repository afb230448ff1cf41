//! Signatures of deliveries, as Standard Webhooks 1.0 has them: symmetric, version 1.
//!
//! Signed are id, time and body, so a captured request is worth nothing with another body, and
//! nothing some minutes later. Each key that is in use signs, so receivers change theirs at leisure.

use std::fmt;

use aws_lc_rs::{hmac, rand};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// What written keys begin with.
const PREFIX: &str = "whsec_";
/// Bytes of a key that we make.
const KEY_LENGTH: usize = 32;

/// A text is no signing key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a signing key: {PREFIX} and at least 24 bytes in base64")]
pub struct InvalidKey;

/// A key with which deliveries are signed, in the clear.
pub struct SigningSecret {
    text: SecretString,
    key: hmac::Key,
}

impl SigningSecret {
    /// Makes a new key.
    pub fn generate() -> Result<Self, aws_lc_rs::error::Unspecified> {
        let mut bytes = Zeroizing::new([0u8; KEY_LENGTH]);
        rand::fill(bytes.as_mut())?;
        Ok(Self::of(bytes.as_ref()))
    }

    /// Reads a key as [`SigningSecret::expose`] writes it.
    pub fn parse(text: &str) -> Result<Self, InvalidKey> {
        let encoded = text.strip_prefix(PREFIX).ok_or(InvalidKey)?;
        let bytes = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| InvalidKey)?);
        if !(24..=64).contains(&bytes.len()) {
            return Err(InvalidKey);
        }
        Ok(Self::of(&bytes))
    }

    fn of(bytes: &[u8]) -> Self {
        let encoded = Zeroizing::new(STANDARD.encode(bytes));
        Self {
            text: SecretString::from(format!("{PREFIX}{}", encoded.as_str())),
            key: hmac::Key::new(hmac::HMAC_SHA256, bytes),
        }
    }

    /// The key in writing, for its owner or the vault.
    pub fn expose(&self) -> &str {
        self.text.expose_secret()
    }

    /// The signature of a message: `v1,` and the base64 of HMAC-SHA256 over `id.seconds.body`.
    pub fn sign(&self, id: &str, at: Timestamp, body: &[u8]) -> String {
        let mut signer = hmac::Context::with_key(&self.key);
        signer.update(format!("{id}.{}.", at.as_second()).as_bytes());
        signer.update(body);
        format!("v1,{}", STANDARD.encode(signer.sign()))
    }

    /// The header `webhook-signature`: one signature of each key, separated by spaces.
    pub fn header<'a>(
        keys: impl IntoIterator<Item = &'a Self>,
        id: &str,
        at: Timestamp,
        body: &[u8],
    ) -> String {
        let signatures: Vec<String> = keys.into_iter().map(|key| key.sign(id, at, body)).collect();
        signatures.join(" ")
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// The example of the Standard Webhooks specification's own libraries.
    #[test]
    fn signatures_are_the_standards() {
        let key = SigningSecret::parse(KEY).unwrap();
        let signature = key.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            at(1_614_265_330),
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn each_key_signs_during_a_rotation() {
        let (old, new) = (
            SigningSecret::parse(KEY).unwrap(),
            SigningSecret::generate().unwrap(),
        );
        let header = SigningSecret::header([&new, &old], "id", at(1), b"body");
        let expected = format!(
            "{} {}",
            new.sign("id", at(1), b"body"),
            old.sign("id", at(1), b"body")
        );
        assert_eq!(header, expected);
        assert_ne!(
            new.sign("id", at(1), b"body"),
            old.sign("id", at(1), b"body")
        );
    }

    #[test]
    fn keys_are_read_as_written_and_never_printed() {
        let key = SigningSecret::generate().unwrap();
        let again = SigningSecret::parse(key.expose()).unwrap();
        assert_eq!(key.sign("a", at(0), b""), again.sign("a", at(0), b""));
        assert_eq!(key.expose().len(), PREFIX.len() + 44);
        assert_eq!(format!("{key:?}"), "[redacted]");
        assert_ne!(key.expose(), SigningSecret::generate().unwrap().expose());
        for text in [
            "",
            "whsec_",
            "whsec_!",
            "whsec_AAAA",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ] {
            assert_eq!(SigningSecret::parse(text).err(), Some(InvalidKey), "{text}");
        }
    }

    proptest! {
        /// N2: whatever is changed, the signature is another.
        #[test]
        fn n2_id_time_and_each_byte_are_signed(
            body in prop::collection::vec(any::<u8>(), 1..200),
            place: prop::sample::Index,
            flip in 1u8..,
        ) {
            let key = SigningSecret::parse(KEY).unwrap();
            let signature = key.sign("evt_1", at(1_000), &body);
            let mut changed = body.clone();
            changed[place.index(body.len())] ^= flip;
            prop_assert_ne!(&signature, &key.sign("evt_1", at(1_000), &changed));
            prop_assert_ne!(&signature, &key.sign("evt_2", at(1_000), &body));
            prop_assert_ne!(&signature, &key.sign("evt_1", at(1_001), &body));
        }
    }
}
