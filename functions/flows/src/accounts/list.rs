//! `GET /v1/accounts`

use axum::{extract::State, response::Response};
use http::StatusCode;
use tributary::{
    error::Error,
    http::{List, ListQuery, Problem},
    store::{Key, Page},
    tenancy::Account,
};

use super::view::AccountView;
use crate::{
    App,
    edge::{Listing, Viewer, json},
};

/// Lists the tenant's AWS accounts, newest first.
#[utoipa::path(get, path = "/v1/accounts", tag = "accounts", params(ListQuery), responses(
    (status = 200, body = List<AccountView>),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_accounts(
    State(app): State<App>,
    viewer: Viewer,
    Listing(query): Listing,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let page = query.page(&app.sealer, viewer.tenant, "accounts")?;
    let partition = Key::tenant_partition(viewer.tenant);
    let found: Page<Account> = viewer.store().query(&partition, "ACCOUNT#", &page).await?;
    let items = found
        .items
        .into_iter()
        .map(|account| AccountView::of(account, &app.config.onboarding))
        .collect::<Result<Vec<_>, _>>()?;
    let shown = Page {
        items,
        next: found.next,
    };
    let list = List::of(shown, &app.sealer, viewer.tenant, "accounts", |view| view)?;
    json(StatusCode::OK, &list)
}
