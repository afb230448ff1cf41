//! `GET /services/data/{version}/query?q=SOQL`, `…/queryAll` and the pages that follow.

use std::sync::Arc;

use axum::{
    extract::{Path, RawQuery, State},
    response::Response,
};
use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::{
    API_VERSION, Salesforce,
    api::{self, ApiError},
    soql,
    table::{Cell, Object},
};
use crate::{params::Params, random};

/// How many queries can be paged through at once; the oldest gives way.
const OPEN_CURSORS: usize = 64;

/// The result of a query, frozen, so that pages neither repeat nor miss a record.
pub(super) struct Cursor {
    username: String,
    object: Arc<Object>,
    columns: Vec<usize>,
    rows: Vec<Vec<Cell>>,
}

/// Without records in the recycle bin.
pub(super) async fn query(
    State(salesforce): State<Arc<Salesforce>>,
    Path(version): Path<String>,
    RawQuery(params): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    run(&salesforce, &version, params.as_deref(), &headers, false)
}

/// With records in the recycle bin.
pub(super) async fn query_all(
    State(salesforce): State<Arc<Salesforce>>,
    Path(version): Path<String>,
    RawQuery(params): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    run(&salesforce, &version, params.as_deref(), &headers, true)
}

fn run(
    salesforce: &Salesforce,
    version: &str,
    params: Option<&str>,
    headers: &HeaderMap,
    deleted: bool,
) -> Result<Response, ApiError> {
    let username = salesforce.api_user(headers, version)?;
    let params = Params::parse(params.unwrap_or_default());
    let statement = params
        .get("q")
        .ok_or_else(|| ApiError::bad("MALFORMED_QUERY", "A query string has to be specified"))?;
    let query = soql::parse(statement)?;
    let org = salesforce.org();
    let object = org.object(&query.object).filter(|o| !o.is_event());
    let object = object.ok_or_else(|| {
        let message = format!("sObject type '{}' is not supported.", query.object);
        ApiError::bad("INVALID_TYPE", message)
    })?;
    let rows = org.rows(&object, &salesforce.sales());
    drop(org);
    let selected = soql::select(&query, &object, &rows, deleted)?;
    if query.selection == soql::Selection::Count {
        let body = json!({ "totalSize": selected.rows.len(), "done": true, "records": [] });
        return Ok(api::answer(body, &username));
    }
    let cursor = Cursor {
        username,
        object,
        columns: selected.columns,
        rows: selected.rows.iter().map(|at| rows[*at].clone()).collect(),
    };
    let cursor = Arc::new(cursor);
    // 18 characters, as `01g…` record ids have.
    let id = format!("01g{}", random::token(12).replace(['-', '_'], "0"));
    if cursor.rows.len() > salesforce.options.page_size {
        let mut state = salesforce.state();
        if state.cursors.len() == OPEN_CURSORS {
            state.cursors.pop_front();
        }
        state.cursors.push_back((id.clone(), Arc::clone(&cursor)));
    }
    Ok(page(&cursor, &id, 0, salesforce.options.page_size))
}

/// `GET /services/data/{version}/query/{locator}`: the page that begins where the locator says.
pub(super) async fn more(
    State(salesforce): State<Arc<Salesforce>>,
    Path((version, locator)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let username = salesforce.api_user(&headers, &version)?;
    let found = locator.rsplit_once('-').and_then(|(id, from)| {
        let from: usize = from.parse().ok()?;
        let cursor = salesforce
            .state()
            .cursors
            .iter()
            .find(|(known, cursor)| known == id && cursor.username == username)
            .map(|(_, cursor)| Arc::clone(cursor))?;
        (from < cursor.rows.len()).then_some((cursor, id, from))
    });
    let (cursor, id, from) =
        found.ok_or_else(|| ApiError::bad("INVALID_QUERY_LOCATOR", "invalid query locator"))?;
    Ok(page(&cursor, id, from, salesforce.options.page_size))
}

impl From<soql::SoqlError> for ApiError {
    fn from(error: soql::SoqlError) -> Self {
        Self::bad(error.code, error.message)
    }
}

fn page(cursor: &Cursor, id: &str, from: usize, size: usize) -> Response {
    let end = from.saturating_add(size.max(1)).min(cursor.rows.len());
    let records: Vec<Value> = cursor.rows[from..end]
        .iter()
        .map(|row| record(cursor, row))
        .collect();
    let mut body = json!({
        "totalSize": cursor.rows.len(),
        "done": end == cursor.rows.len(),
        "records": records,
    });
    if end < cursor.rows.len() {
        body["nextRecordsUrl"] = json!(format!("/services/data/{API_VERSION}/query/{id}-{end}"));
    }
    api::answer(body, &cursor.username)
}

fn record(cursor: &Cursor, row: &[Cell]) -> Value {
    let name = cursor.object.name.as_ref();
    let mut record = Map::new();
    let mut attributes = json!({ "type": name });
    if let Some(Cell::Text(id)) = row.first() {
        attributes["url"] = json!(format!("/services/data/{API_VERSION}/sobjects/{name}/{id}"));
    }
    record.insert("attributes".to_owned(), attributes);
    for column in &cursor.columns {
        record.insert(
            cursor.object.fields[*column].name.to_string(),
            row[*column].to_json(),
        );
    }
    Value::Object(record)
}
