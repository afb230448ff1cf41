//! Sealed texts: cursors and ids that travel through browsers, readable and changeable by us only.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, RandomizedNonceKey},
    digest::{SHA256, digest},
    hmac::{self, HMAC_SHA256},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};

use crate::secret::Secret;

/// The text was not sealed by us for this purpose and party, or was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text was not sealed here for this purpose")]
pub struct Unsealable;

/// Seals with AES-256-GCM. The context (purpose, tenant, user) is authenticated with the text, so
/// what was sealed for one tenant or route does not open for another.
pub struct Sealer {
    key: RandomizedNonceKey,
    marks: hmac::Key,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer([redacted])")
    }
}

impl Sealer {
    /// A sealer from key material of at least 32 characters.
    pub fn new(material: &Secret) -> Result<Self, Unsealable> {
        if material.expose().len() < 32 {
            return Err(Unsealable);
        }
        let key = digest(&SHA256, material.expose().as_bytes());
        let marks = format!("fingerprints:{}", material.expose());
        let marks = hmac::Key::new(HMAC_SHA256, digest(&SHA256, marks.as_bytes()).as_ref());
        RandomizedNonceKey::new(&AES_256_GCM, key.as_ref())
            .map(|key| Self { key, marks })
            .map_err(|_| Unsealable)
    }

    /// Seals a value for a context.
    pub fn seal<T: Serialize>(&self, context: &[&str], value: &T) -> Result<String, Unsealable> {
        let mut buffer = serde_json::to_vec(value).map_err(|_| Unsealable)?;
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(joined(context)), &mut buffer)
            .map_err(|_| Unsealable)?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.extend(buffer);
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// The same for the same bytes, and of no use to whoever guesses them without our key.
    pub fn fingerprint(&self, bytes: &[u8]) -> Vec<u8> {
        hmac::sign(&self.marks, bytes).as_ref().to_vec()
    }

    /// Opens what [`Sealer::seal`] made for the same context.
    pub fn open<T: DeserializeOwned>(
        &self,
        context: &[&str],
        unverified: &str,
    ) -> Result<T, Unsealable> {
        let sealed = URL_SAFE_NO_PAD.decode(unverified).map_err(|_| Unsealable)?;
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN).ok_or(Unsealable)?;
        let nonce =
            aws_lc_rs::aead::Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unsealable)?;
        let mut buffer = text.to_vec();
        let plain = self
            .key
            .open_in_place(nonce, Aad::from(joined(context)), &mut buffer)
            .map_err(|_| Unsealable)?;
        serde_json::from_slice(plain).map_err(|_| Unsealable)
    }
}

/// Length-prefixed, so that no two contexts join to the same bytes.
fn joined(context: &[&str]) -> Vec<u8> {
    context
        .iter()
        .flat_map(|part| format!("{}:{part}", part.len()).into_bytes())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer() -> Sealer {
        Sealer::new(&Secret::new("0123456789abcdef0123456789abcdef")).unwrap()
    }

    #[test]
    fn a_sealed_value_opens_for_its_own_context_only() {
        let sealed = sealer().seal(&["cursor", "ten_a"], &42).unwrap();
        assert_eq!(sealer().open::<i32>(&["cursor", "ten_a"], &sealed), Ok(42));
        assert_eq!(
            sealer().open::<i32>(&["cursor", "ten_b"], &sealed),
            Err(Unsealable)
        );
        assert_eq!(
            sealer().open::<i32>(&["cursorten_a"], &sealed),
            Err(Unsealable)
        );
    }

    #[test]
    fn a_changed_byte_a_short_text_and_another_key_do_not_open() {
        let sealed = sealer().seal(&["id"], &"x").unwrap();
        let mut changed = sealed.clone();
        changed.replace_range(20..21, if &sealed[20..21] == "A" { "B" } else { "A" });
        assert!(sealer().open::<String>(&["id"], &changed).is_err());
        assert!(sealer().open::<String>(&["id"], "AA").is_err());
        let other = Sealer::new(&Secret::new("fedcba9876543210fedcba9876543210")).unwrap();
        assert!(other.open::<String>(&["id"], &sealed).is_err());
    }
}
