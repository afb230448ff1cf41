//! `POST /v1/queries`: runs a statement as the caller.

mod once;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use tributary::{
    error::{Error, Fault, Kind},
    http::{IdempotencyKey, Json, Problem, Viewer},
    query::RegisteredQuery,
    store::key::sha256_hex,
};
use utoipa::ToSchema;

use super::{answer::Query, query_string};
use crate::{
    App,
    history::{History, Noted},
    query_id::{self, Asked},
    registered,
    session::User,
    statement::{Source, Statement, invalid},
    warehouse::{Page, Progress, State as QueryState, UserWarehouse, page},
};

/// How long a query is waited for when the caller does not say, in seconds.
const WAIT: i32 = 10;

/// What to run.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateQuery {
    /// One statement, with parameters as `:name`. Takes the role editor.
    #[schema(example = "SELECT city FROM public.city_sales WHERE country = :country")]
    sql: Option<String>,
    /// Name of a registered query.
    #[schema(example = "total-sales-by-city")]
    query: Option<String>,
    /// Values by parameter name: texts, numbers, booleans; a list for a parameter of a registered
    /// query that takes many.
    #[serde(default)]
    #[schema(value_type = Object, example = json!({ "minimum": 100 }))]
    parameters: Map<String, Value>,
    /// How long to wait for the end, 0 to 20 seconds; 10 when absent.
    #[schema(minimum = 0, maximum = 20)]
    wait_seconds: Option<i32>,
}

/// Runs a query as the caller: row-level security applies to the person.
///
/// Answers the first page of rows when it ends within the wait, else where to ask for it.
#[utoipa::path(
    post,
    path = "/v1/queries",
    tag = "queries",
    params(IdempotencyKey),
    request_body = CreateQuery,
    responses(
        (status = 200, description = "It ended", body = Query),
        (status = 202, description = "It runs; `Location` tells where to ask", body = Query),
        (status = 400, description = "`query_rejected`", body = Problem),
        (status = 401, description = "`identity_required`: call /v1/identity; `reauthenticate`", body = Problem),
        (status = 403, body = Problem),
        (status = 422, description = "Every rule that it breaks", body = Problem),
        (status = 429, body = Problem),
        (status = 502, description = "`query_start_failed`", body = Problem),
        (status = 503, body = Problem),
    )
)]
pub async fn create_query(
    State(app): State<App>,
    viewer: Viewer,
    key: IdempotencyKey,
    body: Json<CreateQuery>,
) -> Result<Response, Error> {
    let request = &body.value;
    let source = Source::of(request.sql.as_deref(), request.query.as_deref())?;
    let user = User::of(&viewer.caller, viewer.caller.require(source.role())?);
    let own = match source.name_to_find() {
        Some(name) => registered::find(&viewer.scope, &name).await?,
        None => None,
    };
    let definition = own.as_ref().map(|own| &own.definition);
    let (statement, wait) = ready(
        source.prepare(definition, &request.parameters),
        request.wait_seconds,
    )?;
    let session = app.sessions.of(&viewer.scope).current(&user).await?;
    let once = match key.value() {
        Some(key) => Some(once::once(viewer.store(), &user, key, &body.bytes).await?),
        None => None,
    };
    let (at, client_token) = match once {
        Some(once) => (once.at, Some(once.client_token)),
        None => (Timestamp::now(), None),
    };
    let warehouse = app.warehouse.as_user(&session);
    let progress = warehouse
        .execute(&statement, client_token, wait)
        .await
        .inspect_err(|error| told_to_the_tenant(&user, own.as_ref(), error))?;
    tracing::info!(tenant.id = %user.tenant, subject.hash = sha256_hex(&user.subject), statement.id = progress.statement, state = ?progress.state, query.name = source.name().unwrap_or("sql"), "statement executed");
    let role = app.sessions.role_arn();
    let asked = Asked {
        statement: progress.statement.clone(),
        at,
    };
    let id = query_id::seal(&app.sealer, &user, role, &asked)?;
    let noted = Noted::new(id, source.name(), at, &progress);
    let history = History::of(viewer.store(), &user, role);
    // The line in the caller's list costs no time where there are rows to fetch.
    let (id, first) = tokio::join!(
        history.note(&asked, noted),
        first_page(&warehouse, &progress)
    );
    let query = Query::of(id, &progress, &viewer.caller.request_id);
    match first? {
        Some(page) => {
            let query = query.with_page(page, None, &app.sealer, &user, &progress.statement)?;
            Ok(axum::Json(query).into_response())
        }
        None => Ok(without_rows(query)),
    }
}

/// The first page of a statement that has rows. `ExecuteStatement` said whether it has: nothing
/// else is asked before.
async fn first_page(warehouse: &UserWarehouse, progress: &Progress) -> Result<Option<Page>, Error> {
    if !progress.has_rows {
        return Ok(None);
    }
    page(warehouse.results(&progress.statement, None).await?, 0).map(Some)
}

fn without_rows(query: Query) -> Response {
    if query.state != QueryState::Running {
        return axum::Json(query).into_response();
    }
    let location = format!("/v1/queries/{}", query.id);
    let headers = [(header::LOCATION, location)];
    (StatusCode::ACCEPTED, headers, axum::Json(query)).into_response()
}

/// A registered query that the warehouse rejects as such is its admin's to correct, and people who
/// run it can only tell the admin: the log says which it is.
fn told_to_the_tenant(user: &User, own: Option<&RegisteredQuery>, error: &Error) {
    if let Some(own) = own
        && error.code() == "query_rejected"
    {
        tracing::warn!(tenant.id = %user.tenant, query.name = %own.name, query.version = own.version, "the warehouse rejects a registered query");
    }
}

/// The statement and how long to wait for it, or every rule that the request breaks.
fn ready(
    statement: Result<Statement, Error>,
    wait_seconds: Option<i32>,
) -> Result<(Statement, i32), Error> {
    let wait = query_string::wait_within(wait_seconds, WAIT)
        .map_err(|detail| Fault::new("/waitSeconds", "out_of_range", detail));
    match (statement, wait) {
        (Ok(statement), Ok(wait)) => Ok((statement, wait)),
        (Ok(_), Err(fault)) => Err(invalid(vec![fault])),
        (Err(error), Err(fault)) if error.kind() == Kind::Unprocessable => {
            let mut faults = error.faults().to_vec();
            faults.push(fault);
            Err(error.with_faults(faults))
        }
        (Err(error), _) => Err(error),
    }
}
