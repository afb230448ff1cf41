//! Calls from within the process: for a provisioner, and as a service principal.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use sandbox_core::{AwsCall, AwsReply, Principal, REGION};
use serde_json::Value;

use crate::Aws;

/// Services of the JSON protocols: signing name, `X-Amz-Target` prefix, content type.
const TARGETS: [(&str, &str, &str); 11] = [
    (
        "dynamodb",
        "DynamoDB_20120810",
        "application/x-amz-json-1.0",
    ),
    ("sqs", "AmazonSQS", "application/x-amz-json-1.0"),
    (
        "secretsmanager",
        "secretsmanager",
        "application/x-amz-json-1.1",
    ),
    ("kms", "TrentService", "application/x-amz-json-1.1"),
    (
        "monitoring",
        "GraniteServiceVersion20100801",
        "application/x-amz-json-1.0",
    ),
    ("glue", "AWSGlue", "application/x-amz-json-1.1"),
    ("events", "AWSEvents", "application/x-amz-json-1.1"),
    (
        "redshift-data",
        "RedshiftData",
        "application/x-amz-json-1.1",
    ),
    (
        "redshift-serverless",
        "RedshiftServerless",
        "application/x-amz-json-1.1",
    ),
    ("sso", "SWBExternalService", "application/x-amz-json-1.1"),
    (
        "identitystore",
        "AWSIdentityStore",
        "application/x-amz-json-1.1",
    ),
];

impl Aws {
    /// Calls an operation of a JSON service, without faults and without a journal entry.
    pub async fn call(
        &self,
        principal: &Principal,
        service: &str,
        operation: &str,
        body: &Value,
    ) -> AwsReply {
        let call = request(principal, service, operation, body);
        self.dispatch(call).await
    }

    /// Calls a REST operation (S3, `POST /create-flow`), without faults and without a journal
    /// entry. The path is percent-encoded and may carry a query.
    pub async fn call_rest(
        &self,
        principal: &Principal,
        service: &str,
        method: Method,
        path_and_query: &str,
        body: Bytes,
    ) -> AwsReply {
        let (path, query) = path_and_query
            .split_once('?')
            .unwrap_or((path_and_query, ""));
        self.dispatch(AwsCall {
            principal: principal.clone(),
            region: REGION.to_owned(),
            service: service.to_owned(),
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            headers: HeaderMap::new(),
            body,
        })
        .await
    }
}

/// A request to an operation of a JSON service.
pub(crate) fn request(
    principal: &Principal,
    service: &str,
    operation: &str,
    body: &Value,
) -> AwsCall {
    let (prefix, content_type) = TARGETS.iter().find(|(name, _, _)| *name == service).map_or(
        (service, "application/x-amz-json-1.1"),
        |(_, prefix, kind)| (*prefix, *kind),
    );
    let mut headers = HeaderMap::new();
    headers.insert(
        http::header::CONTENT_TYPE,
        HeaderValue::from_static(content_type),
    );
    if let Ok(target) = format!("{prefix}.{operation}").parse() {
        headers.insert("x-amz-target", target);
    }
    AwsCall {
        principal: principal.clone(),
        region: REGION.to_owned(),
        service: service.to_owned(),
        method: Method::POST,
        path: "/".to_owned(),
        query: String::new(),
        headers,
        body: Bytes::from(body.to_string()),
    }
}

/// The error code of a reply, whichever protocol it speaks; the whole body if there is none.
pub(crate) fn error_code(reply: &AwsReply) -> String {
    let text = String::from_utf8_lossy(&reply.body);
    if let Some(code) = serde_json::from_str::<Value>(&text)
        .ok()
        .and_then(|body| body["__type"].as_str().map(str::to_owned))
    {
        return code.rsplit('#').next().unwrap_or_default().to_owned();
    }
    text.split_once("<Code>")
        .and_then(|(_, rest)| rest.split_once("</Code>"))
        .map_or_else(|| text.clone().into_owned(), |(code, _)| code.to_owned())
}

/// A reply's JSON body, or its error code.
pub(crate) fn answer(reply: &AwsReply) -> Result<Value, String> {
    if !reply.status.is_success() {
        return Err(error_code(reply));
    }
    if reply.body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&reply.body).map_err(|error| error.to_string())
}
