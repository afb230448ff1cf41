//! `POST /v1/flows/{id}/start`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Serialize, de::IgnoredAny};
use tributary::{
    error::{Error, Kind},
    http::{IdempotencyKey, Problem},
    id::{FlowId, RunId},
    run::{ExecutionPointer, ListedRun, Run, RunStatus, RunTrigger},
    store::{Key, Update},
    telemetry,
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    appflow,
    drift::{self, DriftKind},
    find,
    operation::{Work, is_throttled, later},
    patience::patiently,
    ready,
    record::{Flow, FlowState},
    sweep,
    view::{FlowView, tagged},
};
use crate::{
    App, TenantApp,
    appflow::failed,
    edge::{Editor, NoBody, created, id_in_path},
    model::Trigger,
};

/// A run that was asked for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StartedRun {
    run_id: RunId,
    /// AppFlow's id of the run.
    execution_id: String,
    status: RunStatus,
}

/// Runs an on-demand flow now, or sets one going that a schedule or events start.
#[utoipa::path(post, path = "/v1/flows/{id}/start", tag = "flows", params(
    ("id" = FlowId, Path, description = "The flow"),
    IdempotencyKey,
), responses(
    (status = 202, body = StartedRun, description = "On demand: the run is queued. Where AppFlow throttles: an operation (see GET /v1/operations/{id})"),
    (status = 200, body = FlowView, description = "Scheduled, or started by events: the flow is active"),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn start_flow(
    State(app): State<App>,
    editor: Editor,
    key: IdempotencyKey,
    Path(id): Path<String>,
    body: NoBody,
) -> Result<Response, Error> {
    let app = app.within(&editor.scope);
    let flow = find(&app, editor.tenant, id_in_path(&id)?).await?;
    ready(&flow)?;
    let operation = format!("start-{}", flow.id);
    let work = async {
        startable(&flow)?;
        match flow.definition.trigger {
            Trigger::OnDemand(_) => {
                let token = client_token("start", flow.id, editor.subject(), key.value());
                let run = patiently(|| run(&app, &flow, &token, None)).await;
                if is_throttled(&run) {
                    let work = Work::Run {
                        client_token: token,
                        retry_of: None,
                    };
                    return later(&app, &flow, work).await;
                }
                answer(&flow, run?)
            }
            Trigger::Scheduled(_) | Trigger::Event(_) => {
                let active = patiently(|| activate(&app, &flow)).await;
                if is_throttled(&active) {
                    return later(&app, &flow, Work::Activate).await;
                }
                tagged(active?)
            }
        }
    };
    key.once(
        &app.store,
        &editor.partition(),
        &operation,
        editor.subject(),
        &body.bytes,
        work,
    )
    .await
}

/// A flow that somebody else changed would do something that its owner has not seen.
pub(super) fn startable(flow: &Flow) -> Result<(), Error> {
    match flow.drift.as_ref().map(|drift| drift.kind) {
        None => Ok(()),
        Some(DriftKind::Deleted) => Err(Error::new(
            Kind::Conflict,
            "missing_in_appflow",
            "AppFlow does not have this flow any more: it was deleted outside. Overwrite the drift to make it anew.",
        )),
        Some(DriftKind::Changed | DriftKind::Status) => Err(drift::refused()),
    }
}

/// Starts a run, which may repeat another one. The same token asks for the same run.
pub(super) async fn run(
    app: &TenantApp,
    flow: &Flow,
    client_token: &str,
    retry_of: Option<RunId>,
) -> Result<Run, Error> {
    let started = appflow::client(app, flow)
        .await?
        .start_flow()
        .flow_name(&flow.appflow_name)
        .client_token(client_token)
        .send()
        .await
        .map_err(|error| failed("StartFlow", &error))?;
    let execution_id = started.execution_id.ok_or_else(|| {
        Error::internal(
            "no_execution_id",
            "AppFlow started a run without an execution id",
        )
    })?;
    let run = record(app, flow, execution_id, retry_of).await?;
    match retry_of {
        None => Ok(run),
        Some(first) => link(app, run, first).await,
    }
}

pub(super) fn answer(flow: &Flow, run: Run) -> Result<Response, Error> {
    let answer = StartedRun {
        run_id: run.id,
        execution_id: run.execution_id,
        status: run.status,
    };
    let mut response = created(&format!("/v1/flows/{}/runs/{}", flow.id, run.id), &answer)?;
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}

/// The same key asks for the same run, also after a lost answer. Without a key, each call is new.
pub(super) fn client_token(action: &str, flow: FlowId, subject: &str, key: Option<&str>) -> String {
    let token = match key {
        Some(key) => Uuid::new_v5(
            &flow.as_uuid(),
            format!("{action}\n{subject}\n{key}").as_bytes(),
        ),
        None => Uuid::new_v4(),
    };
    token.to_string()
}

#[derive(Serialize)]
#[serde(untagged)]
enum Written {
    Run(Box<Run>),
    Pointer(ExecutionPointer),
    Listed(ListedRun),
}

/// Writes the run, or finds the one that the run's own events made first.
async fn record(
    app: &TenantApp,
    flow: &Flow,
    execution_id: String,
    retry_of: Option<RunId>,
) -> Result<Run, Error> {
    let tenant = flow.tenant_id;
    let run = Run {
        trigger: Some(RunTrigger::OnDemand),
        retry_of,
        correlation_id: telemetry::correlation().map(|id| id.as_str().to_owned()),
        ..Run::queued(tenant, flow.id, execution_id, Timestamp::now())
    };
    let pointer_key = Key::execution(tenant, flow.id, &run.execution_id);
    let items = [
        (
            Key::run(tenant, flow.id, run.id),
            Written::Run(Box::new(run.clone())),
        ),
        (
            pointer_key.clone(),
            Written::Pointer(ExecutionPointer { run_id: run.id }),
        ),
        (run.place(), Written::Listed(run.listed())),
        (run.place_in(run.status), Written::Listed(run.listed())),
    ];
    match app.store.insert_together(&items).await {
        Ok(()) => return Ok(run),
        Err(error) if error.is_condition() => {}
        Err(error) => return Err(error.into()),
    }
    let lost = || Error::unavailable("run_lost", "a run's pointer or item is missing");
    let pointer: ExecutionPointer = app.store.get(&pointer_key).await?.ok_or_else(lost)?;
    let known: Option<Run> = app
        .store
        .get(&Key::run(tenant, flow.id, pointer.run_id))
        .await?;
    known.ok_or_else(lost)
}

/// Makes a run and the one that it repeats name each other. Its own events may have recorded it first,
/// and they do not know what it repeats.
async fn link(app: &TenantApp, run: Run, first: RunId) -> Result<Run, Error> {
    let (tenant, flow) = (run.tenant_id, run.flow_id);
    let run = if run.retry_of.is_some() {
        run
    } else {
        let repeats = Update::new().set("retry_of", first);
        app.store
            .update(&Key::run(tenant, flow, run.id), repeats)
            .await?
    };
    let repeated = Update::new().set("retried_by", run.id);
    app.store
        .update::<IgnoredAny>(&Key::run(tenant, flow, first), repeated)
        .await?;
    Ok(run)
}

/// Sets a schedule or events going.
pub(super) async fn activate(app: &TenantApp, flow: &Flow) -> Result<Flow, Error> {
    let client = appflow::client(app, flow).await?;
    appflow::activate(&client, flow).await?;
    let now = Timestamp::now();
    let active = Update::new()
        .set("state", FlowState::Active)
        .set("updated_at", now)
        .remove("status_message");
    let update = sweep::going(active, &flow.definition.trigger, FlowState::Active, now)
        .when_one_of(
            "state",
            [
                FlowState::Draft,
                FlowState::Active,
                FlowState::Suspended,
                FlowState::Errored,
            ],
        );
    let key = Key::flow(flow.tenant_id, flow.id);
    Ok(app.store.update(&key, update).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_key_names_the_same_start_and_another_caller_or_flow_does_not() {
        let (flow, other) = (FlowId::new(), FlowId::new());
        let token = client_token("start", flow, "frank", Some("k"));
        assert_eq!(token, client_token("start", flow, "frank", Some("k")));
        assert_ne!(token, client_token("start", flow, "ming", Some("k")));
        assert_ne!(token, client_token("start", other, "frank", Some("k")));
        let retry = format!("retry\n{}", RunId::new());
        assert_ne!(token, client_token(&retry, flow, "frank", Some("k")));
        assert_ne!(
            client_token("start", flow, "frank", None),
            client_token("start", flow, "frank", None)
        );
    }
}
