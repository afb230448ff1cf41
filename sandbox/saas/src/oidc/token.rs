//! `POST /oauth2/token`: authorization code, refresh token, client credentials.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::HeaderMap;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    Oidc,
    claims::{self, Issue},
    jwt,
    keys::KeysUnavailable,
    sessions::Session,
    trigger::{self, Occasion},
};
use crate::{
    oauth::{ClientCredentials, OAuthError, token_answer},
    params::{Form, Params},
    random::{self, same_secret},
    server::annotated,
};

/// The tokens of one answer.
#[derive(Clone)]
pub struct Tokens {
    /// ID token; none without the scope `openid` and for machines.
    pub id_token: Option<String>,
    /// Access token.
    pub access_token: String,
    /// Refresh token; none on a refresh, unless the pool rotates.
    pub refresh_token: Option<String>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens([redacted])")
    }
}

pub(super) async fn token(
    State(oidc): State<Arc<Oidc>>,
    headers: HeaderMap,
    Form { params, query }: Form,
) -> Response {
    let grant_type = match params.get("grant_type") {
        Some("authorization_code") => "authorization_code",
        Some("refresh_token") => "refresh_token",
        Some("client_credentials") => "client_credentials",
        Some(_) => "other",
        None => "none",
    };
    let outcome = if ["client_secret", "code", "refresh_token"]
        .iter()
        .any(|name| query.get(name).is_some())
    {
        Err(bad("invalid_request"))
    } else {
        oidc.granted(grant_type, &headers, &params).await
    };
    match outcome {
        Ok((tokens, principal)) => annotated(
            answer(&oidc, tokens),
            Some(&principal),
            format!("grant_type={grant_type} outcome=granted"),
        ),
        Err(error) => {
            let note = format!("grant_type={grant_type} outcome={}", error.error);
            annotated(error.into_response(), None, note)
        }
    }
}

/// Cognito's errors carry no description.
fn bad(error: &'static str) -> OAuthError {
    OAuthError::bad(error, "")
}

fn answer(oidc: &Oidc, tokens: Tokens) -> Response {
    let Tokens {
        id_token,
        access_token,
        refresh_token,
    } = tokens;
    let mut body = json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": oidc.options.token_life.as_secs(),
    });
    for (name, token) in [("id_token", id_token), ("refresh_token", refresh_token)] {
        if let Some(token) = token {
            body[name] = json!(token);
        }
    }
    token_answer(body)
}

impl Oidc {
    /// Tokens, and who they are for.
    async fn granted(
        &self,
        grant_type: &str,
        headers: &HeaderMap,
        params: &Params,
    ) -> Result<(Tokens, String), OAuthError> {
        let client = self.authenticate(headers, params)?;
        match (grant_type, client) {
            ("client_credentials", Client::Operator) => self.machine(params),
            ("authorization_code", Client::Application) => self.exchange(params).await,
            ("refresh_token", Client::Application) => self.refresh(params).await,
            ("none", _) => Err(bad("invalid_request")),
            ("other", _) => Err(bad("unsupported_grant_type")),
            _ => Err(bad("unauthorized_client")),
        }
    }

    async fn exchange(&self, params: &Params) -> Result<(Tokens, String), OAuthError> {
        let needed = |name| params.get(name).ok_or(bad("invalid_request"));
        let (code, redirect_uri, verifier) = (
            needed("code")?,
            needed("redirect_uri")?,
            needed("code_verifier")?,
        );
        let now = self.now();
        let code = self
            .state()
            .sessions
            .exchange(code, redirect_uri, verifier, now)
            .ok_or(bad("invalid_grant"))?;
        let mut tokens = self
            .issue(Occasion::SignIn, &code.session, code.nonce.as_deref())
            .await?;
        let user = code.session.user.clone();
        tokens.refresh_token = Some(self.remember(code.session));
        Ok((tokens, user))
    }

    async fn refresh(&self, params: &Params) -> Result<(Tokens, String), OAuthError> {
        let token = params.get("refresh_token").ok_or(bad("invalid_request"))?;
        let now = self.now();
        let (session, next) = self
            .state()
            .sessions
            .refresh(token, now)
            .ok_or(bad("invalid_grant"))?;
        if let Some(next) = &next {
            self.options.canaries.seed("oidc refresh token", next);
        }
        let mut tokens = self.issue(Occasion::Refresh, &session, None).await?;
        tokens.refresh_token = next;
        Ok((tokens, session.user))
    }

    /// A token for the vendor's machine client: no user, no groups, no trigger (version 2 has none here).
    fn machine(&self, params: &Params) -> Result<(Tokens, String), OAuthError> {
        let allowed = &self.options.operator_scopes;
        let scope = params
            .get("scope")
            .map_or_else(|| allowed.join(" "), str::to_owned);
        if !scope.split(' ').all(|s| allowed.iter().any(|a| a == s)) {
            return Err(bad("invalid_scope"));
        }
        let now = jiff::Timestamp::now().as_second();
        let claims = json!({
            "sub": self.options.operator_id,
            "token_use": "access",
            "scope": scope,
            "auth_time": now,
            "iss": self.issuer(),
            "exp": now + self.life(),
            "iat": now,
            "version": 2,
            "jti": Uuid::new_v4().to_string(),
            "client_id": self.options.operator_id,
        });
        let access_token = jwt::signed(&self.state().keys.access, &claims).map_err(unsigned)?;
        self.options
            .canaries
            .seed("oidc operator access token", &access_token);
        let tokens = Tokens {
            id_token: None,
            access_token,
            refresh_token: None,
        };
        Ok((tokens, self.options.operator_id.clone()))
    }

    /// ID and access token of a session, after the trigger had its say.
    pub(super) async fn issue(
        &self,
        occasion: Occasion,
        session: &Session,
        nonce: Option<&str>,
    ) -> Result<Tokens, OAuthError> {
        // A user who was disabled meanwhile gets nothing more.
        let user = self
            .enabled_user(&session.user)
            .ok_or(bad("invalid_grant"))?;
        let trigger = self.state().trigger.clone();
        let details = match trigger {
            None => Value::Null,
            Some(trigger) => {
                let event = trigger::event(occasion, &self.options.client_id, user, session);
                trigger::ask(&trigger, event, self.options.trigger_timeout)
                    .await
                    .map_err(|error| {
                        tracing::info!(user.name = %user.name, %error, "a login was refused");
                        bad("invalid_grant")
                    })?
            }
        };
        let issue = Issue {
            issuer: self.issuer(),
            client_id: &self.options.client_id,
            user,
            session,
            event_id: Uuid::new_v4().to_string(),
            now: jiff::Timestamp::now().as_second(),
            life: self.life(),
        };
        let (mut id, mut access) = (issue.id(nonce), issue.access());
        claims::apply(&details, &mut id, &mut access);
        let openid = session.scopes.iter().any(|scope| scope == "openid");
        self.sign(id, access, openid).map_err(unsigned)
    }

    fn sign(
        &self,
        mut id: Map<String, Value>,
        access: Map<String, Value>,
        openid: bool,
    ) -> Result<Tokens, KeysUnavailable> {
        let state = self.state();
        let canaries = &self.options.canaries;
        let access_token = jwt::signed(&state.keys.access, &Value::Object(access))?;
        canaries.seed("oidc access token", &access_token);
        let id_token = if openid {
            // OpenID Connect Core section 3.1.3.6: the left half of the digest.
            let half = &random::digest(&access_token)[..16];
            id.insert("at_hash".to_owned(), json!(URL_SAFE_NO_PAD.encode(half)));
            let token = jwt::signed(&state.keys.id, &Value::Object(id))?;
            canaries.seed("oidc id token", &token);
            Some(token)
        } else {
            None
        };
        Ok(Tokens {
            id_token,
            access_token,
            refresh_token: None,
        })
    }

    /// A refresh token for a session.
    pub(super) fn remember(&self, session: Session) -> String {
        let now = self.now();
        let token = self.state().sessions.remember(session, now);
        self.options.canaries.seed("oidc refresh token", &token);
        token
    }

    /// Which client asks, if its secret is right.
    pub(super) fn authenticate(
        &self,
        headers: &HeaderMap,
        params: &Params,
    ) -> Result<Client, OAuthError> {
        let invalid = || bad("invalid_client");
        let ClientCredentials { id, secret, .. } =
            ClientCredentials::from_request(headers, params).ok_or_else(invalid)?;
        let (client, expected) = if id == self.options.client_id {
            (Client::Application, self.options.client_secret.as_deref())
        } else if id == self.options.operator_id {
            (
                Client::Operator,
                Some(self.options.operator_secret.as_str()),
            )
        } else {
            return Err(invalid());
        };
        match (expected, secret) {
            (None, None) => Ok(client),
            (Some(expected), Some(given)) if same_secret(expected, &given) => Ok(client),
            _ => Err(invalid()),
        }
    }

    pub(super) fn life(&self) -> i64 {
        i64::try_from(self.options.token_life.as_secs()).unwrap_or(i64::MAX / 2)
    }
}

/// Which client asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Client {
    Application,
    Operator,
}

fn unsigned(_: KeysUnavailable) -> OAuthError {
    OAuthError::new(http::StatusCode::INTERNAL_SERVER_ERROR, "server_error", "")
}
