//! Security Token Service: `AssumeRole` with real trust policies, and `GetCallerIdentity`.

mod assume_role;
mod caller_identity;
mod form;
mod parameters;
mod trust;

use http::StatusCode;
use sandbox_core::{AwsCall, AwsReply};

use crate::{Aws, refusal::Protocol};

pub use trust::RoleRefused;
pub(crate) use trust::assume_as_service;

/// Answers one STS request.
pub(crate) fn handle(aws: &Aws, call: &AwsCall) -> AwsReply {
    let answered = form::Form::parse(call).and_then(|mut form| {
        let action = form.take("Action").unwrap_or_default();
        let version = form.take("Version").unwrap_or_default();
        if version != "2011-06-15" {
            return Err(Refused::new(
                StatusCode::BAD_REQUEST,
                "InvalidAction",
                format!("Could not find operation {action} for version {version}"),
            ));
        }
        match action.as_str() {
            "AssumeRole" => assume_role::handle(aws, call, form),
            "GetCallerIdentity" => caller_identity::handle(aws, call, form),
            _ => Err(Refused::new(
                StatusCode::BAD_REQUEST,
                "InvalidAction",
                format!("Could not find operation {action} for version {version}"),
            )),
        }
    });
    answered.unwrap_or_else(|refused| {
        Protocol::Query.error(refused.status, refused.code, &refused.message)
    })
}

/// An error of STS.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Refused {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    fn validation(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ValidationError", message)
    }

    /// The one refusal for a role that is missing and for a role that does not trust the caller.
    fn access_denied(caller: &str, action: &str, role_arn: &str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "AccessDenied",
            format!(
                "User: {caller} is not authorized to perform: {action} on resource: {role_arn}"
            ),
        )
    }
}
