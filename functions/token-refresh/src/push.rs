//! The push: AppFlow gets the access token of the newest generation.

use jiff::Timestamp;
use serde_json::json;
use tributary::{
    connection::Connection,
    connector::profile::{self, AccessToken},
    error::{Error, Result},
    event::CloudEvent,
    outbox::Entry,
    store::{Item, StoreError, Update, from_item},
    tenancy::Account,
};

use crate::{App, commit, lease::Lease, refresh, rules};

/// Pushes the record's tokens and gives the lease back.
pub(crate) async fn current(app: &App, lease: Lease<'_>, record: &Connection) -> Result<()> {
    match push(app, record).await {
        Ok(()) => pushed(app, lease, record).await,
        Err(error) => {
            // The tokens are safe; a worker that finds an unpushed generation pushes before all else.
            tracing::warn!(tenant.id = %record.tenant_id, connection.id = %record.id, error.code = error.code(), error.chain = error.chain(), "push into AppFlow failed and will be tried again");
            let failures = record.failures + 1;
            let due = rules::due_after_failure(
                Timestamp::now(),
                failures,
                access_end(record),
                None,
                commit::chance(),
            );
            let update = lease
                .fenced(record.generation)
                .set("failures", failures)
                .set("due_at", due.as_millisecond());
            match app
                .store
                .update::<serde::de::IgnoredAny>(lease.key(), update)
                .await
            {
                Ok(_) | Err(StoreError::Condition { .. }) => lease.release(None).await,
                Err(error) => Err(error.into()),
            }
        }
    }
}

/// AppFlow has the token: that, and when the next refresh is due, is written.
async fn pushed(app: &App, lease: Lease<'_>, record: &Connection) -> Result<()> {
    let now = Timestamp::now();
    let due = rules::due_after_success(now, access_end(record).unwrap_or(now), commit::chance());
    let mut update = lease
        .fenced(record.generation)
        .set("pushed_generation", record.generation)
        .set("failures", 0)
        .set("due_at", due.as_millisecond());
    if let Some((state, reason)) = rules::state_with_token(record) {
        update = update.set("state", state).set_or_remove("reason", reason);
    }
    let written = if record.reauth_told {
        recovered(app, &lease, record, update.remove("reauth_told"), now).await?
    } else {
        let written = app
            .store
            .update::<serde::de::IgnoredAny>(lease.key(), update);
        written.await.map(|_| ())
    };
    match written {
        Ok(()) => {
            tracing::info!(tenant.id = %record.tenant_id, connection.id = %record.id, generation = record.generation, "AppFlow has the new access token");
        }
        Err(StoreError::Condition { current }) => {
            overtaken(app, &lease, record, current.as_deref()).await?;
        }
        Err(error) => return Err(error.into()),
    }
    lease.release(None).await
}

/// X5: the consent that was asked for has reached AppFlow only now, so this is where it is told.
async fn recovered(
    app: &App,
    lease: &Lease<'_>,
    record: &Connection,
    update: Update,
    now: Timestamp,
) -> Result<std::result::Result<(), StoreError>> {
    let event = CloudEvent::new(
        &app.config.stage,
        record.tenant_id,
        "tributary.connection.recovered",
        record.id.to_string(),
        &format!("recovered/{}", record.generation),
        now,
        json!({ "connectionId": record.id, "connector": record.connector, "name": record.name }),
    );
    let entry = Entry::new(event, "recovered").with_attribute("connectionId", &record.id);
    let key = entry.key();
    let written = app
        .store
        .update_with(lease.key(), update, &[(key.clone(), entry)])
        .await;
    if written.is_ok() {
        app.outbox.publish(&key).await?;
    }
    Ok(written)
}

/// A consent stored newer tokens while ours travelled. AppFlow knows no order, so ours may have
/// arrived last: the newer ones are pushed again.
async fn overtaken(
    app: &App,
    lease: &Lease<'_>,
    record: &Connection,
    current: Option<&Item>,
) -> Result<()> {
    let Some(current) = current.cloned().map(from_item::<Connection>).transpose()? else {
        return Ok(());
    };
    if current.generation <= record.generation {
        return Ok(());
    }
    let update = Update::new()
        .set("pushed_generation", record.generation)
        .set("due_at", Timestamp::now().as_millisecond())
        .when_equal("generation", current.generation)
        .when_equal("state", current.state);
    match app
        .store
        .update::<serde::de::IgnoredAny>(lease.key(), update)
        .await
    {
        Ok(_) => {
            tracing::info!(tenant.id = %record.tenant_id, connection.id = %record.id, generation = current.generation, "a consent came in between; its tokens are pushed again");
            Ok(())
        }
        Err(StoreError::Condition { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn access_end(record: &Connection) -> Option<Timestamp> {
    record
        .access_expires_at
        .and_then(|end| Timestamp::from_millisecond(end).ok())
}

async fn push(app: &App, record: &Connection) -> Result<()> {
    let account = Account::load(&app.store, record.tenant_id, record.account_id)
        .await?
        .ok_or_else(|| Error::internal("no_account", "a connection's account is gone"))?;
    let config = app.sessions.config(&account).await?;
    let client = aws_sdk_appflow::Client::new(&config);
    let bundle = refresh::open(app, record).await?;
    profile::push_tokens(
        &client,
        record,
        Some(&app.instance(record)?),
        AccessToken::from(&bundle),
    )
    .await
    .map_err(|error| Error::unavailable("push_failed", error.reason()).with_source(error))
}
