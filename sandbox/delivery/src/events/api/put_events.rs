//! PutEvents.

use serde_json::{Value, json};

use super::{Answer, ApiError, Asked};
use crate::events::{EventBridge, bus_of, deliver};

/// Entries of one call.
const MOST_ENTRIES: usize = 10;
/// Bytes of all entries of a call.
const MOST_BYTES: usize = 256 * 1024;

pub(super) fn put_events(bridge: &EventBridge, asked: &Asked) -> Answer {
    let entries = asked.list("Entries");
    if entries.is_empty() || entries.len() > MOST_ENTRIES {
        return Err(ApiError::validation(
            "Entries must have between 1 and 10 entries.",
        ));
    }
    let size: usize = entries.iter().map(|entry| entry.to_string().len()).sum();
    if size > MOST_BYTES {
        return Err(ApiError::validation(
            "Total size of the entries in the request is over the limit.",
        ));
    }
    let mut answers = Vec::new();
    let mut failed = 0_u32;
    for entry in entries {
        match put(bridge, asked, entry) {
            Ok(id) => answers.push(json!({ "EventId": id })),
            Err((code, message)) => {
                failed += 1;
                answers.push(json!({ "ErrorCode": code, "ErrorMessage": message }));
            }
        }
    }
    Ok(json!({ "FailedEntryCount": failed, "Entries": answers }))
}

fn put(
    bridge: &EventBridge,
    asked: &Asked,
    entry: &Value,
) -> Result<String, (&'static str, &'static str)> {
    let text = |member: &str| entry.get(member).and_then(Value::as_str);
    let invalid = |message| ("InvalidArgument", message);
    let source = text("Source")
        .filter(|s| !s.is_empty())
        .ok_or(invalid("Parameter Source is not valid."))?;
    let kind = text("DetailType")
        .filter(|s| !s.is_empty())
        .ok_or(invalid("Parameter DetailType is not valid."))?;
    let detail: Value = text("Detail")
        .and_then(|detail| serde_json::from_str(detail).ok())
        .filter(Value::is_object)
        .ok_or(("MalformedDetail", "Detail is malformed."))?;
    if source.starts_with("aws.") {
        return Err((
            "NotAuthorizedForSourceException",
            "Not authorized for the source.",
        ));
    }
    let (owner, bus) = bus_of(&asked.account, text("EventBusName"));
    let mut event = json!({ "source": source, "detail-type": kind, "detail": detail });
    if let Some(resources) = entry.get("Resources").filter(|r| r.is_array()) {
        event["resources"] = resources.clone();
    }
    if let Some(time) = entry.get("Time").and_then(Value::as_f64) {
        #[expect(clippy::cast_possible_truncation, reason = "events have whole seconds")]
        let time = jiff::Timestamp::from_second(time as i64);
        let time = time.map_err(|_| invalid("Parameter Time is not valid."))?;
        event["time"] = time.to_string().into();
    }
    let admitted = bridge.inner.with_bus(&owner, &bus, |bus| {
        bus.admits(&owner, &asked.account, &event)
    });
    match admitted {
        Some(true) => {}
        Some(false) => {
            return Err((
                "AccessDeniedException",
                "The bus does not admit this account.",
            ));
        }
        None => return Err(("ResourceNotFoundException", "Event bus does not exist.")),
    }
    // The event carries the account that put it, whosever the bus is.
    let event = bridge.inner.envelope(&asked.account, event);
    let id = event["id"].as_str().unwrap_or_default().to_owned();
    deliver::accept(&bridge.inner, &owner, &bus, event);
    Ok(id)
}
