//! An OpenID provider with nothing but discovery and keys, and tokens signed by it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
};
use axum::{Json, Router, routing::get};
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use serde_json::{Value, json};
use tokio::sync::watch;

/// Before the PKCS#1 key in a PKCS#8 document: version, algorithm, two lengths (RSA 2048).
const PKCS8_HEADER: usize = 26;

/// A signing key under an id.
pub(crate) struct SigningKey {
    id: String,
    key: EncodingKey,
}

impl SigningKey {
    pub(crate) fn generate(id: &str) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let document: Pkcs8V1Der<'static> = pair.as_der().unwrap();
        Self {
            id: id.to_owned(),
            key: EncodingKey::from_rsa_der(&document.as_ref()[PKCS8_HEADER..]),
        }
    }

    pub(crate) fn public(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.key, Algorithm::RS256).unwrap();
        jwk.common.key_id = Some(self.id.clone());
        json!(jwk)
    }

    /// A token with these claims.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.id.clone());
        jsonwebtoken::encode(&header, claims, &self.key).unwrap()
    }
}

/// A served issuer; its keys can be changed.
pub(crate) struct Issuer {
    pub(crate) url: String,
    keys: watch::Sender<Value>,
    fetches: Arc<AtomicUsize>,
}

impl Issuer {
    pub(crate) async fn start(key: &SigningKey) -> Self {
        let (listener, address) = sandbox_core::serve::bind(0).await.unwrap();
        let url = format!("http://{address}");
        let (keys, published) = watch::channel(json!({ "keys": [key.public()] }));
        let fetches = Arc::new(AtomicUsize::new(0));
        let discovery = json!({ "issuer": url, "jwks_uri": format!("{url}/keys") });
        let counted = Arc::clone(&fetches);
        let app = Router::new()
            .route(
                "/.well-known/openid-configuration",
                get(async move || Json(discovery.clone())),
            )
            .route(
                "/keys",
                get(async move || {
                    counted.fetch_add(1, Ordering::SeqCst);
                    Json(published.borrow().clone())
                }),
            );
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, keys, fetches }
    }

    /// Publishes another key in place of the first.
    pub(crate) fn publish(&self, key: &Value) {
        self.keys.send_replace(json!({ "keys": [key] }));
    }

    /// How often the keys were fetched.
    pub(crate) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}
