//! Tokens from a connection's own long-lived credentials, without a consent and without a refresh
//! token: client credentials, an assertion (RFC 7523), a user's password.
//!
//! These calls use nothing up, so one whose answer was lost may be made again.

use std::fmt;

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use aws_sdk_secretsmanager::Client;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    TokenClient, TokenFailure, TokenOutcome,
    app::says_gone,
    token::{Form, outcome},
};
use crate::{
    aws::Refusal,
    connection::Connection,
    connector::AuthKind,
    error::{Error, Kind, Result},
    secret::Secret,
};

/// An assertion is good for so long, in seconds: Salesforce takes three minutes at most.
const ASSERTION_LIFE: i64 = 170;

/// What a connection's secret holds, for the kinds of grant that are minted.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    client_id: Option<String>,
    client_secret: Option<Secret>,
    username: Option<String>,
    password: Option<Secret>,
    private_key: Option<Secret>,
}

/// Credentials that tokens are made from.
#[derive(Clone)]
pub enum MintCredentials {
    /// `grant_type=client_credentials`
    ClientCredentials {
        /// Client id of the customer's own app.
        client_id: String,
        /// Its secret.
        client_secret: Secret,
    },
    /// `grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer`
    JwtBearer {
        /// Client id of the customer's own app.
        client_id: String,
        /// The user that the app acts as.
        username: String,
        /// RSA private key, PKCS #8 in PEM.
        private_key: Secret,
    },
    /// `grant_type=password`
    Password {
        /// Client id of the customer's own app.
        client_id: String,
        /// Its secret.
        client_secret: Secret,
        /// The user.
        username: String,
        /// The password, with the security token behind it where the organisation wants one.
        password: Secret,
    },
}

impl fmt::Debug for MintCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MintCredentials")
    }
}

impl MintCredentials {
    /// Whether connections of this kind hold such credentials.
    pub const fn are_of(kind: AuthKind) -> bool {
        matches!(
            kind,
            AuthKind::OauthClientCredentials | AuthKind::OauthJwtBearer | AuthKind::OauthPassword
        )
    }

    /// Reads the credentials of a connection from Secrets Manager.
    pub async fn load(secrets: &Client, connection: &Connection) -> Result<Self> {
        let name = connection.credentials.as_deref().ok_or_else(unusable)?;
        let answer = secrets.get_secret_value().secret_id(name).send().await;
        let text = answer
            .map_err(|error| {
                let refusal = Refusal::of(&error);
                if says_gone(&refusal) {
                    unusable()
                } else {
                    refusal.into_error("GetSecretValue")
                }
            })?
            .secret_string
            .map(Secret::new)
            .unwrap_or_default();
        Self::read(connection.auth, &text).ok_or_else(unusable)
    }

    /// Reads the JSON object that a connection's secret holds.
    pub fn read(kind: AuthKind, text: &Secret) -> Option<Self> {
        let stored: Stored = serde_json::from_str(text.expose()).ok()?;
        let client_id = stored.client_id?;
        match kind {
            AuthKind::OauthClientCredentials => Some(Self::ClientCredentials {
                client_id,
                client_secret: stored.client_secret?,
            }),
            AuthKind::OauthJwtBearer => Some(Self::JwtBearer {
                client_id,
                username: stored.username?,
                private_key: stored.private_key?,
            }),
            AuthKind::OauthPassword => Some(Self::Password {
                client_id,
                client_secret: stored.client_secret?,
                username: stored.username?,
                password: stored.password?,
            }),
            AuthKind::OauthAuthorizationCode
            | AuthKind::Basic
            | AuthKind::ApiKey
            | AuthKind::Custom
            | AuthKind::Roles
            | AuthKind::None => None,
        }
    }
}

impl TokenClient {
    /// Asks for an access token with a connection's own credentials, once.
    pub async fn mint(&self, credentials: &MintCredentials) -> TokenOutcome {
        let assertion;
        let form: Form<'_> = match credentials {
            MintCredentials::ClientCredentials {
                client_id,
                client_secret,
            } => vec![
                ("grant_type", "client_credentials"),
                ("client_id", client_id),
                ("client_secret", client_secret.expose()),
            ],
            MintCredentials::Password {
                client_id,
                client_secret,
                username,
                password,
            } => vec![
                ("grant_type", "password"),
                ("client_id", client_id),
                ("client_secret", client_secret.expose()),
                ("username", username),
                ("password", password.expose()),
            ],
            MintCredentials::JwtBearer {
                client_id,
                username,
                private_key,
            } => {
                let audience = self.endpoints().token.origin().ascii_serialization();
                let now = Timestamp::now().as_second();
                let Some(signed) = sign(private_key, client_id, username, &audience, now) else {
                    return TokenOutcome::Refused(WRONG);
                };
                assertion = signed;
                vec![
                    ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                    ("assertion", assertion.expose()),
                ]
            }
        };
        match self.send_form(&form).await {
            Ok(answer) => theirs(outcome(self.provider(), &answer)),
            Err(outcome) => outcome,
        }
    }
}

const WRONG: TokenFailure = TokenFailure::ReauthRequired("invalid_credentials");

/// The client is the customer's own: a refusal of it is about this connection, and about no other.
fn theirs(outcome: TokenOutcome) -> TokenOutcome {
    match outcome {
        TokenOutcome::Refused(
            TokenFailure::OurCredentials(_)
            | TokenFailure::FlowFailed(_)
            | TokenFailure::ReauthRequired("revoked")
            | TokenFailure::Retryable {
                reason: "org_policy",
                ..
            },
        ) => TokenOutcome::Refused(WRONG),
        other => other,
    }
}

/// The signed assertion; none if the key is no RSA key.
fn sign(
    private_key: &Secret,
    client_id: &str,
    username: &str,
    audience: &str,
    now: i64,
) -> Option<Secret> {
    let claims = json!({
        "iss": client_id, "sub": username, "aud": audience,
        "exp": now + ASSERTION_LIFE, "jti": Uuid::new_v4(),
    });
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","typ":"JWT"}"#);
    let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
    let message = format!("{header}.{payload}");
    let key = key_pair(private_key)?;
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        message.as_bytes(),
        &mut signature,
    )
    .ok()?;
    let signature = URL_SAFE_NO_PAD.encode(signature);
    Some(Secret::new(format!("{message}.{signature}")))
}

/// What PEM calls a private key in PKCS #8 (RFC 7468 section 10).
pub const PEM_LABEL: &str = "PRIVATE KEY";

/// Reads a private key in PEM. Also says whether one is usable, before it is kept.
pub fn key_pair(pem: &Secret) -> Option<KeyPair> {
    let body = pem
        .expose()
        .trim()
        .strip_prefix(&format!("-----BEGIN {PEM_LABEL}-----"))?
        .strip_suffix(&format!("-----END {PEM_LABEL}-----"))?;
    let packed: String = body.split_ascii_whitespace().collect();
    let mut der = STANDARD.decode(&packed).ok()?;
    let key = KeyPair::from_pkcs8(&der).ok();
    zeroize::Zeroize::zeroize(&mut der);
    drop(Secret::new(packed));
    key.filter(|key| !key.public_key().as_ref().is_empty())
}

/// Code of the error for credentials that are gone, or are no credentials of their kind.
pub const CREDENTIALS_MISSING: &str = "credentials_missing";

fn unusable() -> Error {
    Error::new(
        Kind::Conflict,
        CREDENTIALS_MISSING,
        "The connection's credentials are not there any more. Give them again.",
    )
}

#[cfg(test)]
mod tests;
