//! Buckets and their policies, as they are shown.

use serde::Serialize;
use serde_json::Value;
use tributary::error::Error;
use utoipa::ToSchema;

use super::{Current, OURS, merge, merge::Merged, policy::verdict};
use crate::{
    compile::permissions::{Access, BucketNeed},
    s3::{Bucket, BucketName},
};

/// A bucket of an account.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct BucketView {
    /// Its name.
    #[schema(example = "tributary-landing-222222222222-us-east-1")]
    name: String,
    /// The Region that it is in, where S3 says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "us-east-1")]
    region: Option<String>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    created_at: Option<String>,
    /// Whether we can show and change its policy. For other buckets that is the account's own work.
    policy_managed: bool,
}

impl BucketView {
    pub(super) fn of(bucket: Bucket) -> Self {
        let Bucket {
            name,
            created_at,
            region,
        } = bucket;
        Self {
            policy_managed: name.starts_with(OURS),
            name,
            region,
            created_at,
        }
    }
}

/// The policy of a bucket, and what AppFlow needs of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PolicyView {
    /// The bucket.
    #[schema(example = "tributary-landing-222222222222-us-east-1")]
    bucket: String,
    /// What AppFlow is to do with it.
    access: Vec<Access>,
    /// The policy as it is; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    policy: Option<Value>,
    /// The statements that let AppFlow do this for the account's flows.
    #[schema(value_type = Vec<Object>)]
    statements: Vec<Value>,
    /// The policy with what is missing; absent if it cannot be added to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    merged: Option<Value>,
    /// Whether AppFlow can do this now.
    in_place: bool,
    /// Actions that nothing allows yet.
    #[schema(example = json!(["s3:PutObject"]))]
    missing: Vec<&'static str>,
    /// Why it cannot be added to.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// The needs of a bucket, in the order of their statements.
pub(super) type Needs = Vec<(Access, BucketNeed)>;

impl PolicyView {
    pub(super) fn of(bucket: &BucketName, current: Current, needs: &Needs) -> Self {
        let found = merge::merge(current.policy.as_ref(), needs);
        let (merged, problem) = match found {
            Ok(Merged { policy, .. }) => (Some(policy), None),
            Err(refusal) => (None, Some(refusal.to_string())),
        };
        let verdicts: Vec<_> = needs
            .iter()
            .map(|(_, need)| verdict(current.policy.as_ref(), need))
            .collect();
        Self {
            bucket: bucket.as_str().to_owned(),
            access: needs.iter().map(|(access, _)| *access).collect(),
            statements: needs
                .iter()
                .map(|(access, need)| need.statement(merge::sid(*access)))
                .collect(),
            in_place: verdicts.iter().all(super::policy::Verdict::is_enough),
            missing: verdicts
                .into_iter()
                .flat_map(|verdict| verdict.missing)
                .collect(),
            merged,
            problem,
            policy: current.policy,
        }
    }
}

/// The policy after it was written, which is the one that was merged.
pub(super) fn after(text: String) -> Result<Current, Error> {
    Current::read(Some(text))
}
