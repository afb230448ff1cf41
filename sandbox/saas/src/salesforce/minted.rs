//! Tokens without a consent, for apps that an organisation set up itself: client credentials, an
//! assertion (RFC 7523), a user's password. Strict in what it takes; no refresh tokens.

use aws_lc_rs::{
    encoding::AsDer,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::Value;

use super::{Salesforce, grants::Issued};
use crate::{
    oauth::OAuthError,
    params::Params,
    random::{self, same_secret},
};

/// An assertion may be good for so long, in seconds.
const LONGEST_ASSERTION: i64 = 300;

/// An app that an organisation set up itself, with the user that it acts as.
#[derive(Debug, Clone)]
pub struct OwnApp {
    /// Consumer key.
    pub client_id: String,
    /// Consumer secret.
    pub client_secret: String,
    /// The user; of the stand-in's users.
    pub username: String,
    /// The user's password, with the security token behind it.
    pub password: String,
    /// Public key of the certificate: `RSAPublicKey` in DER.
    pub public_key: Vec<u8>,
}

impl OwnApp {
    /// An app with secrets and a key of its own; the private key is PKCS #8 in PEM. None without
    /// randomness.
    pub fn generate(client_id: &str, username: &str) -> Option<(Self, String)> {
        let key = KeyPair::generate(KeySize::Rsa2048).ok()?;
        let private = STANDARD.encode(key.as_der().ok()?.as_ref());
        let app = Self {
            client_id: client_id.to_owned(),
            client_secret: random::token(40),
            username: username.to_owned(),
            password: random::token(24),
            public_key: key.public_key().as_ref().to_vec(),
        };
        let label = "PRIVATE KEY";
        let pem = format!("-----BEGIN {label}-----\n{private}\n-----END {label}-----\n");
        Some((app, pem))
    }
}

impl Salesforce {
    /// Sets an app up.
    pub fn set_up_app(&self, app: OwnApp) {
        let canaries = &self.options.canaries;
        canaries.seed("salesforce own app secret", &app.client_secret);
        canaries.seed("salesforce user password", &app.password);
        let mut state = self.state();
        state
            .own_apps
            .retain(|known| known.client_id != app.client_id);
        state.own_apps.push(app);
    }

    /// What a grant without a consent comes to, with what signs the answer; none for other grants.
    pub(super) fn mint(
        &self,
        grant_type: &str,
        params: &Params,
    ) -> Option<Result<(Issued, String), OAuthError>> {
        let app = match grant_type {
            "client_credentials" => self.by_secret(params),
            "password" => self.by_secret(params).and_then(|app| {
                let given = |name: &str| params.get(name).unwrap_or_default();
                let same = same_secret(given("password"), &app.password)
                    && given("username") == app.username;
                same.then_some(app)
                    .ok_or(OAuthError::bad("invalid_grant", "authentication failure"))
            }),
            "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
                self.by_assertion(params.get("assertion").unwrap_or_default())
            }
            _ => return None,
        };
        Some(app.map(|app| {
            let now = self.now();
            let issued = self.state().grants.without_consent(&app.username, now);
            (issued, app.client_secret)
        }))
    }

    fn by_secret(&self, params: &Params) -> Result<OwnApp, OAuthError> {
        let known = params.get("client_id").and_then(|id| self.own_app(id));
        let app = known.ok_or(OAuthError::bad(
            "invalid_client_id",
            "client identifier invalid",
        ))?;
        let given = params.get("client_secret").unwrap_or_default();
        if same_secret(given, &app.client_secret) {
            return Ok(app);
        }
        Err(OAuthError::bad(
            "invalid_client",
            "invalid client credentials",
        ))
    }

    fn by_assertion(&self, assertion: &str) -> Result<OwnApp, OAuthError> {
        let wrong = |what| OAuthError::bad("invalid_grant", what);
        let part = |text: &str| -> Option<Value> {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
        };
        let (message, signature) = assertion
            .rsplit_once('.')
            .ok_or(wrong("invalid assertion"))?;
        let (header, claims) = message
            .split_once('.')
            .and_then(|(header, claims)| part(header).zip(part(claims)))
            .ok_or(wrong("invalid assertion"))?;
        if header["alg"] != "RS256" {
            return Err(wrong("unsupported algorithm"));
        }
        let app = claims["iss"]
            .as_str()
            .and_then(|id| self.own_app(id))
            .ok_or(OAuthError::bad(
                "invalid_client_id",
                "client identifier invalid",
            ))?;
        let signature = URL_SAFE_NO_PAD
            .decode(signature)
            .map_err(|_| wrong("invalid assertion"))?;
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &app.public_key)
            .verify(message.as_bytes(), &signature)
            .map_err(|_| wrong("invalid assertion"))?;
        let now = self.now() / 1000;
        let life = claims["exp"].as_i64().map(|exp| exp - now);
        if !life.is_some_and(|life| (1..=LONGEST_ASSERTION).contains(&life)) {
            return Err(wrong("assertion is expired or lives too long"));
        }
        if claims["aud"] != self.base_url() {
            return Err(wrong("audience is invalid"));
        }
        if claims["sub"] != app.username.as_str() {
            return Err(wrong("user hasn't approved this consumer"));
        }
        Ok(app)
    }

    fn own_app(&self, client_id: &str) -> Option<OwnApp> {
        let state = self.state();
        let mut apps = state.own_apps.iter();
        apps.find(|app| app.client_id == client_id).cloned()
    }
}
