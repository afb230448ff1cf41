//! `GET /v1/flows/{id}/drift`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use tributary::{error::Error, http::Problem, id::FlowId};
use utoipa::ToSchema;

use super::{DriftView, Judgement, Look, judge, learn, look};
use crate::{
    App,
    compile::drift::Difference,
    edge::{Viewer, id_in_path, json},
    flows::{appflow, find, record::FlowState},
};

/// A flow as AppFlow has it, against ours.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DriftReport {
    id: FlowId,
    /// Whether AppFlow has something else than we have.
    drifted: bool,
    /// The change; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    drift: Option<DriftView>,
    /// Where we have the flow.
    state: FlowState,
    /// Where AppFlow's definition differs from ours.
    differences: Vec<Difference>,
}

/// Shows what somebody else changed, as AppFlow has it at this moment.
#[utoipa::path(get, path = "/v1/flows/{id}/drift", tag = "flows", params(
    ("id" = FlowId, Path, description = "The flow"),
), responses(
    (status = 200, body = DriftReport),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_drift(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let flow = find(&app, viewer.tenant, id_in_path(&id)?).await?;
    crate::flows::ready(&flow)?;
    let client = appflow::client(&app, &flow).await?;
    let found = look(&app, &client, &flow).await?;
    let judgement = judge(&flow, &found, Timestamp::now());
    learn(&app, &flow, &judgement, &found).await?;
    let drift = match judgement {
        Judgement::Drifted(drift) => Some(DriftView::of(drift)),
        Judgement::Agrees | Judgement::Deactivated { .. } => None,
    };
    let differences = match found {
        Look::Gone => Vec::new(),
        Look::Found(found) => found.differences,
    };
    json(
        StatusCode::OK,
        &DriftReport {
            id: flow.id,
            drifted: drift.is_some(),
            drift,
            state: flow.state,
            differences,
        },
    )
}
