//! `GET /v1/accounts/{id}`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tributary::{error::Error, http::Problem, id::AccountId};

use super::{find, view::AccountView};
use crate::{
    App,
    edge::{Viewer, id_in_path, json},
};

/// Shows an AWS account of the tenant.
#[utoipa::path(get, path = "/v1/accounts/{id}", tag = "accounts", params(
    ("id" = AccountId, Path, description = "The account"),
), responses(
    (status = 200, body = AccountView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_account(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let account = find(&app, viewer.tenant, id_in_path(&id)?).await?;
    json(
        StatusCode::OK,
        &AccountView::of(account, &app.config.onboarding)?,
    )
}
