//! `/connect/invitation`: somebody who is no user of ours is asked to grant access (rule L2).
//!
//! Opening the link only shows who asks for what. The answer to that is a form post, bound to the
//! browser that saw the page: it uses the link up and begins the consent.

mod show;

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    response::Response,
};
use http::{HeaderMap, HeaderValue, header};
use jiff::Timestamp;
use serde::Deserialize;
use tributary::{
    error::{Error, Kind, Result},
    http::{Problem, Trail},
    oauth::{Invitation, random_token},
    secret::Secret,
    store::Key,
};
use utoipa::ToSchema;

use super::{
    Binding,
    begin::{begin, client_id},
    connection,
    start::not_valid,
    token_start::form,
};
use crate::{actor, app::App, cookie, edge::only_origin, query::once};

/// What binds the page's cookie to the invitation.
const KIND: &str = "invitation";
/// How long the page can be answered.
const PAGE_SECONDS: i64 = 3600;

/// What the page posts.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "describes the form; read field by field, each once"
)]
pub(crate) struct InvitationForm {
    /// Token of the invitation.
    #[schema(example = "from the link")]
    token: String,
    /// What the page's cookie holds.
    #[schema(example = "from the page")]
    csrf: String,
}

/// Shows who asks for what. Uses nothing up.
#[utoipa::path(get, path = "/connect/invitation", tag = "connect", operation_id = "show_invitation",
    params(("token" = String, Query, description = "Token of the invitation.")),
    responses(
        (status = 200, description = "A page with a form.", content_type = "text/html"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn show(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Response> {
    let token = once(query.as_deref().unwrap_or_default(), "token")?;
    let (token, invitation) = load(&app, token).await?;
    let link = &invitation.link;
    let app = app.within(link.tenant_id).await?;
    let connection = connection(&app, link.tenant_id, link.connection_id, &link.provider).await?;
    let provider = app.link(&connection)?;
    let csrf = random_token()?;
    let mut page = show::page(&app, &invitation, &connection, &provider, &token, &csrf).await?;
    let cookie = cookie::set(&cookie::transaction(KIND, &token), &csrf, PAGE_SECONDS)?;
    page.headers_mut().append(header::SET_COOKIE, cookie);
    // Browsers hold every redirect that answers a form against the form's page, also the provider's
    // own (Salesforce sends people on to their organisation's host). What may be posted is one form.
    let authorize = provider.client.endpoints().authorize.origin();
    let policy = format!(
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self' https: {}",
        authorize.ascii_serialization()
    );
    let policy = HeaderValue::from_str(&policy)
        .map_err(|error| Error::internal("policy", "a policy has bad bytes").with_source(error))?;
    page.headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(page)
}

/// Begins the consent that the page asked for.
#[utoipa::path(post, path = "/connect/invitation", tag = "connect", operation_id = "accept_invitation",
    request_body(content = InvitationForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 303, description = "To the provider, with a transaction cookie."),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn accept(
    State(app): State<App>,
    trail: Trail,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response> {
    let form = form(&headers, &body)?;
    let (token, csrf) = (once(form, "token")?, once(form, "csrf")?);
    is_from_our_page(&app, &headers, token.as_deref(), csrf.as_deref())?;
    let (token, invitation) = load(&app, token).await?;
    let link = invitation.link;
    let tenant = Some(link.tenant_id);
    trail.acts(actor::named(actor::INVITATION, &link.subject, tenant));
    trail.touches("connection", &link.connection_id);
    let app = app.within(link.tenant_id).await?;
    let connection = connection(&app, link.tenant_id, link.connection_id, &link.provider).await?;
    let provider = app.link(&connection)?;
    let client_id = client_id(&provider).await?;
    let key = Key::invitation(token.expose());
    if app.shared.take::<Invitation>(&key).await?.is_none() {
        return Err(not_valid().with_log("the invitation was used a moment ago"));
    }
    let mut response = begin(&app, &provider, &client_id, link, Binding::Invitation).await?;
    let done = cookie::clear(&cookie::transaction(KIND, &token))?;
    response.headers_mut().append(header::SET_COOKIE, done);
    Ok(response)
}

/// CSRF: only the browser that was shown the page, and only from that page.
fn is_from_our_page(
    app: &App,
    headers: &HeaderMap,
    token: Option<&str>,
    csrf: Option<&str>,
) -> Result<()> {
    let own = app.config.public_base_url.origin();
    let elsewhere = headers
        .get("sec-fetch-site")
        .is_some_and(|site| site != "same-origin");
    if elsewhere || only_origin(headers) != Some(own.as_str()) {
        return Err(refused("the form was not posted from our page"));
    }
    let shown = token
        .map(|token| cookie::transaction(KIND, &Secret::new(token)))
        .and_then(|name| cookie::get(headers, &name));
    match (shown, csrf) {
        (Some(shown), Some(csrf)) if shown.same_as(csrf) => Ok(()),
        _ => Err(refused("the page was shown to another browser")),
    }
}

/// The invitation of a token, unless it has ended or was used.
async fn load(app: &App, token: Option<String>) -> Result<(Secret, Invitation)> {
    let token = token
        .filter(|token| cookie::is_ours(token))
        .ok_or_else(not_valid)?;
    let found: Option<Invitation> = app.shared.get(&Key::invitation(&token)).await?;
    let invitation = found
        .filter(|invitation| invitation.expires_at > Timestamp::now().as_second())
        .ok_or_else(not_valid)?;
    Ok((Secret::new(token), invitation))
}

fn refused(log: &str) -> Error {
    Error::new(
        Kind::Forbidden,
        "invitation_refused",
        "Open the link of the invitation again and answer there.",
    )
    .with_log(log)
}
