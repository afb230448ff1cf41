//! The boundary between the loopback AWS endpoint and the services behind it.

use std::{collections::BTreeMap, future::Future, pin::Pin};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};

/// A boxed future, for traits that are used as objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A person of Identity Center's directory, carried by an identity-enhanced session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryUser {
    /// Identity Center's user id.
    pub user_id: String,
    /// The user name, as the directory has it.
    pub user_name: String,
    /// Names of the groups the user is in.
    pub groups: Vec<String>,
}

/// Who signed a request, as the access key tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The access key id.
    pub access_key_id: String,
    /// The account the key belongs to.
    pub account: String,
    /// ARN of the user or assumed-role session.
    pub arn: String,
    /// ARN of the role behind the session, if the principal is one.
    pub role_arn: Option<String>,
    /// Session tags.
    pub tags: BTreeMap<String, String>,
    /// The person on whose behalf the session acts.
    pub on_behalf_of: Option<DirectoryUser>,
}

/// One request to the loopback AWS endpoint, after its signer was recognised.
#[derive(Debug, Clone)]
pub struct AwsCall {
    /// Who signed it. Its account owns every resource that the request names.
    pub principal: Principal,
    /// Region of the credential scope.
    pub region: String,
    /// Signing name of the service (`dynamodb`, `appflow`, `redshift-data`, `sso-oauth`, ...).
    pub service: String,
    /// HTTP method.
    pub method: http::Method,
    /// Path, still percent-encoded.
    pub path: String,
    /// Query string without the question mark.
    pub query: String,
    /// Headers as received.
    pub headers: HeaderMap,
    /// Body as received.
    pub body: Bytes,
}

impl AwsCall {
    /// The operation named by `X-Amz-Target` (`Prefix.Operation`), for the JSON protocols.
    pub fn target_operation(&self) -> Option<&str> {
        self.headers
            .get("x-amz-target")?
            .to_str()
            .ok()?
            .rsplit('.')
            .next()
    }

    /// The body as JSON; an empty body reads as `{}`.
    pub fn json(&self) -> Result<Value, serde_json::Error> {
        if self.body.is_empty() {
            return Ok(json!({}));
        }
        serde_json::from_slice(&self.body)
    }
}

/// The answer to an [`AwsCall`].
#[derive(Debug, Clone)]
pub struct AwsReply {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl AwsReply {
    /// A JSON answer with the given content type (`application/json`, `application/x-amz-json-1.1`).
    pub fn json(status: StatusCode, content_type: &'static str, body: &Value) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(
            http::header::CONTENT_TYPE,
            HeaderValue::from_static(content_type),
        );
        Self {
            status,
            headers,
            body: Bytes::from(body.to_string()),
        }
    }

    /// An error of the JSON protocols: `x-amzn-ErrorType` and `{"__type", "message"}`.
    pub fn json_error(
        status: StatusCode,
        content_type: &'static str,
        code: &str,
        message: &str,
    ) -> Self {
        let mut reply = Self::json(
            status,
            content_type,
            &json!({ "__type": code, "message": message }),
        );
        if let Ok(value) = HeaderValue::from_str(code) {
            reply.headers.insert("x-amzn-errortype", value);
        }
        reply
    }
}

/// One AWS service behind the loopback endpoint.
pub trait AwsService: Send + Sync + 'static {
    /// The SigV4 signing names that lead here.
    fn signing_names(&self) -> &'static [&'static str];
    /// Answers one request.
    fn handle(&self, call: AwsCall) -> BoxFuture<'_, AwsReply>;
}

/// What a service (AppFlow above all) does inside an account through other services, as the
/// service principal would. Two implementations: the loopback AWS, and memory in unit tests.
pub trait AccountServices: Send + Sync + 'static {
    /// Writes an object; `Err` carries S3's error code (`NoSuchBucket`, `AccessDenied`).
    fn put_object<'a>(
        &'a self,
        account: &'a str,
        bucket: &'a str,
        key: &'a str,
        body: Bytes,
    ) -> BoxFuture<'a, Result<(), String>>;
    /// Reads an object.
    fn get_object<'a>(
        &'a self,
        account: &'a str,
        bucket: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Bytes, String>>;
    /// Keys under a prefix, in order.
    fn list_objects<'a>(
        &'a self,
        account: &'a str,
        bucket: &'a str,
        prefix: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, String>>;
    /// The bucket's policy document, if it has one.
    fn bucket_policy<'a>(
        &'a self,
        account: &'a str,
        bucket: &'a str,
    ) -> BoxFuture<'a, Result<Option<Value>, String>>;
    /// Creates or replaces a secret and answers its ARN.
    fn put_secret<'a>(
        &'a self,
        account: &'a str,
        name: &'a str,
        value: String,
    ) -> BoxFuture<'a, Result<String, String>>;
    /// Reads a secret by ARN or name.
    fn get_secret<'a>(
        &'a self,
        account: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, Result<String, String>>;
    /// Deletes a secret for good.
    fn delete_secret<'a>(
        &'a self,
        account: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, Result<(), String>>;
    /// Puts an event (whole envelope) on the account's default bus.
    fn put_event<'a>(&'a self, account: &'a str, event: Value) -> BoxFuture<'a, ()>;
    /// Counts something of a flow in the account's CloudWatch; without a CloudWatch nobody looks.
    fn put_metric(&self, _account: &str, _flow: &str, _metric: &str, _value: f64) {}
    /// Makes a partner's event source known in the account. It is pending until the account
    /// associates a bus with it.
    fn offer_event_source<'a>(&'a self, account: &'a str, source: &'a str) -> BoxFuture<'a, ()>;
    /// Whether a bus is associated with a partner's event source.
    fn event_source_is_active<'a>(
        &'a self,
        account: &'a str,
        source: &'a str,
    ) -> BoxFuture<'a, bool>;
    /// Puts a partner's event (whole envelope) on the bus that is associated with its source; lost
    /// while none is.
    fn put_partner_event<'a>(
        &'a self,
        account: &'a str,
        source: &'a str,
        event: Value,
    ) -> BoxFuture<'a, ()>;
    /// Calls an operation of the catalogue under a role that the service assumes; `Err` carries the
    /// error's code. Without a catalogue nobody may.
    fn catalogue<'a>(
        &'a self,
        _role_arn: &'a str,
        _operation: &'a str,
        _body: &'a Value,
    ) -> BoxFuture<'a, Result<Value, String>> {
        Box::pin(async { Err("AccessDeniedException".to_owned()) })
    }
    /// Appends rows to a warehouse table as the Data API role would; every value is text or null.
    fn insert_rows<'a>(
        &'a self,
        account: &'a str,
        database: &'a str,
        table: &'a str,
        columns: &'a [String],
        rows: &'a [Vec<Option<String>>],
    ) -> BoxFuture<'a, Result<u64, String>>;
}
