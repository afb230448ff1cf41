//! `flows`: the REST API of tenants, accounts, connections, flows and runs.
//!
//! Handlers translate ([`router`] lists them); the rules that a flow must keep and the request it
//! becomes are pure ([`compile`]); what a person writes is [`model`]. What starts the function is
//! told apart in [`trigger`].

mod accounts;
mod alarms;
mod app;
mod appflow;
mod buckets;
mod catalog;
mod claim;
mod cloudwatch;
pub mod compile;
mod config;
mod connections;
mod connectors;
mod credentials;
mod edge;
mod events;
mod flows;
mod glue;
mod headroom;
mod me;
mod metrics;
pub mod model;
mod oauth_apps;
mod s3;
mod subscriptions;
mod tenants;
pub mod trigger;
mod usage;
mod vault;

pub use app::App;
pub(crate) use app::TenantApp;
pub use config::{
    BrowserConfig, Config, NotificationsConfig, OnboardingConfig, Quotas, WarehouseConfig,
};

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
        .routes(routes!(me::me))
        .merge(tenants::routes())
        .merge(accounts::routes())
        .merge(connectors::routes())
        .merge(connections::routes())
        .merge(oauth_apps::routes())
        .merge(flows::routes())
        .merge(events::routes())
        .merge(subscriptions::routes())
        .merge(metrics::routes())
        .merge(alarms::routes())
        .merge(buckets::routes())
        .merge(catalog::routes())
        .merge(vault::routes())
}

#[cfg(test)]
mod tests;
