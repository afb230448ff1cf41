//! `POST /v1/connections`

mod check;
pub(super) mod live;
pub(super) mod minted;

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use tributary::{
    connection::{AppOwner, Connection, ConnectionState, TokenOwner},
    connector::{AuthKind, profile::Credentials},
    error::Error,
    http::{IdempotencyKey, Json, Problem},
    id::{AccountId, ConnectionId},
    oauth::registry::credentials_secret,
    store::{Key, Update},
    tenancy::{Account, HostingMode},
};
use utoipa::ToSchema;

use super::{
    find, start_link, vendors,
    view::{ConnectionView, StartedConnection},
};
use crate::{
    App, TenantApp, accounts, claim, credentials,
    edge::{Editor, body_of, created, json},
    headroom, oauth_apps,
};
use check::{Plan, Way};
use live::Failed;

pub(super) use check::{fields, invalid};

const OPERATION: &str = "create-connection";

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
    /// How it proves who we are; the connector's first way when absent.
    #[serde(default)]
    auth: Option<AuthKind>,
    /// Label of the application's instance: `acme` of `https://acme.zendesk.com`. Never an address.
    #[serde(default)]
    #[schema(example = "acme")]
    instance: Option<String>,
    /// Who may use the refresh token; the first that the catalogue lists when absent.
    #[serde(default)]
    token_owner: Option<TokenOwner>,
    /// Whose OAuth app is used; the tenant's own, if it has one, when absent.
    #[serde(default)]
    app: Option<AppOwner>,
    /// Where the browser goes after the consent; on one of the configured origins.
    #[serde(default)]
    return_to: Option<String>,
    /// What the connector needs, without secrets.
    #[serde(default)]
    properties: BTreeMap<String, String>,
    /// What proves who we are, where nobody consents: kept in Secrets Manager, never shown again.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>, write_only)]
    credentials: Credentials,
}

/// What is known of the tenant before the checks.
#[derive(Debug)]
struct Known {
    account: Option<Account>,
    has_own_app: bool,
}

/// Makes a connection. One that needs a consent stays `pending` and comes with a start link. Of all
/// others the credentials or roles are tried, and it works at once. Credentials that the application
/// does not take leave nothing behind (`invalid_credentials`); while it does not answer
/// (`application_unavailable`), the same request can be sent again under the same `Idempotency-Key`.
#[utoipa::path(post, path = "/v1/connections", tag = "connections", params(IdempotencyKey), request_body = ConnectionInput, responses(
    (status = 201, body = StartedConnection),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn create_connection(
    State(app): State<App>,
    editor: Editor,
    key: IdempotencyKey,
    Json { mut value, bytes }: Json<ConnectionInput>,
) -> Result<Response, Error> {
    let app = app.within(&editor.scope);
    let known = Known {
        account: Account::load(&app.store, editor.tenant, value.account_id).await?,
        has_own_app: oauth_apps::has_own(&app, editor.tenant, &value.connector).await?,
    };
    let hosting = known.account.as_ref().map(|account| account.hosting);
    if hosting == Some(HostingMode::Vendor) {
        let (key, properties) = (&value.connector, &mut value.properties);
        vendors::complete(&app.config.warehouse, editor.tenant, key, properties);
    }
    let plan = check::check(&app.config.browser, &app.config.warehouse, &value, known)?;
    let (scope, subject) = (editor.partition(), editor.subject());
    // A plain hash of a body with a password could be guessed from what is stored.
    let body = app.sealer.fingerprint(&bytes);
    let work = async {
        let id = ConnectionId::new();
        let id = claim::id(&app.store, &key, &scope, OPERATION, subject, id).await?;
        let account = placed(&app, id, &plan).await?;
        let (asked, given) = record(id, &plan, &account, value, subject);
        let made = match plan.way {
            Way::Consent { .. } => insert(&app, asked).await,
            Way::Given => with_credentials(&app, &account, asked, &given).await,
            Way::Minted => with_tokens(&app, &account, asked, &given).await,
        };
        let connection = match made {
            Ok(connection) => connection,
            Err(error) => {
                headroom::release(&app, &account).await?;
                return Err(error);
            }
        };
        json(StatusCode::CREATED, &ConnectionView::of(&connection))
    };
    let made = key.once(&app.store, &scope, OPERATION, subject, &body, work);
    // Outside of what is kept and replayed: the link holds a secret. A replay gets a new link.
    let mut answer = StartedConnection {
        connection: body_of(made.await?).await?,
        start_url: None,
        start_expires_at: None,
        attempt_id: None,
    };
    let location = format!("/v1/connections/{}", answer.connection.id);
    if let Way::Consent {
        provider,
        return_to,
    } = plan.way
        && answer.connection.state == ConnectionState::Pending
    {
        let connection = find(&app, editor.tenant, answer.connection.id).await?;
        let link = start_link::make(
            &app,
            &connection,
            editor.subject(),
            provider,
            &return_to,
            false,
        );
        let link = link.await?;
        answer.start_url = Some(link.url);
        answer.start_expires_at = Some(link.expires_at);
        answer.attempt_id = Some(link.attempt_id);
    }
    created(&location, &answer)
}

/// The account in which the connection is made: the one that was asked for, unless it is the vendor's
/// and full. What an earlier attempt with the same key wrote stays where it is.
async fn placed(app: &TenantApp, id: ConnectionId, plan: &Plan) -> Result<Account, Error> {
    let tenant = plan.account.tenant_id;
    let at = Key::connection(tenant, id);
    match app.store.get::<Connection>(&at).await? {
        Some(known) => accounts::find(app, tenant, known.account_id).await,
        None => accounts::pool::place(app, plan.account.clone()).await,
    }
}

/// What is written of a connection to be, and what is not.
fn record(
    id: ConnectionId,
    plan: &Plan,
    account: &Account,
    input: ConnectionInput,
    subject: &str,
) -> (Connection, Credentials) {
    let ConnectionInput {
        name,
        connector: _,
        account_id: _,
        auth: _,
        instance,
        token_owner: _,
        app: _,
        return_to: _,
        properties,
        credentials,
    } = input;
    let now = Timestamp::now();
    let mut connection = Connection {
        id,
        connection_id: id,
        tenant_id: account.tenant_id,
        account_id: account.id,
        connector: plan.row.key.to_owned(),
        name,
        state: ConnectionState::Pending,
        reason: None,
        token_owner: plan.token_owner,
        created_by: subject.to_owned(),
        auth: plan.method.kind,
        app: plan.app,
        credentials: None,
        profile_name: format!("tributary-{}-{id}", account.tenant_id),
        instance,
        instance_url: None,
        org_id: None,
        provider_user_id: None,
        scopes: Vec::new(),
        missing_scopes: Vec::new(),
        properties,
        generation: 0,
        bundle: None,
        access_expires_at: None,
        refreshed_at: None,
        rotates: false,
        pushed_generation: 0,
        fence: 0,
        lease_until: None,
        intent: None,
        failures: 0,
        failed_at: None,
        reauth_told: false,
        due_shard: None,
        due_at: None,
        created_at: now,
        updated_at: now,
        version: 1,
    };
    if !credentials.is_empty() {
        connection.credentials = Some(credentials_secret(&connection));
    }
    (connection, credentials)
}

/// Writes the connection, or finds what an earlier attempt with the same key wrote.
async fn insert(app: &TenantApp, asked: Connection) -> Result<Connection, Error> {
    let at = Key::connection(asked.tenant_id, asked.id);
    match app.store.insert(&at, &asked).await {
        Ok(()) => Ok(asked),
        Err(error) if error.is_condition() => find(app, asked.tenant_id, asked.id).await,
        Err(error) => Err(error.into()),
    }
}

/// Gives AppFlow the credentials, and has it use them.
async fn with_credentials(
    app: &TenantApp,
    account: &Account,
    mut asked: Connection,
    given: &Credentials,
) -> Result<Connection, Error> {
    let appflow = accounts::appflow(app, account).await?;
    // The push is named by it and can be repeated.
    asked.generation = 1;
    let connection = kept(app, asked, given).await?;
    if let Err(failed) = live::give(app, &appflow, &connection, given).await {
        return undone(app, Some(&appflow), &connection, failed).await;
    }
    let update = Update::new()
        .set("state", ConnectionState::Active)
        .set("pushed_generation", connection.generation)
        .set("updated_at", Timestamp::now());
    let at = Key::connection(connection.tenant_id, connection.id);
    Ok(app.store.update(&at, update).await?)
}

/// Gets a token for the credentials, and gives AppFlow that.
async fn with_tokens(
    app: &TenantApp,
    account: &Account,
    asked: Connection,
    given: &Credentials,
) -> Result<Connection, Error> {
    let appflow = accounts::appflow(app, account).await?;
    let connection = kept(app, asked, given).await?;
    if connection.generation > 0 {
        // An earlier attempt came this far; the refresh does what it left.
        return Ok(connection);
    }
    match minted::mint(app, &connection, given).await {
        Ok(grant) => minted::settle(app, &appflow, connection, &grant).await,
        Err(failed) => undone(app, None, &connection, failed).await,
    }
}

/// Writes the record and keeps the credentials, in this order: a secret that no record names would be
/// found by nobody.
async fn kept(
    app: &TenantApp,
    asked: Connection,
    given: &Credentials,
) -> Result<Connection, Error> {
    let connection = insert(app, asked).await?;
    if let Some(name) = &connection.credentials {
        credentials::keep(&app.secrets, name, &given.to_secret()).await?;
    }
    Ok(connection)
}

/// What is certain not to work leaves nothing behind; what is in doubt stays `pending` under its id,
/// and the same request again carries on.
async fn undone(
    app: &TenantApp,
    appflow: Option<&aws_sdk_appflow::Client>,
    connection: &Connection,
    failed: Failed,
) -> Result<Connection, Error> {
    if failed.definite && connection.state == ConnectionState::Pending {
        if let Some(appflow) = appflow {
            let deleted = appflow
                .delete_connector_profile()
                .connector_profile_name(&connection.profile_name)
                .force_delete(true)
                .send()
                .await;
            if let Err(error) = deleted {
                let refusal = tributary::aws::Refusal::of(&error);
                if !refusal.is("ResourceNotFoundException") {
                    tracing::warn!(tenant.id = %connection.tenant_id, connection.id = %connection.id, error.code = refusal.code.as_deref().unwrap_or("none"), "the profile of a connection that does not work is left in the account");
                }
            }
        }
        if let Some(name) = &connection.credentials {
            credentials::forget(&app.secrets, name).await?;
        }
        let at = Key::connection(connection.tenant_id, connection.id);
        app.store.delete(&at).await?;
    }
    Err(failed.error)
}
