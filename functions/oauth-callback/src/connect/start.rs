//! `GET /connect/start`: opens a start link and sends the browser to the provider.

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use http::HeaderMap;
use jiff::Timestamp;
use tributary::{
    error::{Error, Kind, Result},
    http::{Problem, Trail},
    oauth::StartLink,
    store::Key,
};

use super::{
    Binding,
    begin::{begin, client_id},
    connection,
};
use crate::{actor, app::App, cookie, query::once, session::Session};

/// Begins a consent. The link opens once, in the browser of the person who asked for it.
#[utoipa::path(get, path = "/connect/start", tag = "connect",
    params(("token" = String, Query, description = "Token of the start link.")),
    responses(
        (status = 303, description = "To the provider, with a transaction cookie."),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn start(
    State(app): State<App>,
    trail: Trail,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let token = once(query.as_deref().unwrap_or_default(), "token")?
        .filter(|token| cookie::is_ours(token))
        .ok_or_else(not_valid)?;
    let (_, session) = Session::of(&app, &headers)
        .await?
        .ok_or_else(sign_in_first)?;
    trail.acts(actor::signed_in(&app, &session));
    let key = Key::start_link(&token);
    // Looked at before it is taken: a stranger who has the link cannot use it up.
    let link: StartLink = app.shared.get(&key).await?.ok_or_else(not_valid)?;
    if !opens_for(&link, &session, Timestamp::now()) {
        return Err(not_valid().with_log("the link has expired or belongs to somebody else"));
    }
    trail.touches("connection", &link.connection_id);
    let app = app.within(link.tenant_id).await?;
    let connection = connection(&app, link.tenant_id, link.connection_id, &link.provider).await?;
    let provider = app.link(&connection)?;
    let client_id = client_id(&provider).await?;
    if app.shared.take::<StartLink>(&key).await?.is_none() {
        return Err(not_valid().with_log("the link was used a moment ago"));
    }
    begin(&app, &provider, &client_id, link, Binding::Session).await
}

fn opens_for(link: &StartLink, session: &Session, now: Timestamp) -> bool {
    link.expires_at > now.as_second() && session.is_of(&link.subject, link.tenant_id)
}

fn sign_in_first() -> Error {
    Error::new(
        Kind::Unauthenticated,
        "sign_in_required",
        "Sign in to the application in this browser, then open the link again.",
    )
}

/// One answer for links that never existed, were used, have expired or are somebody else's.
pub(super) fn not_valid() -> Error {
    Error::new(
        Kind::NotFound,
        "link_not_valid",
        "This link is not valid any more. Start again from the application.",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tributary::id::{ConnectionId, TenantId};

    use super::*;

    #[test]
    fn a_link_opens_for_who_asked_and_in_time() {
        let tenant = TenantId::new();
        let link = StartLink {
            tenant_id: tenant,
            connection_id: ConnectionId::new(),
            subject: "frank".into(),
            provider: "salesforce".into(),
            return_to: None,
            expires_at: 1000,
            reconnect: false,
            attempt_id: None,
            allow_other_organisation: false,
        };
        let session = |subject: &str, tenant: TenantId| -> Session {
            serde_json::from_value(json!({"subject": subject, "tenant_id": tenant, "generation": 1, "tokens": {"v": 1, "k": "", "c": ""}, "usable_until": 0, "expires_at": 0})).unwrap()
        };
        let at = |second| Timestamp::from_second(second).unwrap();
        assert!(opens_for(&link, &session("frank", tenant), at(999)));
        assert!(!opens_for(&link, &session("frank", tenant), at(1000)));
        assert!(!opens_for(&link, &session("alex", tenant), at(999)));
        assert!(!opens_for(
            &link,
            &session("frank", TenantId::new()),
            at(999)
        ));
    }
}
