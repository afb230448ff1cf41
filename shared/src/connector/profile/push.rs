//! Create or update, and what AppFlow's refusals mean.

use aws_sdk_appflow::{Client, types::ConnectionMode};
use aws_smithy_types::error::operation::BuildError;

use super::{Profile, client_token};
use crate::{
    aws::Refusal,
    connection::Connection,
    error::{Error, Kind},
};

/// What became of a push, by what to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushFailure {
    /// A flow or another update holds the profile: send it again.
    Busy,
    /// AppFlow tried the token and the application refused it.
    TokenRefused,
    /// The application did not answer AppFlow: send it again.
    ApplicationUnavailable,
    /// The account has no room for another profile.
    QuotaExhausted,
    /// Our role may not do it.
    AccessDenied,
    /// AppFlow asks us to slow down.
    Throttled,
    /// It may have worked: send it again as it was.
    Unknown,
    /// AppFlow does not take the request: our bug.
    Invalid,
}

/// A push that did not work.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "AppFlow did not take the connector profile: {failure:?}, code {}, request {}",
    refusal.code.as_deref().unwrap_or("none"),
    refusal.request_id.as_deref().unwrap_or("none")
)]
pub struct PushError {
    /// What it means.
    pub failure: PushFailure,
    /// What AppFlow said.
    pub refusal: Refusal,
}

impl PushError {
    /// A profile that cannot be made from what we have; the words hold no value.
    pub(super) fn wrong(message: String) -> Self {
        Self {
            failure: PushFailure::Invalid,
            refusal: Refusal {
                code: None,
                message: Some(message),
                status: Some(400),
                request_id: None,
            },
        }
    }

    fn of(refusal: Refusal) -> Self {
        Self {
            failure: classify(&refusal),
            refusal,
        }
    }

    /// Whether the same push can succeed later.
    pub fn retryable(&self) -> bool {
        self.failure != PushFailure::Invalid
    }

    /// The stable reason code.
    pub const fn reason(&self) -> &'static str {
        match self.failure {
            PushFailure::Busy => "profile_busy",
            PushFailure::TokenRefused => "token_refused",
            PushFailure::ApplicationUnavailable => "application_unavailable",
            PushFailure::QuotaExhausted => "quota_exhausted",
            PushFailure::AccessDenied => "account_not_accessible",
            PushFailure::Throttled => "aws_throttled",
            PushFailure::Unknown => "aws_unavailable",
            PushFailure::Invalid => "profile_invalid",
        }
    }
}

impl From<BuildError> for PushError {
    fn from(error: BuildError) -> Self {
        Self::wrong(error.to_string())
    }
}

impl From<PushError> for Error {
    fn from(error: PushError) -> Self {
        let code = error.reason();
        let (kind, caller) = match error.failure {
            PushFailure::Busy => (
                Kind::Conflict,
                "Something else is changing this connection. Try again.",
            ),
            PushFailure::TokenRefused => (
                Kind::Conflict,
                "The application refused the connection. Reconnect it.",
            ),
            PushFailure::ApplicationUnavailable => (
                Kind::Upstream,
                "The application did not answer AppFlow. Try again.",
            ),
            PushFailure::QuotaExhausted => (
                Kind::QuotaExhausted,
                "The AWS account has no room for another connection.",
            ),
            PushFailure::AccessDenied => (
                Kind::Conflict,
                "The role in the AWS account may not do this. Verify the account again.",
            ),
            PushFailure::Throttled | PushFailure::Unknown => {
                return Self::unavailable(code, "a connector profile was not written")
                    .with_source(error);
            }
            PushFailure::Invalid => {
                let log = error.refusal.message.clone().unwrap_or_default();
                return Self::internal(code, log).with_source(error);
            }
        };
        Self::new(kind, code, caller).with_source(error)
    }
}

/// AppFlow does not declare throttling and access errors: the code and the status decide.
fn classify(refusal: &Refusal) -> PushFailure {
    match refusal.code.as_deref() {
        Some("ConflictException") => PushFailure::Busy,
        Some("ConnectorAuthenticationException") => PushFailure::TokenRefused,
        Some("ConnectorServerException") => PushFailure::ApplicationUnavailable,
        Some("ServiceQuotaExceededException") => PushFailure::QuotaExhausted,
        _ if refusal.is_throttle() => PushFailure::Throttled,
        _ if refusal.is_access_denied() => PushFailure::AccessDenied,
        _ if refusal.is_unknown() => PushFailure::Unknown,
        _ => PushFailure::Invalid,
    }
}

/// Creates the profile or updates it.
///
/// Which of the two comes first follows what we remember; what AppFlow says of the profile's
/// existence decides, so a profile that somebody deleted or that an earlier call made is no obstacle.
pub(super) async fn put(
    appflow: &Client,
    connection: &Connection,
    profile: &Profile,
) -> Result<(), PushError> {
    let is_new = connection.pushed_generation == 0;
    let first = if is_new {
        create(appflow, connection, profile).await
    } else {
        update(appflow, connection, profile).await
    };
    match first {
        Err(refusal) if is_new && refusal.is("ConflictException") => {
            update(appflow, connection, profile).await
        }
        Err(refusal) if !is_new && refusal.is("ResourceNotFoundException") => {
            create(appflow, connection, profile).await
        }
        other => other,
    }
    .map_err(PushError::of)
}

async fn create(
    appflow: &Client,
    connection: &Connection,
    profile: &Profile,
) -> Result<(), Refusal> {
    let call = appflow
        .create_connector_profile()
        .connector_profile_name(&connection.profile_name)
        .connector_type(profile.kind.clone())
        .set_connector_label(profile.label.clone())
        .connection_mode(ConnectionMode::Public)
        .connector_profile_config(profile.config.clone())
        .client_token(client_token(connection, "create"))
        .send();
    Box::pin(call)
        .await
        .map(|_| ())
        .map_err(|error| Refusal::of(&error))
}

async fn update(
    appflow: &Client,
    connection: &Connection,
    profile: &Profile,
) -> Result<(), Refusal> {
    let call = appflow
        .update_connector_profile()
        .connector_profile_name(&connection.profile_name)
        .connection_mode(ConnectionMode::Public)
        .connector_profile_config(profile.config.clone())
        .client_token(client_token(connection, "update"))
        .send();
    Box::pin(call)
        .await
        .map(|_| ())
        .map_err(|error| Refusal::of(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_mean_what_to_do_next() {
        use PushFailure::{
            AccessDenied, ApplicationUnavailable, Busy, Invalid, QuotaExhausted, Throttled,
            TokenRefused, Unknown,
        };
        let cases = [
            (Some("ConflictException"), Some(409), Busy),
            (
                Some("ConnectorAuthenticationException"),
                Some(401),
                TokenRefused,
            ),
            (
                Some("ConnectorServerException"),
                Some(400),
                ApplicationUnavailable,
            ),
            (
                Some("ServiceQuotaExceededException"),
                Some(402),
                QuotaExhausted,
            ),
            (Some("ThrottlingException"), Some(400), Throttled),
            (None, Some(429), Throttled),
            (Some("AccessDeniedException"), Some(403), AccessDenied),
            (Some("InternalServerException"), Some(500), Unknown),
            (None, None, Unknown),
            (Some("ValidationException"), Some(400), Invalid),
        ];
        for (code, status, failure) in cases {
            let error = PushError::of(Refusal {
                code: code.map(str::to_owned),
                message: None,
                status,
                request_id: None,
            });
            assert_eq!(error.failure, failure, "{code:?} {status:?}");
            assert_eq!(error.retryable(), failure != Invalid);
        }
    }
}
