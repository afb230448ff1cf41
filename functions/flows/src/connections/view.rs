//! A connection, as it is shown: never a token.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tributary::{
    connection::{Connection, ConnectionState, TokenOwner},
    id::{AccountId, AttemptId, ConnectionId},
};
use utoipa::ToSchema;

/// A connection.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConnectionView {
    pub(super) id: ConnectionId,
    name: String,
    /// Key of the connector in the catalogue.
    connector: String,
    /// The AWS account whose AppFlow knows it.
    account_id: AccountId,
    /// Where it stands.
    pub(super) state: ConnectionState,
    /// Why it is limited or needs a new consent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Who may use its refresh token.
    token_owner: TokenOwner,
    /// Instance of the application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instance_url: Option<String>,
    /// Organisation at the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    org: Option<String>,
    /// What was granted.
    scopes: Vec<String>,
    /// What was asked for and not granted.
    missing_scopes: Vec<String>,
    /// Properties without secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    properties: BTreeMap<String, String>,
    /// When the access token that AppFlow has ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    access_expires_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl ConnectionView {
    pub(super) fn of(connection: &Connection) -> Self {
        Self {
            id: connection.id,
            name: connection.name.clone(),
            connector: connection.connector.clone(),
            account_id: connection.account_id,
            state: connection.state,
            reason: connection.reason.clone(),
            token_owner: connection.token_owner,
            instance_url: connection.instance_url.clone(),
            org: connection.org_id.clone(),
            scopes: connection.scopes.clone(),
            missing_scopes: connection.missing_scopes.clone(),
            properties: connection.properties.clone(),
            access_expires_at: connection
                .access_expires_at
                .and_then(|at| Timestamp::from_millisecond(at).ok()),
            created_at: connection.created_at,
            updated_at: connection.updated_at,
        }
    }
}

/// A connection with the link at which its consent begins.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StartedConnection {
    #[serde(flatten)]
    pub(super) connection: ConnectionView,
    /// Open it in the browser of the person who asked. Works once, for ten minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) start_url: Option<String>,
    /// When the link ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) start_expires_at: Option<Timestamp>,
    /// Under which the result can be asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) attempt_id: Option<AttemptId>,
}
