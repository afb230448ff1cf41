//! Redshift as the signed-in user.
//!
//! `POST /v1/identity` trades a user's ID token for AWS credentials that carry the user
//! ([`session`]); queries run under those and nothing else, so that row-level security holds for
//! every single person. Credentials, tokens and the identity context never leave the server.
//! What may be run, and with which parameters, is decided by pure rules ([`statement`]).

pub mod api;
mod app;
mod config;
pub mod history;
pub mod query_id;
pub mod registered;
pub mod session;
pub mod statement;
pub mod warehouse;

pub use app::App;
pub use config::{Config, IdentityConfig, WarehouseConfig};

use axum::Router;
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The router, with the shared layers around it.
pub fn router(app: App) -> Router {
    let (router, _) = routes().split_for_parts();
    let audit = app.audit.clone();
    tributary::http::layers::wrap(router.with_state(app), audit)
}

/// The OpenAPI document of these routes.
pub fn openapi() -> OpenApi {
    routes().split_for_parts().1
}

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(
            api::identity::establish_identity,
            api::identity::show::show_identity,
            api::identity::forget::forget_identity
        ))
        .routes(routes!(api::warehouse::whoami::show_warehouse_user))
        .routes(routes!(api::warehouse::schemas::list_warehouse_schemas))
        .routes(routes!(api::warehouse::tables::list_warehouse_tables))
        .routes(routes!(api::warehouse::table::show_warehouse_table))
        .routes(routes!(api::create::create_query, api::list::list_queries))
        .routes(routes!(api::get::get_query))
        .routes(routes!(api::results::get_query_results))
        .routes(routes!(api::cancel::cancel_query))
        .routes(routes!(
            api::registered::list::list_registered_queries,
            api::registered::create::create_registered_query
        ))
        .routes(routes!(
            api::registered::get::get_registered_query,
            api::registered::update::update_registered_query,
            api::registered::delete::delete_registered_query
        ))
}

#[cfg(test)]
mod tests;
