//! `DELETE /v1/flows/{id}/alarms/{alarm}`

use axum::{
    extract::{Path, State},
    response::Response,
};
use tributary::{error::Error, http::Problem, id::FlowId};

use super::{monitoring, name::AlarmName, ours, prefix};
use crate::{
    App,
    edge::{Editor, id_in_path, no_content},
    flows,
};

/// Deletes an alarm that was made for a flow here.
#[utoipa::path(delete, path = "/v1/flows/{id}/alarms/{alarm}", tag = "flows", params(
    ("id" = FlowId, Path, description = "The flow"),
    ("alarm" = String, Path, description = "Name of the alarm", example = "failures"),
), responses(
    (status = 204, description = "It is gone"),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn delete_alarm(
    State(app): State<App>,
    editor: Editor,
    Path((id, alarm)): Path<(String, String)>,
) -> Result<Response, Error> {
    let app = app.within(&editor.scope);
    let flow = flows::find(&app, editor.tenant, id_in_path(&id)?).await?;
    let name: AlarmName = id_in_path(&alarm)?;
    let cloudwatch = monitoring(&app, editor.tenant, &flow).await?;
    // Somebody else's alarm may have a name of this form: only ours are deleted.
    let there = ours(&cloudwatch, &flow).await?;
    if !there.iter().any(|one| one.alarm.name == name.as_str()) {
        return Err(Error::not_found());
    }
    let full = format!("{}{}", prefix(&flow), name.as_str());
    cloudwatch.delete_alarm(&full).await?;
    tracing::info!(tenant.id = %editor.tenant, flow.id = %flow.id(), alarm.name = name.as_str(), "alarm deleted");
    Ok(no_content())
}
