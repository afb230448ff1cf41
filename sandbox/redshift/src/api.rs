//! The operations of the Data API (awsJson1_1).

mod acting;
mod catalogue;
mod describe;
mod execute;
mod list;
mod result;
mod run;

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use jiff::Timestamp;
use sandbox_core::{AwsCall, AwsReply, Principal};
use serde_json::{Map, Value};

use crate::{
    Inner,
    statements::{Owner, Statement},
};

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// An error answer of the API.
#[derive(Debug)]
pub(crate) struct ApiError {
    code: &'static str,
    message: String,
    /// `StatementId` or `ResourceId`, with its value.
    about: Option<(&'static str, String)>,
}

impl ApiError {
    fn validation(message: impl Into<String>) -> Self {
        Self {
            code: "ValidationException",
            message: message.into(),
            about: None,
        }
    }

    /// The same answer for what never was, what is gone, and what belongs to somebody else.
    fn no_statement(id: &str) -> Self {
        Self {
            code: "ResourceNotFoundException",
            message: "Query does not exist.".to_owned(),
            about: Some(("ResourceId", id.to_owned())),
        }
    }

    fn reply(&self) -> AwsReply {
        // The model marks these as faults of the service.
        let status = match self.code {
            "ExecuteStatementException"
            | "BatchExecuteStatementException"
            | "DatabaseConnectionException" => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        let mut body = Map::new();
        body.insert("__type".to_owned(), self.code.into());
        body.insert("Message".to_owned(), self.message.clone().into());
        if let Some((key, value)) = &self.about {
            body.insert((*key).to_owned(), value.clone().into());
        }
        let mut reply = AwsReply::json(status, CONTENT_TYPE, &Value::Object(body));
        reply.headers.insert(
            "x-amzn-errortype",
            http::HeaderValue::from_static(self.code),
        );
        reply
    }
}

/// One request, read.
struct Asked {
    principal: Principal,
    owner: Owner,
    region: String,
    body: Map<String, Value>,
}

impl Asked {
    fn text(&self, member: &str) -> Option<&str> {
        self.body.get(member)?.as_str()
    }

    fn required(&self, member: &str) -> Result<&str, ApiError> {
        self.text(member)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| ApiError::validation(format!("{member} is required.")))
    }

    fn flag(&self, member: &str) -> bool {
        self.body
            .get(member)
            .and_then(Value::as_bool)
            .unwrap_or(false)
    }

    /// A whole number within bounds.
    fn number(&self, member: &str, least: u64, most: u64) -> Result<Option<u64>, ApiError> {
        let Some(value) = self.body.get(member).filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        value
            .as_u64()
            .filter(|number| (least..=most).contains(number))
            .map(Some)
            .ok_or_else(|| {
                ApiError::validation(format!("{member} must be between {least} and {most}."))
            })
    }

    fn wait(&self) -> Result<Option<Duration>, ApiError> {
        Ok(self
            .number("WaitTimeSeconds", 1, 30)?
            .map(Duration::from_secs))
    }

    /// `WorkgroupName` or `ClusterIdentifier`, exactly one.
    fn target(&self) -> Result<(&'static str, String), ApiError> {
        match (self.text("WorkgroupName"), self.text("ClusterIdentifier")) {
            (Some(workgroup), None) => Ok(("WorkgroupName", workgroup.to_owned())),
            (None, Some(cluster)) => Ok(("ClusterIdentifier", cluster.to_owned())),
            _ => Err(ApiError::validation(
                "Exactly one of ClusterIdentifier and WorkgroupName is required.",
            )),
        }
    }
}

pub(crate) async fn handle(inner: Arc<Inner>, call: AwsCall) -> AwsReply {
    let operation = call.target_operation().unwrap_or_default().to_owned();
    let principal = call.principal.clone();
    let body = call.json().unwrap_or_default();
    let answer = match &body {
        Value::Object(members) => {
            let asked = Asked {
                owner: Owner::of(&principal),
                principal: principal.clone(),
                region: call.region.clone(),
                body: members.clone(),
            };
            dispatch(&inner, &operation, asked).await
        }
        _ => Err(ApiError {
            code: "SerializationException",
            message: "The body is not a JSON object.".to_owned(),
            about: None,
        }),
    };
    let reply = match &answer {
        Ok(body) => AwsReply::json(StatusCode::OK, CONTENT_TYPE, body),
        Err(error) => error.reply(),
    };
    let came_of_it = answer.as_ref().map_err(|error| error.code);
    inner
        .trail
        .record(&call, &body, came_of_it, inner.clock.now());
    reply
}

async fn dispatch(inner: &Arc<Inner>, operation: &str, asked: Asked) -> Result<Value, ApiError> {
    match operation {
        "ExecuteStatement" => execute::execute(inner, &asked).await,
        "BatchExecuteStatement" => execute::batch(inner, &asked).await,
        "DescribeStatement" => describe::describe(inner, &asked).await,
        "GetStatementResult" => result::json(inner, &asked).await,
        "GetStatementResultV2" => result::csv(inner, &asked).await,
        "CancelStatement" => describe::cancel(inner, &asked),
        "ListStatements" => list::statements(inner, &asked),
        "ListDatabases" => catalogue::databases(inner, &asked).await,
        "ListSchemas" => catalogue::schemas(inner, &asked).await,
        "ListTables" => catalogue::tables(inner, &asked).await,
        "DescribeTable" => catalogue::columns(inner, &asked).await,
        _ => Err(ApiError {
            code: "UnknownOperationException",
            message: format!("{operation} is not an operation of this stand-in."),
            about: None,
        }),
    }
}

/// The caller's statement with this id (of a part, `<id>:<number>`), after the wait it asked for.
async fn statement(inner: &Inner, asked: &Asked) -> Result<(Statement, Option<usize>), ApiError> {
    let id = asked.required("Id")?;
    let missing = || ApiError::no_statement(id);
    let (whole, part) = match id.split_once(':') {
        Some((whole, number)) => (whole, Some(number.parse::<usize>().map_err(|_| missing())?)),
        None => (id, None),
    };
    let find = || {
        inner
            .statements
            .find(&asked.owner, whole)
            .ok_or_else(missing)
    };
    let mut found = find()?;
    if let Some(wait) = asked.wait()? {
        let most = inner.limits().waiting_requests;
        let waited = inner.statements.wait_as_one_of(whole, wait, most).await;
        if !waited {
            return Err(ApiError {
                code: "ActiveWaitingRequestsExceededException",
                message: "Too many requests wait for this statement.".to_owned(),
                about: None,
            });
        }
        found = find()?;
    }
    let part = part
        .map(|number| number.checked_sub(1).ok_or_else(missing))
        .transpose()?;
    let exists = part.is_none_or(|index| found.request.batch && index < found.parts.len());
    if exists {
        Ok((found, part))
    } else {
        Err(missing())
    }
}

/// Timestamps are epoch seconds with a fraction.
fn seconds(at: Timestamp) -> Value {
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of this century fit a double"
    )]
    Value::from(at.as_millisecond() as f64 / 1000.0)
}

/// Cuts a page out of a list and adds its token.
fn page<T>(
    inner: &Inner,
    asked: &Asked,
    scope: &str,
    size: usize,
    list: Vec<T>,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let offset = match asked.text("NextToken") {
        None => 0,
        Some(token) => inner
            .statements
            .offset(scope, token)
            .ok_or_else(|| ApiError::validation("NextToken is invalid."))?,
    };
    let total = list.len();
    let items: Vec<T> = list.into_iter().skip(offset).take(size).collect();
    let end = offset + items.len();
    let next = (end < total).then(|| inner.statements.page_token(scope, end));
    Ok((items, next))
}
