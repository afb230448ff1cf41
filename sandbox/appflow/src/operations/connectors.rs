//! The catalogue of connectors.

use serde_json::{Value, json};

use super::{optional, registrations, text};
use crate::{
    catalogue::{self, AWS_AUTHORED, CONNECTORS},
    error::ApiError,
    model::with_nulls,
    page::page,
    service::{Caller, Inner},
    state::State,
};

pub(super) fn describe(inner: &Inner, caller: &Caller, request: &Value) -> Result<Value, ApiError> {
    let kind = text(request, "connectorType");
    let configuration = if kind == "CustomConnector" {
        let label = optional(request, "connectorLabel").ok_or_else(|| {
            ApiError::validation(
                "Validation exception: ConnectorLabel cannot be blank for connector: CUSTOMCONNECTOR",
            )
        })?;
        inner
            .with(&caller.home, |state| custom(state, label))
            .map(|own| {
                let mut whole = catalogue::of_type(kind)
                    .map_or_else(|| json!({}), catalogue::Connector::configuration);
                if let (Some(whole), Value::Object(own)) = (whole.as_object_mut(), own) {
                    whole.extend(own);
                }
                whole
            })
            .ok_or_else(|| ApiError::not_found(format!("Connector:{label} is not registered.")))?
    } else {
        catalogue::of_type(kind)
            .ok_or_else(|| ApiError::not_found(format!("Connector: {kind} does not exist")))?
            .configuration()
    };
    Ok(json!({ "connectorConfiguration": with_nulls("ConnectorConfiguration", configuration) }))
}

fn custom(state: &State, label: &str) -> Option<Value> {
    AWS_AUTHORED
        .iter()
        .find(|(known, ..)| *known == label)
        .map(|connector| {
            let mut shown = catalogue::aws_authored(connector);
            if let (Some(shown), Value::Object(more)) =
                (shown.as_object_mut(), catalogue::capabilities(connector))
            {
                shown.extend(more);
            }
            shown
        })
        .or_else(|| state.registrations.get(label).map(registrations::shown))
}

pub(super) fn describe_all(
    inner: &Inner,
    caller: &Caller,
    request: &Value,
) -> Result<Value, ApiError> {
    let asked: Option<Vec<&str>> = request["connectorTypes"]
        .as_array()
        .filter(|types| !types.is_empty())
        .map(|types| types.iter().filter_map(Value::as_str).collect());
    let wanted = |kind: &str| asked.as_ref().is_none_or(|types| types.contains(&kind));
    let configurations: serde_json::Map<String, Value> = CONNECTORS
        .iter()
        .filter(|c| c.kind != "CustomConnector" && wanted(c.kind))
        .map(|c| {
            (
                c.kind.to_owned(),
                with_nulls("ConnectorConfiguration", c.configuration()),
            )
        })
        .collect();
    let details = all(inner, caller)
        .into_iter()
        .filter(|(_, detail)| wanted(detail["connectorType"].as_str().unwrap_or_default()))
        .collect();
    let (connectors, token) = page("DescribeConnectors", request, 20, details)?;
    Ok(json!({
        "connectorConfigurations": configurations,
        "connectors": connectors,
        "nextToken": token,
    }))
}

pub(super) fn list(inner: &Inner, caller: &Caller, request: &Value) -> Result<Value, ApiError> {
    let (connectors, token) = page("ListConnectors", request, 20, all(inner, caller))?;
    Ok(json!({ "connectors": connectors, "nextToken": token }))
}

/// Built-in, AWS-authored and own connectors, in the order of their keys.
fn all(inner: &Inner, caller: &Caller) -> Vec<(String, Value)> {
    let built_in = CONNECTORS
        .iter()
        .filter(|c| c.kind != "CustomConnector")
        .map(|c| (format!("1/{}", c.kind), c.detail()));
    let authored = AWS_AUTHORED.iter().map(|connector| {
        (
            format!("2/{}", connector.0),
            catalogue::aws_authored(connector),
        )
    });
    let own = inner.with(&caller.home, |state| {
        let shown = state
            .registrations
            .values()
            .map(|r| (format!("3/{}", r.label), registrations::shown(r)));
        shown.collect::<Vec<_>>()
    });
    let mut connectors: Vec<(String, Value)> = built_in.chain(authored).chain(own).collect();
    connectors.sort_by(|(a, _), (b, _)| a.cmp(b));
    connectors
        .into_iter()
        .map(|(key, detail)| (key, with_nulls("ConnectorDetail", detail)))
        .collect()
}
