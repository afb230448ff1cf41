//! `POST /v1/connections/{id}/invitation`

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tributary::{
    error::{Error, Fault},
    http::{IdempotencyKey, Problem},
    id::{AttemptId, ConnectionId},
    oauth::{Invitation, random_token},
    store::Key,
};
use utoipa::ToSchema;

use super::{consented, find, start_link};
use crate::{
    App,
    edge::{Editor, OptionalJson, created, id_in_path},
};

/// How long an invitation can be answered.
const LIFE: SignedDuration = SignedDuration::from_hours(24 * 7);
/// Longest description of the data.
const NOTE_LENGTH: usize = 500;

/// What an invited person is told.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct InvitationInput {
    /// What data will flow, for the person who is invited.
    #[serde(default)]
    #[schema(example = "Accounts and opportunities, read once an hour")]
    note: Option<String>,
    /// Where that person's browser goes afterwards; a page of ours when absent.
    #[serde(default)]
    return_to: Option<String>,
    /// Whether the consent may come from another organisation than before.
    #[serde(default)]
    allow_other_organisation: bool,
}

/// An invitation to hand on.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InvitationView {
    /// The link for the person who is invited. Works once.
    #[schema(example = "https://api.example.com/connect/invitation?token=...")]
    url: String,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// Under which the result can be asked for.
    attempt_id: AttemptId,
}

/// Makes a link for somebody who is no user: they see who asks for what, consent, and the grant waits
/// until the caller has confirmed whose it is. The connection stays as it is until then.
#[utoipa::path(post, path = "/v1/connections/{id}/invitation", tag = "connections", params(
    ("id" = ConnectionId, Path, description = "The connection"),
    IdempotencyKey,
), request_body = Option<InvitationInput>, responses(
    (status = 201, body = InvitationView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn invite(
    State(app): State<App>,
    editor: Editor,
    key: IdempotencyKey,
    Path(id): Path<String>,
    OptionalJson { value, bytes }: OptionalJson<InvitationInput>,
) -> Result<Response, Error> {
    let app = app.within(&editor.scope);
    let connection = find(&app, editor.tenant, id_in_path(&id)?).await?;
    let provider = consented(&connection)?;
    let mut faults: Vec<Fault> = note_fault(value.note.as_deref()).into_iter().collect();
    let return_to = value.return_to.as_deref().and_then(|asked| {
        start_link::return_to(&app.config.browser, Some(asked))
            .map_err(|fault| faults.push(fault))
            .ok()
    });
    if !faults.is_empty() {
        return Err(Error::unprocessable(
            "invalid_invitation",
            "The invitation breaks rules.",
            faults,
        ));
    }
    // As with start links: the link is not kept for a replay, a repeat gets one of its own.
    let operation = format!("invite-{}", connection.id);
    let nothing = async { Ok(StatusCode::OK.into_response()) };
    let (scope, subject) = (editor.partition(), editor.subject());
    key.once(&app.store, &scope, &operation, subject, &bytes, nothing)
        .await?;
    let mut asked = start_link::Asked::new(&connection, subject, provider);
    asked.return_to = return_to;
    asked.reconnect = connection.generation > 0;
    asked.allow_other_organisation = value.allow_other_organisation;
    let (link, expires_at, attempt_id) = asked.link(&app, LIFE).await?;
    let token = random_token()?;
    let invitation = Invitation {
        expires_at: link.expires_at,
        note: value.note,
        link,
    };
    app.shared
        .insert(&Key::invitation(token.expose()), &invitation)
        .await?;
    tracing::info!(
        tenant.id = %editor.tenant, connection.id = %connection.id, user.subject = subject,
        allow_other_organisation = value.allow_other_organisation, "somebody is invited to consent"
    );
    let base = &app.config.browser.public_base_url;
    let answer = InvitationView {
        url: format!("{base}/connect/invitation?token={}", token.expose()),
        expires_at,
        attempt_id,
    };
    created(&format!("/v1/connections/{}", connection.id), &answer)
}

fn note_fault(note: Option<&str>) -> Option<Fault> {
    let note = note?;
    let sound = note.chars().count() <= NOTE_LENGTH
        && !note
            .chars()
            .any(|character| character.is_control() && character != '\n');
    (!sound).then(|| {
        Fault::new(
            "/note",
            "invalid_note",
            "500 characters at most, no control characters but line ends.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_short_and_plain() {
        for note in [
            None,
            Some(""),
            Some("Accounts\nand leads"),
            Some(&"ä".repeat(500)),
        ] {
            assert!(note_fault(note).is_none(), "{note:?}");
        }
        for note in ["\u{0}", "a\u{1b}[0m", &"a".repeat(501)] {
            assert!(note_fault(Some(note)).is_some(), "{note:?}");
        }
    }
}
