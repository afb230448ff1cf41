//! `POST /v1/flows/{id}/runs/reconcile`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Serialize, de::IgnoredAny};
use tributary::{
    error::Error,
    http::{IdempotencyKey, Problem},
    id::FlowId,
    store::{Key, Update},
};
use utoipa::ToSchema;

use super::{find, ready, sweep};
use crate::{
    App,
    edge::{Editor, NoBody, id_in_path, json},
};

/// A reconciliation that was asked for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reconciliation {
    flow_id: FlowId,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    requested_at: Timestamp,
}

/// Has a flow's history compared with all records that AppFlow has of it, within some two minutes.
/// Runs that are missing are added and told; what is known is told to nobody again.
#[utoipa::path(post, path = "/v1/flows/{id}/runs/reconcile", tag = "runs", params(
    ("id" = FlowId, Path, description = "The flow"),
    IdempotencyKey,
), responses(
    (status = 202, body = Reconciliation),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn reconcile_runs(
    State(app): State<App>,
    editor: Editor,
    key: IdempotencyKey,
    Path(id): Path<String>,
    body: NoBody,
) -> Result<Response, Error> {
    let app = app.within(&editor.scope);
    let flow = find(&app, editor.tenant, id_in_path(&id)?).await?;
    let operation = format!("reconcile-{}", flow.id);
    let work = async {
        ready(&flow)?;
        let now = Timestamp::now();
        // Without a place to go on from, the look goes back as far as AppFlow does.
        let all = sweep::due(Update::new(), now)
            .remove("swept_at")
            .when_equal("state", flow.state);
        let key = Key::flow(flow.tenant_id, flow.id);
        app.store.update::<IgnoredAny>(&key, all).await?;
        let asked = Reconciliation {
            flow_id: flow.id,
            requested_at: now,
        };
        json(StatusCode::ACCEPTED, &asked)
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
