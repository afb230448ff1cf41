//! Verifying the assertion: a JWT of the trusted token issuer.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, errors::ErrorKind, jwk::JwkSet};
use serde::Deserialize;

use super::{IdentityCenter, error::TokenError};

/// The claims that the exchange needs, verified.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    pub(super) jti: String,
    pub(super) email: String,
}

/// Verifies signature (RS256 only), issuer, audience and times against the issuer's current keys.
pub(super) async fn verify(
    http: &reqwest::Client,
    configuration: &IdentityCenter,
    unverified_assertion: &str,
) -> Result<Claims, TokenError> {
    let unverified_header =
        jsonwebtoken::decode_header(unverified_assertion).map_err(|_| TokenError::InvalidGrant)?;
    if unverified_header.alg != Algorithm::RS256 {
        return Err(TokenError::InvalidGrant);
    }
    let unverified_kid = unverified_header.kid.ok_or(TokenError::InvalidGrant)?;
    let keys = fetch(http, &configuration.jwks_url).await?;
    let key = keys
        .find(&unverified_kid)
        .ok_or(TokenError::InvalidGrant)
        .and_then(|jwk| DecodingKey::from_jwk(jwk).map_err(|_| TokenError::InvalidGrant))?;
    let mut validation = Validation::new(Algorithm::RS256);
    validation.leeway = 0;
    validation.validate_nbf = true;
    validation.set_issuer(&[&configuration.issuer]);
    validation.set_audience(&configuration.audiences);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    jsonwebtoken::decode::<Claims>(unverified_assertion, &key, &validation)
        .map(|data| data.claims)
        .map_err(|error| match error.kind() {
            ErrorKind::ExpiredSignature => TokenError::ExpiredToken,
            _ => TokenError::InvalidGrant,
        })
}

/// The issuer's keys, asked for each time: rotation at the issuer takes effect at once.
async fn fetch(http: &reqwest::Client, url: &str) -> Result<JwkSet, TokenError> {
    let unreachable = |error: reqwest::Error| {
        tracing::warn!(%error, "the keys of the trusted token issuer cannot be read");
        TokenError::InvalidGrant
    };
    http.get(url)
        .send()
        .await
        .and_then(reqwest::Response::error_for_status)
        .map_err(unreachable)?
        .json()
        .await
        .map_err(unreachable)
}
