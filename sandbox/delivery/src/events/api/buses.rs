//! Buses and their policies.

use serde_json::{Value, json};

use super::{Answer, ApiError, Asked, sources};
use crate::{
    events::{Bus, DEFAULT_BUS, EventBridge, bus_arn, bus_of, policy},
    lock,
};

pub(super) fn create(bridge: &EventBridge, asked: &Asked) -> Answer {
    let name = asked.required("Name")?;
    sources::admit(bridge, asked, name)?;
    let key = (asked.account.clone(), name.to_owned());
    let mut buses = lock(&bridge.inner.buses);
    if name == DEFAULT_BUS || buses.contains_key(&key) {
        return Err(ApiError(
            "ResourceAlreadyExistsException",
            format!("Event bus {name} already exists."),
        ));
    }
    buses.insert(key, Bus::default());
    Ok(json!({ "EventBusArn": bus_arn(&asked.account, name) }))
}

pub(super) fn delete(bridge: &EventBridge, asked: &Asked) -> Answer {
    let name = asked.required("Name")?;
    if name == DEFAULT_BUS {
        return Err(ApiError::validation("Cannot delete event bus default."));
    }
    let key = (asked.account.clone(), name.to_owned());
    let mut buses = lock(&bridge.inner.buses);
    if buses.get(&key).is_some_and(|bus| !bus.rules.is_empty()) {
        return Err(ApiError::validation("The event bus still has rules."));
    }
    buses.remove(&key);
    Ok(json!({}))
}

pub(super) fn describe(bridge: &EventBridge, asked: &Asked) -> Answer {
    let (owner, name) = bus_of(&asked.account, asked.text("Name"));
    let missing = || ApiError::not_found(&format!("Event bus {name}"));
    if owner != asked.account {
        return Err(missing());
    }
    let policy = bridge
        .inner
        .with_bus(&owner, &name, |bus| bus.policy.clone())
        .ok_or_else(missing)?;
    let mut body = json!({ "Name": name, "Arn": bus_arn(&owner, &name) });
    if !policy.is_empty() {
        let document = json!({ "Version": "2012-10-17", "Statement": policy });
        body["Policy"] = document.to_string().into();
    }
    Ok(body)
}

pub(super) fn list(bridge: &EventBridge, asked: &Asked) -> Value {
    // The default bus is there as soon as somebody looks.
    bridge.inner.with_bus(&asked.account, DEFAULT_BUS, |_| ());
    let prefix = asked.text("NamePrefix").unwrap_or_default();
    let buses = lock(&bridge.inner.buses);
    let list: Vec<Value> = buses
        .keys()
        .filter(|(owner, name)| *owner == asked.account && name.starts_with(prefix))
        .map(|(owner, name)| json!({ "Name": name, "Arn": bus_arn(owner, name) }))
        .collect();
    json!({ "EventBuses": list })
}

/// Either `Policy`, the whole document, or one statement by `StatementId`.
pub(super) fn put_permission(bridge: &EventBridge, asked: &Asked) -> Answer {
    let bus = asked.own_bus()?;
    let change = if let Some(text) = asked.text("Policy") {
        let document: Value = serde_json::from_str(text)
            .map_err(|_| ApiError::validation("Policy is not valid JSON."))?;
        (None, policy::statements(document))
    } else {
        let id = asked.required("StatementId")?;
        let principal = asked.required("Principal")?;
        let principal = if principal == "*" {
            json!("*")
        } else {
            json!({ "AWS": principal })
        };
        let mut statement = json!({
            "Sid": id,
            "Effect": "Allow",
            "Principal": principal,
            "Action": asked.required("Action")?,
            "Resource": bus_arn(&asked.account, &bus),
        });
        if let Some(condition) = asked.body.get("Condition").filter(|c| c.is_object()) {
            let member = |name| {
                condition
                    .get(name)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            };
            statement["Condition"] = json!({ member("Type"): { member("Key"): member("Value") } });
        }
        (Some(id), vec![statement])
    };
    let done = bridge
        .inner
        .with_bus(&asked.account, &bus, |bus| match change {
            (Some(id), mut statement) => {
                bus.policy.retain(|s| s["Sid"] != id);
                bus.policy.append(&mut statement);
            }
            (None, statements) => bus.policy = statements,
        });
    done.map(|()| json!({}))
        .ok_or_else(|| ApiError::not_found(&format!("Event bus {bus}")))
}

pub(super) fn remove_permission(bridge: &EventBridge, asked: &Asked) -> Answer {
    let bus = asked.own_bus()?;
    let all = asked.body.get("RemoveAllPermissions") == Some(&Value::Bool(true));
    let id = if all {
        ""
    } else {
        asked.required("StatementId")?
    };
    let removed = bridge.inner.with_bus(&asked.account, &bus, |bus| {
        let before = bus.policy.len();
        bus.policy
            .retain(|statement| !all && statement["Sid"] != id);
        all || bus.policy.len() < before
    });
    match removed {
        Some(true) => Ok(json!({})),
        _ => Err(ApiError::not_found("Statement")),
    }
}
