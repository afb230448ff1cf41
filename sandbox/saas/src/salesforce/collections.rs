//! `…/composite/sobjects`: up to 200 records of one request, each with its own outcome.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, RawQuery, State},
    response::Response,
};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Salesforce,
    api::{self, ApiError},
    write::{Refused, Written},
};
use crate::params::Params;

/// Records in one request.
const MOST: usize = 200;

/// The body of a request that creates or changes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Collection {
    #[serde(default)]
    all_or_none: bool,
    records: Vec<Map<String, Value>>,
}

/// `POST …/composite/sobjects`
pub(super) async fn create(
    State(salesforce): State<Arc<Salesforce>>,
    Path(version): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let user = salesforce.api_user(&headers, &version)?;
    let collection = read(&body)?;
    let object = one_type(&collection.records)?;
    let outcomes = salesforce.transact(&user, &object, collection.all_or_none, |org, tx| {
        let each = collection.records.iter();
        each.map(|record| tx.create(org, record)).collect()
    })?;
    Ok(answer(&outcomes, &user))
}

/// `PATCH …/composite/sobjects`
pub(super) async fn update(
    State(salesforce): State<Arc<Salesforce>>,
    Path(version): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let user = salesforce.api_user(&headers, &version)?;
    let collection = read(&body)?;
    let object = one_type(&collection.records)?;
    let outcomes = salesforce.transact(&user, &object, collection.all_or_none, |_, tx| {
        let each = collection.records.iter();
        each.map(|record| tx.update(id_of(record), record))
            .collect()
    })?;
    Ok(answer(&outcomes, &user))
}

/// `PATCH …/composite/sobjects/{object}/{field}`
pub(super) async fn upsert(
    State(salesforce): State<Arc<Salesforce>>,
    Path((version, object, field)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let user = salesforce.api_user(&headers, &version)?;
    let collection = read(&body)?;
    let outcomes = salesforce.transact(&user, &object, collection.all_or_none, |org, tx| {
        let each = collection.records.iter();
        each.map(|record| tx.upsert(org, &field, record)).collect()
    })?;
    Ok(answer(&outcomes, &user))
}

/// `DELETE …/composite/sobjects?ids=a,b`. The prefix of the first id tells the object.
pub(super) async fn delete(
    State(salesforce): State<Arc<Salesforce>>,
    Path(version): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let user = salesforce.api_user(&headers, &version)?;
    let params = Params::parse(query.as_deref().unwrap_or_default());
    let ids: Vec<&str> = params.get("ids").unwrap_or_default().split(',').collect();
    if ids.len() > MOST {
        return Err(too_many());
    }
    let all_or_none = params.get("allOrNone") == Some("true");
    let object = salesforce
        .object_of(ids[0])
        .ok_or_else(|| ApiError::bad("INVALID_TYPE", "the first id is of no known object"))?;
    let outcomes = salesforce.transact(&user, &object, all_or_none, |_, tx| {
        ids.iter().map(|id| tx.delete(id)).collect()
    })?;
    Ok(answer(&outcomes, &user))
}

fn read(body: &[u8]) -> Result<Collection, ApiError> {
    let collection: Collection = serde_json::from_slice(body)
        .map_err(|error| ApiError::bad("JSON_PARSER_ERROR", error.to_string()))?;
    if collection.records.len() > MOST {
        return Err(too_many());
    }
    Ok(collection)
}

fn too_many() -> ApiError {
    let message =
        format!("record limit reached. cannot submit more than {MOST} records in this call");
    ApiError::bad("LIMIT_EXCEEDED", message)
}

/// The object of all records; the stand-in does not mix several in one request.
fn one_type(records: &[Map<String, Value>]) -> Result<String, ApiError> {
    let kind = |record: &Map<String, Value>| {
        record
            .get("attributes")
            .and_then(|a| a["type"].as_str())
            .map(str::to_owned)
    };
    let first = records
        .first()
        .and_then(kind)
        .ok_or_else(|| ApiError::bad("INVALID_INPUT", "Include an entity type for each record"))?;
    if records
        .iter()
        .any(|record| kind(record).as_ref() != Some(&first))
    {
        return Err(ApiError::bad(
            "INVALID_INPUT",
            "All records of a request must be of one type here",
        ));
    }
    Ok(first)
}

fn id_of(record: &Map<String, Value>) -> &str {
    let id = record
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("id"));
    id.and_then(|(_, id)| id.as_str()).unwrap_or_default()
}

fn answer(outcomes: &[Result<Written, Refused>], user: &str) -> Response {
    let shown: Vec<Value> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Ok(written) => json!({
                "id": written.id, "success": true, "errors": [], "created": written.created,
            }),
            Err(refused) => json!({
                "success": false,
                "errors": [{
                    "statusCode": refused.code,
                    "message": refused.message,
                    "fields": refused.fields,
                }],
            }),
        })
        .collect();
    api::answer(Value::Array(shown), user)
}
