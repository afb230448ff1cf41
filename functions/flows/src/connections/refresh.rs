//! `POST /v1/connections/{id}/refresh`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use serde::Serialize;
use tributary::{
    aws::Refusal,
    connection::{ConnectionState, TokenOwner},
    error::{Error, Kind},
    http::{IdempotencyKey, Problem},
    id::{ConnectionId, TenantId},
};

use super::{find, view::ConnectionView};
use crate::{
    App,
    edge::{Editor, NoBody, id_in_path, json},
};

/// What the refresh function reads from its queue.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    tenant_id: TenantId,
    connection_id: ConnectionId,
    /// A refresh of an older generation is dropped.
    generation: u64,
    reason: &'static str,
}

/// Asks for a refresh of the connection's tokens. It is done shortly; watch `accessExpiresAt`.
#[utoipa::path(post, path = "/v1/connections/{id}/refresh", tag = "connections", params(
    ("id" = ConnectionId, Path, description = "The connection"),
    IdempotencyKey,
), responses(
    (status = 202, body = ConnectionView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn refresh_connection(
    State(app): State<App>,
    editor: Editor,
    key: IdempotencyKey,
    Path(id): Path<String>,
    body: NoBody,
) -> Result<Response, Error> {
    let connection = find(&app, editor.tenant, id_in_path(&id)?).await?;
    if connection.token_owner != TokenOwner::Tributary {
        return Err(Error::new(
            Kind::Conflict,
            "nothing_to_refresh",
            "We hold no refresh token of this connection.",
        ));
    }
    if !matches!(
        connection.state,
        ConnectionState::Active | ConnectionState::Limited
    ) {
        return Err(Error::new(
            Kind::Conflict,
            "not_connected",
            "Only a new consent helps this connection; reconnect it.",
        ));
    }
    let operation = format!("refresh-{}", connection.id);
    let work = async {
        let message = Message {
            tenant_id: connection.tenant_id,
            connection_id: connection.id,
            generation: connection.generation,
            reason: "asked",
        };
        let text = serde_json::to_string(&message).map_err(|error| {
            Error::internal("message_failed", "a message could not be written").with_source(error)
        })?;
        app.queues
            .send_message()
            .queue_url(&app.config.refresh_queue_url)
            .message_body(text)
            .send()
            .await
            .map_err(|error| Refusal::of(&error).into_error("SendMessage"))?;
        json(StatusCode::ACCEPTED, &ConnectionView::of(&connection))
    };
    key.once(
        &app.store,
        &editor.scope(),
        &operation,
        editor.subject(),
        &body.bytes,
        work,
    )
    .await
}
