//! `POST /v1/queries`: runs a statement as the caller.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tributary::{
    error::{Error, Fault, Kind},
    http::{IdempotencyKey, Json, Problem, Viewer},
    store::{Key, Store, StoreError, from_item, key::sha256_hex},
};
use utoipa::ToSchema;

use super::{answer::Query, query_string};
use crate::{
    App, query_id,
    session::User,
    statement::{Source, Statement, invalid},
    warehouse::{State as QueryState, page},
};

/// How long a query is waited for when the caller does not say, in seconds.
const WAIT: i32 = 10;
/// How long the Data API remembers a client token, in seconds; we remember the request as long.
const REMEMBERED: i64 = 8 * 3600;

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
    /// Values by parameter name: texts, numbers, booleans.
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
    let (statement, wait) = ready(source.prepare(&request.parameters), request.wait_seconds)?;
    let session = app.sessions.of(&viewer.scope).current(&user).await?;
    let client_token = match key.value() {
        Some(key) => Some(remember(viewer.store(), &user, key, &body.bytes).await?),
        None => None,
    };
    let warehouse = app.warehouse.as_user(&session);
    let progress = warehouse.execute(&statement, client_token, wait).await?;
    let id = query_id::seal(
        &app.sealer,
        &user,
        app.sessions.role_arn(),
        &progress.statement,
    )?;
    tracing::info!(tenant.id = %user.tenant, subject.hash = sha256_hex(&user.subject), statement.id = progress.statement, state = ?progress.state, "statement executed");
    let location = format!("/v1/queries/{id}");
    let mut query = Query::of(id, &progress, &viewer.caller.request_id);
    if progress.state == QueryState::Running {
        let answer = (
            StatusCode::ACCEPTED,
            [(header::LOCATION, location)],
            axum::Json(query),
        );
        return Ok(answer.into_response());
    }
    if progress.has_rows {
        let page = page(warehouse.results(&progress.statement, None).await?, 0)?;
        query = query.with_page(page, None, &app.sealer, &user, &progress.statement)?;
    }
    Ok(axum::Json(query).into_response())
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

/// What a key was used for. Rows are not kept: the Data API has them.
#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    request_hash: String,
    expires_at: i64,
}

/// The client token for a key: the Data API runs a statement once per token. The same key with
/// another body is refused, because it would get the first statement's rows.
async fn remember(store: &Store, user: &User, key: &str, body: &[u8]) -> Result<String, Error> {
    let scope = Key::tenant_partition(user.tenant);
    let record = Remembered {
        request_hash: sha256_hex(&String::from_utf8_lossy(body)),
        expires_at: Timestamp::now().as_second() + REMEMBERED,
    };
    let place = Key::idempotency(&scope, "queries.create", &user.subject, key);
    match store.insert(&place, &record).await {
        Ok(()) => {}
        Err(StoreError::Condition {
            current: Some(current),
        }) => {
            let first: Remembered = from_item(*current)?;
            if first.request_hash != record.request_hash {
                return Err(key_reused());
            }
        }
        Err(error) => return Err(error.into()),
    }
    Ok(sha256_hex(&format!(
        "{}\n{}\n{key}",
        user.tenant, user.subject
    )))
}

fn key_reused() -> Error {
    Error::new(
        Kind::Unprocessable,
        "idempotency_key_reused",
        "This Idempotency-Key was used for another request.",
    )
}
