//! `POST /v1/accounts/{id}/verify`: proves the role, step by step.

use aws_sdk_sts::{
    Client,
    config::{Credentials, SharedCredentialsProvider, retry::RetryConfig},
    operation::RequestId as _,
    types::Tag,
};
use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use tributary::{
    aws::Refusal,
    error::Error,
    http::{IdempotencyKey, Problem},
    id::AccountId,
    oauth::random_token,
    store::{Key, Update},
    tenancy::{Account, AccountState, Probe, VerificationReport},
};
use utoipa::ToSchema;

use super::{
    find,
    probe::{self, Answer},
};
use crate::{
    App, TenantApp,
    edge::{Admin, NoBody, id_in_path, json},
};

/// The shortest session that STS gives: probes use it for nothing.
const PROBE_SECONDS: i32 = 900;

/// What verification found, and where the account stands now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Verification {
    id: AccountId,
    state: AccountState,
    report: VerificationReport,
}

/// Proves the role: assumed with its external id, in the declared account, refused without and
/// with a wrong one.
#[utoipa::path(post, path = "/v1/accounts/{id}/verify", tag = "accounts", params(
    ("id" = AccountId, Path, description = "The account"),
    IdempotencyKey,
), responses(
    (status = 200, body = Verification),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn verify_account(
    State(app): State<App>,
    admin: Admin,
    key: IdempotencyKey,
    Path(id): Path<String>,
    body: NoBody,
) -> Result<Response, Error> {
    let app = app.within(&admin.scope);
    let account = find(&app, admin.tenant, id_in_path(&id)?).await?;
    let operation = format!("verify-account-{}", account.id);
    let work = async {
        let report = probe::report(Prober::new(&app, &account).probe().await?);
        let state = probe::state_after(account.state, &report);
        let update = Update::new()
            .set("state", state)
            .set("report", &report)
            .set("updated_at", Timestamp::now())
            .add("version", 1)
            .when_equal("version", account.version);
        let account: Account = app
            .store
            .update(&Key::account(admin.tenant, account.id), update)
            .await?;
        tracing::info!(
            tenant.id = %admin.tenant, account.id = %account.id,
            passed = report.passed, reason = report.reason.as_deref(), "account probed"
        );
        let id = account.id;
        json(StatusCode::OK, &Verification { id, state, report })
    };
    key.once(
        &app.store,
        &admin.partition(),
        &operation,
        admin.subject(),
        &body.bytes,
        work,
    )
    .await
}

/// Asks STS, once for each probe: a retry would blur what an answer proves.
struct Prober<'a> {
    app: &'a TenantApp,
    account: &'a Account,
    client: Client,
}

impl<'a> Prober<'a> {
    fn new(app: &'a TenantApp, account: &'a Account) -> Self {
        let config = aws_sdk_sts::config::Builder::from(&app.aws)
            .retry_config(RetryConfig::disabled())
            .build();
        Self {
            app,
            account,
            client: Client::from_conf(config),
        }
    }

    async fn probe(&self) -> Result<Vec<Probe>, Error> {
        let (answer, credentials) = self.assume(Some(&self.account.external_id), true).await;
        let mut probes = vec![probe::with_id(&answer, Timestamp::now())];
        let Some(credentials) = credentials else {
            probes.extend(
                ["without_external_id", "with_wrong_external_id"]
                    .map(|name| probe::without_right_id(name, &Answer::NotAsked, Timestamp::now())),
            );
            return Ok(probes);
        };
        probes.push(self.whose(credentials).await);
        let wrong = random_token()?;
        for (name, external_id) in [
            ("without_external_id", None),
            ("with_wrong_external_id", Some(wrong.expose())),
        ] {
            // Untagged: a role that refuses tags only must not look as if it asked for the id.
            let (answer, _) = self.assume(external_id, false).await;
            probes.push(probe::without_right_id(name, &answer, Timestamp::now()));
        }
        Ok(probes)
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
