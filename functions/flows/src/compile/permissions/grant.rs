//! One resource and what it must allow.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::access::{APPFLOW, Access, BucketNeed, policy, statement};

/// One resource and what it must allow.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// Where the policy stands.
    pub place: GrantPlace,
    /// The bucket's name, or the ARN of the key, the secret or the role.
    #[schema(example = "tributary-landing-222222222222-us-east-1")]
    pub resource: String,
    /// What the flow uses it for.
    pub purposes: BTreeSet<Purpose>,
    /// The service that is let in.
    #[schema(example = "appflow.amazonaws.com")]
    pub principal: &'static str,
    /// What it may do, sorted.
    #[schema(example = json!(["s3:GetBucketAcl", "s3:PutObject"]))]
    pub actions: Vec<String>,
    /// The policy document that does it: statements to add for buckets, keys and secrets, the
    /// permissions of a role.
    #[schema(value_type = Object)]
    pub policy: Value,
    /// The trust policy, for roles.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub trust_policy: Option<Value>,
    /// For buckets: what the key's policy must allow if the bucket is encrypted with a key of the
    /// account's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub key_policy: Option<Value>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Whether the resource's policy allows it now; absent where it was not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_place: Option<bool>,
    /// What is missing or in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What is needed, for comparisons.
    #[serde(skip)]
    pub need: Option<BucketNeed>,
}

/// Where a policy stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum GrantPlace {
    /// In the policy of a bucket.
    BucketPolicy,
    /// In the policy of a KMS key.
    KeyPolicy,
    /// In the policy of a secret.
    SecretPolicy,
    /// In the trust policy and the permissions of a role.
    Role,
}

/// What a flow uses a resource for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Purpose {
    /// Files are read from it.
    Source,
    /// Files are written to it.
    Destination,
    /// Records that could not be written end here.
    Errors,
    /// Events over 256 KB end here.
    LargeEvents,
    /// SAP's answers are kept here.
    SuccessResponses,
    /// Rows wait here until the warehouse loads them.
    Staging,
    /// The flow's data are encrypted with it on the way.
    Encryption,
    /// AppFlow refreshes a connection's tokens with it.
    ClientSecret,
    /// Tables are registered with it.
    Catalog,
    /// The warehouse reads what is staged with it.
    WarehouseLoad,
    /// AppFlow speaks to the warehouse with it.
    WarehouseStatements,
}

impl Purpose {
    /// The accesses to a bucket that this takes.
    pub(super) const fn accesses(self) -> &'static [Access] {
        match self {
            Self::Source => &[Access::Read],
            Self::Destination | Self::Errors | Self::LargeEvents | Self::SuccessResponses => {
                &[Access::Write]
            }
            Self::Staging => &[Access::Read, Access::Write],
            Self::Encryption
            | Self::ClientSecret
            | Self::Catalog
            | Self::WarehouseLoad
            | Self::WarehouseStatements => &[],
        }
    }
}

/// Name of the one statement that a flow needs in a policy.
const SID: &str = "TributaryAppFlow";

impl Grant {
    pub(super) fn new(
        place: GrantPlace,
        resource: &str,
        purpose: Purpose,
        actions: &[&str],
        policy: Value,
    ) -> Self {
        Self {
            place,
            resource: resource.to_owned(),
            purposes: BTreeSet::from([purpose]),
            principal: APPFLOW,
            actions: actions.iter().map(|action| (*action).to_owned()).collect(),
            policy,
            trust_policy: None,
            key_policy: None,
            note: None,
            in_place: None,
            problem: None,
            need: None,
        }
    }

    pub(super) fn bucket(need: BucketNeed, purposes: BTreeSet<Purpose>) -> Self {
        let document = policy(&[need.statement(SID)]);
        let key = policy(&[statement(
            SID,
            &need.key_actions(),
            &json!("*"),
            &need.aws_account_id,
            &need.source_arns,
        )]);
        Self {
            purposes,
            key_policy: Some(key),
            ..Self::new(
                GrantPlace::BucketPolicy,
                &need.bucket,
                Purpose::Destination,
                &need.actions(),
                document,
            )
        }
        .needing(need)
    }

    fn needing(mut self, need: BucketNeed) -> Self {
        self.need = Some(need);
        self
    }

    pub(super) fn key(arn: &str, source_arn: String, account: &str) -> Self {
        const ACTIONS: [&str; 3] = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"];
        let statement = statement(SID, &ACTIONS, &json!("*"), account, &[source_arn]);
        let mut grant = Self::new(
            GrantPlace::KeyPolicy,
            arn,
            Purpose::Encryption,
            &ACTIONS,
            policy(&[statement]),
        );
        let note = "AppFlow also makes a grant on the key when the flow is made: the key policy must allow \
                    kms:CreateGrant and kms:DescribeKey to the role that Tributary uses in the account, through AppFlow \
                    (kms:ViaService).";
        grant.note = Some(note.to_owned());
        grant
    }

    pub(super) fn secret(arn: &str, source_arn: String, account: &str) -> Self {
        const ACTIONS: [&str; 2] = [
            "secretsmanager:DescribeSecret",
            "secretsmanager:GetSecretValue",
        ];
        let statement = statement(SID, &ACTIONS, &json!("*"), account, &[source_arn]);
        let mut grant = Self::new(
            GrantPlace::SecretPolicy,
            arn,
            Purpose::ClientSecret,
            &ACTIONS,
            policy(&[statement]),
        );
        let note = "If the secret is encrypted with a key of the account's own, its policy must allow kms:Decrypt alike.";
        grant.note = Some(note.to_owned());
        grant
    }
}
