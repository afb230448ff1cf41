//! ID tokens: verified against the keys of the configured issuer, and read only after that.
//!
//! Keys are never fetched from an address that a token names. RS256 only. What the JWT library does
//! not check (critical headers, duplicate members, an `iss` that is a list, `azp`, `nonce`,
//! `token_use`, an `iat` in the future) is checked here.

mod claims;
mod keys;

use aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;

use crate::{
    error::{Error, Kind},
    oauth::{Endpoint, metadata::Discovery},
    secret::Secret,
};

pub use claims::IdClaims;
use claims::{Expected, Object};
pub use keys::KeyError;
use keys::Keys;

/// Longest token that is looked at.
const LENGTH_CAP: usize = 16 * 1024;

/// Why a token is not believed.
#[derive(Debug, thiserror::Error)]
pub enum JwtError {
    /// Not a signed token of three parts.
    #[error("not a JSON web token")]
    Malformed,
    /// A header that we do not accept.
    #[error("the token's header is refused: {0}")]
    Header(&'static str),
    /// The issuer does not have the key that the token names.
    #[error("the token names a key that its issuer does not have")]
    UnknownKey,
    /// The signature is wrong.
    #[error("the token's signature is wrong")]
    Signature,
    /// A claim is missing or wrong.
    #[error("the token's claim {0} is missing or wrong")]
    Claim(&'static str),
    /// It ended.
    #[error("the token has expired")]
    Expired,
    /// The issuer's keys cannot be had.
    #[error("the issuer's keys cannot be had")]
    Keys(#[source] KeyError),
}

impl From<JwtError> for Error {
    fn from(error: JwtError) -> Self {
        match error {
            JwtError::Keys(_) => {
                Self::unavailable("issuer_unavailable", "no keys to verify with").with_source(error)
            }
            JwtError::Expired => Self::new(
                Kind::Unauthenticated,
                "token_expired",
                "The ID token has expired. Get a new one.",
            )
            .with_source(error),
            JwtError::Malformed
            | JwtError::Header(_)
            | JwtError::UnknownKey
            | JwtError::Signature
            | JwtError::Claim(_) => Self::new(
                Kind::Unauthenticated,
                "token_not_accepted",
                "The ID token is not accepted.",
            )
            .with_source(error),
        }
    }
}

/// Verifies ID tokens of one issuer for one client.
#[derive(Debug, Clone)]
pub struct IdTokenVerifier {
    audience: String,
    keys: Keys,
}

impl IdTokenVerifier {
    /// A verifier for tokens that this issuer made for the client `audience`.
    pub fn new(issuer: Endpoint, audience: String) -> Result<Self, reqwest::Error> {
        Ok(Self::with_discovery(Discovery::new(issuer)?, audience))
    }

    /// A verifier that shares the metadata of the issuer.
    pub fn with_discovery(discovery: Discovery, audience: String) -> Self {
        Self {
            audience,
            keys: Keys::new(discovery),
        }
    }

    /// The claims of a token that is ours, genuine and current; with the nonce of its sign-in, if
    /// one is expected.
    pub async fn verify(
        &self,
        unverified_token: &Secret,
        nonce: Option<&str>,
    ) -> Result<IdClaims, JwtError> {
        let parts = Parts::split(unverified_token.expose())?;
        let key_id = key_id(&parts.header)?;
        let key = self
            .keys
            .find(&key_id)
            .await
            .map_err(JwtError::Keys)?
            .ok_or(JwtError::UnknownKey)?;
        parts.check_signature(&key)?;
        let expected = Expected {
            issuer: self.keys.issuer(),
            audience: &self.audience,
            nonce,
            now: Timestamp::now().as_second(),
        };
        claims::check(&parts.payload, &expected)
    }
}

/// Says whether the key that signed a token is still one of its issuer's.
#[derive(Debug, Clone)]
pub struct IssuerKeys(Keys);

impl IssuerKeys {
    /// The keys of this issuer.
    pub fn new(issuer: Endpoint) -> Result<Self, reqwest::Error> {
        Ok(Self(Keys::new(Discovery::new(issuer)?)))
    }

    /// Whether the issuer publishes the key that this token names, within a minute of the truth. The
    /// token is not verified here: somebody else has done that. A token that names no key has none.
    pub async fn still_has_key_of(&self, verified_elsewhere: &str) -> Result<bool, KeyError> {
        let header = verified_elsewhere
            .split_once('.')
            .filter(|_| verified_elsewhere.len() <= LENGTH_CAP)
            .and_then(|(header, _)| URL_SAFE_NO_PAD.decode(header).ok())
            .and_then(|header| Object::parse(&header));
        match header.as_ref().and_then(|header| header.text("kid")) {
            Some(key_id) => self.0.has(key_id).await,
            None => Ok(false),
        }
    }
}

struct Parts<'a> {
    signed: &'a str,
    header: Vec<u8>,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Parts<'a> {
    fn split(token: &'a str) -> Result<Self, JwtError> {
        if token.len() > LENGTH_CAP {
            return Err(JwtError::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(JwtError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(JwtError::Malformed)?;
        // A fourth part leaves a dot in the payload, which base64url does not have.
        let decode = |part: &str| {
            URL_SAFE_NO_PAD
                .decode(part)
                .map_err(|_| JwtError::Malformed)
        };
        Ok(Self {
            signed,
            header: decode(header)?,
            payload: decode(payload)?,
            signature: decode(signature)?,
        })
    }

    fn check_signature(&self, key: &keys::RsaKey) -> Result<(), JwtError> {
        key.verify(
            &RSA_PKCS1_2048_8192_SHA256,
            self.signed.as_bytes(),
            &self.signature,
        )
        .map_err(|_| JwtError::Signature)
    }
}

/// Headers that say where a key is, or change what a verifier must understand. A token that relies
/// on any of them is not one of our issuer's.
const REFUSED_HEADERS: [&str; 6] = ["crit", "jku", "jwk", "x5u", "x5c", "b64"];

/// The key that a header names, if the header is one that we accept.
fn key_id(header: &[u8]) -> Result<String, JwtError> {
    let header =
        Object::parse(header).ok_or(JwtError::Header("not an object, or a member twice"))?;
    if let Some(name) = REFUSED_HEADERS
        .into_iter()
        .find(|name| header.0.contains_key(*name))
    {
        return Err(JwtError::Header(name));
    }
    if header.text("alg") != Some("RS256") {
        return Err(JwtError::Header("alg"));
    }
    if header.0.contains_key("typ")
        && !header
            .text("typ")
            .is_some_and(|kind| kind.eq_ignore_ascii_case("jwt"))
    {
        return Err(JwtError::Header("typ"));
    }
    header
        .text("kid")
        .filter(|kid| (1..=256).contains(&kid.len()))
        .map(str::to_owned)
        .ok_or(JwtError::Header("kid"))
}

#[cfg(test)]
mod tests;
