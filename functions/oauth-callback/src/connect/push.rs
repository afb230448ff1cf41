//! The new access token's way into AppFlow, and what the connection is afterwards.

use aws_sdk_appflow::Client;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tributary::{
    connection::{
        Connection, ConnectionState,
        keep::{Grant, Kept},
    },
    connector::profile::{AccessToken, push_tokens},
    error::{Error, Result},
    event::CloudEvent,
    oauth::{Introspection, ProviderLink, answer::refresh_due},
    outbox::Entry,
    store::{Key, StoreError, Update, key::sha256_hex},
    tenancy::Account,
};

use super::callback::Ending;
use crate::app::App;

/// Pushes the stored grant and writes what became of it. A push that fails is tried again by the
/// refresh, which finds the connection due.
pub(super) async fn push(
    app: &App,
    link: &ProviderLink,
    actor: &str,
    kept: &Kept,
    grant: &Grant,
) -> Result<Ending> {
    let connection = &kept.now;
    let (pushed, introspection) = tokio::join!(
        Box::pin(into_appflow(app, connection, grant)),
        link.client.introspect(&grant.bundle.access_token),
    );
    let now = Timestamp::now();
    let (ending, update) = match &pushed {
        Ok(()) => settled(connection, grant, known_life(grant, introspection), now),
        Err(error) => {
            tracing::warn!(tenant.id = %connection.tenant_id, connection.id = %connection.id, error.code = error.code(), error.chain = error.chain(), "the tokens are stored and did not reach AppFlow; the refresh will push them");
            let update = Update::new()
                .set("reason", "push_failed")
                .set("due_at", now.as_millisecond());
            (Ending::Limited("push_failed"), update)
        }
    };
    let update = update
        .set("updated_at", now)
        .when_equal("generation", connection.generation);
    let recovered =
        (pushed.is_ok() && connection.reauth_told).then(|| recovered(app, connection, now));
    let others: Vec<(Key, Entry)> = recovered
        .map(|entry| (entry.key(), entry))
        .into_iter()
        .collect();
    let key = Key::connection(connection.tenant_id, connection.id);
    match app.store.update_with(&key, update, &others).await {
        Ok(()) => audit(actor, connection, grant, pushed.is_ok()),
        Err(StoreError::Condition { .. }) => {
            tracing::info!(tenant.id = %connection.tenant_id, connection.id = %connection.id, "a refresh or another consent went on from here");
        }
        Err(error) => return Err(error.into()),
    }
    Ok(ending)
}

/// Rule L4: who granted what to whom, on whose behalf.
fn audit(actor: &str, connection: &Connection, grant: &Grant, pushed: bool) {
    tracing::info!(
        tenant.id = %connection.tenant_id,
        connection.id = %connection.id,
        user.subject = actor,
        provider.org = grant.grantor.org_id,
        provider.user = grant.grantor.user_id,
        provider.instance = connection.instance_url.as_deref().unwrap_or_default(),
        pushed,
        "consent finished"
    );
}

async fn into_appflow(app: &App, connection: &Connection, grant: &Grant) -> Result<()> {
    let account = Account::load(&app.store, connection.tenant_id, connection.account_id)
        .await?
        .ok_or_else(|| Error::internal("no_account", "a connection's account is gone"))?;
    let appflow = Client::new(&app.roles.config(&account).await?);
    let token = AccessToken::from(&grant.bundle);
    Ok(push_tokens(&appflow, connection, grant.instance.as_ref(), token).await?)
}

fn known_life(grant: &Grant, introspection: Introspection) -> SignedDuration {
    match introspection {
        Introspection::Active { life: Some(life) } => life,
        Introspection::Active { life: None } | Introspection::Inactive | Introspection::Unknown => {
            grant.life
        }
    }
}

/// The connection works: when its next refresh is due, and what it lacks.
fn settled(
    connection: &Connection,
    grant: &Grant,
    life: SignedDuration,
    now: Timestamp,
) -> (Ending, Update) {
    let ends = now.saturating_add(life).unwrap_or(Timestamp::MAX);
    let due = refresh_due(now, life, spread(connection));
    let update = Update::new()
        .set("pushed_generation", connection.generation)
        .set("access_expires_at", ends.as_millisecond())
        .set("due_at", due.as_millisecond())
        .remove("reauth_told");
    if grant.missing_scopes.is_empty() {
        let update = update
            .set("state", ConnectionState::Active)
            .remove("reason");
        return (Ending::Connected, update);
    }
    let update = update
        .set("state", ConnectionState::Limited)
        .set("reason", "missing_scopes");
    (Ending::Limited("missing_scopes"), update)
}

/// A number from 0 to 1 that differs from connection to connection and from grant to grant.
fn spread(connection: &Connection) -> f64 {
    let hash = sha256_hex(&format!("{}:{}", connection.id, connection.generation));
    let number = u32::from_str_radix(&hash[..8], 16).unwrap_or(0);
    f64::from(number) / f64::from(u32::MAX)
}

/// X5: who was told that a new consent was needed is told once that it came.
fn recovered(app: &App, connection: &Connection, now: Timestamp) -> Entry {
    let event = CloudEvent::new(
        &app.config.stage,
        connection.tenant_id,
        "tributary.connection.recovered",
        connection.id.to_string(),
        &format!("recovered/{}", connection.generation),
        now,
        json!({"connectionId": connection.id, "connector": connection.connector, "name": connection.name}),
    );
    Entry::new(event, "recovered").with_attribute("connectionId", &connection.id)
}
