//! A trusted token issuer with one key.

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use sandbox_core::serve::bind;
use serde_json::{Value, json};

pub(super) struct Issuer {
    key: KeyPair,
    pub(super) url: String,
    _server: tokio::task::JoinSet<()>,
}

impl Issuer {
    pub(super) async fn start() -> Self {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let keys = json!({"keys": [{
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "k1",
            "n": part(key.public_key().modulus().big_endian_without_leading_zero()),
            "e": part(key.public_key().exponent().big_endian_without_leading_zero()),
        }]});
        let (listener, address) = bind(0).await.unwrap();
        let mut server = tokio::task::JoinSet::new();
        let url = format!("http://{address}");
        let document = json!({ "issuer": url, "jwks_uri": format!("{url}/jwks") });
        let router = axum::Router::new()
            .route(
                "/jwks",
                axum::routing::get(move || async move { axum::Json(keys) }),
            )
            .route(
                "/.well-known/openid-configuration",
                axum::routing::get(move || async move { axum::Json(document) }),
            );
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            key,
            url,
            _server: server,
        }
    }

    pub(super) fn claims(&self, jti: &str) -> Value {
        let now = Timestamp::now().as_second();
        json!({
            "iss": self.url, "aud": "client", "sub": "s", "email": "ming@sports.example",
            "jti": jti, "iat": now, "nbf": now, "exp": now + 3600,
        })
    }

    pub(super) fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                message.as_bytes(),
                &mut signature,
            )
            .unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub(super) fn token(&self, claims: &Value) -> String {
        self.sign(&json!({"alg": "RS256", "kid": "k1", "typ": "JWT"}), claims)
    }
}
