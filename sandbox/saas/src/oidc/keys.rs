//! Signing keys: one for ID tokens, one for access tokens, and the old ones that are still published.

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::random;

/// No key could be made or used.
#[derive(Debug, thiserror::Error)]
#[error("the RSA keys of the identity provider are not available")]
pub struct KeysUnavailable;

/// One RSA key of 2048 bits.
pub(super) struct Key {
    pub(super) kid: String,
    pair: KeyPair,
}

impl Key {
    pub(super) fn generate() -> Result<Self, KeysUnavailable> {
        Ok(Self {
            kid: random::token(24),
            pair: KeyPair::generate(KeySize::Rsa2048).map_err(|_| KeysUnavailable)?,
        })
    }

    /// RS256 over `message`.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeysUnavailable> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                message,
                &mut signature,
            )
            .map_err(|_| KeysUnavailable)?;
        Ok(signature)
    }

    /// The public key in DER, which attackers use as an HMAC secret.
    pub(super) fn public_der(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// Whether this key made the signature.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        aws_lc_rs::signature::UnparsedPublicKey::new(
            &aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256,
            self.public_der(),
        )
        .verify(message, signature)
        .is_ok()
    }

    fn jwk(&self) -> Value {
        let public = self.pair.public_key();
        json!({
            "alg": "RS256",
            "e": URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero()),
            "kid": self.kid,
            "kty": "RSA",
            "n": URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero()),
            "use": "sig",
        })
    }
}

/// The keys in use and those still published.
pub(super) struct Keyring {
    pub(super) id: Key,
    pub(super) access: Key,
    old: Vec<Key>,
}

impl Keyring {
    pub(super) fn generate() -> Result<Self, KeysUnavailable> {
        Ok(Self {
            id: Key::generate()?,
            access: Key::generate()?,
            old: Vec::new(),
        })
    }

    /// New keys sign from now on; the old ones stay published.
    pub(super) fn rotate(&mut self) -> Result<(), KeysUnavailable> {
        let id = std::mem::replace(&mut self.id, Key::generate()?);
        let access = std::mem::replace(&mut self.access, Key::generate()?);
        self.old.extend([id, access]);
        Ok(())
    }

    /// Stops publishing the keys that no longer sign.
    pub(super) fn drop_old(&mut self) {
        self.old.clear();
    }

    /// A published key by its id.
    pub(super) fn find(&self, kid: &str) -> Option<&Key> {
        self.published().find(|key| key.kid == kid)
    }

    /// The JWKS document.
    pub(super) fn jwks(&self) -> Value {
        json!({ "keys": self.published().map(Key::jwk).collect::<Vec<_>>() })
    }

    fn published(&self) -> impl Iterator<Item = &Key> {
        [&self.id, &self.access].into_iter().chain(&self.old)
    }
}
