//! EventBridge.

use serde_json::Value;

use super::{Ask, Need, Unmapped};

/// Operations with one rule, and the member that names it.
const RULES: [(&str, &str); 9] = [
    ("DeleteRule", "Name"),
    ("DescribeRule", "Name"),
    ("DisableRule", "Name"),
    ("EnableRule", "Name"),
    ("ListTagsForResource", "ResourceARN"),
    ("ListTargetsByRule", "Rule"),
    ("PutRule", "Name"),
    ("PutTargets", "Rule"),
    ("RemoveTargets", "Rule"),
];

/// Operations with one bus.
const BUSES: [&str; 3] = ["CreateEventBus", "DeleteEventBus", "DescribeEventBus"];

/// Operations that know no resource.
const LISTS: [&str; 3] = ["ListEventBuses", "ListEventSources", "ListRules"];

pub(super) fn needs(ask: &Ask<'_>) -> Result<Vec<Need>, Unmapped> {
    let operation = ask.operation;
    let action = format!("events:{operation}");
    if operation == "PutEvents" {
        let entries = ask.body["Entries"].as_array();
        return Ok(entries
            .into_iter()
            .flatten()
            .map(|e| entry(ask, e))
            .collect());
    }
    if let Some((_, member)) = RULES.iter().find(|(name, _)| *name == operation) {
        let name = ask.text(member);
        if name.starts_with("arn:") {
            return Ok(vec![Need::new(&action, name)]);
        }
        let rule = match bus(&ask.body) {
            "default" => format!("rule/{name}"),
            bus => format!("rule/{}/{name}", bus.rsplit('/').next().unwrap_or(bus)),
        };
        return Ok(vec![Need::new(&action, &ask.arn("events", &rule))]);
    }
    if BUSES.contains(&operation) {
        let bus = ask.arn("events", &format!("event-bus/{}", ask.text("Name")));
        return Ok(vec![Need::new(&action, &bus)]);
    }
    if LISTS.contains(&operation) {
        return Ok(vec![Need::new(&action, "*")]);
    }
    Err(Unmapped::Operation)
}

fn entry(ask: &Ask<'_>, entry: &Value) -> Need {
    let bus = bus(entry);
    let arn = if bus.starts_with("arn:") {
        bus.to_owned()
    } else {
        ask.arn("events", &format!("event-bus/{bus}"))
    };
    let text = |member: &str| entry[member].as_str().map(str::to_owned);
    Need::new("events:PutEvents", &arn)
        .key("events:source", text("Source"))
        .key("events:detail-type", text("DetailType"))
}

fn bus(request: &Value) -> &str {
    request["EventBusName"].as_str().unwrap_or("default")
}
