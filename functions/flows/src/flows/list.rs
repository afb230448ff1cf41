//! `GET /v1/flows`

use axum::{extract::State, response::Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use tributary::{
    error::Error,
    http::{List, ListQuery, Problem},
    id::{AccountId, ConnectionId},
    store::{Key, Page, PageRequest},
};
use utoipa::IntoParams;

use super::{
    record::{Flow, FlowState},
    view::FlowView,
};
use crate::{
    App, TenantApp,
    edge::{self, Typed, Viewer},
};

/// Pages of the table that one request reads at most, however few of their flows are wanted.
const MOST_PAGES: usize = 20;

/// Which flows are wanted; all members must hold.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FlowFilter {
    /// Only flows in this state.
    #[param(inline)]
    state: Option<FlowState>,
    /// Only flows in this account.
    account_id: Option<AccountId>,
    /// Only flows that use this connection.
    connection_id: Option<ConnectionId>,
    /// Only flows that somebody else has changed in AppFlow, or only those that nobody has.
    drifted: Option<bool>,
    #[param(ignore)]
    limit: Option<String>,
    #[param(ignore)]
    cursor: Option<String>,
}

impl FlowFilter {
    /// `limit` and `cursor`, as every list has them.
    fn page(&self) -> Result<ListQuery, Error> {
        let given = json!({ "limit": self.limit, "cursor": self.cursor });
        serde_json::from_value(given).map_err(|error| {
            Error::internal("list_query", "limit and cursor could not be read").with_source(error)
        })
    }

    fn wants(&self, flow: &Flow) -> bool {
        self.state.is_none_or(|state| flow.state == state)
            && self.account_id.is_none_or(|id| flow.account_id == id)
            && self
                .connection_id
                .is_none_or(|id| flow.definition.connections().contains(&id))
            && self
                .drifted
                .is_none_or(|drifted| flow.drift.is_some() == drifted)
    }
}

/// Lists the tenant's flows, newest first. Nothing is asked of AppFlow.
#[utoipa::path(get, path = "/v1/flows", tag = "flows", params(ListQuery, FlowFilter), responses(
    (status = 200, body = List<FlowView>),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_flows(
    State(app): State<App>,
    viewer: Viewer,
    Typed(filter): Typed<FlowFilter>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let page = filter.page()?.page(&app.sealer, viewer.tenant, "flows")?;
    let found = wanted(&app, &Key::tenant_partition(viewer.tenant), page, &filter).await?;
    let list = List::of(found, &app.sealer, viewer.tenant, "flows", FlowView::of)?;
    edge::json(StatusCode::OK, &list)
}

/// A page of the flows that are wanted; it may be short of some although there are more.
async fn wanted(
    app: &TenantApp,
    partition: &str,
    mut page: PageRequest,
    filter: &FlowFilter,
) -> Result<Page<Flow>, Error> {
    let limit = page.limit;
    let mut items = Vec::new();
    for _ in 0..MOST_PAGES {
        // Never more than still fit, so that the table's own place is where the next page begins.
        page.limit = limit - items.len();
        let found = app.store.query::<Flow>(partition, "FLOW#", &page).await?;
        items.extend(found.items.into_iter().filter(|flow| filter.wants(flow)));
        page.after = found.next;
        if page.after.is_none() || items.len() >= limit {
            break;
        }
    }
    Ok(Page {
        items,
        next: page.after,
    })
}
