//! A request as the table of permissions reads it, and what it needs.

use sandbox_core::AwsCall;
use serde_json::{Value, json};

use crate::{Aws, call::answer};

/// One action on one resource that a request needs, with its condition keys.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Need {
    /// The action, as `dynamodb:GetItem`.
    pub(crate) action: String,
    /// ARN of the resource; `*` for an action that knows none.
    pub(crate) resource: String,
    /// Condition keys of this action.
    pub(crate) keys: Vec<(String, Vec<String>)>,
    /// The resource's own policy, if it has one.
    pub(crate) resource_policy: Option<Value>,
}

impl Need {
    pub(crate) fn new(action: &str, resource: &str) -> Self {
        Self {
            action: action.to_owned(),
            resource: resource.to_owned(),
            keys: Vec::new(),
            resource_policy: None,
        }
    }

    /// Adds a condition key; without values it counts as absent.
    pub(crate) fn key(mut self, name: &str, values: impl IntoIterator<Item = String>) -> Self {
        self.keys
            .push((name.to_owned(), values.into_iter().collect()));
        self
    }

    /// Done by a service with the caller's own rights (a forward access session).
    pub(crate) fn via(self, service: &str) -> Self {
        self.key("aws:CalledVia", [service.to_owned()])
            .key("aws:CalledViaFirst", [service.to_owned()])
            .key("aws:CalledViaLast", [service.to_owned()])
    }
}

/// Why the table does not say what a request needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unmapped {
    /// The table has no entry for the operation.
    Operation,
    /// The request cannot be read.
    Malformed(String),
}

impl Unmapped {
    pub(crate) fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed(what.into())
    }
}

/// A request with its body read.
pub(crate) struct Ask<'a> {
    pub(crate) aws: &'a Aws,
    pub(crate) call: &'a AwsCall,
    /// The operation's name, or method and path where the protocol has no names.
    pub(crate) operation: &'a str,
    /// The body as JSON; a form as an object of texts; null where it is data (S3).
    pub(crate) body: Value,
}

impl<'a> Ask<'a> {
    pub(crate) fn of(
        aws: &'a Aws,
        call: &'a AwsCall,
        operation: &'a str,
    ) -> Result<Self, Unmapped> {
        let body = match call.service.as_str() {
            "s3" => Value::Null,
            "sts" | "sns" | "redshift" => form(call),
            _ => call
                .json()
                .map_err(|_| Unmapped::malformed("the body is not JSON"))?,
        };
        Ok(Self {
            aws,
            call,
            operation,
            body,
        })
    }

    pub(crate) fn account(&self) -> &str {
        &self.call.principal.account
    }

    /// ARN of something of the caller's account in the request's Region.
    pub(crate) fn arn(&self, service: &str, resource: &str) -> String {
        format!(
            "arn:aws:{service}:{}:{}:{resource}",
            self.call.region,
            self.account()
        )
    }

    /// A member that is a text; empty if it is missing.
    pub(crate) fn text(&self, member: &str) -> &str {
        self.body[member].as_str().unwrap_or_default()
    }

    /// Looks something up as the account's administrator.
    pub(crate) async fn look_up(
        &self,
        service: &str,
        operation: &str,
        ask: &Value,
    ) -> Option<Value> {
        let admin = self.aws.admin(self.account());
        answer(&self.aws.call(&admin, service, operation, ask).await).ok()
    }
}

/// A form's parameters; of one that is given twice the service decides, so it must not be read here.
fn form(call: &AwsCall) -> Value {
    let source = if call.body.is_empty() {
        call.query.as_bytes()
    } else {
        &call.body
    };
    let mut fields = json!({});
    for (name, value) in url::form_urlencoded::parse(source) {
        fields[name.as_ref()] = Value::String(value.into_owned());
    }
    fields
}
