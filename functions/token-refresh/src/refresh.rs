//! One refresh, step by step. Each step leaves the record in a state from which the next worker can
//! tell what happened.

use jiff::Timestamp;
use tributary::{
    connection::{Connection, Intent},
    error::{Error, Result},
    oauth::{TokenBundle, TokenOutcome},
    secret::Secret,
    store::{StoreError, key::sha256_hex},
};

use crate::{
    App, commit,
    lease::Lease,
    message::Message,
    push,
    rules::{self, NEEDED, Step},
    settle,
};

pub(crate) async fn run(app: &App, message: &Message, deadline: Timestamp) -> Result<()> {
    let (tenant, id) = (message.tenant_id, message.connection_id);
    let Some((lease, record)) =
        Lease::acquire(&app.store, tenant, id, deadline, app.config.lease_skew).await?
    else {
        tracing::info!(tenant.id = %tenant, connection.id = %id, "somebody else is at it, or it is gone");
        return Ok(());
    };
    let now = Timestamp::now();
    match rules::next_step(&record, message.generation, now) {
        Step::Leave(why) => {
            tracing::info!(tenant.id = %tenant, connection.id = %id, why, "nothing to do");
            lease.release(None).await
        }
        Step::Push => push::current(app, lease, &record).await,
        Step::Wait { until } => lease.release(Some(until)).await,
        Step::Settle(intent) => settle::run(app, lease, record, intent, deadline).await,
        Step::Refresh => refresh(app, lease, record, deadline).await,
    }
}

/// Refreshes under a lease, with no intent standing.
pub(crate) async fn refresh(
    app: &App,
    lease: Lease<'_>,
    record: Connection,
    deadline: Timestamp,
) -> Result<()> {
    if deadline.duration_since(Timestamp::now()) < NEEDED {
        lease.release(None).await?;
        return Err(Error::unavailable(
            "too_late",
            "not enough time is left for a token call",
        ));
    }
    let client = app.link(&record)?.client;
    // Everything that can fail before the call fails here: the app's credentials, the old token, and
    // the data key under which the answer will be sealed.
    client.app().credentials().await.map_err(|error| {
        Error::unavailable(
            "app_unavailable",
            "our OAuth app's credentials cannot be read",
        )
        .with_source(error)
    })?;
    let bundle = open(app, &record).await?;
    let Some(refresh_token) = bundle.refresh_token else {
        return commit::reauth_required(app, lease, &record, None, "no_refresh_token").await;
    };
    app.vault
        .seal(record.tenant_id, &["preflight"], &refresh_token)
        .await?;
    let intent = Intent {
        fence: lease.fence,
        fingerprint: fingerprint(&refresh_token),
        at: Timestamp::now().as_millisecond(),
    };
    if !write_intent(app, &lease, &record, &intent).await? {
        return Ok(());
    }
    // One call. What it did is known from here on only by its answer, or by asking later.
    let outcome = client.refresh(&refresh_token).await;
    let (tenant, id) = (record.tenant_id, record.id);
    match outcome {
        TokenOutcome::Answered(answer) => {
            let now = Timestamp::now();
            let end = rules::access_end(now, answer.access_life(client.provider()));
            let next = TokenBundle {
                access_token: bundle.access_token,
                refresh_token: Some(refresh_token),
            }
            .after(&answer);
            commit::answered(app, lease, &record, &intent, next, end, deadline).await
        }
        TokenOutcome::NotSent { cause } => {
            tracing::warn!(tenant.id = %tenant, connection.id = %id, cause, "the token endpoint was not reached");
            commit::untouched(app, lease, &record, &intent, None, "not_sent").await
        }
        TokenOutcome::Refused(refusal) => {
            commit::refused(app, lease, &record, &intent, refusal).await
        }
        TokenOutcome::Unknown { cause, body } => {
            tracing::warn!(tenant.id = %tenant, connection.id = %id, cause, "a token call was not answered");
            commit::unanswered(app, lease, &record, &intent, body).await
        }
    }
}

/// Writes the intent: a write-ahead record, and the proof that the table can be written before
/// anything irreversible. False when the lease is no longer ours.
async fn write_intent(
    app: &App,
    lease: &Lease<'_>,
    record: &Connection,
    intent: &Intent,
) -> Result<bool> {
    let update = lease
        .fenced(record.generation)
        .set("intent", intent)
        .when_absent("intent");
    match app
        .store
        .update::<serde::de::IgnoredAny>(lease.key(), update)
        .await
    {
        Ok(_) => Ok(true),
        Err(StoreError::Condition { .. }) => Ok(false),
        Err(error) if error.is_unknown() => {
            let written: Option<Connection> = app.store.get(lease.key()).await?;
            Ok(written
                .and_then(|record| record.intent)
                .is_some_and(|found| found == *intent))
        }
        Err(error) => Err(error.into()),
    }
}

/// Opens the tokens of the record's generation.
pub(crate) async fn open(app: &App, record: &Connection) -> Result<TokenBundle> {
    let sealed = record
        .bundle
        .as_ref()
        .ok_or_else(|| Error::internal("no_tokens", "a connection in use has no tokens"))?;
    let place = Connection::vault_place(record.id, record.generation);
    let place: Vec<&str> = place.iter().map(String::as_str).collect();
    let opened = app.vault.open(record.tenant_id, &place, sealed).await?;
    TokenBundle::from_json(&opened)
        .ok_or_else(|| Error::internal("tokens_unreadable", "sealed tokens cannot be read"))
}

/// What tells refresh tokens apart without holding one.
pub(crate) fn fingerprint(token: &Secret) -> String {
    sha256_hex(token.expose())[..32].to_owned()
}
