//! The issuer's keys: fetched from its own metadata's address, cached, refetched for a new key.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use aws_lc_rs::signature::RsaPublicKeyComponents;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::oauth::{
    http::HttpFailure,
    metadata::{Discovery, FETCH_TIMEOUT, MetadataError},
};

/// An unknown key id leads to one refetch in this time.
const REFETCH_PAUSE: Duration = Duration::from_secs(10);

/// Keys older than this are fetched again, so that one that the issuer withdrew does not stay good:
/// it must stop working within a minute (A7).
const CACHE_LIFE: Duration = Duration::from_secs(50);

/// A public key: modulus and exponent.
pub(super) type RsaKey = RsaPublicKeyComponents<Vec<u8>>;

/// Why the keys cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The issuer's metadata cannot be had.
    #[error("no metadata")]
    Metadata(#[source] MetadataError),
    /// The key document could not be fetched.
    #[error("the key document could not be fetched")]
    Fetch(#[source] HttpFailure),
    /// The key document was refused or is not one.
    #[error("the key document is not usable (status {0})")]
    Document(u16),
}

#[derive(Debug, Clone)]
pub(super) struct Keys {
    discovery: Discovery,
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    published: Published,
    asked: Option<Instant>,
}

/// What an issuer publishes.
#[derive(Debug, Default)]
pub(super) struct Published {
    /// Keys with which we verify.
    pub(super) keys: HashMap<String, Arc<RsaKey>>,
    /// The ids of all keys, also of those with which others verify.
    pub(super) ids: HashSet<String>,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: String,
    n: String,
    e: String,
    #[serde(rename = "use")]
    used_for: Option<String>,
    alg: Option<String>,
}

impl Keys {
    pub(super) fn new(discovery: Discovery) -> Self {
        Self {
            discovery,
            known: Arc::default(),
        }
    }

    pub(super) fn issuer(&self) -> &str {
        self.discovery.issuer().as_str()
    }

    /// The key with this id.
    pub(super) async fn find(&self, key_id: &str) -> Result<Option<Arc<RsaKey>>, KeyError> {
        self.look(key_id, REFETCH_PAUSE, |published| {
            published.keys.get(key_id).map(Arc::clone)
        })
        .await
    }

    /// Whether the issuer publishes a key with this id, of whatever sort. One that is not known may
    /// be newer than what is known, so it is always asked for: nobody but the issuer can make such a
    /// token here.
    pub(super) async fn has(&self, key_id: &str) -> Result<bool, KeyError> {
        let at_once = Duration::ZERO;
        self.look(key_id, at_once, |published| published.ids.contains(key_id))
            .await
    }

    /// Looks into keys that are fresh. The lock is held over the fetch: whoever comes meanwhile waits
    /// for it. When a fetch fails, the last good copy stays until one succeeds.
    async fn look<T>(
        &self,
        key_id: &str,
        unknown_pause: Duration,
        found: impl Fn(&Published) -> T,
    ) -> Result<T, KeyError> {
        let mut known = self.known.lock().await;
        let pause = if known.published.ids.contains(key_id) {
            CACHE_LIFE
        } else {
            unknown_pause
        };
        let may_ask = known.asked.is_none_or(|asked| asked.elapsed() >= pause);
        let has_none = known.published.ids.is_empty();
        if !may_ask && !has_none {
            return Ok(found(&known.published));
        }
        known.asked = Some(Instant::now());
        match self.fetch().await {
            Ok(published) => known.published = published,
            Err(error) if has_none => return Err(error),
            Err(error) => {
                tracing::warn!(error = %error, "keys of the identity provider were not refetched; the last good copy stays");
            }
        }
        Ok(found(&known.published))
    }

    async fn fetch(&self) -> Result<Published, KeyError> {
        let metadata = self
            .discovery
            .metadata()
            .await
            .map_err(KeyError::Metadata)?;
        let answer = self
            .discovery
            .http()
            .get(&metadata.jwks, FETCH_TIMEOUT)
            .await
            .map_err(KeyError::Fetch)?;
        if answer.status != 200 {
            return Err(KeyError::Document(answer.status));
        }
        read(answer.body.expose()).ok_or(KeyError::Document(answer.status))
    }
}

/// The keys of a key document: all ids, and the RSA keys for signatures, with which we verify.
pub(super) fn read(document: &str) -> Option<Published> {
    let document: Document = serde_json::from_str(document).ok()?;
    let ids = document
        .keys
        .iter()
        .filter_map(|key| key["kid"].as_str().map(str::to_owned))
        .collect();
    let keys = document
        .keys
        .into_iter()
        .filter_map(|key| serde_json::from_value::<Jwk>(key).ok())
        .filter(|key| {
            key.kty == "RSA"
                && key.used_for.as_deref().is_none_or(|used| used == "sig")
                && key.alg.as_deref().is_none_or(|alg| alg == "RS256")
        })
        .filter_map(|key| {
            let n = URL_SAFE_NO_PAD.decode(key.n).ok()?;
            let e = URL_SAFE_NO_PAD.decode(key.e).ok()?;
            Some((key.kid, Arc::new(RsaPublicKeyComponents { n, e })))
        })
        .collect();
    Some(Published { keys, ids })
}
