//! The token endpoint: authorization code and refresh token.

use std::sync::{Arc, atomic::Ordering};

use aws_lc_rs::hmac;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::{
    Salesforce,
    grants::{Issued, Refused},
};
use crate::{
    oauth::{ClientCredentials, OAuthError, token_answer},
    params::{Form, Params},
    random::same_secret,
    server::annotated,
};

/// Parameters that must not stand in a URL, where proxies and logs keep them.
const SECRETS: &[&str] = &[
    "client_secret",
    "refresh_token",
    "code",
    "code_verifier",
    "assertion",
    "password",
];

/// `POST /services/oauth2/token`
pub(super) async fn token(
    State(salesforce): State<Arc<Salesforce>>,
    headers: HeaderMap,
    Form { params, query }: Form,
) -> Response {
    let grant_type = match params.get("grant_type") {
        Some("authorization_code") => "authorization_code",
        Some("refresh_token") => "refresh_token",
        Some(_) => "other",
        None => "none",
    };
    let counters = &salesforce.counters;
    let outcome = if SECRETS.iter().any(|name| query.get(name).is_some()) {
        counters.secret_in_url.fetch_add(1, Ordering::SeqCst);
        Err(OAuthError::bad("invalid_request", "secret_in_url"))
    } else if let Some(minted) =
        salesforce.mint(params.get("grant_type").unwrap_or_default(), &params)
    {
        minted
    } else {
        salesforce
            .authenticate(&headers, &params)
            .and_then(|secret| {
                let issued = match grant_type {
                    "authorization_code" => exchange(&salesforce, &params),
                    "refresh_token" => refresh(&salesforce, &params),
                    "none" => Err(OAuthError::bad("invalid_request", "missing grant type")),
                    _ => Err(OAuthError::bad(
                        "unsupported_grant_type",
                        "grant type not supported",
                    )),
                }?;
                Ok((issued, secret))
            })
    };
    match outcome {
        Ok((issued, secret)) => {
            let username = issued.username.clone();
            annotated(
                answer(&salesforce, issued, &secret),
                Some(&username),
                format!("grant_type={grant_type} outcome=granted"),
            )
        }
        Err(error) => {
            let note = format!(
                "grant_type={grant_type} outcome={} ({})",
                error.error, error.description
            );
            annotated(error.into_response(), None, note)
        }
    }
}

fn exchange(salesforce: &Salesforce, params: &Params) -> Result<Issued, OAuthError> {
    salesforce.counters.exchanges.fetch_add(1, Ordering::SeqCst);
    let missing = |description| OAuthError::bad("invalid_request", description);
    let code = params.get("code").ok_or(missing("missing code"))?;
    let redirect_uri = params
        .get("redirect_uri")
        .ok_or(missing("missing redirect_uri"))?;
    let verifier = params
        .get("code_verifier")
        .ok_or(missing("missing required code verifier"))?;
    let now = salesforce.now();
    salesforce
        .state()
        .grants
        .exchange(code, redirect_uri, verifier, now)
        .map_err(error_of)
}

fn refresh(salesforce: &Salesforce, params: &Params) -> Result<Issued, OAuthError> {
    let counters = &salesforce.counters;
    counters.refreshes.fetch_add(1, Ordering::SeqCst);
    let token = params
        .get("refresh_token")
        .ok_or(OAuthError::bad("invalid_request", "missing refresh_token"))?;
    let now = salesforce.now();
    let outcome = salesforce.state().grants.rotate(token, now);
    match &outcome {
        Ok(_) => counters.refreshes_granted.fetch_add(1, Ordering::SeqCst),
        Err(Refused::Reused) => counters.reuse_detected.fetch_add(1, Ordering::SeqCst),
        Err(_) => 0,
    };
    outcome.map_err(error_of)
}

fn error_of(refused: Refused) -> OAuthError {
    match refused {
        Refused::InvalidCode => OAuthError::bad("invalid_grant", "invalid authorization code"),
        Refused::ExpiredCode => OAuthError::bad("invalid_grant", "expired authorization code"),
        Refused::Verifier => OAuthError::bad("invalid_grant", "invalid code verifier"),
        Refused::RedirectUri => OAuthError::bad(
            "redirect_uri_mismatch",
            "redirect_uri must match configuration",
        ),
        // Reuse looks like any other dead token from outside.
        Refused::Expired | Refused::Reused => {
            OAuthError::bad("invalid_grant", "expired access/refresh token")
        }
    }
}

/// The token answer in Salesforce's shape: no `expires_in`, and `issued_at` in milliseconds as text.
fn answer(salesforce: &Salesforce, issued: Issued, secret: &str) -> Response {
    let Issued {
        username,
        scope,
        access_token,
        refresh_token,
    } = issued;
    let canaries = &salesforce.options.canaries;
    canaries.seed("salesforce access token", &access_token);
    let id = salesforce
        .user(&username)
        .map(|user| salesforce.identity_url(user))
        .unwrap_or_default();
    let issued_at = salesforce.now().to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = hmac::sign(&key, format!("{id}{issued_at}").as_bytes());
    let mut body = json!({
        "access_token": access_token,
        "signature": STANDARD.encode(signature),
        "scope": scope,
        "instance_url": salesforce.base_url(),
        "id": id,
        "token_type": "Bearer",
        "issued_at": issued_at,
    });
    if let Some(token) = refresh_token {
        canaries.seed("salesforce refresh token", &token);
        body["refresh_token"] = json!(token);
    }
    token_answer(body)
}

impl Salesforce {
    /// Checks the client's authentication and gives back the secret it used.
    pub(super) fn authenticate(
        &self,
        headers: &HeaderMap,
        params: &Params,
    ) -> Result<String, OAuthError> {
        let client = ClientCredentials::from_request(headers, params).ok_or(OAuthError::bad(
            "invalid_request",
            "client credentials are missing or given twice",
        ))?;
        if client.id != self.options.client_id {
            return Err(OAuthError::bad(
                "invalid_client_id",
                "client identifier invalid",
            ));
        }
        let status = if client.basic {
            StatusCode::UNAUTHORIZED
        } else {
            StatusCode::BAD_REQUEST
        };
        client
            .secret
            .filter(|given| {
                self.state()
                    .client_secrets
                    .iter()
                    .any(|known| same_secret(given, known))
            })
            .ok_or(OAuthError::new(
                status,
                "invalid_client",
                "invalid client credentials",
            ))
    }
}
