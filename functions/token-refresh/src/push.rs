//! The push: AppFlow gets the access token of the newest generation.

use jiff::{SignedDuration, Timestamp};
use tributary::{
    connection::Connection,
    connector::profile::{self, AccessToken},
    error::{Error, Result},
    store::{StoreError, Update},
    tenancy::Account,
};

use crate::{App, lease::Lease, refresh};

/// When to try again after a push that failed.
const AGAIN: SignedDuration = SignedDuration::from_secs(30);

/// Pushes the record's tokens and gives the lease back.
pub(crate) async fn current(app: &App, lease: Lease<'_>, record: &Connection) -> Result<()> {
    match push(app, record).await {
        Ok(()) => {
            let update = Update::new()
                .set("pushed_generation", record.generation)
                .when_absent_or_less("pushed_generation", i64::try_from(record.generation).unwrap_or(i64::MAX));
            match app.store.update::<serde::de::IgnoredAny>(lease.key(), update).await {
                Ok(_) | Err(StoreError::Condition { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            tracing::info!(tenant.id = %record.tenant_id, connection.id = %record.id, generation = record.generation, "AppFlow has the new access token");
            lease.release(None).await
        }
        Err(error) => {
            // The tokens are safe; a worker that finds an unpushed generation pushes before all else.
            tracing::warn!(tenant.id = %record.tenant_id, connection.id = %record.id, error.code = error.code(), error.chain = error.chain(), "push into AppFlow failed and will be tried again");
            let due = Timestamp::now().saturating_add(AGAIN).unwrap_or(Timestamp::MAX);
            lease.release(Some(due.as_millisecond())).await
        }
    }
}

async fn push(app: &App, record: &Connection) -> Result<()> {
    let account = Account::load(&app.store, record.tenant_id, record.account_id)
        .await?
        .ok_or_else(|| Error::internal("no_account", "a connection's account is gone"))?;
    let config = app.sessions.config(&account).await?;
    let client = aws_sdk_appflow::Client::new(&config);
    let bundle = refresh::open(app, record).await?;
    profile::push_tokens(&client, record, &app.instance(record)?, AccessToken::from(&bundle)).await.map_err(|error| {
        Error::unavailable("push_failed", error.reason()).with_source(error)
    })
}
