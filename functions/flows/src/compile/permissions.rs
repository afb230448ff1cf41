//! What a flow needs to be allowed, resource by resource, as exact policy documents. No I/O.
//!
//! AppFlow reaches buckets, keys and secrets as the service `appflow.amazonaws.com`, never as
//! whoever made the flow: each resource has to let it in itself, and only for the account's own flows
//! (flow-model section 11; the confused deputy problem).

mod access;
mod grant;
mod role;

use std::collections::{BTreeMap, BTreeSet};

use tributary::id::{FlowId, TenantId};

pub use access::{APPFLOW, Access, BucketNeed, actions_on};
pub use grant::{Grant, GrantPlace, Purpose};

use super::{Staging, flow_name};
use crate::model::{Destination, FlowDefinition, Source};

/// What a flow's definition does not say itself.
#[derive(Debug, Clone)]
pub struct Around {
    /// Whose flow it is.
    pub tenant_id: TenantId,
    /// The flow; none while it is not made, when the tenant's flows are meant.
    pub flow_id: Option<FlowId>,
    /// The twelve digits of the flow's account.
    pub aws_account_id: String,
    /// The flow's Region.
    pub region: String,
    /// What a data warehouse's connection keeps for its flows.
    pub staging: Option<Staging>,
    /// Roles of a Redshift connection.
    pub redshift: Option<RedshiftRoles>,
    /// Secret of the Salesforce app, where AppFlow refreshes with it.
    pub client_secret_arn: Option<String>,
}

/// Roles of a Redshift connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedshiftRoles {
    /// With which Redshift reads what is staged.
    pub load: String,
    /// With which AppFlow uses the Data API; older connections have none.
    pub data_api: Option<String>,
}

impl Around {
    /// `SourceArn` of what the flow does: its own ARN, or the pattern of the tenant's flows.
    fn flow_arn(&self) -> String {
        let name = match self.flow_id {
            Some(flow) => flow_name(self.tenant_id, flow),
            None => format!("tributary-{}-*", self.tenant_id),
        };
        format!("{}flow/{name}", self.appflow_arn())
    }

    /// `SourceArn` of what AppFlow does for no flow: reading columns, checking credentials.
    fn any_arn(&self) -> String {
        format!("{}*", self.appflow_arn())
    }

    fn appflow_arn(&self) -> String {
        format!("arn:aws:appflow:{}:{}:", self.region, self.aws_account_id)
    }
}

/// Everything that the flow needs to be allowed: one grant per resource, buckets first, in the order
/// of their names.
pub fn permissions(flow: &FlowDefinition, around: &Around) -> Vec<Grant> {
    let mut grants = buckets(flow, around);
    if let Some(key) = &flow.kms_key_arn {
        grants.push(Grant::key(key, around.flow_arn(), &around.aws_account_id));
    }
    if let Some(secret) = &around.client_secret_arn {
        grants.push(Grant::secret(
            secret,
            around.any_arn(),
            &around.aws_account_id,
        ));
    }
    if let Destination::S3(files) = &flow.destination
        && let Some(catalog) = &files.catalog
    {
        grants.push(role::catalog(catalog, around));
    }
    if let (Destination::Redshift(_), Some(roles)) = (&flow.destination, &around.redshift) {
        grants.extend(role::redshift(roles, around));
    }
    grants
}

/// How each bucket is used.
fn buckets(flow: &FlowDefinition, around: &Around) -> Vec<Grant> {
    let mut uses: BTreeMap<&str, BTreeSet<Purpose>> = BTreeMap::new();
    let source = match &flow.source {
        Source::S3(files) => Some((files.bucket.as_str(), Purpose::Source)),
        _ => None,
    };
    let large_events = matches!(flow.destination, Destination::EventBridge(_));
    let errors = flow
        .destination
        .error_handling()
        .and_then(|errors| errors.bucket.as_deref());
    let errors = errors.map(|bucket| {
        let purpose = if large_events {
            Purpose::LargeEvents
        } else {
            Purpose::Errors
        };
        (bucket, purpose)
    });
    let destination = match &flow.destination {
        Destination::S3(files) => Some((files.bucket.as_str(), Purpose::Destination)),
        Destination::Upsolver(files) => Some((files.bucket.as_str(), Purpose::Destination)),
        _ => None,
    };
    let answers = match &flow.destination {
        Destination::SapOData(to) => to
            .success_responses
            .as_ref()
            .map(|place| (place.bucket.as_str(), Purpose::SuccessResponses)),
        _ => None,
    };
    let staging = around
        .staging
        .as_ref()
        .map(|staging| (staging.bucket.as_str(), Purpose::Staging));
    for (bucket, purpose) in [source, destination, errors, answers, staging]
        .into_iter()
        .flatten()
    {
        uses.entry(bucket).or_default().insert(purpose);
    }
    uses.into_iter()
        .filter(|(bucket, _)| !bucket.is_empty())
        .map(|(bucket, purposes)| {
            let mut arns = BTreeSet::from([around.flow_arn()]);
            if purposes.contains(&Purpose::Source) {
                // Its columns are read for no flow.
                arns.insert(around.any_arn());
            }
            let accesses = purposes
                .iter()
                .flat_map(|purpose| purpose.accesses())
                .copied()
                .collect();
            let need = BucketNeed {
                bucket: bucket.to_owned(),
                accesses,
                aws_account_id: around.aws_account_id.clone(),
                source_arns: arns.into_iter().collect(),
            };
            Grant::bucket(need, purposes)
        })
        .collect()
}

#[cfg(test)]
mod tests;
