//! `GET /v1/accounts/{id}/report`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tributary::{
    error::Error,
    http::Problem,
    id::AccountId,
    store::{Key, PageRequest},
};

use super::StoredReport;
use crate::{
    App,
    accounts::find,
    edge::{Viewer, id_in_path, json},
};

/// Shows the last report of an account's verification, signed. The daily check writes one too.
#[utoipa::path(get, path = "/v1/accounts/{id}/report", tag = "accounts", params(
    ("id" = AccountId, Path, description = "The account"),
), responses(
    (status = 200, body = StoredReport),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_account_report(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let account = find(&app, viewer.tenant, id_in_path(&id)?).await?;
    let newest = PageRequest {
        newest_first: true,
        ..PageRequest::first(1)
    };
    let partition = Key::tenant_partition(viewer.tenant);
    let prefix = Key::account_reports(account.id);
    let found = viewer
        .store()
        .query::<StoredReport>(&partition, &prefix, &newest)
        .await?;
    let report = found.items.first().ok_or_else(Error::not_found)?;
    json(StatusCode::OK, report)
}
