//! `…/sobjects/{name}` and `…/sobjects/{name}/{id}`: one record.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use super::{
    API_VERSION, Salesforce,
    api::{self, ApiError},
    org::Org,
    write::{Refused, Transaction, Written},
};
use crate::server::annotated;

/// `POST …/sobjects/{name}`
pub(super) async fn create(
    State(salesforce): State<Arc<Salesforce>>,
    Path((version, name)): Path<(String, String)>,
    headers: HeaderMap,
    Json(record): Json<Map<String, Value>>,
) -> Result<Response, ApiError> {
    let user = salesforce.api_user(&headers, &version)?;
    let written = one(&salesforce, &user, &name, |org, tx| tx.create(org, &record))?;
    Ok(created(&written, &user))
}

/// `GET …/sobjects/{name}/{id}`: every field of a record that is not in the recycle bin.
pub(super) async fn read(
    State(salesforce): State<Arc<Salesforce>>,
    Path((version, name, id)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let user = salesforce.api_user(&headers, &version)?;
    let record = salesforce
        .records(&name)
        .into_iter()
        .find(|record| record["Id"] == id.as_str() && record["IsDeleted"] != true)
        .ok_or_else(ApiError::not_found)?;
    let mut body = Map::from_iter([(
        "attributes".to_owned(),
        json!({ "type": name, "url": format!("/services/data/{API_VERSION}/sobjects/{name}/{id}") }),
    )]);
    body.extend(record);
    Ok(api::answer(Value::Object(body), &user))
}

/// `PATCH …/sobjects/{name}/{id}`
pub(super) async fn update(
    State(salesforce): State<Arc<Salesforce>>,
    Path((version, name, id)): Path<(String, String, String)>,
    headers: HeaderMap,
    Json(record): Json<Map<String, Value>>,
) -> Result<Response, ApiError> {
    let user = salesforce.api_user(&headers, &version)?;
    one(&salesforce, &user, &name, |_, tx| tx.update(&id, &record))?;
    Ok(nothing(&user))
}

/// `PATCH …/sobjects/{name}/{field}/{value}`: 201 for a new record, 200 for a changed one.
pub(super) async fn upsert(
    State(salesforce): State<Arc<Salesforce>>,
    Path((version, name, field, value)): Path<(String, String, String, String)>,
    headers: HeaderMap,
    Json(mut record): Json<Map<String, Value>>,
) -> Result<Response, ApiError> {
    let user = salesforce.api_user(&headers, &version)?;
    record.insert(field.clone(), Value::from(value));
    let written = one(&salesforce, &user, &name, |org, tx| {
        tx.upsert(org, &field, &record)
    })?;
    Ok(created(&written, &user))
}

/// `DELETE …/sobjects/{name}/{id}`
pub(super) async fn delete(
    State(salesforce): State<Arc<Salesforce>>,
    Path((version, name, id)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let user = salesforce.api_user(&headers, &version)?;
    one(&salesforce, &user, &name, |_, tx| tx.delete(&id))?;
    Ok(nothing(&user))
}

/// A transaction of one record.
fn one(
    salesforce: &Salesforce,
    user: &str,
    object: &str,
    work: impl FnOnce(&mut Org, &mut Transaction) -> Result<Written, Refused>,
) -> Result<Written, ApiError> {
    let outcomes = salesforce.transact(user, object, true, |org, tx| vec![work(org, tx)])?;
    let outcome = outcomes.into_iter().next();
    outcome
        .ok_or_else(ApiError::not_found)?
        .map_err(ApiError::from)
}

fn created(written: &Written, user: &str) -> Response {
    let status = if written.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let body = json!({
        "id": written.id, "success": true, "errors": [], "created": written.created,
    });
    annotated(
        (status, Json(body)).into_response(),
        Some(user),
        String::new(),
    )
}

fn nothing(user: &str) -> Response {
    annotated(
        StatusCode::NO_CONTENT.into_response(),
        Some(user),
        String::new(),
    )
}
