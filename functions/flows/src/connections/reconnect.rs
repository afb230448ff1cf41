//! `POST /v1/connections/{id}/reconnect`

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::Deserialize;
use tributary::{
    error::Error,
    http::{IdempotencyKey, Problem},
    id::ConnectionId,
};
use utoipa::ToSchema;

use super::{
    consented, find, start_link,
    view::{ConnectionView, StartedConnection},
};
use crate::{
    App,
    edge::{Editor, OptionalJson, id_in_path, json},
};

/// Where the browser goes after the consent.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ReconnectInput {
    /// An address on one of the configured origins.
    #[serde(default)]
    return_to: Option<String>,
    /// Whether the consent may come from another organisation than before.
    #[serde(default)]
    allow_other_organisation: bool,
}

/// Hands out a new start link, for a first consent that was not finished or for another one.
#[utoipa::path(post, path = "/v1/connections/{id}/reconnect", tag = "connections", params(
    ("id" = ConnectionId, Path, description = "The connection"),
    IdempotencyKey,
), request_body = Option<ReconnectInput>, responses(
    (status = 200, body = StartedConnection),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn reconnect_connection(
    State(app): State<App>,
    editor: Editor,
    key: IdempotencyKey,
    Path(id): Path<String>,
    OptionalJson { value, bytes }: OptionalJson<ReconnectInput>,
) -> Result<Response, Error> {
    let app = app.within(&editor.scope);
    let connection = find(&app, editor.tenant, id_in_path(&id)?).await?;
    let provider = consented(&connection)?;
    let return_to = start_link::return_to(&app.config.browser, value.return_to.as_deref())
        .map_err(|fault| {
            Error::unprocessable(
                "invalid_connection",
                "The request breaks rules.",
                vec![fault],
            )
        })?;
    // Nothing happens but the link, and a link holds a secret that is not kept for a replay: the
    // key only guards against another body. A repeat gets a link of its own.
    let operation = format!("reconnect-{}", connection.id);
    let nothing = async { Ok(StatusCode::OK.into_response()) };
    key.once(
        &app.store,
        &editor.partition(),
        &operation,
        editor.subject(),
        &bytes,
        nothing,
    )
    .await?;
    let mut asked = start_link::Asked::new(&connection, editor.subject(), provider);
    asked.return_to = Some(return_to);
    asked.reconnect = true;
    asked.allow_other_organisation = value.allow_other_organisation;
    if asked.allow_other_organisation {
        tracing::info!(
            tenant.id = %editor.tenant, connection.id = %connection.id,
            user.subject = editor.subject(), "a reconnect may come from another organisation"
        );
    }
    let link = start_link::hand_out(&app, asked).await?;
    let answer = StartedConnection {
        connection: ConnectionView::of(&connection),
        start_url: Some(link.url),
        start_expires_at: Some(link.expires_at),
        attempt_id: Some(link.attempt_id),
    };
    json(StatusCode::OK, &answer)
}
