//! The vault: AES-256-GCM under KMS data keys, one per tenant, bound to what the text is for.
//!
//! A sealed text carries the wrapped data key, so every instance can open what another sealed. KMS
//! binds the key to the tenant (encryption context); the associated data binds the text to its
//! place, so a ciphertext copied to another row does not open.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_sdk_kms::{Client, primitives::Blob, types::DataKeySpec};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use crate::{aws::Refusal, error::Error, id::TenantId, secret::Secret};

/// How long a data key stays in memory.
const KEY_LIFE: Duration = Duration::from_mins(5);
/// How many texts one data key seals before a new one is made.
const KEY_USES: u32 = 10_000;

/// A sealed text, as it is stored.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// Format version.
    v: u8,
    /// The data key, wrapped by KMS.
    k: String,
    /// Nonce and ciphertext.
    c: String,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed")
    }
}

/// Why the vault did not seal or open.
#[derive(Debug, thiserror::Error)]
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

struct DataKey {
    key: RandomizedNonceKey,
    wrapped: String,
    made: Instant,
}

type Keys<K> = Mutex<HashMap<K, (Arc<DataKey>, u32)>>;

/// Seals and opens secrets of tenants.
#[derive(Clone)]
pub struct Vault {
    client: Client,
    key_arn: String,
    sealing: Arc<Keys<String>>,
    opening: Arc<Keys<(String, String)>>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("key_arn", &self.key_arn)
            .finish_non_exhaustive()
    }
}

/// For what is sealed before a tenant is known (a sign-in under way), in place of the tenant.
pub const NO_TENANT: &str = "none";

impl Vault {
    /// A vault whose data keys this KMS key wraps.
    pub fn new(client: Client, key_arn: String) -> Self {
        Self {
            client,
            key_arn,
            sealing: Arc::default(),
            opening: Arc::default(),
        }
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
        let mut buffer = secret.expose().as_bytes().to_vec();
        let nonce = data_key
            .key
            .seal_in_place_append_tag(Aad::from(associated_data(owner, place)), &mut buffer)
            .map_err(|_| VaultError::DoesNotOpen)?;
        let mut text = nonce.as_ref().to_vec();
        text.extend(buffer);
        Ok(Sealed {
            v: 1,
            k: data_key.wrapped.clone(),
            c: STANDARD_NO_PAD.encode(text),
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
        let data_key = self.opening_key(owner, &sealed.k).await?;
        let text = STANDARD_NO_PAD
            .decode(&sealed.c)
            .map_err(|_| VaultError::DoesNotOpen)?;
        let (nonce, cipher) = text
            .split_at_checked(NONCE_LEN)
            .ok_or(VaultError::DoesNotOpen)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| VaultError::DoesNotOpen)?;
        let mut buffer = cipher.to_vec();
        let secret = data_key
            .key
            .open_in_place(nonce, Aad::from(associated_data(owner, place)), &mut buffer)
            .map_err(|_| VaultError::DoesNotOpen)
            .and_then(|plain| std::str::from_utf8(plain).map_err(|_| VaultError::DoesNotOpen))
            .map(Secret::new);
        buffer.zeroize();
        secret
    }

    async fn sealing_key(&self, owner: &str) -> Result<Arc<DataKey>, VaultError> {
        if let Some(key) = used(&self.sealing, &owner.to_owned()) {
            return Ok(key);
        }
        let answer = self
            .client
            .generate_data_key()
            .key_id(&self.key_arn)
            .key_spec(DataKeySpec::Aes256)
            .encryption_context("tenant", owner)
            .send()
            .await
            .map_err(|error| VaultError::Kms {
                operation: "GenerateDataKey",
                refusal: Refusal::of(&error),
            })?;
        let wrapped = STANDARD_NO_PAD.encode(
            answer
                .ciphertext_blob
                .unwrap_or_else(|| Blob::new([]))
                .as_ref(),
        );
        let key = data_key(answer.plaintext, wrapped)?;
        Ok(kept(&self.sealing, owner.to_owned(), key))
    }

    async fn opening_key(&self, owner: &str, wrapped: &str) -> Result<Arc<DataKey>, VaultError> {
        let cache_key = (owner.to_owned(), wrapped.to_owned());
        if let Some(key) = used(&self.opening, &cache_key) {
            return Ok(key);
        }
        let blob = STANDARD_NO_PAD
            .decode(wrapped)
            .map_err(|_| VaultError::DoesNotOpen)?;
        let answer = self
            .client
            .decrypt()
            .key_id(&self.key_arn)
            .ciphertext_blob(Blob::new(blob))
            .encryption_context("tenant", owner)
            .send()
            .await
            .map_err(|error| {
                let refusal = Refusal::of(&error);
                if refusal.is("InvalidCiphertextException") {
                    VaultError::DoesNotOpen
                } else {
                    VaultError::Kms {
                        operation: "Decrypt",
                        refusal,
                    }
                }
            })?;
        let key = data_key(answer.plaintext, wrapped.to_owned())?;
        Ok(kept(&self.opening, cache_key, key))
    }
}

fn used<K: std::hash::Hash + Eq>(keys: &Keys<K>, key: &K) -> Option<Arc<DataKey>> {
    let mut keys = keys.lock().unwrap_or_else(PoisonError::into_inner);
    keys.retain(|_, (key, uses)| key.made.elapsed() < KEY_LIFE && *uses < KEY_USES);
    let (data_key, uses) = keys.get_mut(key)?;
    *uses += 1;
    Some(Arc::clone(data_key))
}

fn kept<K: std::hash::Hash + Eq>(keys: &Keys<K>, at: K, key: DataKey) -> Arc<DataKey> {
    let key = Arc::new(key);
    keys.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(at, (Arc::clone(&key), 1));
    key
}

fn data_key(plaintext: Option<Blob>, wrapped: String) -> Result<DataKey, VaultError> {
    let mut plain = plaintext.map(Blob::into_inner).unwrap_or_default();
    let key = RandomizedNonceKey::new(&AES_256_GCM, &plain).map_err(|_| VaultError::DoesNotOpen);
    plain.zeroize();
    Ok(DataKey {
        key: key?,
        wrapped,
        made: Instant::now(),
    })
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
        };
        assert_eq!(format!("{sealed:?}"), "Sealed");
    }
}
