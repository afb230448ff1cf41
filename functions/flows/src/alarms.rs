//! `/v1/flows/{id}/alarms`: alarms on a flow's metrics, in CloudWatch of the account that runs it.
//!
//! CloudWatch has them and nobody else: their names begin with the flow's name in AppFlow, and their
//! descriptions say whose they are. Their changes of state come back as events (`run-events`).

mod create;
mod delete;
mod list;
mod name;
mod rules;
mod view;

use tributary::{error::Error, id::TenantId};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    App, TenantApp, accounts,
    cloudwatch::{self, CloudWatch, KeptAlarm},
    flows::Flow,
};
use view::AlarmView;

/// Routes of alarms.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::list_alarms, create::create_alarm))
        .routes(routes!(delete::delete_alarm))
}

/// CloudWatch where a flow runs.
async fn monitoring(app: &TenantApp, tenant: TenantId, flow: &Flow) -> Result<CloudWatch, Error> {
    let account = accounts::find(app, tenant, flow.account_id).await?;
    cloudwatch::of(app, &account).await
}

/// What the names of a flow's alarms begin with.
fn prefix(flow: &Flow) -> String {
    let (name, _) = flow.place();
    format!("{name}-")
}

/// The alarms that we made for a flow. What somebody else named so is not ours.
async fn ours(cloudwatch: &CloudWatch, flow: &Flow) -> Result<Vec<AlarmView>, Error> {
    let found = cloudwatch.alarms(&prefix(flow)).await?;
    Ok(found
        .iter()
        .filter_map(|kept| of_flow(flow, kept))
        .collect())
}

fn of_flow(flow: &Flow, kept: &KeptAlarm) -> Option<AlarmView> {
    let (appflow_name, _) = flow.place();
    AlarmView::of(kept, flow.id(), appflow_name)
}

/// Deletes the alarms of a flow that is being deleted. A role that may not look at alarms has made none.
pub(crate) async fn forget(app: &TenantApp, tenant: TenantId, flow: &Flow) -> Result<(), Error> {
    let cloudwatch = monitoring(app, tenant, flow).await?;
    let found = match cloudwatch.alarms(&prefix(flow)).await {
        Ok(found) => found,
        Err(failure) if failure.is_denied() => {
            tracing::warn!(tenant.id = %tenant, flow.id = %flow.id(), "alarms of a deleted flow may not be looked at");
            return Ok(());
        }
        Err(failure) => return Err(failure.into()),
    };
    for kept in found.iter().filter(|kept| of_flow(flow, kept).is_some()) {
        cloudwatch.delete_alarm(&kept.alarm_name).await?;
    }
    Ok(())
}
