//! `GET /v1/registered-queries`

use axum::extract::{Query as QueryString, State, rejection::QueryRejection};
use serde::Deserialize;
use tributary::{
    error::Error,
    http::{List, ListQuery, Problem, Viewer},
    query::{Purpose, RegisteredQuery},
    store::Key,
};
use utoipa::IntoParams;

use super::view::{RegisteredQueryView, Sql};
use crate::{App, api::query_string, registered::merged};

/// Name of the list, for its cursors.
const LIST: &str = "registered-queries";

/// Which are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RegisteredFilter {
    /// Only those for this.
    #[param(inline)]
    purpose: Option<Purpose>,
    #[param(ignore)]
    limit: Option<String>,
    #[param(ignore)]
    cursor: Option<String>,
}

/// Lists the registered queries by name: the vendor's and the tenant's own, without their SQL. A page
/// may be short where `purpose` leaves some out.
#[utoipa::path(
    get,
    path = "/v1/registered-queries",
    tag = "queries",
    params(ListQuery, RegisteredFilter),
    responses(
        (status = 200, body = List<RegisteredQueryView>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn list_registered_queries(
    State(app): State<App>,
    viewer: Viewer,
    query: Result<QueryString<RegisteredFilter>, QueryRejection>,
) -> Result<axum::Json<List<RegisteredQueryView>>, Error> {
    let filter = query_string::read(query)?;
    let mut request =
        ListQuery::new(filter.limit, filter.cursor).page(&app.sealer, viewer.tenant, LIST)?;
    request.newest_first = false;
    let own = viewer
        .store()
        .query::<RegisteredQuery>(&viewer.partition(), Key::REGISTERED_QUERIES, &request)
        .await?;
    let mut page = merged(own, request.after.as_deref(), request.limit);
    page.items.retain(|query| {
        let purpose = query.definition().purpose;
        filter.purpose.is_none_or(|wanted| purpose == wanted)
    });
    List::of(page, &app.sealer, viewer.tenant, LIST, |query| {
        RegisteredQueryView::of(&query, Sql::Hidden)
    })
    .map(axum::Json)
}
