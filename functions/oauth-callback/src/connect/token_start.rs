//! `POST /connect/start`: a page whose users do not sign in through us begins a consent.
//!
//! A form that a page of the bound origin posts as a navigation: the browser says where it comes
//! from in `Origin`, which no page can forge, and the token never stands in an address.

use axum::{body::Bytes, extract::State, response::Response};
use http::{HeaderMap, header};
use jiff::Timestamp;
use serde::Deserialize;
use tributary::{
    connection::{Connection, attempt::Attempt},
    error::{Error, Kind, Result},
    http::{Problem, Trail},
    id::ConnectionId,
    oauth::{ConnectToken, StartLink},
    store::Key,
};
use utoipa::ToSchema;

use super::{
    Binding,
    begin::{begin, client_id},
    connection,
    start::not_valid,
};
use crate::{
    actor,
    app::App,
    cookie,
    edge::{only_origin, require_origin},
    query::once,
};

/// What the page posts.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "describes the form; read field by field, each once"
)]
pub(crate) struct ConnectForm {
    /// The connect token.
    #[schema(example = "from POST /v1/connect-tokens")]
    token: String,
    /// Key of the connector.
    #[schema(example = "salesforce")]
    connector: Option<String>,
    /// The connection; may be left out where the token names it.
    #[schema(example = "con_019364c0a1b27cc3a4d5e6f708192a3b")]
    connection: Option<String>,
}

/// Begins a consent with a connect token. A page of another origin, or for another connector, is
/// refused and leaves the token as it was.
#[utoipa::path(post, path = "/connect/start", tag = "connect", operation_id = "start_with_token",
    request_body(content = ConnectForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 303, description = "To the provider, with a transaction cookie."),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn start_with_token(
    State(app): State<App>,
    trail: Trail,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response> {
    require_origin(&app, &headers)?;
    let form = form(&headers, &body)?;
    let token = once(form, "token")?
        .filter(|token| cookie::is_ours(token))
        .ok_or_else(not_valid)?;
    let key = Key::connect_token(&token);
    // Looked at before it is taken: whoever may not use it cannot use it up.
    let bound: ConnectToken = app.shared.get(&key).await?.ok_or_else(not_valid)?;
    if bound.expires_at <= Timestamp::now().as_second() {
        return Err(not_valid().with_log("the connect token has expired"));
    }
    let tenant = Some(bound.tenant_id);
    trail.acts(actor::named(actor::CONNECT_TOKEN, &bound.subject, tenant));
    if only_origin(&headers) != Some(bound.origin.as_str()) {
        return Err(refused("the token is bound to another origin"));
    }
    let id = chosen(&bound, once(form, "connection")?.as_deref())?;
    trail.touches("connection", &id);
    let app = app.within(bound.tenant_id).await?;
    let found = Connection::load(&app.store, bound.tenant_id, id).await?;
    let found = found.ok_or_else(|| refused("the tenant has no such connection"))?;
    let asked = once(form, "connector")?;
    if !allows(&bound, &found, asked.as_deref()) {
        return Err(refused("the token is for another connector"));
    }
    let provider = app.link(&found)?;
    let link = StartLink {
        tenant_id: bound.tenant_id,
        connection_id: id,
        subject: bound.subject,
        provider: provider.provider().key.to_owned(),
        return_to: bound.return_to,
        expires_at: bound.expires_at,
        reconnect: found.generation > 0,
        attempt_id: Some(bound.attempt_id),
        allow_other_organisation: false,
    };
    connection(&app, link.tenant_id, id, &link.provider).await?;
    let client_id = client_id(&provider).await?;
    if app.shared.take::<ConnectToken>(&key).await?.is_none() {
        return Err(not_valid().with_log("the connect token was used a moment ago"));
    }
    Attempt::begin(&app.store, link.tenant_id, id, bound.attempt_id).await?;
    begin(&app, &provider, &client_id, link, Binding::ConnectToken).await
}

/// The form's text, if the body says that it is one.
pub(super) fn form<'a>(headers: &HeaderMap, body: &'a Bytes) -> Result<&'a str> {
    let is_form = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .and_then(|kind| kind.split(';').next())
        .is_some_and(|kind| {
            kind.trim()
                .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
    std::str::from_utf8(body)
        .ok()
        .filter(|_| is_form)
        .ok_or_else(|| Error::malformed("malformed_body", "This takes a form.", Vec::new()))
}

/// The connection that is meant: the token's own, or one that the form names.
fn chosen(bound: &ConnectToken, asked: Option<&str>) -> Result<ConnectionId> {
    let asked = asked
        .map(str::parse::<ConnectionId>)
        .transpose()
        .map_err(|_| refused("the form names no connection"))?;
    match (bound.connection_id, asked) {
        (Some(own), None) => Ok(own),
        (Some(own), Some(asked)) if own == asked => Ok(own),
        (None, Some(asked)) => Ok(asked),
        (Some(_), Some(_)) => Err(refused("the token is for another connection")),
        (None, None) => Err(refused("neither token nor form names a connection")),
    }
}

fn allows(bound: &ConnectToken, connection: &Connection, asked: Option<&str>) -> bool {
    let own = bound.connection_id == Some(connection.id);
    (own || bound.connectors.contains(&connection.connector))
        && asked.is_none_or(|asked| asked == connection.connector)
}

/// One answer to whatever a token does not allow; the log says which it was.
fn refused(log: &str) -> Error {
    Error::new(
        Kind::Forbidden,
        "connect_token_refused",
        "This connect token is not for this page or connection.",
    )
    .with_log(log)
}

#[cfg(test)]
mod tests {
    use tributary::id::{AttemptId, TenantId};

    use super::*;

    fn token(connection_id: Option<ConnectionId>) -> ConnectToken {
        ConnectToken {
            tenant_id: TenantId::new(),
            subject: "u".to_owned(),
            connection_id,
            connectors: vec!["salesforce".to_owned()],
            origin: "https://app.example".to_owned(),
            return_to: None,
            attempt_id: AttemptId::new(),
            expires_at: 0,
        }
    }

    #[test]
    fn c2_a_token_is_for_its_connection_and_no_other() {
        let (own, other) = (ConnectionId::new(), ConnectionId::new());
        let bound = token(Some(own));
        assert_eq!(chosen(&bound, None).unwrap(), own);
        assert_eq!(chosen(&bound, Some(&own.to_string())).unwrap(), own);
        for asked in [other.to_string(), "con_x".to_owned(), String::new()] {
            let error = chosen(&bound, Some(&asked)).unwrap_err();
            assert_eq!(error.code(), "connect_token_refused", "{asked}");
        }
        assert_eq!(chosen(&token(None), Some(&own.to_string())).unwrap(), own);
        assert!(chosen(&token(None), None).is_err());
    }

    #[test]
    fn only_forms_are_read() {
        let body = Bytes::from_static(b"token=a");
        let with = |kind: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
            form(&headers, &body).is_ok()
        };
        assert!(with("application/x-www-form-urlencoded"));
        assert!(with("application/x-www-form-urlencoded; charset=utf-8"));
        assert!(!with("application/json") && !with("text/plain") && !with("multipart/form-data"));
        assert!(form(&HeaderMap::new(), &body).is_err());
    }
}
