//! Kinds of access that AppFlow needs to a bucket, and the statement that gives them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// The service as which AppFlow reaches resources.
pub const APPFLOW: &str = "appflow.amazonaws.com";

/// What AppFlow does with a bucket.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum Access {
    /// Reads from it: sources and staging.
    Read,
    /// Writes to it: destinations, staging, records that failed, answers.
    Write,
}

impl Access {
    /// Both, in the order in which they are shown.
    pub const ALL: [Self; 2] = [Self::Read, Self::Write];

    /// The actions, sorted. On the bucket itself or on what is in it: see [`actions_on`].
    pub const fn actions(self) -> &'static [&'static str] {
        match self {
            Self::Read => &["s3:GetObject", "s3:ListBucket"],
            Self::Write => &[
                "s3:AbortMultipartUpload",
                "s3:GetBucketAcl",
                "s3:ListBucketMultipartUploads",
                "s3:ListMultipartUploadParts",
                "s3:PutObject",
                "s3:PutObjectAcl",
            ],
        }
    }

    /// What a key of the bucket's own must allow besides, sorted.
    pub const fn key_actions(self) -> &'static [&'static str] {
        match self {
            Self::Read => &["kms:Decrypt"],
            Self::Write => &["kms:Encrypt", "kms:GenerateDataKey"],
        }
    }
}

/// Whether an action of S3 is one on the bucket itself, and not on what is in it.
pub fn actions_on(bucket: bool, actions: &[&'static str]) -> Vec<&'static str> {
    const OF_BUCKETS: [&str; 3] = [
        "s3:GetBucketAcl",
        "s3:ListBucket",
        "s3:ListBucketMultipartUploads",
    ];
    let of = |action: &&&str| OF_BUCKETS.contains(action) == bucket;
    actions.iter().filter(of).copied().collect()
}

/// What AppFlow needs of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketNeed {
    /// The bucket.
    pub bucket: String,
    /// What is done with it.
    pub accesses: BTreeSet<Access>,
    /// For flows of this account only.
    pub aws_account_id: String,
    /// For what AppFlow does under these ARNs only; sorted.
    pub source_arns: Vec<String>,
}

impl BucketNeed {
    /// The actions, united and sorted.
    pub fn actions(&self) -> Vec<&'static str> {
        let all: BTreeSet<&str> = self
            .accesses
            .iter()
            .flat_map(|access| access.actions())
            .copied()
            .collect();
        all.into_iter().collect()
    }

    /// What a key of the bucket's own must allow, united and sorted.
    pub fn key_actions(&self) -> Vec<&'static str> {
        let all: BTreeSet<&str> = self
            .accesses
            .iter()
            .flat_map(|access| access.key_actions())
            .copied()
            .collect();
        all.into_iter().collect()
    }

    /// The bucket and everything in it.
    pub fn resources(&self) -> Vec<String> {
        vec![
            format!("arn:aws:s3:::{}", self.bucket),
            format!("arn:aws:s3:::{}/*", self.bucket),
        ]
    }

    /// The statement, under a name.
    pub fn statement(&self, sid: &str) -> Value {
        let resources = self.resources();
        statement(
            sid,
            &self.actions(),
            &json!(resources),
            &self.aws_account_id,
            &self.source_arns,
        )
    }
}

/// A statement that lets AppFlow do something for this account's flows.
pub(super) fn statement(
    sid: &str,
    actions: &[&str],
    resources: &Value,
    account: &str,
    source_arns: &[String],
) -> Value {
    json!({
        "Sid": sid,
        "Effect": "Allow",
        "Principal": { "Service": APPFLOW },
        "Action": actions,
        "Resource": resources,
        "Condition": {
            "StringEquals": { "aws:SourceAccount": account },
            "ArnLike": { "aws:SourceArn": source_arns },
        },
    })
}

/// A policy of these statements.
pub(super) fn policy(statements: &[Value]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}
