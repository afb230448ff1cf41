//! Whom the role trusts: STS is asked with its external id, without one and with a wrong one (O3 to O6).

use aws_config::SdkConfig;
use aws_sdk_sts::{
    Client,
    config::{Credentials, Region, SharedCredentialsProvider, retry::RetryConfig},
    operation::RequestId as _,
    types::Tag,
};
use jiff::Timestamp;
use tributary::{
    aws::Refusal,
    error::Error,
    oauth::random_token,
    tenancy::{Account, Probe},
};

use super::probe::{self, Answer};
use crate::App;

/// The shortest session that STS gives.
const PROBE_SECONDS: i32 = 900;

/// Asks STS, once for each probe: a retry would blur what an answer proves.
pub(super) struct Prober<'a> {
    app: &'a App,
    account: &'a Account,
    client: Client,
}

impl<'a> Prober<'a> {
    pub(super) fn new(app: &'a App, account: &'a Account) -> Self {
        let config = aws_sdk_sts::config::Builder::from(&app.aws)
            .retry_config(RetryConfig::disabled())
            .build();
        Self {
            app,
            account,
            client: Client::from_conf(config),
        }
    }

    /// What STS answered, and the role's own session, without a policy of ours that would hide what
    /// the role may do.
    pub(super) async fn probe(&self) -> Result<(Vec<Probe>, Option<SdkConfig>), Error> {
        let (answer, credentials) = self.assume(Some(&self.account.external_id), true).await;
        let mut probes = vec![probe::with_id(&answer, Timestamp::now())];
        let Some(credentials) = credentials else {
            probes.extend(
                ["without_external_id", "with_wrong_external_id"]
                    .map(|name| probe::without_right_id(name, &Answer::NotAsked, Timestamp::now())),
            );
            return Ok((probes, None));
        };
        probes.push(self.whose(credentials.clone()).await);
        let wrong = random_token()?;
        for (name, external_id) in [
            ("without_external_id", None),
            ("with_wrong_external_id", Some(wrong.expose())),
        ] {
            // Untagged: a role that refuses tags only must not look as if it asked for the id.
            let (answer, _) = self.assume(external_id, false).await;
            probes.push(probe::without_right_id(name, &answer, Timestamp::now()));
        }
        let session = self
            .app
            .aws
            .to_builder()
            .region(Region::new(self.account.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        Ok((probes, Some(session)))
    }

    async fn assume(
        &self,
        external_id: Option<&str>,
        tagged: bool,
    ) -> (Answer, Option<Credentials>) {
        let tenant = self.account.tenant_id.to_string();
        let tags = Tag::builder()
            .key("tributary:tenant")
            .value(&tenant)
            .build();
        let answer = self
            .client
            .assume_role()
            .role_arn(self.account.role_arn.as_str())
            .role_session_name(&tenant)
            .duration_seconds(PROBE_SECONDS)
            .set_external_id(external_id.map(str::to_owned))
            .set_tags(tags.ok().filter(|_| tagged).map(|tag| vec![tag]))
            .send()
            .await;
        match answer {
            Err(error) => (Answer::refused(Refusal::of(&error)), None),
            Ok(assumed) => {
                let request_id = assumed.request_id().map(str::to_owned);
                let credentials = assumed.credentials.map(|given| {
                    Credentials::new(
                        given.access_key_id,
                        given.secret_access_key,
                        Some(given.session_token),
                        None,
                        "tributary-probe",
                    )
                });
                (Answer::Assumed { request_id }, credentials)
            }
        }
    }

    async fn whose(&self, credentials: Credentials) -> Probe {
        let config = aws_sdk_sts::config::Builder::from(&self.app.aws)
            .retry_config(RetryConfig::disabled())
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        let answer = Client::from_conf(config).get_caller_identity().send().await;
        let (found, request_id) = match answer {
            Ok(identity) => {
                let request_id = identity.request_id().map(str::to_owned);
                (identity.account, request_id)
            }
            Err(error) => (None, Refusal::of(&error).request_id),
        };
        let declared = &self.account.aws_account_id;
        probe::account(found.as_deref(), declared, request_id, Timestamp::now())
    }
}
