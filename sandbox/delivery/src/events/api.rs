//! The operations of EventBridge (awsJson1_1).

mod buses;
mod put_events;
mod rules;
mod sources;

use http::StatusCode;
use sandbox_core::{AwsCall, AwsReply, Entry};
use serde_json::{Map, Value};

use super::{EventBridge, bus_of};

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// An error answer.
pub(super) struct ApiError(&'static str, String);

impl ApiError {
    fn validation(message: impl Into<String>) -> Self {
        Self("ValidationException", message.into())
    }

    fn not_found(what: &str) -> Self {
        Self(
            "ResourceNotFoundException",
            format!("{what} does not exist."),
        )
    }
}

type Answer = Result<Value, ApiError>;

/// One request, read.
pub(super) struct Asked {
    account: String,
    body: Map<String, Value>,
}

impl Asked {
    fn text(&self, member: &str) -> Option<&str> {
        self.body.get(member)?.as_str()
    }

    fn required(&self, member: &str) -> Result<&str, ApiError> {
        self.text(member)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| ApiError::validation(format!("{member} is required.")))
    }

    /// The bus of `EventBusName`, which must be the caller's own.
    fn own_bus(&self) -> Result<String, ApiError> {
        let (owner, bus) = bus_of(&self.account, self.text("EventBusName"));
        if owner == self.account {
            Ok(bus)
        } else {
            Err(ApiError(
                "AccessDeniedException",
                "The event bus belongs to another account.".to_owned(),
            ))
        }
    }

    fn list(&self, member: &str) -> &[Value] {
        let list = self.body.get(member).and_then(Value::as_array);
        list.map_or(&[], Vec::as_slice)
    }
}

pub(super) fn handle(bridge: &EventBridge, call: &AwsCall) -> AwsReply {
    let operation = call.target_operation().unwrap_or_default().to_owned();
    let account = call.principal.account.clone();
    let answer = match call.json() {
        Ok(Value::Object(body)) => {
            let asked = Asked {
                account: account.clone(),
                body,
            };
            dispatch(bridge, &operation, &asked)
        }
        _ => Err(ApiError(
            "SerializationException",
            "The body is not a JSON object.".to_owned(),
        )),
    };
    let reply = match answer {
        Ok(body) => AwsReply::json(StatusCode::OK, CONTENT_TYPE, &body),
        Err(ApiError(code, message)) => {
            AwsReply::json_error(StatusCode::BAD_REQUEST, CONTENT_TYPE, code, &message)
        }
    };
    bridge.inner.journal.record(Entry {
        service: "events".to_owned(),
        operation,
        account: Some(account),
        principal: Some(call.principal.arn.clone()),
        on_behalf_of: None,
        status: reply.status.as_u16(),
        note: String::new(),
    });
    reply
}

fn dispatch(bridge: &EventBridge, operation: &str, asked: &Asked) -> Answer {
    match operation {
        "PutEvents" => put_events::put_events(bridge, asked),
        "PutRule" => rules::put_rule(bridge, asked),
        "DescribeRule" => rules::describe_rule(bridge, asked),
        "ListRules" => rules::list_rules(bridge, asked),
        "DeleteRule" => rules::delete_rule(bridge, asked),
        "EnableRule" => rules::set_enabled(bridge, asked, true),
        "DisableRule" => rules::set_enabled(bridge, asked, false),
        "PutTargets" => rules::put_targets(bridge, asked),
        "RemoveTargets" => rules::remove_targets(bridge, asked),
        "ListTargetsByRule" => rules::list_targets(bridge, asked),
        "TestEventPattern" => rules::test_pattern(asked),
        "CreateEventBus" => buses::create(bridge, asked),
        "DeleteEventBus" => buses::delete(bridge, asked),
        "DescribeEventBus" => buses::describe(bridge, asked),
        "ListEventBuses" => Ok(buses::list(bridge, asked)),
        "ListEventSources" => Ok(sources::list(bridge, asked)),
        "DescribeEventSource" => sources::describe(bridge, asked),
        "PutPermission" => buses::put_permission(bridge, asked),
        "RemovePermission" => buses::remove_permission(bridge, asked),
        _ => Err(ApiError(
            "UnknownOperationException",
            format!("{operation} is not an operation of this stand-in."),
        )),
    }
}
