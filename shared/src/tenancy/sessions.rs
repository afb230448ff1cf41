//! Role sessions: AWS credentials in a tenant's account, assumed, cached, never shared.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use aws_config::SdkConfig;
use aws_sdk_sts::{
    Client,
    config::{Credentials, Region},
};
use jiff::Timestamp;
use serde_json::json;

use super::{
    Account, HostingMode, RoleArn,
    assumed::{AssumeError, SESSION_SECONDS, config_with, credentials, tag},
    flights::{ENTRIES, Flights},
};
use crate::{
    id::TenantId,
    telemetry::{self, Metric},
};

/// The role under which flows run in the vendor's own account.
#[derive(Debug, Clone)]
pub struct VendorRole {
    /// `VENDOR_ROLE_ARN`.
    pub arn: RoleArn,
    /// `VENDOR_EXTERNAL_ID`.
    pub external_id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct SessionKey {
    tenant: TenantId,
    role_arn: String,
    external_id: String,
    region: String,
}

/// Assumes roles of tenants' accounts and caches what it gets.
#[derive(Debug, Clone)]
pub struct RoleSessions {
    base: SdkConfig,
    client: Client,
    flights: Arc<Flights<SessionKey, Credentials>>,
}

impl RoleSessions {
    /// Sessions on top of the function's own configuration.
    pub fn new(base: SdkConfig) -> Self {
        let client = Client::new(&base);
        Self {
            base,
            client,
            flights: Arc::new(Flights::new(ENTRIES)),
        }
    }

    /// An SDK configuration that acts in the tenant's account: its role, its Region, and nothing but
    /// this tenant's AppFlow flows and profiles.
    pub async fn config(&self, account: &Account) -> Result<SdkConfig, AssumeError> {
        let credentials = self.credentials(account).await?;
        Ok(config_with(&self.base, credentials)
            .into_builder()
            .region(Region::new(account.region.clone()))
            .build())
    }

    async fn credentials(&self, account: &Account) -> Result<Credentials, AssumeError> {
        let key = SessionKey {
            tenant: account.tenant_id,
            role_arn: account.role_arn.as_str().to_owned(),
            external_id: account.external_id.clone(),
            region: account.region.clone(),
        };
        // The key has the tenant: what one tenant's role gave is never handed to another's.
        let asked = AtomicBool::new(false);
        let assume = async {
            asked.store(true, Ordering::Relaxed);
            measured(self.assume(account).await)
        };
        let session = self.flights.get(&key, assume).await;
        if !asked.load(Ordering::Relaxed) {
            telemetry::count(Metric::AssumeRoleCacheHit);
        }
        session
    }

    async fn assume(&self, account: &Account) -> Result<(Credentials, Timestamp), AssumeError> {
        let answer = self
            .client
            .assume_role()
            .role_arn(account.role_arn.as_str())
            .role_session_name(account.tenant_id.to_string())
            .external_id(&account.external_id)
            .duration_seconds(SESSION_SECONDS)
            .policy(session_policy(account))
            .set_tags(tag("tributary:tenant", &account.tenant_id.to_string()).map(|tag| vec![tag]))
            .send()
            .await;
        credentials(answer)
    }
}

/// Counts a call of STS and what came of it.
fn measured<T>(assumed: Result<T, AssumeError>) -> Result<T, AssumeError> {
    telemetry::count(Metric::AssumeRoleCalls);
    match &assumed {
        Err(AssumeError::Refused { .. }) => telemetry::count(Metric::AssumeRoleDenied),
        Err(AssumeError::Unknown(refusal)) if refusal.is_throttle() => {
            telemetry::count(Metric::AssumeRoleThrottled);
        }
        Ok(_) | Err(AssumeError::Unknown(_) | AssumeError::Empty) => {}
    }
    assumed
}

/// What a session may do at most: effective rights are the role's and these.
///
/// The prefix is the tenant's, so that in a shared account one tenant's session cannot touch
/// another's flows or use another's profiles.
fn session_policy(account: &Account) -> String {
    let prefix = format!("tributary-{}-*", account.tenant_id);
    let partition = account.role_arn.partition();
    let arn = |kind: &str| {
        format!(
            "arn:{partition}:appflow:{}:{}:{kind}/{prefix}",
            account.region, account.aws_account_id
        )
    };
    let alarms = format!(
        "arn:{partition}:cloudwatch:{}:{}:alarm:{prefix}",
        account.region, account.aws_account_id
    );
    let mut statements = vec![
        json!({ "Effect": "Allow", "Action": [
            "appflow:CreateFlow", "appflow:CreateConnectorProfile", "appflow:DescribeConnectorProfiles",
            "appflow:DescribeConnectors", "appflow:DescribeConnector", "appflow:ListConnectors", "appflow:ListFlows",
            "s3:ListAllMyBuckets", "cloudwatch:GetMetricData", "cloudwatch:DescribeAlarms"], "Resource": "*" }),
        json!({ "Effect": "Allow", "Action": "appflow:*", "Resource": [arn("flow"), arn("connectorprofile")] }),
        json!({ "Effect": "Allow", "Action": ["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"], "Resource": alarms }),
        json!({ "Effect": "Allow", "Action": ["secretsmanager:CreateSecret", "secretsmanager:PutResourcePolicy"], "Resource": "*" }),
    ];
    statements.push(json!({ "Effect": "Allow",
        "Action": bucket_actions(account.hosting),
        "Resource": format!("arn:{partition}:s3:::tributary-*"),
        "Condition": { "StringEquals": { "aws:ResourceAccount": account.aws_account_id } } }));
    // Which roles, which tables: the role's own policy says.
    statements.push(
        json!({ "Effect": "Allow", "Action": own_actions(account.hosting), "Resource": "*" }),
    );
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

/// What is done with buckets of the account itself, and with no other account's of the same name.
/// Tenants share the vendor's buckets, so there they only look.
const fn bucket_actions(hosting: HostingMode) -> &'static [&'static str] {
    match hosting {
        HostingMode::Customer => &[
            "s3:GetBucketLocation",
            "s3:GetBucketPolicy",
            "s3:PutBucketPolicy",
        ],
        HostingMode::Vendor => &["s3:GetBucketLocation", "s3:GetBucketPolicy"],
    }
}

/// What the role's own policy limits further. Tenants share the vendor's catalogue and do not see it.
const fn own_actions(hosting: HostingMode) -> &'static [&'static str] {
    match hosting {
        HostingMode::Customer => &[
            "iam:PassRole",
            "glue:GetDatabases",
            "glue:GetTable",
            "glue:GetTables",
        ],
        HostingMode::Vendor => &["iam:PassRole"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{id::AccountId, tenancy::AccountState};

    fn account(tenant_id: TenantId, hosting: HostingMode) -> Account {
        Account {
            id: AccountId::new(),
            tenant_id,
            aws_account_id: "222222222222".to_owned(),
            region: "us-east-1".to_owned(),
            hosting,
            role_arn: RoleArn::in_account("222222222222", "TributaryAccess").unwrap(),
            external_id: "x".repeat(43),
            state: AccountState::Verified,
            report: None,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            version: 1,
            due_at: None,
            checks_failed: 0,
            scarce: Vec::new(),
        }
    }

    #[test]
    fn the_session_policy_names_the_tenants_prefix_and_fits() {
        let tenant_id = TenantId::new();
        for hosting in [HostingMode::Customer, HostingMode::Vendor] {
            let policy = session_policy(&account(tenant_id, hosting));
            assert!(
                policy.contains(&format!("flow/tributary-{tenant_id}-*")),
                "{policy}"
            );
            assert!(policy.len() <= 2048, "{} characters", policy.len());
        }
    }

    #[test]
    fn policies_are_changed_on_the_accounts_own_buckets_and_never_on_the_vendors() {
        for (hosting, changes) in [(HostingMode::Customer, true), (HostingMode::Vendor, false)] {
            let policy = session_policy(&account(TenantId::new(), hosting));
            let policy: serde_json::Value = serde_json::from_str(&policy).unwrap();
            let statements = policy["Statement"].as_array().unwrap();
            let on_buckets: Vec<_> = statements
                .iter()
                .filter(|one| one["Resource"] == "arn:aws:s3:::tributary-*")
                .collect();
            assert_eq!(on_buckets.len(), 1);
            let owner = &on_buckets[0]["Condition"]["StringEquals"]["aws:ResourceAccount"];
            assert_eq!(owner, "222222222222");
            let text = policy.to_string();
            assert_eq!(text.contains("s3:PutBucketPolicy"), changes);
        }
    }
}
