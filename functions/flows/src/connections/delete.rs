//! `DELETE /v1/connections/{id}`

use axum::{
    extract::{Path, State},
    response::Response,
};
use jiff::Timestamp;
use serde::de::IgnoredAny;
use tributary::{
    aws::Refusal,
    connection::{Connection, ConnectionState},
    error::{Error, Kind},
    http::Problem,
    id::ConnectionId,
    store::{Key, Update},
    tenancy::AccountState,
};

use super::{find, revoke::revoke};
use crate::{
    App, accounts,
    appflow::refused,
    edge::{Editor, id_in_path, no_content},
    usage,
};

/// Ends a connection: its AppFlow profile goes, its grant at the provider is revoked, its tokens
/// are forgotten.
#[utoipa::path(delete, path = "/v1/connections/{id}", tag = "connections", params(
    ("id" = ConnectionId, Path, description = "The connection"),
), responses(
    (status = 204),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn delete_connection(
    State(app): State<App>,
    editor: Editor,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let connection = find(&app, editor.tenant, id_in_path(&id)?).await?;
    if usage::of_connection(&app.store, editor.tenant, connection.id).await? {
        return Err(in_use());
    }
    delete_profile(&app, &connection).await?;
    // A grant that is already revoked, or cannot be, does not keep the connection alive.
    let revoked = revoke(&app, &connection).await;
    tracing::info!(
        tenant.id = %editor.tenant, connection.id = %connection.id, ?revoked, "connection deleted"
    );
    // The fence grows, so that a refresh under way cannot write its result into a deleted one.
    let update = Update::new()
        .set("state", ConnectionState::Deleted)
        .set("updated_at", Timestamp::now())
        .add("fence", 1)
        .add("version", 1)
        .remove("bundle")
        .remove("due_shard")
        .remove("due_at")
        .remove("lease_until")
        .remove("intent");
    app.store
        .update::<IgnoredAny>(&Key::connection(editor.tenant, connection.id), update)
        .await?;
    Ok(no_content())
}

async fn delete_profile(app: &App, connection: &Connection) -> Result<(), Error> {
    let account = accounts::find(app, connection.tenant_id, connection.account_id).await?;
    // In an account that was never proven, no profile was ever made.
    if account.state == AccountState::Pending {
        return Ok(());
    }
    let deleted = accounts::appflow(app, &account)
        .await?
        .delete_connector_profile()
        .connector_profile_name(&connection.profile_name)
        .send()
        .await;
    match deleted.map_err(|error| Refusal::of(&error)) {
        Ok(_) => Ok(()),
        Err(refusal) if refusal.is("ResourceNotFoundException") => Ok(()),
        Err(refusal) if refusal.is("ConflictException") => Err(in_use()),
        Err(refusal) => Err(refused("DeleteConnectorProfile", refusal)),
    }
}

fn in_use() -> Error {
    Error::new(
        Kind::Conflict,
        "connection_in_use",
        "Flows still use this connection. Delete them first.",
    )
}
