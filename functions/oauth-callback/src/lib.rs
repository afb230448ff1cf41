//! `oauth-callback`: what browsers are redirected through. Sign-in (`auth`) and connector consent
//! (`connect`).
//!
//! Sign-in is a token-mediating backend: the refresh token stays here, the browser holds a
//! `__Host-` cookie and gets short-lived tokens from `POST /auth/token`. Consent binds the browser
//! that comes back to the browser, person, tenant, provider and connection that left.
//!
//! The two `POST` routes act on a cookie, so they ask for an `Origin` that is one of ours; a caller
//! without a browser sends it itself (`curl -H 'Origin: https://api.example'`).

mod actor;
mod app;
mod auth;
mod config;
mod connect;
mod cookie;
mod edge;
mod guess;
mod page;
mod query;
mod return_to;
mod session;
mod sign_in;

pub use app::App;
pub use config::Config;

use axum::{Router, middleware};
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The router, with the layers that every answer passes.
pub fn router(app: App) -> Router {
    let (router, _) = routes().split_for_parts();
    let (audit, guesses) = (app.audit.clone(), app.guesses.clone());
    let watched = middleware::from_fn_with_state(guesses, guess::watch);
    tributary::http::layers::wrap(router.with_state(app).layer(watched), audit)
        .layer(middleware::from_fn(edge::guard))
}

/// The OpenAPI document of these routes.
pub fn openapi() -> OpenApi {
    routes().split_for_parts().1
}

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(auth::login::login))
        .routes(routes!(auth::callback::callback))
        .routes(routes!(auth::token::token))
        .routes(routes!(auth::logout::logout))
        .routes(routes!(
            connect::start::start,
            connect::token_start::start_with_token
        ))
        .routes(routes!(
            connect::invitation::show,
            connect::invitation::accept
        ))
        .routes(routes!(connect::callback::callback))
}

#[cfg(test)]
mod tests;
