//! IAM Identity Center: a user's token for the user's identity context.

use std::fmt;

use aws_config::{Region, SdkConfig, retry::RetryConfig};
use aws_sdk_ssooidc::{
    Client,
    error::SdkError,
    operation::create_token_with_iam::{CreateTokenWithIAMError, CreateTokenWithIamOutput},
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use tributary::{aws::Refusal, secret::Secret};

use super::refusal::{Meaning, meaning_of_exchange};

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const REFRESH_TOKEN: &str = "refresh_token";

/// What is traded in.
pub(super) enum Grant<'a> {
    /// A user's ID token; good once.
    Assertion(&'a Secret),
    /// What an earlier exchange gave.
    Refresh(&'a Secret),
}

/// What an exchange gave.
#[derive(Debug)]
pub(super) struct Exchanged {
    /// Carries the user into a role session; used at once and never stored.
    pub(super) identity_context: Secret,
    /// For the next renewal.
    pub(super) refresh_token: Option<Secret>,
}

/// The application that exchanges tokens.
#[derive(Clone)]
pub(super) struct IdentityCenter {
    client: Client,
    region: String,
    application_arn: String,
}

impl fmt::Debug for IdentityCenter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityCenter")
            .field("region", &self.region)
            .field("application_arn", &self.application_arn)
            .finish_non_exhaustive()
    }
}

impl IdentityCenter {
    pub(super) fn new(aws: &SdkConfig, region: String, application_arn: String) -> Self {
        // The call uses its token up: a second attempt of the SDK's own would be refused.
        let config = aws_sdk_ssooidc::config::Builder::from(aws)
            .region(Region::new(region.clone()))
            .retry_config(RetryConfig::disabled())
            .build();
        Self {
            client: Client::from_conf(config),
            region,
            application_arn,
        }
    }

    /// One call. The answer's `Debug` shows the context in clear: it is taken apart here and printed
    /// nowhere.
    pub(super) async fn call(&self, grant: Grant<'_>) -> Result<Exchanged, Meaning> {
        let call = self
            .client
            .create_token_with_iam()
            .client_id(&self.application_arn);
        let call = match grant {
            Grant::Assertion(token) => call.grant_type(JWT_BEARER).assertion(token.expose()),
            Grant::Refresh(token) => call.grant_type(REFRESH_TOKEN).refresh_token(token.expose()),
        };
        let CreateTokenWithIamOutput {
            refresh_token,
            aws_additional_details,
            ..
        } = call.send().await.map_err(|error| self.meaning(&error))?;
        let context = aws_additional_details.and_then(|details| details.identity_context);
        Exchanged::of(context, refresh_token)
    }

    fn meaning(&self, error: &SdkError<CreateTokenWithIAMError, HttpResponse>) -> Meaning {
        use CreateTokenWithIAMError as Refused;
        let (word, reason) = match error.as_service_error() {
            Some(Refused::AccessDeniedException(denied)) => (
                denied.error.is_some(),
                denied
                    .reason
                    .as_ref()
                    .map(|reason| reason.as_str().to_owned()),
            ),
            Some(Refused::InvalidRequestRegionException(elsewhere)) => {
                // Data from the wire: compared with the configuration, never called.
                tracing::error!(
                    configured = self.region,
                    answered = elsewhere.region.as_deref().unwrap_or_default(),
                    "Identity Center is in another Region"
                );
                (true, None)
            }
            _ => (true, None),
        };
        meaning_of_exchange(&Refusal::of(error), word, reason.as_deref())
    }
}
