//! `DELETE /v1/connections/{id}`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tributary::{
    aws::Refusal,
    connection::{
        Connection, ConnectionState,
        candidate::Candidates,
        revocation::{DueRevocation, left_of},
    },
    error::{Error, Kind},
    http::Problem,
    id::ConnectionId,
    store::{Key, StoreError, Update},
    tenancy::AccountState,
};
use utoipa::ToSchema;

use super::{
    left_over::{self, LeftOver, LeftOverKind},
    revoke::revoke,
    row,
};
use crate::{
    App, TenantApp, accounts,
    appflow::refused,
    edge::{Editor, id_in_path, json},
    usage,
};

/// How often the deletion is tried again when a refresh came in between.
const ATTEMPTS: u32 = 5;

/// A connection that is deleted.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeletedConnection {
    id: ConnectionId,
    /// Always.
    deleted: bool,
    /// What is left. Ask again with another `DELETE`, which changes nothing.
    left_over: Vec<LeftOver>,
}

/// Ends a connection: its AppFlow profile goes, its tokens and credentials are forgotten, and its
/// grant is revoked at the provider. Says what is left of it; a revocation that the provider did not
/// confirm is tried again until it does.
#[utoipa::path(delete, path = "/v1/connections/{id}", tag = "connections", params(
    ("id" = ConnectionId, Path, description = "The connection"),
), responses(
    (status = 200, body = DeletedConnection),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn delete_connection(
    State(app): State<App>,
    editor: Editor,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let app = app.within(&editor.scope);
    let key = Key::connection(editor.tenant, id_in_path(&id)?);
    let found: Option<Connection> = app.store.get(&key).await?;
    let connection = found.ok_or_else(Error::not_found)?;
    let left_over = if connection.state == ConnectionState::Deleted {
        left_before(&app, &connection).await?
    } else {
        end(&app, connection.clone(), Patience::Left).await?
    };
    let deleted = DeletedConnection {
        id: connection.id,
        deleted: true,
        left_over,
    };
    json(StatusCode::OK, &deleted)
}

/// What a connection that is deleted already left, as far as it is still there.
pub(crate) async fn left_before(
    app: &TenantApp,
    connection: &Connection,
) -> Result<Vec<LeftOver>, Error> {
    #[derive(Deserialize)]
    struct Remembered {
        #[serde(default)]
        left_over: Vec<LeftOver>,
    }
    let key = Key::connection(connection.tenant_id, connection.id);
    let remembered: Option<Remembered> = app.store.get(&key).await?;
    let mut left = remembered.map_or_else(Vec::new, |found| found.left_over);
    let due = left_of(&app.store, connection.tenant_id, connection.id).await?;
    let grants = due
        .iter()
        .map(|due| LeftOver::of_revocation(connection, due));
    left.extend(grants);
    Ok(left)
}

/// Why something is left that was tried for long enough.
const GIVEN_UP: &str = "It could not be deleted for a day. Delete what has this name.";

/// Whether what fails can be tried again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// It can: the connection stays until then.
    Left,
    /// It was, for long enough: the connection ends, and what could not be removed is left over.
    Over,
}

/// Ends a connection and answers what is left of it.
pub(crate) async fn end(
    app: &TenantApp,
    connection: Connection,
    patience: Patience,
) -> Result<Vec<LeftOver>, Error> {
    if usage::of_connection(&app.store, connection.tenant_id, connection.id).await? {
        return Err(in_use());
    }
    let mut left = left_over::beforehand(&connection, row(&connection)?);
    let (profile, secret) = (&connection.profile_name, connection.credentials.as_ref());
    for (what, name, deleted) in [
        (
            LeftOverKind::Profile,
            Some(profile),
            delete_profile(app, &connection).await,
        ),
        (
            LeftOverKind::Secret,
            secret,
            delete_secret(app, &connection).await,
        ),
    ] {
        left.extend(match (deleted, patience, name) {
            (Err(error), Patience::Over, Some(name)) => {
                tracing::warn!(connection.id = %connection.id, name, error.chain = error.chain(), "given up");
                Some(LeftOver::settled_by_hand(what, name, GIVEN_UP))
            }
            (deleted, ..) => deleted?,
        });
    }
    let Some((connection, due)) = forget(app, connection, &left).await? else {
        return Ok(left);
    };
    if let Some(due) = due {
        left.extend(revoke(app, &connection, &due).await);
    }
    left.extend(give_candidate_back(app, &connection).await?);
    tracing::info!(
        tenant.id = %connection.tenant_id, connection.id = %connection.id, left = left.len(), "connection deleted"
    );
    Ok(left)
}

/// Forgets the tokens and writes down, in the same transaction, that their grant must be ended: a
/// crash loses neither. A refresh that came in between has newer tokens, and these are what counts.
async fn forget(
    app: &TenantApp,
    mut connection: Connection,
    left: &[LeftOver],
) -> Result<Option<(Connection, Option<DueRevocation>)>, Error> {
    let key = Key::connection(connection.tenant_id, connection.id);
    for _ in 0..ATTEMPTS {
        let now = Timestamp::now();
        let due = DueRevocation::of(&connection, app.config.due_shards, now);
        // The fence grows, so that a refresh under way cannot write its result into a deleted one.
        let update = Update::new()
            .set("state", ConnectionState::Deleted)
            .set("left_over", left)
            .set("updated_at", now)
            .add("fence", 1)
            .add("version", 1)
            .remove("bundle")
            .remove("unreadable_answer")
            .remove("due_shard")
            .remove("due_at")
            .remove("lease_until")
            .remove("intent")
            .when_equal("generation", connection.generation)
            .when_equal("state", connection.state);
        let others: Vec<_> = due.iter().map(|due| (due.key(), due.clone())).collect();
        match app.store.update_with(&key, update, &others).await {
            Ok(()) => return Ok(Some((connection, due))),
            Err(StoreError::Condition { .. }) => {
                let current = app.store.get::<Connection>(&key).await?;
                connection = current.ok_or_else(Error::not_found)?;
                if connection.state == ConnectionState::Deleted {
                    return Ok(None);
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::unavailable(
        "changed_meanwhile",
        "the connection kept changing while it was deleted",
    ))
}

/// A grant that waits to be confirmed has nothing left to wait for.
async fn give_candidate_back(
    app: &TenantApp,
    connection: &Connection,
) -> Result<Option<LeftOver>, Error> {
    let candidates = Candidates {
        store: &app.store,
        vault: &app.vault,
    };
    let found = candidates.load(connection.tenant_id, connection.id).await?;
    let Some(candidate) = found else {
        return Ok(None);
    };
    let bundle = candidates.open(&candidate).await?;
    if !candidates.take(&candidate).await? {
        return Ok(None);
    }
    let shards = app.config.due_shards;
    app.revoker().give_back(connection, &bundle, shards).await?;
    let waiting = left_of(&app.store, connection.tenant_id, connection.id).await?;
    let unsettled = waiting.iter().find(|due| due.was_never_kept());
    Ok(unsettled.map(|due| LeftOver::of_revocation(connection, due)))
}

/// Deletes the profile; answers what is left where the account does not let us in any more.
async fn delete_profile(
    app: &TenantApp,
    connection: &Connection,
) -> Result<Option<LeftOver>, Error> {
    let account = accounts::find(app, connection.tenant_id, connection.account_id).await?;
    // In an account that was never proven, no profile was ever made.
    if account.state == AccountState::Pending {
        return Ok(None);
    }
    let left = || {
        LeftOver::settled_by_hand(
            LeftOverKind::Profile,
            &connection.profile_name,
            "The AWS account does not let us in any more. Delete the connector profile of this name in AppFlow.",
        )
    };
    let client = match accounts::appflow(app, &account).await {
        Ok(client) => client,
        Err(error) if error.code() == "account_not_accessible" => return Ok(Some(left())),
        Err(error) => return Err(error),
    };
    let deleted = client
        .delete_connector_profile()
        .connector_profile_name(&connection.profile_name)
        .send()
        .await;
    match deleted.map_err(|error| Refusal::of(&error)) {
        Ok(_) => {
            crate::headroom::release(app, &account).await?;
            Ok(None)
        }
        Err(refusal) if refusal.is("ResourceNotFoundException") => Ok(None),
        Err(refusal) if refusal.is("ConflictException") => Err(in_use()),
        Err(refusal) if refusal.is_access_denied() => Ok(Some(left())),
        Err(refusal) => Err(refused("DeleteConnectorProfile", refusal)),
    }
}

/// Deletes the secret with long-lived credentials, at once: what a person wants gone is not kept for
/// a month.
async fn delete_secret(
    app: &TenantApp,
    connection: &Connection,
) -> Result<Option<LeftOver>, Error> {
    let Some(name) = &connection.credentials else {
        return Ok(None);
    };
    let deleted = app
        .secrets
        .delete_secret()
        .secret_id(name)
        .force_delete_without_recovery(true)
        .send()
        .await;
    match deleted.map_err(|error| Refusal::of(&error)) {
        Ok(_) => Ok(None),
        Err(refusal) if refusal.is("ResourceNotFoundException") => Ok(None),
        Err(refusal) if refusal.is_throttle() || refusal.is_unknown() => {
            Err(refusal.into_error("DeleteSecret"))
        }
        Err(refusal) => {
            tracing::error!(connection.id = %connection.id, ?refusal, "a secret could not be deleted");
            Ok(Some(LeftOver::settled_by_hand(
                LeftOverKind::Secret,
                name,
                "The secret could not be deleted. The operator of this service can delete it.",
            )))
        }
    }
}

fn in_use() -> Error {
    Error::new(
        Kind::Conflict,
        "connection_in_use",
        "Flows still use this connection. Delete them first.",
    )
}
