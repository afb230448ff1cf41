//! `POST /v1/connections`

mod redshift;
mod salesforce;

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use tributary::{
    connection::{Connection, ConnectionState, TokenOwner},
    connector::{AuthKind, Connector, connector},
    error::{Error, Fault},
    http::{IdempotencyKey, Json, Problem},
    id::{AccountId, ConnectionId},
    tenancy::Account,
};
use utoipa::ToSchema;

use super::{name_fault, view::StartedConnection};
use crate::{App, claim, edge::Editor};

/// A connection to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ConnectionInput {
    /// What people call it.
    name: String,
    /// Key of the connector in the catalogue.
    #[schema(example = "salesforce")]
    connector: String,
    /// The AWS account whose AppFlow is to know it.
    account_id: AccountId,
    /// Where the browser goes after the consent; on one of the configured origins.
    #[serde(default)]
    return_to: Option<String>,
    /// What the connector needs, without secrets.
    #[serde(default)]
    properties: BTreeMap<String, String>,
}

/// Makes a connection. One that needs a consent stays `pending` and comes with a start link; one
/// that needs roles only works at once.
#[utoipa::path(post, path = "/v1/connections", tag = "connections", request_body = ConnectionInput, responses(
    (status = 201, body = StartedConnection),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn create_connection(
    State(app): State<App>,
    editor: Editor,
    key: IdempotencyKey,
    Json { value, bytes }: Json<ConnectionInput>,
) -> Result<Response, Error> {
    let account = Account::load(&app.store, editor.tenant, value.account_id).await?;
    let mut faults: Vec<Fault> = name_fault(&value.name).into_iter().collect();
    if account.is_none() {
        faults.push(Fault::new("/accountId", "unknown", "There is no such account."));
    }
    let row = connector(&value.connector);
    match (row, account) {
        (Some(row), account) if row.auth.contains(&AuthKind::OauthAuthorizationCode) => {
            let account = account.ok_or(());
            salesforce::create(&app, &editor, &key, &bytes, value, account, row, faults).await
        }
        (Some(row), account) if row.auth.contains(&AuthKind::Roles) => {
            let account = account.ok_or(());
            redshift::create(&app, &editor, &key, &bytes, value, account, row, faults).await
        }
        _ => {
            faults.push(Fault::new(
                "/connector",
                "not_connectable",
                "The catalogue has no such connector, or it needs no connection.",
            ));
            Err(refused(faults))
        }
    }
}
