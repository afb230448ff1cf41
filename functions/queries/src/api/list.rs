//! `GET /v1/queries`: what the caller ran in the last day.

use axum::extract::{Query as QueryString, State, rejection::QueryRejection};
use futures::{StreamExt, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tributary::{
    error::{Error, Kind},
    http::{List, ListQuery, Problem, Viewer},
};
use utoipa::{IntoParams, ToSchema};

use super::{answer::QueryFailure, query_string};
use crate::{
    App,
    history::{History, Noted, Seen},
    query_id,
    session::User,
    warehouse::{State as QueryState, UserWarehouse},
};

/// Name of the list, for its cursors.
const LIST: &str = "queries";
/// How many statements are asked for at the same time.
const TOGETHER: usize = 20;

/// Which are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct QueryFilter {
    /// Only those in this state.
    #[param(inline)]
    state: Option<QueryState>,
    #[param(ignore)]
    limit: Option<String>,
    #[param(ignore)]
    cursor: Option<String>,
}

/// A query of the caller's.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListedQuery {
    /// Its id; read on with it.
    #[schema(example = "qry_Zm9vYmFy")]
    id: String,
    /// Whether it was a registered query or SQL of the caller's own.
    kind: QueryKind,
    /// Name of the registered query.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "total-sales-by-city")]
    query: Option<String>,
    /// How far it was at `asOf`.
    state: QueryState,
    /// Rows of the whole result, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 42)]
    row_count: Option<u64>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<QueryFailure>,
    /// When it was run.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T10:15:04Z")]
    created_at: Timestamp,
    /// When it was last looked at: now for one that runs, unless the warehouse could not be asked
    /// because the caller has no session there.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T10:15:05Z")]
    as_of: Timestamp,
}

/// What a query was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum QueryKind {
    /// A registered query.
    Registered,
    /// SQL of the caller's own.
    Sql,
}

/// Lists the caller's own queries of the last day, newest first; nobody else's, of no other role. A
/// page may be short where `state` leaves some out. Neither SQL nor values of parameters are kept.
#[utoipa::path(
    get,
    path = "/v1/queries",
    tag = "queries",
    params(ListQuery, QueryFilter),
    responses(
        (status = 200, body = List<ListedQuery>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn list_queries(
    State(app): State<App>,
    viewer: Viewer,
    query: Result<QueryString<QueryFilter>, QueryRejection>,
) -> Result<axum::Json<List<ListedQuery>>, Error> {
    let filter = query_string::read(query)?;
    let user = User::of(&viewer.caller, viewer.tenant);
    let history = History::of(viewer.store(), &user, app.sessions.role_arn());
    let owner = history.owner();
    let request =
        ListQuery::new(filter.limit, filter.cursor).page_for(&app.sealer, &owner, LIST)?;
    let mut page = history.page(&request).await?;
    if page.items.iter().any(is_running) {
        let asker = Asker {
            app: &app,
            user: &user,
            history: &history,
            warehouse: warehouse(&app, &viewer, &user).await,
        };
        page.items = asker.as_of_now(page.items).await;
    }
    page.items
        .retain(|noted| filter.state.is_none_or(|state| noted.seen.state == state));
    List::of_owner(page, &app.sealer, &owner, LIST, |noted| {
        ListedQuery::of(noted, &viewer.caller.request_id)
    })
    .map(axum::Json)
}

fn is_running(noted: &Noted) -> bool {
    noted.seen.state == QueryState::Running
}

/// The warehouse as the caller, if the caller has a session. The list is worth showing without one.
async fn warehouse(app: &App, viewer: &Viewer, user: &User) -> Option<UserWarehouse> {
    match app.sessions.of(&viewer.scope).current(user).await {
        Ok(session) => Some(app.warehouse.as_user(&session)),
        Err(error) => {
            tracing::info!(tenant.id = %user.tenant, error.code = error.code(), "running queries are listed as last seen");
            None
        }
    }
}

/// Asks how far statements are.
struct Asker<'a> {
    app: &'a App,
    user: &'a User,
    history: &'a History,
    warehouse: Option<UserWarehouse>,
}

impl Asker<'_> {
    /// The same list, with those that run asked for. Their order stays.
    async fn as_of_now(&self, items: Vec<Noted>) -> Vec<Noted> {
        stream::iter(items)
            .map(|noted| self.looked_at(noted))
            .buffered(TOGETHER)
            .filter_map(async |noted| noted)
            .collect()
            .await
    }

    /// A line as of now; none for a statement that the warehouse does not know any more.
    async fn looked_at(&self, mut noted: Noted) -> Option<Noted> {
        let Some(warehouse) = self.warehouse.as_ref().filter(|_| is_running(&noted)) else {
            return Some(noted);
        };
        let role = self.app.sessions.role_arn();
        let asked = query_id::asked(&self.app.sealer, self.user, role, &noted.id).ok()?;
        match warehouse.describe(&asked.statement, 0).await {
            Ok(progress) => {
                noted.seen = Seen::of(&progress, Timestamp::now());
                self.history.settle(&asked, &noted.seen).await;
                Some(noted)
            }
            Err(error) if error.kind() == Kind::NotFound => None,
            Err(error) => {
                tracing::warn!(tenant.id = %self.user.tenant, error.code = error.code(), error.chain = error.chain(), "a query is listed as last seen");
                Some(noted)
            }
        }
    }
}

impl ListedQuery {
    fn of(noted: Noted, request_id: &str) -> Self {
        let Noted {
            id,
            query,
            created_at,
            seen,
            expires_at: _,
        } = noted;
        Self {
            id,
            kind: match query {
                Some(_) => QueryKind::Registered,
                None => QueryKind::Sql,
            },
            query,
            state: seen.state,
            row_count: seen.row_count,
            error: seen.failure.map(|code| QueryFailure::of(code, request_id)),
            created_at,
            as_of: seen.at,
        }
    }
}
