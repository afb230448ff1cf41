//! `GET /v1/accounts/{id}`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tributary::{error::Error, http::Problem, id::AccountId, store::Key, tenancy::HostingMode};

use super::{find, view::AccountView};
use crate::{
    App,
    edge::{Viewer, id_in_path, json},
    flows::watch::Watch,
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
    let app = app.within(&viewer.scope);
    let account = find(&app, viewer.tenant, id_in_path(&id)?).await?;
    let key = Key::watch(viewer.tenant, account.id);
    // What the vendor's account has in all is no tenant's business.
    let watch: Option<Watch> = match account.hosting {
        HostingMode::Customer => viewer.store().get(&key).await?,
        HostingMode::Vendor => None,
    };
    let view = AccountView::of(account, &app.config.onboarding)?;
    json(
        StatusCode::OK,
        &view.with_quota(watch.as_ref(), app.config.quotas),
    )
}
