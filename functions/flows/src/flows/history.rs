//! `GET /v1/runs`

use std::collections::HashMap;

use axum::{extract::State, response::Response};
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use tributary::{
    error::Error,
    http::{List, ListQuery, Problem},
    id::{FlowId, RunId, TenantId},
    run::{ListedRun, Run, RunStatus},
    store::{Key, Page, PageRequest},
};
use utoipa::IntoParams;

use super::view::RunView;
use crate::{
    App, TenantApp,
    edge::{Typed, Viewer, json},
};

/// Pages of the table that one request reads at most, however few of their runs are wanted.
const MOST_PAGES: usize = 10;

/// Which runs are wanted; all members must hold.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RunFilter {
    /// Only runs of this flow, which may be deleted.
    flow_id: Option<FlowId>,
    /// Only runs in this status.
    #[param(inline)]
    status: Option<RunStatus>,
    /// Only runs that began then or later.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Only runs that began before then.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    #[param(ignore)]
    limit: Option<String>,
    #[param(ignore)]
    cursor: Option<String>,
}

impl RunFilter {
    /// The name of the list, to which its cursors belong: another filter's is another list.
    fn list(&self) -> String {
        let Self {
            flow_id,
            status,
            from,
            to,
            ..
        } = self;
        format!("runs?{flow_id:?}&{status:?}&{from:?}&{to:?}")
    }

    /// The sort keys between which a list has the runs that began in time.
    fn range(&self, status: Option<RunStatus>) -> (String, String) {
        let bound = |at| Key::run_since(status, at);
        let prefix = Key::listed_runs(status);
        let from = self.from.map_or_else(|| prefix.to_owned(), bound);
        // Above every digit of an id.
        let end = || format!("{prefix}{}_g", RunId::PREFIX);
        (from, self.to.map_or_else(end, bound))
    }

    fn wants(&self, run: &Run) -> bool {
        self.status.is_none_or(|status| run.status == status)
    }
}

/// Lists the runs of all the tenant's flows, those of deleted flows too, the one that began last first.
#[utoipa::path(get, path = "/v1/runs", tag = "runs", params(ListQuery, RunFilter), responses(
    (status = 200, body = List<RunView>),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_all_runs(
    State(app): State<App>,
    viewer: Viewer,
    Typed(filter): Typed<RunFilter>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let name = filter.list();
    let query = ListQuery::new(filter.limit.clone(), filter.cursor.clone());
    let page = query.page(&app.sealer, viewer.tenant, &name)?;
    let found = if filter.from >= filter.to && filter.from.is_some() && filter.to.is_some() {
        Page {
            items: Vec::new(),
            next: None,
        }
    } else {
        match filter.flow_id {
            Some(flow) => of_flow(&app, viewer.tenant, flow, page, &filter).await?,
            None => of_tenant(&app, viewer.tenant, page, &filter).await?,
        }
    };
    let list = List::of(found, &app.sealer, viewer.tenant, &name, RunView::of)?;
    json(StatusCode::OK, &list)
}

/// A page of one list: the entries first, then the runs that they stand for.
async fn of_tenant(
    app: &TenantApp,
    tenant: TenantId,
    page: PageRequest,
    filter: &RunFilter,
) -> Result<Page<Run>, Error> {
    let (from, to) = filter.range(filter.status);
    let partition = Key::listed_runs_partition(tenant);
    let Page { items, next } = app
        .store
        .query_between::<ListedRun>(&partition, (&from, &to), &page)
        .await?;
    let keys: Vec<Key> = items.iter().map(|listed| listed.key(tenant)).collect();
    let runs: Vec<Run> = app.store.get_many(&keys).await?;
    let mut runs: HashMap<RunId, Run> = runs.into_iter().map(|run| (run.id, run)).collect();
    let in_order = items
        .iter()
        .filter_map(|listed| runs.remove(&listed.run_id));
    Ok(Page {
        // One that has gone on meanwhile is in another list now.
        items: in_order.filter(|run| filter.wants(run)).collect(),
        next,
    })
}

/// A page of a flow's runs; it may be short of some although there are more.
async fn of_flow(
    app: &TenantApp,
    tenant: TenantId,
    flow: FlowId,
    mut page: PageRequest,
    filter: &RunFilter,
) -> Result<Page<Run>, Error> {
    let (from, to) = filter.range(None);
    let partition = Key::runs_partition(tenant, flow);
    let limit = page.limit;
    let mut items = Vec::new();
    for _ in 0..MOST_PAGES {
        // Never more than still fit, so that the table's own place is where the next page begins.
        page.limit = limit - items.len();
        let found = app
            .store
            .query_between::<Run>(&partition, (&from, &to), &page)
            .await?;
        items.extend(found.items.into_iter().filter(|run| filter.wants(run)));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u7_a_range_has_the_runs_that_began_in_it_and_no_others() {
        let at = |millisecond| Timestamp::from_millisecond(millisecond).unwrap();
        let now = at(1_800_000_000_000);
        let filter = RunFilter {
            from: Some(at(1_700_000_000_000)),
            to: Some(at(1_700_000_000_002)),
            ..RunFilter::default()
        };
        for status in [None, Some(RunStatus::Failed)] {
            let (from, to) = filter.range(status);
            let (whole_from, whole_to) = RunFilter::default().range(status);
            for (began, is_in) in [
                (1_699_999_999_999, false),
                (1_700_000_000_000, true),
                (1_700_000_000_001, true),
                (1_700_000_000_002, false),
            ] {
                let id = Run::id_since(at(began), now);
                let key = Key::listed_run(TenantId::new(), status, id).sk;
                assert_eq!(from <= key && key <= to, is_in, "{began} {key}");
                assert!(whole_from <= key && key <= whole_to);
            }
        }
    }

    #[test]
    fn a_cursor_belongs_to_its_filter() {
        let all = RunFilter::default();
        let failed = RunFilter {
            status: Some(RunStatus::Failed),
            ..RunFilter::default()
        };
        assert_ne!(all.list(), failed.list());
    }
}
