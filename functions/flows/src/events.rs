//! `/v1/events`: what the tenant was told, for thirty days.

mod get;
mod list;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::App;

/// Routes of events.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::list_events))
        .routes(routes!(get::get_event))
}
