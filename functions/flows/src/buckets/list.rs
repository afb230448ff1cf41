//! `GET /v1/buckets`

use axum::{extract::State, response::Response};
use http::StatusCode;
use serde::Deserialize;
use tributary::{
    error::{Error, Fault},
    http::{List, ListQuery, Problem},
    id::AccountId,
    store::Page,
    tenancy::HostingMode,
};
use utoipa::IntoParams;

use super::{OURS, account, view::BucketView};
use crate::{
    App,
    connections::ask::{Ask, gathered, refused_query},
    edge::{Viewer, json},
    s3,
};

/// Query parameters of the list of buckets.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct BucketsQuery {
    /// The account whose buckets are meant.
    #[param(value_type = AccountId, required)]
    account_id: Option<String>,
    /// At most so many items, 1 to 100; 20 when absent.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<String>,
    /// Where the page begins: `nextCursor` of the page before.
    cursor: Option<String>,
}

/// Lists the buckets of an account that its flows can use: those in its Region. In the vendor's
/// account only those that are for flows.
#[utoipa::path(get, path = "/v1/buckets", tag = "buckets", params(BucketsQuery), responses(
    (status = 200, body = List<BucketView>),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_buckets(
    State(app): State<App>,
    viewer: Viewer,
    Ask(query): Ask<BucketsQuery>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let mut faults = Vec::new();
    let id = query.account_id.unwrap_or_else(|| {
        faults.push(Fault::new(
            "query:accountId",
            "required",
            "Whose buckets are meant?",
        ));
        String::new()
    });
    let list = format!("buckets/{id}");
    let page = ListQuery::new(query.limit, query.cursor).page(&app.sealer, viewer.tenant, &list);
    let (Some(page), true) = (gathered(&mut faults, page)?, faults.is_empty()) else {
        return Err(refused_query(faults));
    };
    let account = account(&app, viewer.tenant, &id).await?;
    let s3 = s3::of(&app, &account).await?;
    let prefix = (account.hosting == HostingMode::Vendor).then_some(OURS);
    let found = s3
        .list_buckets(page.limit, prefix, page.after.as_deref())
        .await?;
    let page = Page {
        items: found.items,
        next: found.next,
    };
    let list = List::of(page, &app.sealer, viewer.tenant, &list, BucketView::of)?;
    json(StatusCode::OK, &list)
}
