//! `PUT /v1/connections/{id}/credentials`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use tributary::{
    connection::{Connection, ConnectionState},
    connector::{Method, profile::Credentials},
    error::{Error, Kind},
    http::{Json, Problem},
    id::ConnectionId,
    oauth::MintCredentials,
    store::{Key, Update},
};
use utoipa::ToSchema;

use super::{
    create::{
        fields, invalid,
        live::{self, Failed},
        minted,
    },
    find, row,
    view::ConnectionView,
};
use crate::{
    App, TenantApp, accounts, credentials,
    edge::{Editor, id_in_path, json},
};

/// New credentials of a connection.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CredentialsInput {
    /// All fields that the catalogue lists for this way to connect. Never shown again.
    #[schema(value_type = std::collections::BTreeMap<String, String>, write_only)]
    credentials: Credentials,
}

/// Replaces the credentials of a connection that nobody consents to. They are tried first: those that
/// the application does not take change nothing.
#[utoipa::path(put, path = "/v1/connections/{id}/credentials", tag = "connections", params(
    ("id" = ConnectionId, Path, description = "The connection"),
), request_body = CredentialsInput, responses(
    (status = 200, body = ConnectionView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn replace_credentials(
    State(app): State<App>,
    editor: Editor,
    Path(id): Path<String>,
    Json { value, .. }: Json<CredentialsInput>,
) -> Result<Response, Error> {
    let app = app.within(&editor.scope);
    let connection = find(&app, editor.tenant, id_in_path(&id)?).await?;
    let method = row(&connection)?.method(connection.auth);
    let (Some(method), Some(name)) = (method, connection.credentials.clone()) else {
        return Err(Error::new(
            Kind::Conflict,
            "no_credentials",
            "Connections of this kind have no credentials of their own.",
        ));
    };
    let CredentialsInput { credentials: given } = value;
    let faults = fields(method, &connection.properties, &given);
    if !faults.is_empty() {
        return Err(invalid(faults));
    }
    let changed = if is_minted(method) {
        with_tokens(&app, connection, &name, &given).await?
    } else {
        with_profile(&app, connection, &name, &given).await?
    };
    tracing::info!(tenant.id = %editor.tenant, connection.id = %changed.id, user.subject = editor.subject(), "credentials replaced");
    json(StatusCode::OK, &ConnectionView::of(&changed))
}

fn is_minted(method: &Method) -> bool {
    MintCredentials::are_of(method.kind) && method.is_ours()
}

/// A token for the new ones proves them before the old ones are forgotten.
async fn with_tokens(
    app: &TenantApp,
    connection: Connection,
    name: &str,
    given: &Credentials,
) -> Result<Connection, Error> {
    let account = accounts::find(app, connection.tenant_id, connection.account_id).await?;
    let appflow = accounts::appflow(app, &account).await?;
    let grant = minted::mint(app, &connection, given)
        .await
        .map_err(|failed| failed.error)?;
    credentials::keep(&app.secrets, name, &given.to_secret()).await?;
    minted::settle(app, &appflow, connection, &grant).await
}

/// AppFlow tries the new ones; if they are wrong it gets the old ones back.
async fn with_profile(
    app: &TenantApp,
    connection: Connection,
    name: &str,
    given: &Credentials,
) -> Result<Connection, Error> {
    let account = accounts::find(app, connection.tenant_id, connection.account_id).await?;
    let appflow = accounts::appflow(app, &account).await?;
    // The record counts first: pushes are named by the generation, also after a crash.
    let at = Key::connection(connection.tenant_id, connection.id);
    let next = Update::new()
        .add("generation", 2)
        .set("updated_at", Timestamp::now())
        .when_equal("generation", connection.generation)
        .when_equal("state", connection.state);
    let reserved: Connection = app.store.update(&at, next).await?;
    let mut trying = reserved.clone();
    trying.generation -= 1;
    if let Err(Failed { error, .. }) = live::give(app, &appflow, &trying, given).await {
        restore(app, &appflow, &reserved, name).await;
        return Err(error);
    }
    credentials::keep(&app.secrets, name, &given.to_secret()).await?;
    let update = Update::new()
        .set("state", ConnectionState::Active)
        .set("pushed_generation", trying.generation)
        .set("updated_at", Timestamp::now())
        .add("version", 1)
        .remove("reason")
        .when_equal("generation", reserved.generation);
    Ok(app.store.update(&at, update).await?)
}

async fn restore(
    app: &TenantApp,
    appflow: &aws_sdk_appflow::Client,
    connection: &Connection,
    name: &str,
) {
    let old = credentials::read(&app.secrets, name).await.ok().flatten();
    let old: Option<Credentials> = old.and_then(|text| serde_json::from_str(text.expose()).ok());
    let restored = match &old {
        Some(old) => live::give(app, appflow, connection, old)
            .await
            .map_err(|failed| failed.error.code()),
        None => Err("credentials_missing"),
    };
    if let Err(code) = restored {
        tracing::warn!(tenant.id = %connection.tenant_id, connection.id = %connection.id, error.code = code, "the former credentials did not get back into AppFlow");
    }
}
