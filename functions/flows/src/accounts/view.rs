//! An account, as it is shown.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tributary::{
    error::Error,
    id::AccountId,
    tenancy::{Account, AccountState, HostingMode, VerificationReport},
};
use utoipa::ToSchema;

use super::onboarding;
use crate::{OnboardingConfig, Quotas, flows::watch::Watch};

/// An AWS account in which flows run.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccountView {
    id: AccountId,
    /// The twelve digits.
    aws_account_id: String,
    /// The Region in which flows run.
    region: String,
    /// In whose account flows run.
    hosting: HostingMode,
    /// Where it stands.
    state: AccountState,
    /// The role that we assume.
    role_arn: String,
    /// What the customer's role must ask us for; absent for the vendor's own account.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    /// Opens the CloudFormation console with everything filled in.
    #[serde(skip_serializing_if = "Option::is_none")]
    launch_url: Option<String>,
    /// The trust policy of the role, for those who make it by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    trust_policy: Option<Value>,
    /// The last verification.
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<VerificationReport>,
    /// How much of AppFlow's quotas the AWS account uses, all of it and not only our flows. Absent
    /// until the account was first looked at, in lists, and in the vendor's account, which is shared.
    #[serde(skip_serializing_if = "Option::is_none")]
    quota: Option<QuotaView>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl AccountView {
    pub(super) fn of(account: Account, config: &OnboardingConfig) -> Result<Self, Error> {
        let Account {
            id,
            tenant_id: _,
            aws_account_id,
            region,
            hosting,
            role_arn,
            external_id,
            state,
            report,
            created_at,
            updated_at,
            version: _,
            due_at: _,
            checks_failed: _,
            scarce: _,
        } = account;
        let is_customers = hosting == HostingMode::Customer;
        let launch_url = is_customers
            .then(|| onboarding::launch_url(config, &region, &external_id))
            .transpose()?;
        Ok(Self {
            id,
            aws_account_id,
            region,
            hosting,
            state,
            role_arn: role_arn.to_string(),
            launch_url,
            trust_policy: is_customers.then(|| onboarding::trust_policy(config, &external_id)),
            external_id: is_customers.then_some(external_id),
            report,
            quota: None,
            created_at,
            updated_at,
        })
    }

    /// The same with what the last look at the account counted. Tenants share the vendor's account: what
    /// was counted there is no one tenant's to know.
    pub(super) fn with_quota(self, watch: Option<&Watch>, quotas: Quotas) -> Self {
        let own = watch.filter(|_| self.hosting == HostingMode::Customer);
        let quota = own.and_then(|watch| {
            Some(QuotaView {
                flows: Used {
                    used: watch.flows?,
                    limit: quotas.flows,
                },
                connections: Used {
                    used: watch.connections?,
                    limit: quotas.connections,
                },
                counted_at: watch.looked_at?,
            })
        });
        Self { quota, ..self }
    }
}

/// How much of AppFlow's quotas an AWS account uses.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QuotaView {
    /// Flows.
    flows: Used,
    /// Connector profiles.
    connections: Used,
    /// When they were counted.
    #[schema(value_type = String, format = DateTime)]
    counted_at: Timestamp,
}

/// How much of one quota is used.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Used {
    #[schema(example = 95)]
    used: u32,
    #[schema(example = 1000)]
    limit: u32,
}

#[cfg(test)]
mod tests {
    use tributary::{id::TenantId, tenancy::RoleArn};

    use super::*;

    #[test]
    fn the_vendors_external_id_is_never_shown() {
        let config = onboarding::sample_config();
        let account = Account {
            id: AccountId::new(),
            tenant_id: TenantId::new(),
            aws_account_id: "111111111111".to_owned(),
            region: "us-east-1".to_owned(),
            hosting: HostingMode::Vendor,
            role_arn: RoleArn::in_account("111111111111", "vendor-flows").unwrap(),
            external_id: config.vendor_role.external_id.clone(),
            state: AccountState::Verified,
            report: None,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            version: 1,
            due_at: None,
            checks_failed: 0,
            scarce: Vec::new(),
        };
        let shown = serde_json::to_string(&AccountView::of(account, &config).unwrap()).unwrap();
        assert!(!shown.contains("vendor-external-id"), "{shown}");
        assert!(!shown.contains("launchUrl"), "{shown}");
    }
}
