//! The vault: AES-256-GCM under KMS data keys, one per tenant, bound to what the text is for.
//!
//! A sealed text carries the wrapped data key and the name of the KMS key that wrapped it, so every
//! instance can open what another sealed, also while the KMS key is being replaced. KMS binds the
//! data key to the tenant (encryption context); the associated data binds the text to its place, so a
//! ciphertext copied to another row does not open.
//!
//! Plaintext buffers and data keys are overwritten when they are done with. Out of reach: what the
//! SDK and the HTTP client hold while an answer of KMS or of a provider is being read.

mod keys;
pub mod rewrap;

use std::{fmt, sync::Arc};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce};
use aws_sdk_kms::{Client, primitives::Blob, types::DataKeySpec};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::{aws::Refusal, error::Error, id::TenantId, secret::Secret};

pub use keys::VaultKeys;
use keys::{DataKey, DataKeys, ENTRIES};

/// A data key older than this is replaced, although nothing is wrong with it.
pub const DATA_KEY_AGE: SignedDuration = SignedDuration::from_hours(90 * 24);

/// A sealed text, as it is stored.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// Format version.
    v: u8,
    /// The data key, wrapped by KMS.
    k: String,
    /// Nonce and ciphertext.
    c: String,
    /// The KMS key that wrapped the data key; absent in texts from before it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    /// When the data key was made, epoch seconds; absent in texts from before it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    t: Option<i64>,
}

impl Sealed {
    /// The member that tells one sealed text from every other, and its value, for conditions.
    pub fn identity(&self) -> (&'static str, &str) {
        ("c", &self.c)
    }

    /// Whether the text should be sealed anew: its data key is wrapped under another KMS key than
    /// this one, or is old (scenario T5).
    pub fn is_outdated(&self, current_key: &str, now: Timestamp) -> bool {
        let is_young = |made: i64| now.as_second().saturating_sub(made) < DATA_KEY_AGE.as_secs();
        self.n.as_deref() != Some(current_key) || !self.t.is_some_and(is_young)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed")
    }
}

/// Why the vault did not seal or open.
#[derive(Debug, Clone, thiserror::Error)]
pub enum VaultError {
    /// KMS failed.
    #[error("KMS {operation} failed with {}", refusal.code.as_deref().unwrap_or("no answer"))]
    Kms {
        /// The operation.
        operation: &'static str,
        /// What it said.
        refusal: Refusal,
    },
    /// The text was not sealed for this place and tenant, or was changed.
    #[error("the sealed text does not open for this tenant and place")]
    DoesNotOpen,
    /// The text names a KMS key that is not one of ours.
    #[error("the sealed text names a KMS key that is not configured")]
    UnknownKey,
}

impl From<VaultError> for Error {
    fn from(error: VaultError) -> Self {
        match &error {
            VaultError::Kms { refusal, .. } if refusal.is_throttle() || refusal.is_unknown() => {
                Self::unavailable("vault_unavailable", "KMS did not answer").with_source(error)
            }
            _ => {
                Self::internal("vault_failed", "a sealed text could not be used").with_source(error)
            }
        }
    }
}

/// Seals and opens secrets of tenants.
#[derive(Clone)]
pub struct Vault {
    client: Client,
    keys: Arc<VaultKeys>,
    /// By owner.
    sealing: Arc<DataKeys<String>>,
    /// By owner and wrapped data key.
    opening: Arc<DataKeys<(String, String)>>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

/// For what is sealed before a tenant is known (a sign-in under way), in place of the tenant.
pub const NO_TENANT: &str = "none";

impl Vault {
    /// A vault whose data keys these KMS keys wrap.
    pub fn new(client: Client, keys: impl Into<VaultKeys>) -> Self {
        Self {
            client,
            keys: Arc::new(keys.into()),
            sealing: Arc::new(DataKeys::new(ENTRIES)),
            opening: Arc::new(DataKeys::new(ENTRIES)),
        }
    }

    /// ARN of the KMS key that wraps new data keys.
    pub fn current_key(&self) -> &str {
        &self.keys.current
    }

    /// Seals a secret of a tenant for a place (`["connection", id, "7"]`).
    pub async fn seal(
        &self,
        tenant: TenantId,
        place: &[&str],
        secret: &Secret,
    ) -> Result<Sealed, VaultError> {
        self.seal_for(&tenant.to_string(), place, secret).await
    }

    /// Opens what was sealed for the same tenant and place.
    pub async fn open(
        &self,
        tenant: TenantId,
        place: &[&str],
        sealed: &Sealed,
    ) -> Result<Secret, VaultError> {
        self.open_for(&tenant.to_string(), place, sealed).await
    }

    /// Seals for an owner that is a tenant's id or [`NO_TENANT`].
    pub async fn seal_for(
        &self,
        owner: &str,
        place: &[&str],
        secret: &Secret,
    ) -> Result<Sealed, VaultError> {
        let data_key = self.sealing_key(owner).await?;
        let plain = secret.expose().as_bytes();
        // Room for all that is written, so that no copy is left behind by growing.
        let mut buffer = Vec::with_capacity(plain.len() + AES_256_GCM.tag_len());
        buffer.extend_from_slice(plain);
        let sealed = data_key
            .key
            .seal_in_place_append_tag(Aad::from(associated_data(owner, place)), &mut buffer);
        let Ok(nonce) = sealed else {
            buffer.zeroize();
            return Err(VaultError::DoesNotOpen);
        };
        let mut text = nonce.as_ref().to_vec();
        text.extend(buffer);
        Ok(Sealed {
            v: 1,
            k: data_key.wrapped.clone(),
            c: STANDARD_NO_PAD.encode(text),
            n: Some(self.keys.current.clone()),
            t: data_key.made_at,
        })
    }

    /// Opens for an owner that is a tenant's id or [`NO_TENANT`].
    pub async fn open_for(
        &self,
        owner: &str,
        place: &[&str],
        sealed: &Sealed,
    ) -> Result<Secret, VaultError> {
        if sealed.v != 1 {
            return Err(VaultError::DoesNotOpen);
        }
        let data_key = self.opening_key(owner, sealed).await?;
        let text = STANDARD_NO_PAD
            .decode(&sealed.c)
            .map_err(|_| VaultError::DoesNotOpen)?;
        let (nonce, cipher) = text
            .split_at_checked(NONCE_LEN)
            .ok_or(VaultError::DoesNotOpen)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| VaultError::DoesNotOpen)?;
        let mut buffer = Zeroizing::new(cipher.to_vec());
        data_key
            .key
            .open_in_place(nonce, Aad::from(associated_data(owner, place)), &mut buffer)
            .map_err(|_| VaultError::DoesNotOpen)
            .and_then(|plain| std::str::from_utf8(plain).map_err(|_| VaultError::DoesNotOpen))
            .map(Secret::new)
    }

    async fn sealing_key(&self, owner: &str) -> Result<Arc<DataKey>, VaultError> {
        self.sealing
            .get(owner.to_owned(), self.make_data_key(owner))
            .await
    }

    async fn make_data_key(&self, owner: &str) -> Result<DataKey, VaultError> {
        let answer = self
            .client
            .generate_data_key()
            .key_id(&self.keys.current)
            .key_spec(DataKeySpec::Aes256)
            .encryption_context("tenant", owner)
            .send()
            .await
            .map_err(|error| VaultError::Kms {
                operation: "GenerateDataKey",
                refusal: Refusal::of(&error),
            })?;
        let wrapped = answer.ciphertext_blob.unwrap_or_else(|| Blob::new([]));
        let wrapped = STANDARD_NO_PAD.encode(wrapped.as_ref());
        DataKey::new(
            answer.plaintext,
            wrapped,
            Some(Timestamp::now().as_second()),
        )
    }

    async fn opening_key(&self, owner: &str, sealed: &Sealed) -> Result<Arc<DataKey>, VaultError> {
        let candidates = self.keys.for_opening(sealed.n.as_deref());
        if candidates.is_empty() {
            return Err(VaultError::UnknownKey);
        }
        let at = (owner.to_owned(), sealed.k.clone());
        let ask = async {
            let mut outcome = Err(VaultError::DoesNotOpen);
            for key in candidates {
                outcome = self.unwrap_data_key(owner, &sealed.k, key).await;
                if !matches!(outcome, Err(VaultError::DoesNotOpen)) {
                    break;
                }
            }
            outcome
        };
        self.opening.get(at, ask).await
    }

    async fn unwrap_data_key(
        &self,
        owner: &str,
        wrapped: &str,
        key: &str,
    ) -> Result<DataKey, VaultError> {
        let blob = STANDARD_NO_PAD
            .decode(wrapped)
            .map_err(|_| VaultError::DoesNotOpen)?;
        let answer = self
            .client
            .decrypt()
            .key_id(key)
            .ciphertext_blob(Blob::new(blob))
            .encryption_context("tenant", owner)
            .send()
            .await
            .map_err(|error| {
                let refusal = Refusal::of(&error);
                let is_another_keys = refusal.is("IncorrectKeyException");
                if is_another_keys || refusal.is("InvalidCiphertextException") {
                    VaultError::DoesNotOpen
                } else {
                    VaultError::Kms {
                        operation: "Decrypt",
                        refusal,
                    }
                }
            })?;
        DataKey::new(answer.plaintext, wrapped.to_owned(), None)
    }
}

/// Length-prefixed, so that no two places join to the same bytes.
fn associated_data(owner: &str, place: &[&str]) -> Vec<u8> {
    std::iter::once(owner)
        .chain(place.iter().copied())
        .flat_map(|part| format!("{}:{part}", part.len()).into_bytes())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_that_differ_never_share_associated_data() {
        assert_ne!(
            associated_data("t", &["ab", "c"]),
            associated_data("t", &["a", "bc"])
        );
        assert_ne!(
            associated_data("t", &["1:a"]),
            associated_data("t", &["1", "a"])
        );
    }

    #[test]
    fn a_sealed_text_prints_nothing() {
        let sealed = Sealed {
            v: 1,
            k: "wrapped".into(),
            c: "cipher".into(),
            n: None,
            t: None,
        };
        assert_eq!(format!("{sealed:?}"), "Sealed");
    }

    #[test]
    fn t5_texts_from_before_keys_were_named_are_read_and_are_outdated() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let stored: Sealed = serde_json::from_str(r#"{"v":1,"k":"a","c":"b"}"#).unwrap();
        assert!(stored.is_outdated("current", now));
        assert_eq!(
            serde_json::to_string(&stored).unwrap(),
            r#"{"v":1,"k":"a","c":"b"}"#
        );
    }

    #[test]
    fn t5_a_text_is_outdated_under_another_key_or_after_ninety_days() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let sealed = |key: &str, age_days: i64| Sealed {
            v: 1,
            k: String::new(),
            c: String::new(),
            n: Some(key.to_owned()),
            t: Some(now.as_second() - age_days * 86_400),
        };
        assert!(!sealed("current", 0).is_outdated("current", now));
        assert!(!sealed("current", 89).is_outdated("current", now));
        assert!(sealed("current", 90).is_outdated("current", now));
        assert!(sealed("other", 0).is_outdated("current", now));
    }
}
