//! A token request: its parameters and its client.

use axum::body::{Body, to_bytes};
use http::{HeaderMap, header};
use serde_json::Value;

use super::{Providers, error::Cause, flavour::Flavour};
use crate::{oauth::ClientCredentials, params::Params, random::same_secret};

/// The largest body that is read.
const MAX_BODY: usize = 64 * 1024;

/// Parameters that must not stand in a URL, where proxies and logs keep them.
const SECRETS: &[&str] = &[
    "client_secret",
    "refresh_token",
    "code",
    "code_verifier",
    "password",
    "assertion",
];

/// Parameters of any token request.
const KNOWN: &[&str] = &[
    "grant_type",
    "client_id",
    "client_secret",
    "code",
    "redirect_uri",
    "code_verifier",
    "refresh_token",
];

/// Reads the parameters of a body.
pub(super) async fn parameters(
    row: &Flavour,
    headers: &HeaderMap,
    body: Body,
) -> Result<Params, Cause> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or_default()
        .trim()
        .to_owned();
    let body = to_bytes(body, MAX_BODY)
        .await
        .map_err(|_| Cause::Request("the body is too large"))?;
    let params = match kind.as_str() {
        "application/x-www-form-urlencoded" => std::str::from_utf8(&body)
            .map(Params::parse)
            .map_err(|_| Cause::Request("the body is not UTF-8"))?,
        "application/json" if row.takes_json => json_parameters(&body)?,
        _ => return Err(Cause::Request("the body must be form-urlencoded")),
    };
    if params.repeat() {
        return Err(Cause::Request("a parameter is repeated"));
    }
    if !params.only(&[KNOWN, row.token_parameters]) {
        return Err(Cause::Request("a parameter is unknown"));
    }
    Ok(params)
}

fn json_parameters(body: &[u8]) -> Result<Params, Cause> {
    let wrong = Cause::Request("the body is not a JSON object");
    let members: serde_json::Map<String, Value> =
        serde_json::from_slice(body).map_err(|_| wrong)?;
    let pair = |(name, value): (String, Value)| match value {
        Value::String(text) => (name, text),
        other => (name, other.to_string()),
    };
    Ok(Params::of(members.into_iter().map(pair)))
}

/// Whether the URL holds what belongs into the body.
pub(super) fn secret_in_url(query: &str) -> bool {
    let query = Params::parse(query);
    SECRETS.iter().any(|name| query.get(name).is_some())
}

impl Providers {
    /// Checks a client's authentication; answers its id.
    pub(super) fn authenticate(
        &self,
        row: &'static Flavour,
        headers: &HeaderMap,
        params: &Params,
    ) -> Result<String, Cause> {
        let outcome = self.checked_client(row, headers, params);
        if matches!(outcome, Err(Cause::UnknownClient | Cause::ClientSecret)) {
            self.book(row, |book| book.counters.refused_clients += 1);
        }
        outcome
    }

    fn checked_client(
        &self,
        row: &'static Flavour,
        headers: &HeaderMap,
        params: &Params,
    ) -> Result<String, Cause> {
        let client =
            ClientCredentials::from_request(headers, params).ok_or(Cause::UnknownClient)?;
        if client.basic && !row.takes_basic_clients {
            return Err(Cause::Request("the client authenticates in the body"));
        }
        let given = client.secret.ok_or(Cause::ClientSecret)?;
        self.book(row, |book| {
            let app = book
                .apps
                .iter()
                .find(|app| app.client_id == client.id)
                .ok_or(Cause::UnknownClient)?;
            let used = app
                .client_secrets
                .iter()
                .find(|known| same_secret(known, &given))
                .ok_or(Cause::ClientSecret)?;
            *book.secret_uses.entry(used.clone()).or_default() += 1;
            Ok(app.client_id.clone())
        })
    }
}
