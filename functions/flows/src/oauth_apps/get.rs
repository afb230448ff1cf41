//! `GET /v1/oauth-apps/{provider}`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tributary::{error::Error, http::Problem};

use super::{find, view::OauthAppView};
use crate::{
    App,
    edge::{Admin, json},
};

/// Shows the tenant's own app at a provider, without its secret.
#[utoipa::path(get, path = "/v1/oauth-apps/{provider}", tag = "connections", params(
    ("provider" = String, Path, description = "Key of the provider", example = "salesforce"),
), responses(
    (status = 200, body = OauthAppView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_app(
    State(app): State<App>,
    admin: Admin,
    Path(provider): Path<String>,
) -> Result<Response, Error> {
    let app = app.within(&admin.scope);
    let own = find(&app, admin.tenant, super::provider(&app, &provider)?.key)
        .await?
        .ok_or_else(Error::not_found)?;
    json(StatusCode::OK, &OauthAppView::of(&app, own))
}
