//! Connectors that the account registers itself. The registration is kept and shown; the sandbox
//! does not call the Lambda function behind it, and a run that needs it ends in an error that says so.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{flag, optional, text};
use crate::{
    error::ApiError,
    service::{Caller, Inner},
    state::Registration,
    wire::epoch,
};

pub(super) fn register(inner: &Inner, caller: &Caller, request: &Value) -> Result<Value, ApiError> {
    let blank =
        |what: &str| ApiError::validation(format!("Validation exception: {what} cannot be blank"));
    let label = optional(request, "connectorLabel").ok_or_else(|| blank("ConnectorLabel"))?;
    if optional(request, "connectorProvisioningType").is_none() {
        return Err(blank("ConnectorProvisioningType"));
    }
    let provisioning = request
        .get("connectorProvisioningConfig")
        .filter(|config| config.pointer("/lambda/lambdaArn").is_some())
        .ok_or_else(|| blank("LambdaArn"))?;
    let now = inner.now();
    inner.with(&caller.home, |state| {
        if state.registrations.contains_key(label) {
            return Err(ApiError::conflict(format!(
                "Connector: {label} is already registered"
            )));
        }
        let registration = Registration {
            label: label.to_owned(),
            arn: caller.home.arn("connector", label),
            description: optional(request, "description").map(str::to_owned),
            provisioning: provisioning.clone(),
            registered_at: now,
            registered_by: caller.arn.clone(),
            tags: BTreeMap::new(),
        };
        let answer = json!({ "connectorArn": registration.arn });
        state.registrations.insert(label.to_owned(), registration);
        Ok(answer)
    })
}

pub(super) fn update(inner: &Inner, caller: &Caller, request: &Value) -> Result<Value, ApiError> {
    let label = text(request, "connectorLabel");
    inner.with(&caller.home, |state| {
        let registration = state
            .registrations
            .get_mut(label)
            .ok_or_else(|| not_registered(label))?;
        if let Some(description) = optional(request, "description") {
            registration.description = Some(description.to_owned());
        }
        if let Some(provisioning) = request.get("connectorProvisioningConfig") {
            registration.provisioning = provisioning.clone();
        }
        Ok(json!({ "connectorArn": registration.arn }))
    })
}

pub(super) fn unregister(
    inner: &Inner,
    caller: &Caller,
    request: &Value,
) -> Result<Value, ApiError> {
    let label = text(request, "connectorLabel");
    let force = flag(request, "forceDelete");
    inner.with(&caller.home, |state| {
        if !state.registrations.contains_key(label) {
            return Err(not_registered(label));
        }
        let users: Vec<&str> = state
            .profiles
            .values()
            .filter(|p| p.label.as_deref() == Some(label))
            .map(|p| p.name.as_str())
            .collect();
        if !users.is_empty() && !force {
            return Err(ApiError::conflict(format!(
                "Connector: {label} is associated with one or more connector profiles: [{}]",
                users.join(", ")
            )));
        }
        state.registrations.remove(label);
        Ok(json!({}))
    })
}

/// The entry of `connectors`, and the own part of a connector configuration.
pub(super) fn shown(registration: &Registration) -> Value {
    json!({
        "connectorDescription": registration.description,
        "connectorName": registration.label,
        "connectorType": "CustomConnector",
        "connectorLabel": registration.label,
        "connectorArn": registration.arn,
        "connectorModes": ["SOURCE", "DESTINATION"],
        "connectorProvisioningType": "LAMBDA",
        "connectorProvisioningConfig": registration.provisioning,
        "registeredAt": epoch(registration.registered_at),
        "registeredBy": registration.registered_by,
    })
}

fn not_registered(label: &str) -> ApiError {
    ApiError::not_found(format!("Connector:{label} is not registered."))
}
