//! Doing afterwards what could not be done within the caller's time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::de::IgnoredAny;
use tributary::{
    error::{Error, Kind},
    http::Problem,
    id::RunId,
    store::{Key, Update},
    tenancy::TenantState,
};

use super::{Operation, OperationStatus, Work};
use crate::{
    TenantApp,
    flows::{
        create, delete,
        record::{Flow, FlowState, definition_text},
        start, update,
    },
    model::FlowDefinition,
};

/// From one attempt to the next: the ticks are a minute apart.
const EVERY: SignedDuration = SignedDuration::from_secs(50);
/// Longest attempt.
const WITHIN: Duration = Duration::from_secs(12);

/// Tries an operation once, if no other tick does. Every attempt is a repeat of the same calls with
/// the same names and tokens, so that one that died after its effect does no harm.
pub(in crate::flows) async fn attempt(
    app: &TenantApp,
    operation: &Operation,
    now: Timestamp,
) -> Result<(), Error> {
    if !claim(app, operation, now).await? {
        return Ok(());
    }
    let done = tokio::time::timeout(WITHIN, perform(app, operation)).await;
    let done = done.unwrap_or_else(|_| {
        Err(Error::unavailable(
            "operation_slow",
            "an operation was not done in time",
        ))
    });
    match done {
        Ok(run) => settle(app, operation, OperationStatus::Succeeded, run, None).await,
        Err(error) if operation.is_given_up(&error, now) => {
            give_up(app, operation).await?;
            let status = OperationStatus::Failed;
            settle(app, operation, status, None, Some(&error)).await
        }
        Err(error) => {
            tracing::info!(
                tenant.id = %operation.tenant_id, operation.id = %operation.id,
                error.code = error.code(), error.chain = error.chain(), "operation is tried again"
            );
            Ok(())
        }
    }
}

async fn claim(app: &TenantApp, operation: &Operation, now: Timestamp) -> Result<bool, Error> {
    let next = now.saturating_add(EVERY).unwrap_or(Timestamp::MAX);
    let update = Update::new()
        .set("due_at", next.as_millisecond())
        .when_equal("due_at", operation.due_at)
        .when_equal("status", OperationStatus::Pending);
    match app
        .store
        .update::<IgnoredAny>(&operation.key(), update)
        .await
    {
        Ok(_) => Ok(true),
        Err(error) if error.is_condition() => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Does the work; the run, if it started one.
async fn perform(app: &TenantApp, operation: &Operation) -> Result<Option<RunId>, Error> {
    // Whoever asked for it was let in before.
    let standing = TenantState::of(&app.shared, operation.tenant_id).await?;
    if standing != Some(TenantState::Active) {
        return Err(Error::new(
            Kind::Forbidden,
            "tenant_suspended",
            "Your organisation's use of this service is suspended.",
        ));
    }
    let key = Key::flow(operation.tenant_id, operation.flow_id);
    let flow: Option<Flow> = app.store.get(&key).await?;
    let Some(flow) = flow else {
        return match operation.work {
            Work::Delete => Ok(None),
            _ => Err(Error::not_found()),
        };
    };
    match &operation.work {
        Work::Create if flow.state == FlowState::Creating => {
            create::carry_on(app, &flow).await?;
        }
        // An earlier attempt did it.
        Work::Create => {}
        Work::Update { definition, .. } if is_now(&flow, definition) => {}
        Work::Update {
            version,
            definition,
        } => {
            if flow.version != *version {
                return Err(crate::edge::stale());
            }
            let definition: FlowDefinition = serde_json::from_str(definition).map_err(|error| {
                Error::internal("definition_text", "a stored definition could not be read")
                    .with_source(error)
            })?;
            update::replace(app, &flow, &definition).await?;
        }
        Work::Delete => {
            delete::carry_on(app, &flow).await?;
        }
        Work::Run {
            client_token,
            retry_of,
        } => {
            let run = start::run(app, &flow, client_token, *retry_of).await?;
            return Ok(Some(run.id));
        }
        Work::Activate => {
            start::activate(app, &flow).await?;
        }
    }
    Ok(None)
}

/// Whether an earlier attempt has replaced the definition.
fn is_now(flow: &Flow, definition: &str) -> bool {
    definition_text(&flow.definition).is_ok_and(|now| now == definition)
}

/// Leaves nothing half made behind.
async fn give_up(app: &TenantApp, operation: &Operation) -> Result<(), Error> {
    if operation.work != Work::Create {
        return Ok(());
    }
    let key = Key::flow(operation.tenant_id, operation.flow_id);
    match app.store.get::<Flow>(&key).await? {
        Some(flow) if flow.state == FlowState::Creating => delete::forget(app, &flow).await,
        _ => Ok(()),
    }
}

async fn settle(
    app: &TenantApp,
    operation: &Operation,
    status: OperationStatus,
    run: Option<RunId>,
    error: Option<&Error>,
) -> Result<(), Error> {
    let problem = error.map(|error| {
        tracing::warn!(
            tenant.id = %operation.tenant_id, operation.id = %operation.id,
            error.code = error.code(), error.chain = error.chain(), "operation failed"
        );
        serde_json::to_string(&Problem::of(error)).unwrap_or_default()
    });
    let update = Update::new()
        .set("status", status)
        .set_or_remove("run_id", run)
        .set_or_remove("problem", problem)
        .set("updated_at", Timestamp::now())
        .remove("due_shard")
        .remove("due_at")
        .when_equal("status", OperationStatus::Pending);
    match app
        .store
        .update::<IgnoredAny>(&operation.key(), update)
        .await
    {
        Ok(_) => Ok(()),
        // An attempt that was thought dead was faster.
        Err(error) if error.is_condition() => Ok(()),
        Err(error) => Err(error.into()),
    }
}
