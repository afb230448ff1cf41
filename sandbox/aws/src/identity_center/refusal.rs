//! Refusals of the administrators' APIs, and reading what they are sent (awsJson1_1).

use http::StatusCode;
use sandbox_core::AwsReply;
use serde_json::{Value, json};

pub(super) const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// An error answer: exception and message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::new("ConflictException", message)
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::new("ResourceNotFoundException", format!("{what} not found"))
    }

    pub(super) fn unknown(operation: &str) -> Self {
        Self::new(
            "UnknownOperationException",
            format!("{operation} is not an operation of this stand-in"),
        )
    }

    fn reply(&self) -> AwsReply {
        AwsReply::json_error(
            StatusCode::BAD_REQUEST,
            CONTENT_TYPE,
            self.code,
            &self.message,
        )
    }
}

/// An answer of the JSON protocol.
pub(super) fn reply(answer: Result<Value, Refusal>) -> AwsReply {
    match answer {
        Ok(body) => AwsReply::json(StatusCode::OK, CONTENT_TYPE, &body),
        Err(refusal) => refusal.reply(),
    }
}

/// A required text of at most this many characters.
pub(super) fn text<'a>(body: &'a Value, member: &str, most: usize) -> Result<&'a str, Refusal> {
    body[member]
        .as_str()
        .filter(|text| (1..=most).contains(&text.chars().count()))
        .ok_or_else(|| {
            Refusal::validation(format!(
                "1 validation error detected: Value at '{member}' failed to satisfy constraint: \
                 Member must have length between 1 and {most}"
            ))
        })
}

/// Refuses a text with characters that the model's pattern does not have.
pub(super) fn pattern(
    text: &str,
    member: &str,
    fits: impl Fn(&str) -> bool,
) -> Result<(), Refusal> {
    if fits(text) {
        return Ok(());
    }
    Err(Refusal::validation(format!(
        "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must \
         satisfy regular expression pattern"
    )))
}

/// `[\w+=,.@-]+`, the pattern of most names.
pub(super) fn is_name(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_alphanumeric() || "_+=,.@-".contains(c))
}

/// One page of a list under this member, with `NextToken` if there is more.
pub(super) fn page(body: &Value, member: &str, list: Vec<Value>) -> Result<Value, Refusal> {
    let most = match &body["MaxResults"] {
        Value::Null => 100,
        number => number
            .as_u64()
            .filter(|number| (1..=100).contains(number))
            .and_then(|number| usize::try_from(number).ok())
            .ok_or_else(|| Refusal::validation("MaxResults must be between 1 and 100"))?,
    };
    let from: usize = match body["NextToken"].as_str() {
        None => 0,
        Some(token) => token
            .strip_prefix("from-")
            .and_then(|number| number.parse().ok())
            .ok_or_else(|| Refusal::validation("Invalid NextToken"))?,
    };
    let total = list.len();
    let items: Vec<Value> = list.into_iter().skip(from).take(most).collect();
    let end = from + items.len();
    let mut answer = json!({});
    answer[member] = items.into();
    if end < total {
        answer["NextToken"] = format!("from-{end}").into();
    }
    Ok(answer)
}

/// Timestamps are epoch seconds.
pub(super) fn seconds(at: jiff::Timestamp) -> Value {
    Value::from(at.as_second())
}
