//! `GET /v1/identity`: whether the caller has a session with the warehouse.

use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use tributary::{
    error::{Error, Kind},
    http::{Problem, Viewer},
};
use utoipa::ToSchema;

use crate::{App, session::User};

/// Whether queries can be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdentityState {
    /// They can.
    Active,
    /// The browser must bring a fresh ID token to `POST /v1/identity` first.
    NeedsIdToken,
}

/// The caller's session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IdentityView {
    /// Whether queries can be run.
    pub state: IdentityState,
    /// Until when the credentials hold; they are renewed while the sign-in does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
}

/// Tells whether the caller has a session with the warehouse.
///
/// A session that has run out is renewed if it can be, as a query would do it: the answer is what a
/// query would meet.
#[utoipa::path(
    get,
    path = "/v1/identity",
    tag = "queries",
    responses(
        (status = 200, body = IdentityView),
        (status = 401, body = Problem),
        (status = 403, description = "`not_assigned`", body = Problem),
        (status = 503, body = Problem),
    )
)]
pub async fn show_identity(
    State(app): State<App>,
    viewer: Viewer,
) -> Result<axum::Json<IdentityView>, Error> {
    let user = User::of(&viewer.caller, viewer.tenant);
    let current = app.sessions.of(&viewer.scope).current(&user).await;
    view(current.map(|current| current.valid_until())).map(axum::Json)
}

/// What a session, or the want of one, is to its user. Whoever asks here is signed in, so that
/// "unauthenticated" speaks of the session with the warehouse.
fn view(valid_until: Result<Timestamp, Error>) -> Result<IdentityView, Error> {
    match valid_until {
        Ok(valid_until) => Ok(IdentityView {
            state: IdentityState::Active,
            expires_at: Some(valid_until),
        }),
        Err(error) if error.kind() == Kind::Unauthenticated => Ok(IdentityView {
            state: IdentityState::NeedsIdToken,
            expires_at: None,
        }),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_answer_says_what_the_browser_has_to_do() {
        let at = "2026-11-20T10:30:04Z".parse().unwrap();
        let shown = |answer| serde_json::to_value(view(answer).unwrap()).unwrap();
        assert_eq!(
            shown(Ok(at)),
            json!({ "state": "active", "expiresAt": "2026-11-20T10:30:04Z" })
        );
        assert_eq!(
            shown(Err(crate::session::reauthenticate("over"))),
            json!({ "state": "needs_id_token" })
        );
        let away = view(Err(Error::unavailable("identity_unavailable", "away")));
        assert_eq!(away.unwrap_err().code(), "identity_unavailable");
    }
}
