//! STS: a role session that carries the user.

use std::{fmt, time::SystemTime};

use aws_config::{SdkConfig, retry::RetryConfig};
use aws_sdk_sts::{Client, config::Credentials, types::ProvidedContext};
use jiff::Timestamp;
use tributary::{
    aws::Refusal, error::Error, secret::Secret, store::key::sha256_hex, tenancy::RoleArn,
};

use super::{Meaning, Session, User, meaning_of_assume};

/// Identity Center as the provider of the context.
const PROVIDER: &str = "arn:aws:iam::aws:contextProvider/IdentityCenter";
/// How long credentials live: the shortest that STS gives. A disabled user stops within it (Q7).
const SECONDS: i32 = 900;
/// Longest subject that stands in a session's name as it is.
const LONGEST_NAME: usize = 60;

/// The role that users' queries run under.
#[derive(Clone)]
pub(super) struct WarehouseRole {
    client: Client,
    arn: RoleArn,
}

impl fmt::Debug for WarehouseRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WarehouseRole").field(&self.arn).finish()
    }
}

impl WarehouseRole {
    pub(super) fn new(aws: &SdkConfig, arn: RoleArn) -> Self {
        // Nobody says whether a context works twice, so it is used once.
        let config = aws_sdk_sts::config::Builder::from(aws)
            .retry_config(RetryConfig::disabled())
            .build();
        Self {
            client: Client::from_conf(config),
            arn,
        }
    }

    pub(super) fn arn(&self) -> &str {
        self.arn.as_str()
    }

    /// Assumes the role as the user that the context names.
    pub(super) async fn assume(
        &self,
        user: &User,
        identity_context: Secret,
    ) -> Result<Session, Error> {
        let context = ProvidedContext::builder()
            .provider_arn(PROVIDER)
            .context_assertion(identity_context.expose())
            .build();
        let answer = self
            .client
            .assume_role()
            .role_arn(self.arn.as_str())
            .role_session_name(session_name(&user.subject))
            .duration_seconds(SECONDS)
            .provided_contexts(context)
            .send()
            .await
            .map_err(|error| meaning_of_assume(&Refusal::of(&error)))?;
        let given = answer.credentials.ok_or_else(|| Meaning::Role {
            log: "AssumeRole answered without credentials".to_owned(),
        })?;
        let valid_until = Timestamp::from_second(given.expiration.secs()).map_err(|error| {
            Error::internal("identity_config", "AssumeRole answered an impossible end")
                .with_source(error)
        })?;
        let credentials = Credentials::new(
            given.access_key_id,
            given.secret_access_key,
            Some(given.session_token),
            Some(SystemTime::from(valid_until)),
            "tributary-user-session",
        );
        Ok(Session {
            credentials,
            valid_until,
        })
    }
}

/// The name under which the trail shows the user: the subject where STS takes it, else its hash.
/// What looks like an e-mail address is hashed too.
fn session_name(subject: &str) -> String {
    let is_plain = subject.len() <= LONGEST_NAME
        && subject
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_=,.-".contains(&byte));
    if is_plain {
        return format!("tip-{subject}");
    }
    format!("tip-{}", &sha256_hex(subject)[..32])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_names_fit_sts_and_name_no_person() {
        assert_eq!(
            session_name("a4f8c4d8-10e1-7001-9c1f-2f6d0b7a11aa"),
            "tip-a4f8c4d8-10e1-7001-9c1f-2f6d0b7a11aa"
        );
        for subject in ["frank@sports.example", "okta|frank ä", &"x".repeat(200)] {
            let name = session_name(subject);
            assert_eq!(name.len(), 36, "{name}");
            assert!(!name.contains('@') && !name.contains("frank"), "{name}");
        }
        assert_ne!(session_name("a b"), session_name("a c"));
    }
}
