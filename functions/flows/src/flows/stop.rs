//! `POST /v1/flows/{id}/stop`

use axum::{
    extract::{Path, State},
    response::Response,
};
use jiff::Timestamp;
use tributary::{
    error::{Error, Kind},
    http::{IdempotencyKey, Problem},
    id::FlowId,
    store::{Key, Update},
};

use super::{
    appflow,
    drift::DriftKind,
    find,
    record::FlowState,
    view::{FlowView, tagged},
};
use crate::{
    App,
    edge::{Editor, NoBody, id_in_path},
    model::Trigger,
};

/// Stops a flow that a schedule or events start. A run in progress goes on; no other begins.
#[utoipa::path(post, path = "/v1/flows/{id}/stop", tag = "flows", params(
    ("id" = FlowId, Path, description = "The flow"),
    IdempotencyKey,
), responses(
    (status = 200, body = FlowView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn stop_flow(
    State(app): State<App>,
    editor: Editor,
    key: IdempotencyKey,
    Path(id): Path<String>,
    body: NoBody,
) -> Result<Response, Error> {
    let app = app.within(&editor.scope);
    let flow = find(&app, editor.tenant, id_in_path(&id)?).await?;
    let refusal = match (&flow.definition.trigger, flow.state) {
        (Trigger::OnDemand(_), _) => Some((
            "not_stoppable",
            "An on-demand flow has no schedule to stop.",
        )),
        (_, FlowState::Draft) if flow.drift.is_none() => {
            Some(("not_started", "This flow was never started."))
        }
        (_, FlowState::Creating | FlowState::Deleting) => {
            Some(("flow_not_ready", "This flow is being made or deleted."))
        }
        _ => None,
    };
    if let Some((code, caller)) = refusal {
        return Err(Error::new(Kind::Conflict, code, caller));
    }
    let operation = format!("stop-{}", flow.id);
    let work = async {
        if flow.state != FlowState::Suspended || flow.drift.is_some() {
            let client = appflow::client(&app, &flow).await?;
            appflow::suspend(&client, &flow).await?;
        }
        let update = Update::new()
            .set("state", FlowState::Suspended)
            .remove("status_message")
            .remove("paused")
            .set("updated_at", Timestamp::now())
            .when_one_of(
                "state",
                [
                    FlowState::Draft,
                    FlowState::Active,
                    FlowState::Suspended,
                    FlowState::Errored,
                ],
            );
        // That somebody else started it is settled by stopping it.
        let started = flow.drift.as_ref().map(|drift| drift.kind) == Some(DriftKind::Status);
        let update = if started {
            update.remove("drift")
        } else {
            update
        };
        let key = Key::flow(flow.tenant_id, flow.id);
        tagged(app.store.update(&key, update).await?)
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
