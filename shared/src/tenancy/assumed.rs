//! What STS answers to `AssumeRole`.

use aws_config::{SdkConfig, identity::IdentityCache};
use aws_sdk_sts::{
    config::{Credentials, ProvideCredentials, SharedCredentialsProvider},
    operation::assume_role::{AssumeRoleError, AssumeRoleOutput},
    types::Tag,
};
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use jiff::Timestamp;

use crate::{
    aws::Refusal,
    error::{Error, Kind},
};

/// Role chaining allows an hour and refuses more.
pub(super) const SESSION_SECONDS: i32 = 3600;

/// Why a role was not assumed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AssumeError {
    /// STS refused. It does not say why, on purpose.
    #[error("STS refused to assume the role (request {})", request_id.as_deref().unwrap_or("unknown"))]
    Refused {
        /// AWS's request id.
        request_id: Option<String>,
    },
    /// STS did not give an answer that proves anything.
    #[error("STS did not answer: {0:?}")]
    Unknown(Refusal),
    /// STS answered without credentials.
    #[error("STS answered without credentials")]
    Empty,
}

impl From<AssumeError> for Error {
    fn from(error: AssumeError) -> Self {
        match error {
            AssumeError::Refused { .. } => Self::new(
                Kind::Conflict,
                "account_not_accessible",
                "The role in the AWS account cannot be assumed. Verify the account again.",
            )
            .with_source(error),
            AssumeError::Unknown(_) | AssumeError::Empty => {
                Self::unavailable("sts_unavailable", "a role session could not be had")
                    .with_source(error)
            }
        }
    }
}

/// The credentials of an answer, and when they end.
pub(super) fn credentials(
    answer: Result<AssumeRoleOutput, SdkError<AssumeRoleError, HttpResponse>>,
) -> Result<(Credentials, Timestamp), AssumeError> {
    let answer = answer.map_err(|error| {
        let refusal = Refusal::of(&error);
        if refusal.is_access_denied() {
            AssumeError::Refused {
                request_id: refusal.request_id,
            }
        } else {
            AssumeError::Unknown(refusal)
        }
    })?;
    let given = answer.credentials.ok_or(AssumeError::Empty)?;
    let expires =
        Timestamp::from_second(given.expiration.secs()).unwrap_or_else(|_| Timestamp::now());
    let credentials = Credentials::new(
        given.access_key_id,
        given.secret_access_key,
        Some(given.session_token),
        Some(std::time::SystemTime::from(expires)),
        "tributary-role-session",
    );
    Ok((credentials, expires))
}

/// The function's configuration with a session's credentials, over the same HTTP client.
///
/// Sessions are cached here already, so nothing is cached behind them: the SDK's own cache would
/// keep one entry for each session, for as long as the process runs.
pub(super) fn config_with(
    base: &SdkConfig,
    credentials: impl ProvideCredentials + 'static,
) -> SdkConfig {
    base.to_builder()
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .identity_cache(IdentityCache::no_cache())
        .build()
}

/// A session tag. Its value must be one that STS takes.
pub(super) fn tag(key: &str, value: &str) -> Option<Tag> {
    Tag::builder().key(key).value(value).build().ok()
}
