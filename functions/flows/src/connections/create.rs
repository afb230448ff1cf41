//! `POST /v1/connections`

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use tributary::{
    connection::{AppOwner, Connection, ConnectionState, TokenOwner},
    connector::{
        AuthKind, Connector, connector,
        profile::{RedshiftProperties, push_roles},
    },
    error::{Error, Fault},
    http::{IdempotencyKey, Json, Problem},
    id::{AccountId, ConnectionId},
    store::{Key, Update},
    tenancy::Account,
};
use utoipa::ToSchema;

use super::{
    find, name_fault, start_link,
    view::{ConnectionView, StartedConnection},
};
use crate::{
    App, accounts, claim,
    edge::{Editor, body_of, created, json},
};

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
    /// Where the browser goes after the consent; on one of the configured origins.
    #[serde(default)]
    return_to: Option<String>,
    /// What the connector needs, without secrets.
    #[serde(default)]
    properties: BTreeMap<String, String>,
}

/// How the connection comes about.
enum Way {
    /// Somebody consents in the browser, at this provider, and comes back here.
    Consent {
        provider: &'static str,
        return_to: String,
    },
    /// Roles in the account are enough.
    Roles(RedshiftProperties),
}

/// Makes a connection. One that needs a consent stays `pending` and comes with a start link; one
/// that needs roles only works at once.
#[utoipa::path(post, path = "/v1/connections", tag = "connections", params(IdempotencyKey), request_body = ConnectionInput, responses(
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
    let (account, row, way) = check(&app, &value, account)?;
    let (scope, subject) = (editor.scope(), editor.subject());
    let work = async {
        let id = ConnectionId::new();
        let id = claim::id(&app.store, &key, &scope, OPERATION, subject, id).await?;
        let asked = record(id, &account, value, row, subject);
        let connection = match &way {
            Way::Consent { .. } => insert(&app, asked).await?,
            Way::Roles(properties) => with_roles(&app, &account, asked, properties).await?,
        };
        json(StatusCode::CREATED, &ConnectionView::of(&connection))
    };
    let made = key.once(&app.store, &scope, OPERATION, subject, &bytes, work);
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
    } = way
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

/// Checks everything that can be checked without a call, all faults at once.
fn check(
    app: &App,
    input: &ConnectionInput,
    account: Option<Account>,
) -> Result<(Account, &'static Connector, Way), Error> {
    let mut faults: Vec<Fault> = name_fault(&input.name).into_iter().collect();
    if account.is_none() {
        faults.push(Fault::new(
            "/accountId",
            "unknown",
            "There is no such account.",
        ));
    }
    let row = connector(&input.connector);
    let way = match row {
        Some(row) if row.auth.contains(&AuthKind::OauthAuthorizationCode) => {
            faults.extend(input.properties.keys().map(|name| {
                let pointer = format!("/properties/{}", name.replace('~', "~0").replace('/', "~1"));
                Fault::new(
                    pointer,
                    "unknown",
                    "These connections have no such property.",
                )
            }));
            let return_to = start_link::return_to(&app.config.browser, input.return_to.as_deref())
                .map_err(|fault| faults.push(fault));
            row.provider
                .zip(return_to.ok())
                .map(|(provider, return_to)| Way::Consent {
                    provider,
                    return_to,
                })
        }
        Some(row) if row.auth.contains(&AuthKind::Roles) => {
            if input.return_to.is_some() {
                faults.push(Fault::new(
                    "/returnTo",
                    "no_consent",
                    "Nobody consents to this.",
                ));
            }
            RedshiftProperties::read(&input.properties)
                .map_err(|more| faults.extend(more))
                .ok()
                .map(Way::Roles)
        }
        _ => {
            faults.push(Fault::new(
                "/connector",
                "not_connectable",
                "The catalogue has no such connector, or it needs no connection.",
            ));
            None
        }
    };
    match (account, row, way) {
        (Some(account), Some(row), Some(way)) if faults.is_empty() => Ok((account, row, way)),
        _ => Err(Error::unprocessable(
            "invalid_connection",
            "The connection breaks rules.",
            faults,
        )),
    }
}

fn record(
    id: ConnectionId,
    account: &Account,
    input: ConnectionInput,
    row: &Connector,
    subject: &str,
) -> Connection {
    let now = Timestamp::now();
    Connection {
        id,
        connection_id: id,
        tenant_id: account.tenant_id,
        account_id: account.id,
        connector: row.key.to_owned(),
        name: input.name,
        state: ConnectionState::Pending,
        reason: None,
        token_owner: row
            .token_owners
            .first()
            .copied()
            .unwrap_or(TokenOwner::Tributary),
        created_by: subject.to_owned(),
        auth: row.auth.first().copied().unwrap_or_default(),
        app: AppOwner::Vendor,
        credentials: None,
        profile_name: format!("tributary-{}-{id}", account.tenant_id),
        instance: None,
        instance_url: None,
        org_id: None,
        provider_user_id: None,
        scopes: Vec::new(),
        missing_scopes: Vec::new(),
        properties: input.properties,
        generation: 0,
        bundle: None,
        access_expires_at: None,
        rotates: false,
        pushed_generation: 0,
        fence: 0,
        lease_until: None,
        intent: None,
        failures: 0,
        reauth_told: false,
        due_shard: None,
        due_at: None,
        created_at: now,
        updated_at: now,
        version: 1,
    }
}

/// Writes the connection, or finds what an earlier attempt with the same key wrote.
async fn insert(app: &App, asked: Connection) -> Result<Connection, Error> {
    let at = Key::connection(asked.tenant_id, asked.id);
    match app.store.insert(&at, &asked).await {
        Ok(()) => Ok(asked),
        Err(error) if error.is_condition() => find(app, asked.tenant_id, asked.id).await,
        Err(error) => Err(error.into()),
    }
}

/// Gives AppFlow the roles. What it refuses leaves nothing behind; what is in doubt stays
/// `pending` under its id, and the same request again carries on.
async fn with_roles(
    app: &App,
    account: &Account,
    mut asked: Connection,
    properties: &RedshiftProperties,
) -> Result<Connection, Error> {
    let appflow = accounts::appflow(app, account).await?;
    // One generation for ever: the push is named by it and can be repeated.
    asked.generation = 1;
    let connection = insert(app, asked).await?;
    let at = Key::connection(connection.tenant_id, connection.id);
    if let Err(error) = push_roles(&appflow, &connection, properties).await {
        if !error.refusal.is_unknown() && connection.state == ConnectionState::Pending {
            app.store.delete(&at).await?;
        }
        return Err(error.into());
    }
    let update = Update::new()
        .set("state", ConnectionState::Active)
        .set("pushed_generation", connection.generation)
        .set("updated_at", Timestamp::now());
    Ok(app.store.update(&at, update).await?)
}
