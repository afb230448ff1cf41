//! The push: AppFlow gets the access token of the newest generation.

use std::time::Duration;

use aws_sdk_appflow::Client;
use jiff::Timestamp;
use tributary::{
    connection::{Connection, resume::resume},
    connector::profile,
    error::{Error, Result},
    oauth::{Introspection, OurTokens, ProviderLink},
    store::{Item, StoreError, Update, from_item},
    tenancy::Account,
};

use crate::{
    TenantApp, commit,
    lease::Lease,
    refresh,
    rules::{self, Failure},
};

/// How long flows are resumed; what is cut off waits for somebody to start it.
const RESUMING: Duration = Duration::from_secs(10);

/// Pushes the record's tokens and gives the lease back. Where the answer did not say how long the
/// access token lives, and when it was issued, the provider is asked while the push is under way.
pub(crate) async fn current(
    app: &TenantApp<'_>,
    lease: Lease<'_>,
    record: &Connection,
    unknown_life: Option<(&ProviderLink, Timestamp)>,
) -> Result<()> {
    let tokens = refresh::open(app, record).await?;
    let (done, known_end) = tokio::join!(
        push(app, record, &tokens),
        ask_for_end(&tokens, unknown_life)
    );
    match done {
        Ok(appflow) => pushed(app, &appflow, lease, record, known_end).await,
        Err(error) => {
            // The tokens are safe; a worker that finds an unpushed generation pushes before all else.
            tracing::warn!(tenant.id = %record.tenant_id, connection.id = %record.id, error.code = error.code(), error.chain = error.chain(), "push into AppFlow failed and will be tried again");
            let failure = Failure {
                number: record.failures + 1,
                calls: 1,
                told: None,
            };
            let due = rules::due_after_failure(Timestamp::now(), failure, commit::chance());
            let update = lease
                .fenced(record.generation)
                .set("failures", failure.number)
                .set("due_at", due.as_millisecond());
            let written = app
                .store
                .update::<serde::de::IgnoredAny>(lease.key(), with_end(update, known_end));
            match written.await {
                Ok(_) | Err(StoreError::Condition { .. }) => lease.release(None).await,
                Err(error) => Err(error.into()),
            }
        }
    }
}

/// When the access token ends, if the provider says so on being asked.
async fn ask_for_end(
    tokens: &OurTokens,
    unknown_life: Option<(&ProviderLink, Timestamp)>,
) -> Option<Timestamp> {
    let (link, issued) = unknown_life?;
    match link.client.introspect(tokens.access_secret()).await {
        Introspection::Active { life: Some(life) } => Some(rules::access_end(issued, life)),
        Introspection::Active { life: None } | Introspection::Inactive | Introspection::Unknown => {
            None
        }
    }
}

fn with_end(update: Update, known_end: Option<Timestamp>) -> Update {
    match known_end {
        Some(end) => update.set("access_expires_at", end.as_millisecond()),
        None => update,
    }
}

/// X1: flows that AppFlow switched off for want of credentials. Nothing here makes the push fail.
async fn resume_flows(app: &TenantApp<'_>, appflow: &Client, record: &Connection) {
    match tokio::time::timeout(RESUMING, resume(&app.store, appflow, record)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            tracing::warn!(tenant.id = %record.tenant_id, connection.id = %record.id, error.code = error.code(), error.chain = error.chain(), "the connection works, and flows that AppFlow switched off may wait for somebody to start them");
        }
        Err(_) => {
            tracing::warn!(tenant.id = %record.tenant_id, connection.id = %record.id, "the connection works, and not all of its flows were looked at in time");
        }
    }
}

/// AppFlow has the token: that, and when the next refresh is due, is written.
async fn pushed(
    app: &TenantApp<'_>,
    appflow: &Client,
    lease: Lease<'_>,
    record: &Connection,
    known_end: Option<Timestamp>,
) -> Result<()> {
    let now = Timestamp::now();
    let end = known_end.or(access_end(record)).unwrap_or(now);
    let idle_limit = app.link(record)?.provider().idle_limit;
    let due = rules::due_after_success(now, end, idle_limit, commit::chance());
    let update = lease
        .fenced(record.generation)
        .set("pushed_generation", record.generation)
        .set("failures", 0)
        .set("due_at", due.as_millisecond());
    let mut update = with_end(update, known_end);
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
    let is_written = written.is_ok();
    match written {
        Ok(()) => {
            tracing::info!(tenant.id = %record.tenant_id, connection.id = %record.id, generation = record.generation, "AppFlow has the new access token");
        }
        Err(StoreError::Condition { current }) => {
            overtaken(app, &lease, record, current.as_deref()).await?;
        }
        Err(error) => return Err(error.into()),
    }
    let released = lease.release(None).await;
    // Without the lease, and now or never: the next push finds a connection that works already.
    if is_written && rules::works_again(record) {
        resume_flows(app, appflow, record).await;
    }
    released
}

/// X5: the consent that was asked for has reached AppFlow only now, so this is where it is told.
async fn recovered(
    app: &TenantApp<'_>,
    lease: &Lease<'_>,
    record: &Connection,
    update: Update,
    now: Timestamp,
) -> Result<std::result::Result<(), StoreError>> {
    let entry = record.recovered(&app.config.stage, now);
    let key = entry.key();
    let written = app
        .store
        .update_with(lease.key(), update, &entry.items(now))
        .await;
    if written.is_ok()
        && let Err(error) = app.outbox.publish(&key).await
    {
        // It stays in the outbox, which is swept; the lease and the flows do not wait for it.
        tracing::warn!(tenant.id = %record.tenant_id, connection.id = %record.id, error.code = error.code(), error.chain = error.chain(), "an event was not published yet");
    }
    Ok(written)
}

/// A consent stored newer tokens while ours travelled. AppFlow knows no order, so ours may have
/// arrived last: the newer ones are pushed again.
async fn overtaken(
    app: &TenantApp<'_>,
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

async fn push(app: &TenantApp<'_>, record: &Connection, tokens: &OurTokens) -> Result<Client> {
    let account = Account::load(&app.store, record.tenant_id, record.account_id)
        .await?
        .ok_or_else(|| Error::internal("no_account", "a connection's account is gone"))?;
    let config = tributary::tenancy::session(&app.sessions, &app.store, &account).await?;
    let client = Client::new(&config);
    profile::push_tokens(
        &client,
        record,
        app.instance(record)?.as_ref(),
        tokens.access_token(),
    )
    .await
    .map_err(|error| Error::unavailable("push_failed", error.reason()).with_source(error))?;
    Ok(client)
}
