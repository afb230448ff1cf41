//! The operations of CloudWatch (AWS JSON 1.0).

mod alarms;
mod data;

use http::{HeaderValue, StatusCode};
use sandbox_core::{AwsCall, AwsReply};
use serde_json::{Map, Value};

use super::{CloudWatch, series::Metric};

const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

/// An error answer: the shape's name, the code that older clients read, and the message.
pub(super) struct ApiError(&'static str, &'static str, String);

impl ApiError {
    fn invalid(message: impl Into<String>) -> Self {
        Self(
            "InvalidParameterValueException",
            "InvalidParameterValue",
            message.into(),
        )
    }

    fn missing(member: &str) -> Self {
        Self(
            "MissingRequiredParameterException",
            "MissingParameter",
            format!("The parameter {member} is required."),
        )
    }
}

type Answer = Result<Value, ApiError>;

/// One request, read.
pub(super) struct Asked {
    account: String,
    region: String,
    body: Map<String, Value>,
}

impl Asked {
    fn text(&self, member: &str) -> Option<&str> {
        self.body.get(member)?.as_str()
    }

    fn required(&self, member: &str) -> Result<&str, ApiError> {
        self.text(member)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| ApiError::missing(member))
    }

    fn list(&self, member: &str) -> &[Value] {
        let list = self.body.get(member).and_then(Value::as_array);
        list.map_or(&[], Vec::as_slice)
    }

    fn whole(&self, member: &str) -> Option<i64> {
        self.body.get(member)?.as_i64()
    }
}

pub(super) fn handle(cloudwatch: &CloudWatch, call: &AwsCall) -> AwsReply {
    let operation = call.target_operation().unwrap_or_default();
    let answer = match call.json() {
        Ok(Value::Object(body)) => {
            let asked = Asked {
                account: call.principal.account.clone(),
                region: call.region.clone(),
                body,
            };
            dispatch(cloudwatch, operation, &asked)
        }
        _ => Err(ApiError(
            "SerializationException",
            "MalformedInput",
            "The body is not a JSON object.".to_owned(),
        )),
    };
    match answer {
        Ok(body) => AwsReply::json(StatusCode::OK, CONTENT_TYPE, &body),
        Err(ApiError(shape, code, message)) => {
            let kind = format!("com.amazonaws.cloudwatch#{shape}");
            let status = StatusCode::BAD_REQUEST;
            let mut reply = AwsReply::json_error(status, CONTENT_TYPE, &kind, &message);
            if let Ok(code) = HeaderValue::from_str(&format!("{code};Sender")) {
                reply.headers.insert("x-amzn-query-error", code);
            }
            reply
        }
    }
}

fn dispatch(cloudwatch: &CloudWatch, operation: &str, asked: &Asked) -> Answer {
    match operation {
        "PutMetricData" => data::put(cloudwatch, asked),
        "GetMetricData" => data::get(cloudwatch, asked),
        "PutMetricAlarm" => alarms::put(cloudwatch, asked),
        "DescribeAlarms" => alarms::describe(cloudwatch, asked),
        "DeleteAlarms" => alarms::delete(cloudwatch, asked),
        _ => Err(ApiError(
            "UnknownOperationException",
            "InvalidAction",
            format!("{operation} is not an operation of this stand-in."),
        )),
    }
}

/// The metric that a request names by namespace, name and dimensions.
fn metric(namespace: &str, name: &str, dimensions: &[Value]) -> Result<Metric, ApiError> {
    let dimensions = dimensions.iter().map(|dimension| {
        let text = |member: &str| dimension[member].as_str().map(str::to_owned);
        Ok((
            text("Name").ok_or_else(|| ApiError::missing("Dimensions.member.Name"))?,
            text("Value").ok_or_else(|| ApiError::missing("Dimensions.member.Value"))?,
        ))
    });
    Ok(Metric {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        dimensions: dimensions.collect::<Result<_, ApiError>>()?,
    })
}
