//! Signing keys of an issuer, found through its discovery document.

use std::time::{Duration, Instant};

use jsonwebtoken::jwk::{Jwk, JwkSet};
use serde::Deserialize;
use tokio::sync::Mutex;

/// API Gateway keeps keys for two hours.
const KEPT_FOR: Duration = Duration::from_hours(2);
/// Shortest time between two fetches because of an unknown key id.
const FETCH_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// API Gateway waits 1.5 s; a machine that is busy with building may need longer.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// The issuer's keys, fetched when first needed.
#[derive(Debug)]
pub(crate) struct Keys {
    issuer: String,
    client: reqwest::Client,
    cached: Mutex<Option<(Instant, JwkSet)>>,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeysError {
    #[error("OIDC discovery endpoint communication error")]
    Discovery(#[source] reqwest::Error),
    #[error("the discovery document is of another issuer")]
    OtherIssuer,
    #[error("JWKS communication error")]
    Jwks(#[source] reqwest::Error),
    #[error("signing key not found")]
    UnknownKey,
}

/// The client that fetches discovery documents and keys: direct, without redirects.
pub(crate) fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(FETCH_TIMEOUT)
        .build()
}

impl Keys {
    pub(crate) fn new(issuer: String, client: reqwest::Client) -> Self {
        Self {
            issuer,
            client,
            cached: Mutex::default(),
        }
    }

    /// The key with this id; an unknown id leads to one fetch.
    pub(crate) async fn find(&self, id: &str) -> Result<Jwk, KeysError> {
        let mut cached = self.cached.lock().await;
        if let Some((fetched, keys)) = cached.as_ref() {
            let fresh = fetched.elapsed() < KEPT_FOR;
            match keys.find(id) {
                Some(key) if fresh => return Ok(key.clone()),
                None if fetched.elapsed() < FETCH_AGAIN_AFTER => return Err(KeysError::UnknownKey),
                _ => {}
            }
        }
        let keys = self.fetch().await?;
        let found = keys.find(id).cloned();
        *cached = Some((Instant::now(), keys));
        found.ok_or(KeysError::UnknownKey)
    }

    async fn fetch(&self) -> Result<JwkSet, KeysError> {
        let base = self.issuer.trim_end_matches('/');
        let url = format!("{base}/.well-known/openid-configuration");
        let discovery: Discovery = self.get(&url).await.map_err(KeysError::Discovery)?;
        if discovery.issuer != self.issuer {
            return Err(KeysError::OtherIssuer);
        }
        self.get(&discovery.jwks_uri).await.map_err(KeysError::Jwks)
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, url: &str) -> Result<T, reqwest::Error> {
        self.client
            .get(url)
            .send()
            .await?
            .error_for_status()?
            .json()
            .await
    }
}
