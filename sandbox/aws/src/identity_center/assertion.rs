//! Verifying the assertion: a JWT of the trusted token issuer.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, errors::ErrorKind, jwk::JwkSet};
use serde_json::Value;

use super::{error::TokenError, state::TokenIssuer};

/// The claims of a token that was verified.
#[derive(Debug)]
pub(super) struct Claims {
    pub(super) jti: String,
    all: Value,
}

impl Claims {
    /// The text at a path of names, one inside the other.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        path.split('.')
            .try_fold(&self.all, |claims, name| claims.get(name))?
            .as_str()
    }
}

/// Who the token says it is from, to find the keys to verify it with.
pub(super) fn unverified_issuer(unverified_assertion: &str) -> Result<String, TokenError> {
    unverified_assertion
        .split('.')
        .nth(1)
        .and_then(|payload| URL_SAFE_NO_PAD.decode(payload).ok())
        .and_then(|payload| serde_json::from_slice::<Value>(&payload).ok())
        .and_then(|claims| claims["iss"].as_str().map(str::to_owned))
        .ok_or(TokenError::InvalidGrant)
}

/// Verifies signature (RS256 only), issuer, audience if any is given, and times against the issuer's
/// current keys.
pub(super) async fn verify(
    http: &reqwest::Client,
    issuer: &TokenIssuer,
    audiences: Option<&[String]>,
    unverified_assertion: &str,
) -> Result<Claims, TokenError> {
    let unverified_header =
        jsonwebtoken::decode_header(unverified_assertion).map_err(|_| TokenError::InvalidGrant)?;
    if unverified_header.alg != Algorithm::RS256 {
        return Err(TokenError::InvalidGrant);
    }
    let unverified_kid = unverified_header.kid.ok_or(TokenError::InvalidGrant)?;
    let keys = keys(http, issuer).await?;
    let key = keys
        .find(&unverified_kid)
        .ok_or(TokenError::InvalidGrant)
        .and_then(|jwk| DecodingKey::from_jwk(jwk).map_err(|_| TokenError::InvalidGrant))?;
    let mut validation = Validation::new(Algorithm::RS256);
    validation.leeway = 0;
    validation.validate_nbf = true;
    validation.set_issuer(&[&issuer.url]);
    match audiences {
        Some(audiences) => validation.set_audience(audiences),
        None => validation.validate_aud = false,
    }
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    let all = jsonwebtoken::decode::<Value>(unverified_assertion, &key, &validation)
        .map(|data| data.claims)
        .map_err(|error| match error.kind() {
            ErrorKind::ExpiredSignature => TokenError::ExpiredToken,
            _ => TokenError::InvalidGrant,
        })?;
    let jti = all["jti"].as_str().ok_or(TokenError::InvalidGrant)?;
    Ok(Claims {
        jti: jti.to_owned(),
        all,
    })
}

/// The issuer's keys, asked for each time: rotation at the issuer takes effect at once. Unless their
/// address was given, the issuer's discovery document names it, and must be the issuer's own.
async fn keys(http: &reqwest::Client, issuer: &TokenIssuer) -> Result<JwkSet, TokenError> {
    if let Some(url) = &issuer.keys_url {
        return fetch(http, url).await;
    }
    let url = format!("{}/.well-known/openid-configuration", issuer.url);
    let document: Value = fetch(http, &url).await?;
    if document["issuer"] != issuer.url {
        return Err(TokenError::InvalidGrant);
    }
    let url = document["jwks_uri"].as_str();
    fetch(http, url.ok_or(TokenError::InvalidGrant)?).await
}

async fn fetch<T: serde::de::DeserializeOwned>(
    http: &reqwest::Client,
    url: &str,
) -> Result<T, TokenError> {
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
