//! `/v1/connections`: a tenant's authorised links to applications.

pub(crate) mod ask;
mod attempt;
pub(crate) mod cache;
mod candidate;
mod confirm;
pub(crate) mod connect_token;
mod create;
mod delete;
pub(crate) mod discovery;
mod entities;
mod entity;
mod get;
mod invitation;
mod left_over;
mod list;
mod reconnect;
mod refresh;
mod reject;
mod rename;
mod replace_credentials;
mod revoke;
mod start_link;
pub(crate) mod vendors;
mod view;

use tributary::{
    connection::{Connection, ConnectionState},
    connector::{AuthKind, Connector, connector},
    error::{Error, Fault, Kind},
    id::{ConnectionId, TenantId},
};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) use delete::{Patience, end, left_before};
pub(crate) use entity::describe;

use crate::{App, TenantApp, accounts};

/// Routes of connections.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create::create_connection, list::list_connections))
        .routes(routes!(
            get::get_connection,
            rename::rename_connection,
            delete::delete_connection
        ))
        .routes(routes!(reconnect::reconnect_connection))
        .routes(routes!(invitation::invite))
        .routes(routes!(confirm::confirm_candidate))
        .routes(routes!(reject::reject_candidate))
        .routes(routes!(attempt::get_attempt))
        .routes(routes!(connect_token::make_connect_token))
        .routes(routes!(connect_token::make_connect_token_for_tenant))
        .routes(routes!(refresh::refresh_connection))
        .routes(routes!(replace_credentials::replace_credentials))
        .routes(routes!(entities::list_entities))
        .routes(routes!(entity::get_entity))
        // Names with slashes, for gateways that decode %2F in paths.
        .route(
            "/v1/connections/{id}/entities/{entity}/{*rest}",
            axum::routing::get(entity::get_entity_with_slashes),
        )
}

/// A connection of the tenant, or the answer for what does not exist.
pub(crate) async fn find(
    app: &TenantApp,
    tenant: TenantId,
    id: ConnectionId,
) -> Result<Connection, Error> {
    Connection::load(&app.store, tenant, id)
        .await?
        .ok_or_else(Error::not_found)
}

/// The row of the connection's connector.
fn row(connection: &Connection) -> Result<&'static Connector, Error> {
    connector(&connection.connector).ok_or_else(|| {
        Error::internal(
            "unknown_connector",
            "a stored connection has an unknown connector",
        )
    })
}

/// The provider at which somebody consents to the connection.
fn consented(connection: &Connection) -> Result<&'static str, Error> {
    let by_consent = connection.auth == AuthKind::OauthAuthorizationCode;
    row(connection)?
        .provider
        .filter(|_| by_consent)
        .ok_or_else(|| {
            Error::new(
                Kind::Conflict,
                "no_consent",
                "Nobody consents to connections of this kind.",
            )
        })
}

/// AppFlow in the connection's account, if the connection works.
async fn appflow(
    app: &TenantApp,
    connection: &Connection,
) -> Result<aws_sdk_appflow::Client, Error> {
    match connection.state {
        ConnectionState::Active | ConnectionState::Limited => {}
        ConnectionState::Pending | ConnectionState::ReauthRequired | ConnectionState::Deleted => {
            return Err(Error::new(
                Kind::Conflict,
                "not_connected",
                "This connection does not work; connect it first.",
            ));
        }
    }
    let account = accounts::find(app, connection.tenant_id, connection.account_id).await?;
    accounts::appflow(app, &account).await
}

/// What is wrong with a name that people read.
fn name_fault(name: &str) -> Option<Fault> {
    let characters = name.trim().chars().count();
    let sound = (1..=128).contains(&characters) && !name.chars().any(char::is_control);
    (!sound).then(|| {
        Fault::new(
            "/name",
            "invalid_name",
            "1 to 128 characters, not only blanks, no control characters.",
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tributary::id::AccountId;

    use super::*;

    #[test]
    fn only_connections_that_somebody_consents_to_are_connected_again() {
        let of = |auth: AuthKind| {
            let id = ConnectionId::new();
            let connection: Connection = serde_json::from_value(json!({
                "id": id, "connection_id": id, "tenant_id": TenantId::new(), "account_id": AccountId::new(),
                "connector": "salesforce", "name": "n", "state": "active", "token_owner": "tributary",
                "created_by": "s", "auth": auth, "profile_name": "p", "generation": 1,
                "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "version": 1,
            }))
            .unwrap();
            consented(&connection)
        };
        assert_eq!(of(AuthKind::OauthAuthorizationCode).unwrap(), "salesforce");
        for auth in [AuthKind::OauthClientCredentials, AuthKind::OauthJwtBearer] {
            assert_eq!(of(auth).unwrap_err().code(), "no_consent");
        }
    }
}
