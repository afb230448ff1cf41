//! Event sources that partners offer to the account.

use serde_json::{Value, json};

use super::{Answer, ApiError, Asked};
use crate::{events::EventBridge, lock};

/// Whether a bus may have this name. A partner's bus is named as its source, and says so in
/// `EventSourceName`; a source that nobody offered does not exist.
pub(super) fn admit(bridge: &EventBridge, asked: &Asked, name: &str) -> Result<(), ApiError> {
    let source = asked.text("EventSourceName");
    if source.is_none() && !name.starts_with("aws.partner/") {
        return Ok(());
    }
    if source != Some(name) {
        return Err(ApiError::validation(
            "The name of a partner event bus must match EventSourceName.",
        ));
    }
    let key = (asked.account.clone(), name.to_owned());
    if lock(&bridge.inner.sources).contains(&key) {
        Ok(())
    } else {
        Err(ApiError::not_found(&format!("Event source {name}")))
    }
}

pub(super) fn list(bridge: &EventBridge, asked: &Asked) -> Value {
    let prefix = asked.text("NamePrefix").unwrap_or_default();
    let offered: Vec<String> = lock(&bridge.inner.sources)
        .iter()
        .filter(|(account, name)| *account == asked.account && name.starts_with(prefix))
        .map(|(_, name)| name.clone())
        .collect();
    let shown: Vec<Value> = offered.iter().map(|n| shown(bridge, asked, n)).collect();
    json!({ "EventSources": shown })
}

pub(super) fn describe(bridge: &EventBridge, asked: &Asked) -> Answer {
    let name = asked.required("Name")?;
    let key = (asked.account.clone(), name.to_owned());
    if lock(&bridge.inner.sources).contains(&key) {
        Ok(shown(bridge, asked, name))
    } else {
        Err(ApiError::not_found(&format!("Event source {name}")))
    }
}

fn shown(bridge: &EventBridge, asked: &Asked, name: &str) -> Value {
    let state = if bridge.source_is_active(&asked.account, name) {
        "ACTIVE"
    } else {
        "PENDING"
    };
    json!({
        "Arn": format!("arn:aws:events:{}::event-source/{name}", sandbox_core::REGION),
        "CreatedBy": name.split('/').take(2).collect::<Vec<_>>().join("/"),
        "Name": name,
        "State": state,
    })
}
