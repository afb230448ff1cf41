//! `/v1/flows`: flows, their life in AppFlow, and their runs.

mod after_run;
mod appflow;
mod cancel;
mod cancel_run;
mod compile;
mod create;
mod delete;
mod drift;
mod fields;
mod get;
mod history;
mod hosted;
mod import;
mod incidents;
mod list;
mod operation;
mod patience;
mod pause;
mod permissions;
mod places;
mod reconcile;
mod record;
mod references;
mod retry;
mod run;
mod runs;
mod start;
mod stop;
mod sweep;
mod update;
mod validate;
mod view;
pub(crate) mod watch;

use tributary::{
    error::{Error, Kind},
    id::{FlowId, TenantId},
    store::Key,
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{App, TenantApp};
pub(crate) use pause::{
    forget, leave_stopped, pause, take_down, that_are_paused, that_start_by_themselves, unpause,
};
pub(crate) use record::Flow;
use record::FlowState;

/// Routes of flows and runs.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create::create_flow, list::list_flows))
        .routes(routes!(compile::compile_flow))
        .routes(routes!(import::import_flow))
        .routes(routes!(
            get::get_flow,
            update::update_flow,
            delete::delete_flow
        ))
        .routes(routes!(start::start_flow))
        .routes(routes!(stop::stop_flow))
        .routes(routes!(validate::validate_flow))
        .routes(routes!(drift::get::get_drift))
        .routes(routes!(drift::accept::accept_drift))
        .routes(routes!(drift::overwrite::overwrite_drift))
        .routes(routes!(cancel::cancel_runs))
        .routes(routes!(cancel_run::cancel_run))
        .routes(routes!(retry::retry_run))
        .routes(routes!(operation::get::get_operation))
        .routes(routes!(permissions::definition_permissions))
        .routes(routes!(permissions::flow_permissions))
        .routes(routes!(runs::list_runs))
        .routes(routes!(run::get_run))
        .routes(routes!(reconcile::reconcile_runs))
        .routes(routes!(incidents::list_incidents))
        .routes(routes!(history::list_all_runs))
}

/// A flow of the tenant, or the answer for what does not exist.
pub(crate) async fn find(app: &TenantApp, tenant: TenantId, id: FlowId) -> Result<Flow, Error> {
    let found: Option<Flow> = app.store.get(&Key::flow(tenant, id)).await?;
    found.ok_or_else(Error::not_found)
}

/// Refuses to act on a flow that is being made or deleted.
pub(crate) fn ready(flow: &Flow) -> Result<(), Error> {
    match flow.state {
        FlowState::Draft | FlowState::Active | FlowState::Suspended | FlowState::Errored => Ok(()),
        FlowState::Creating | FlowState::Deleting => Err(Error::new(
            Kind::Conflict,
            "flow_not_ready",
            "This flow is being made or deleted.",
        )),
    }
}
