//! `GET /v1/flows/{id}/incidents`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use tributary::{
    error::Error,
    http::{List, ListQuery, Problem},
    id::FlowId,
    incident::{Incident, IncidentKind},
    store::Key,
};
use utoipa::ToSchema;

use super::find;
use crate::{
    App,
    edge::{Listing, Viewer, id_in_path, json},
};

/// Something that happened to a flow besides its runs.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IncidentView {
    kind: IncidentKind,
    /// When it happened, or was noticed.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The alarm, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "failures")]
    subject: Option<String>,
    /// The provider's words, with secrets removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "The flow was deactivated after 5 failures in a row.")]
    message: Option<String>,
}

impl IncidentView {
    fn of(incident: Incident) -> Self {
        let Incident {
            tenant_id: _,
            flow_id: _,
            kind,
            at,
            subject,
            message,
            expires_at: _,
        } = incident;
        Self {
            kind,
            at,
            subject,
            message,
        }
    }
}

/// Lists what happened to a flow besides its runs, newest first: that AppFlow switched it off or gave
/// it up, its alarms, and AppFlow's reports of a flow that events start, for 30 days.
#[utoipa::path(get, path = "/v1/flows/{id}/incidents", tag = "runs", params(
    ("id" = FlowId, Path, description = "The flow"),
    ListQuery,
), responses(
    (status = 200, body = List<IncidentView>),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_incidents(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Listing(query): Listing,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let flow = find(&app, viewer.tenant, id_in_path(&id)?).await?;
    let name = format!("incidents/{}", flow.id);
    let page = query.page(&app.sealer, viewer.tenant, &name)?;
    let partition = Key::runs_partition(viewer.tenant, flow.id);
    let found = app.store.query(&partition, Key::INCIDENTS, &page).await?;
    let list = List::of(found, &app.sealer, viewer.tenant, &name, IncidentView::of)?;
    json(StatusCode::OK, &list)
}
