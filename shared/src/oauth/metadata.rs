//! Metadata of the configured identity provider (OpenID Connect Discovery, RFC 8414).

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde::Deserialize;
use url::Url;

use super::{
    Endpoint,
    http::{HostOrigin, TokenHttp},
    token::Endpoints,
};

/// How long a fetch may take.
pub(crate) const FETCH_TIMEOUT: Duration = Duration::from_secs(2);
/// How long metadata stays good.
const CACHE_LIFE: Duration = Duration::from_hours(1);

/// What the identity provider says of itself.
#[derive(Debug, Clone)]
pub struct Metadata {
    /// Its endpoints.
    pub endpoints: Endpoints,
    /// Where its keys are.
    pub jwks: Url,
    /// Whether every authorization response carries `iss` (RFC 9207).
    pub sends_issuer: bool,
}

/// Why there is no usable metadata.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// It could not be fetched.
    #[error("the identity provider's document could not be fetched")]
    Fetch(#[source] super::http::HttpFailure),
    /// It was refused.
    #[error("the identity provider answered {0} for its document")]
    Status(u16),
    /// It is not what it should be.
    #[error("the identity provider's document is not usable: {0}")]
    Shape(&'static str),
}

/// Fetches and caches the metadata of one issuer.
#[derive(Debug, Clone)]
pub struct Discovery {
    issuer: Endpoint,
    http: TokenHttp,
    cached: Arc<Mutex<Option<(Instant, Metadata)>>>,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    revocation_endpoint: Option<Url>,
    jwks_uri: Url,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Discovery {
    /// Discovery of this issuer.
    pub fn new(issuer: Endpoint) -> Result<Self, reqwest::Error> {
        Ok(Self::with_http(
            issuer,
            TokenHttp::new(HostOrigin::Configured)?,
        ))
    }

    /// Discovery of this issuer with a client for configured hosts.
    pub fn with_http(issuer: Endpoint, http: TokenHttp) -> Self {
        Self {
            issuer,
            http,
            cached: Arc::default(),
        }
    }

    /// The issuer.
    pub const fn issuer(&self) -> &Endpoint {
        &self.issuer
    }

    /// The client with which the issuer's documents are fetched.
    pub const fn http(&self) -> &TokenHttp {
        &self.http
    }

    /// The metadata, at most an hour old; an older copy when a fetch fails.
    pub async fn metadata(&self) -> Result<Metadata, MetadataError> {
        let known = self
            .cached
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some((read, metadata)) = &known
            && read.elapsed() < CACHE_LIFE
        {
            return Ok(metadata.clone());
        }
        match self.fetch().await {
            Ok(metadata) => {
                *self.cached.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some((Instant::now(), metadata.clone()));
                Ok(metadata)
            }
            Err(error) => known.map(|(_, metadata)| metadata).ok_or(error),
        }
    }

    async fn fetch(&self) -> Result<Metadata, MetadataError> {
        let url = self.issuer.join("/.well-known/openid-configuration");
        let answer = self
            .http
            .get(&url, FETCH_TIMEOUT)
            .await
            .map_err(MetadataError::Fetch)?;
        if answer.status != 200 {
            return Err(MetadataError::Status(answer.status));
        }
        read(&self.issuer, answer.body.expose())
    }
}

fn read(issuer: &Endpoint, document: &str) -> Result<Metadata, MetadataError> {
    let document: Document = serde_json::from_str(document)
        .map_err(|_| MetadataError::Shape("a member is missing or is not a URL"))?;
    if document.issuer != issuer.as_str() {
        return Err(MetadataError::Shape("it is another issuer's"));
    }
    let urls = [
        Some(&document.authorization_endpoint),
        Some(&document.token_endpoint),
        document.revocation_endpoint.as_ref(),
        Some(&document.jwks_uri),
    ];
    if !urls
        .into_iter()
        .flatten()
        .all(|url| issuer.vouches_for(url))
    {
        return Err(MetadataError::Shape(
            "an endpoint is less safe than the issuer",
        ));
    }
    Ok(Metadata {
        endpoints: Endpoints {
            delete: None,
            authorize: document.authorization_endpoint,
            token: document.token_endpoint,
            revoke: document.revocation_endpoint,
            introspect: None,
        },
        jwks: document.jwks_uri,
        sends_issuer: document.authorization_response_iss_parameter_supported,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(issuer: &str, token_endpoint: &str) -> String {
        serde_json::json!({
            "issuer": issuer,
            "authorization_endpoint": "https://sign-in.example/oauth2/authorize",
            "token_endpoint": token_endpoint,
            "jwks_uri": "https://idp.example/jwks.json",
        })
        .to_string()
    }

    #[test]
    fn metadata_of_another_issuer_or_with_weaker_endpoints_is_refused() {
        let issuer: Endpoint = "https://idp.example/pool".parse().unwrap();
        let token = "https://sign-in.example/oauth2/token";
        assert!(read(&issuer, &document("https://idp.example/pool", token)).is_ok());
        for (claimed, endpoint) in [
            ("https://idp.example/pool/", token),
            ("https://evil.example", token),
            (
                "https://idp.example/pool",
                "http://sign-in.example/oauth2/token",
            ),
            ("https://idp.example/pool", "http://127.0.0.1:9001/token"),
            ("https://idp.example/pool", "not a url"),
        ] {
            assert!(
                read(&issuer, &document(claimed, endpoint)).is_err(),
                "{claimed} {endpoint}"
            );
        }
    }
}
