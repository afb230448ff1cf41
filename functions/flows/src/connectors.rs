//! `/v1/connectors`: the catalogue of applications.

mod get;
mod list;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::App;

/// Routes of the catalogue.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::list_connectors))
        .routes(routes!(get::get_connector))
}
