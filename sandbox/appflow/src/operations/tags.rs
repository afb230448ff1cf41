//! Tags of flows and registered connectors. Connector profiles have none.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::text;
use crate::{
    error::ApiError,
    service::{Caller, Inner},
};

const MOST: usize = 50;

pub(super) fn list(inner: &Inner, caller: &Caller, request: &Value) -> Result<Value, ApiError> {
    with_tags(inner, caller, request, |tags| Ok(json!({ "tags": tags })))
}

pub(super) fn tag(inner: &Inner, caller: &Caller, request: &Value) -> Result<Value, ApiError> {
    let new: BTreeMap<String, String> =
        serde_json::from_value(request["tags"].clone()).unwrap_or_default();
    with_tags(inner, caller, request, |tags| {
        let added = new.keys().filter(|k| !tags.contains_key(*k)).count();
        if tags.len() + added > MOST {
            return Err(ApiError::validation(format!(
                "A resource can have at most {MOST} tags"
            )));
        }
        tags.extend(new);
        Ok(json!({}))
    })
}

pub(super) fn untag(inner: &Inner, caller: &Caller, request: &Value) -> Result<Value, ApiError> {
    let keys: Vec<&str> = request["tagKeys"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    with_tags(inner, caller, request, |tags| {
        tags.retain(|key, _| !keys.contains(&key.as_str()));
        Ok(json!({}))
    })
}

/// Finds the resource by ARN among the caller's own; anything else does not exist.
fn with_tags(
    inner: &Inner,
    caller: &Caller,
    request: &Value,
    work: impl FnOnce(&mut BTreeMap<String, String>) -> Result<Value, ApiError>,
) -> Result<Value, ApiError> {
    let arn = text(request, "resourceArn");
    inner.with(&caller.home, |state| {
        let flow = state.flows.values_mut().find(|f| f.arn == arn);
        let tags = match flow {
            Some(flow) => Some(&mut flow.tags),
            None => state
                .registrations
                .values_mut()
                .find(|r| r.arn == arn)
                .map(|r| &mut r.tags),
        };
        work(tags.ok_or_else(|| ApiError::not_found(format!("The resource {arn} does not exist")))?)
    })
}
