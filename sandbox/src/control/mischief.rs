//! What can happen to AppFlow's events and to the questions about them.

use std::{collections::BTreeMap, sync::Weak};

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::post,
};
use sandbox_core::{CUSTOMER_ACCOUNT, Fault, FaultRule, Queues};
use sandbox_delivery::Chances;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Held, gone};
use crate::Sandbox;

pub(super) fn routes() -> Router<Weak<Sandbox>> {
    Router::new()
        .route("/events/chances", post(chances))
        .route("/events/put", post(put))
        .route("/events/poison", post(poison))
        .route("/appflow/throttle", post(throttle))
}

/// How many of a hundred of AppFlow's events something happens to; none of all ends it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    lost: u8,
    #[serde(default)]
    duplicated: u8,
    #[serde(default)]
    reordered: u8,
    #[serde(default)]
    delayed: u8,
    #[serde(default)]
    seed: u64,
}

async fn chances(State(sandbox): Held, Json(wanted): Json<Wanted>) -> Response {
    let Some(sandbox) = sandbox.upgrade() else {
        return gone();
    };
    let chances = Chances {
        lost: wanted.lost,
        duplicated: wanted.duplicated,
        reordered: wanted.reordered,
        delayed: wanted.delayed,
    };
    sandbox.events.set_event_chances(chances, wanted.seed);
    Json(json!({ "seed": wanted.seed })).into_response()
}

/// An event that an account puts on its default bus, in whosever name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Put {
    account: String,
    event: Value,
}

async fn put(State(sandbox): Held, Json(put): Json<Put>) -> Response {
    let Some(sandbox) = sandbox.upgrade() else {
        return gone();
    };
    sandbox.events.put_event(&put.account, put.event);
    Json(json!({ "put": true })).into_response()
}

/// For whom the poison is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Poison {
    /// The flow in whose name it comes.
    flow_name: String,
}

/// Sends every kind of message that nobody can read: as events of the customer's account, and into the
/// queue of events that wait.
async fn poison(State(sandbox): Held, Json(poison): Json<Poison>) -> Response {
    let Some(sandbox) = sandbox.upgrade() else {
        return gone();
    };
    let events = poisoned(&poison.flow_name);
    for event in &events {
        sandbox.events.put_event(CUSTOMER_ACCOUNT, event.clone());
    }
    let queue = sandbox.stack.resources.get("EventQueue");
    let queue = queue.and_then(|queue| queue.arn()).unwrap_or_default();
    let queues: &dyn Queues = &*sandbox.aws;
    let no_json = queues.send(queue, "{\"detail\":".to_owned(), BTreeMap::new());
    match no_json.await {
        // What is no JSON came to a queue, and stays in that queue's hands.
        Ok(()) => Json(json!({ "refused": events.len() })).into_response(),
        Err(error) => Json(json!({ "error": error })).into_response(),
    }
}

/// Events of unknown types, without what they need, of wrong types, and as large as EventBridge lets
/// them be.
fn poisoned(flow: &str) -> Vec<Value> {
    let event = |kind: &str, detail: Value| {
        let mut event = json!({ "source": "aws.appflow", "detail-type": kind, "detail": { "flow-name": flow } });
        if let (Some(members), Value::Object(more)) = (event["detail"].as_object_mut(), detail) {
            members.extend(more);
        }
        event
    };
    let end = "AppFlow End Flow Run Report";
    vec![
        event("AppFlow Something New", json!({})),
        event(end, json!({})),
        event(
            end,
            json!({ "execution-id": 7, "status": "Execution Successful" }),
        ),
        event(
            end,
            json!({ "execution-id": ["e"], "status": { "is": "well" } }),
        ),
        event(
            end,
            json!({ "execution-id": "e ".repeat(125_000), "status": "Execution Successful" }),
        ),
    ]
}

/// Which of AppFlow's operations is throttled, and how often.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Throttle {
    operation: String,
    times: u32,
}

async fn throttle(State(sandbox): Held, Json(throttle): Json<Throttle>) -> Response {
    let Some(sandbox) = sandbox.upgrade() else {
        return gone();
    };
    sandbox.faults.add(FaultRule {
        service: "appflow".to_owned(),
        operation: throttle.operation,
        fault: Fault::Status {
            status: 429,
            retry_after: None,
            body: json!({ "__type": "ThrottlingException", "message": "Rate exceeded" })
                .to_string(),
        },
        times: throttle.times,
    });
    Json(json!({ "times": throttle.times })).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poison_is_of_every_kind_and_as_large_as_can_be() {
        let poison = poisoned("tributary-x");
        let longest = poison.iter().map(|event| event.to_string().len()).max();
        assert!(longest.is_some_and(|length| (250_000..256 * 1024).contains(&length)));
        assert!(
            poison
                .iter()
                .all(|event| event["detail"]["flow-name"] == "tributary-x")
        );
    }
}
