//! `POST /auth/logout`: ends the browser's session, here and at the identity provider.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use tributary::{
    error::Result,
    http::{Problem, Trail},
    oauth::Revocation,
    secret::Secret,
};

use crate::{actor, app::App, cookie, edge::require_origin, session::Session};

/// Signs out. Doing it again is harmless. Needs an `Origin` of ours.
#[utoipa::path(post, path = "/auth/logout", tag = "sign-in",
    responses(
        (status = 204, description = "There is no session any more."),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn logout(
    State(app): State<App>,
    trail: Trail,
    headers: HeaderMap,
) -> Result<Response> {
    require_origin(&app, &headers)?;
    if let Some(cookie) = cookie::get(&headers, cookie::SESSION)
        && let Some(session) = Session::load(&app, &cookie).await?
    {
        trail.acts(actor::signed_in(&app, &session));
        // First: while this does not succeed, the session is there to try again with.
        session.end_tokens(&app).await?;
        Session::end(&app, &cookie).await?;
        match revoke(&app, &cookie, &session).await {
            Ok(outcome) => {
                tracing::info!(user.subject = session.subject, revocation = ?outcome, "signed out");
            }
            // The session is gone here whatever the identity provider says.
            Err(error) => {
                tracing::warn!(
                    user.subject = session.subject,
                    error.code = error.code(),
                    error.chain = error.chain(),
                    "signed out here, and the identity provider was not told"
                );
            }
        }
    }
    let clear = [(header::SET_COOKIE, cookie::clear(cookie::SESSION)?)];
    Ok((StatusCode::NO_CONTENT, clear).into_response())
}

async fn revoke(app: &App, cookie: &Secret, session: &Session) -> Result<Option<Revocation>> {
    let Some(refresh_token) = session.tokens(app, cookie).await?.refresh else {
        return Ok(None);
    };
    let metadata = app.sign_in.metadata().await?;
    let outcome = app.sign_in.client(&metadata).revoke(&refresh_token).await;
    Ok(Some(outcome))
}
