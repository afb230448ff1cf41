//! `GET /v1/accounts/{id}/reports`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tributary::{
    error::Error,
    http::{List, ListQuery, Problem},
    id::AccountId,
    store::{Key, Page},
};

use super::StoredReport;
use crate::{
    App,
    accounts::find,
    edge::{Listing, Viewer, id_in_path, json},
};

/// Lists the reports of an account's verifications, newest first; the last thirty are kept.
#[utoipa::path(get, path = "/v1/accounts/{id}/reports", tag = "accounts", params(
    ("id" = AccountId, Path, description = "The account"),
    ListQuery,
), responses(
    (status = 200, body = List<StoredReport>),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_account_reports(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Listing(query): Listing,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let account = find(&app, viewer.tenant, id_in_path(&id)?).await?;
    // A cursor is good for the list of the account that it came from.
    let name = format!("account-reports-{}", account.id);
    let page = query.page(&app.sealer, viewer.tenant, &name)?;
    let partition = Key::tenant_partition(viewer.tenant);
    let prefix = Key::account_reports(account.id);
    let found: Page<StoredReport> = viewer.store().query(&partition, &prefix, &page).await?;
    let list = List::of(found, &app.sealer, viewer.tenant, &name, |report| report)?;
    json(StatusCode::OK, &list)
}
