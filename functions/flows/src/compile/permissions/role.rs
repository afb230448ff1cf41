//! Roles that a flow works with: the Glue Data Catalog's, and those of a Redshift connection.

use serde_json::{Value, json};

use super::{
    Around, RedshiftRoles,
    access::{APPFLOW, policy},
    grant::{Grant, GrantPlace, Purpose},
};
use crate::model::Catalog;

/// User guide, "Cataloging the data output", sorted.
const GLUE: &[&str] = &[
    "glue:BatchCreatePartition",
    "glue:BatchDeletePartition",
    "glue:BatchDeleteTable",
    "glue:BatchDeleteTableVersion",
    "glue:BatchGetPartition",
    "glue:BatchUpdatePartition",
    "glue:CreateDatabase",
    "glue:CreatePartition",
    "glue:CreatePartitionIndex",
    "glue:CreateTable",
    "glue:DeleteDatabase",
    "glue:DeletePartition",
    "glue:DeletePartitionIndex",
    "glue:DeleteTable",
    "glue:DeleteTableVersion",
    "glue:GetDatabase",
    "glue:GetDatabases",
    "glue:GetPartition",
    "glue:GetPartitionIndexes",
    "glue:GetPartitions",
    "glue:GetTable",
    "glue:GetTableVersion",
    "glue:GetTableVersions",
    "glue:GetTables",
    "glue:TagResource",
    "glue:UntagResource",
    "glue:UpdateDatabase",
    "glue:UpdatePartition",
    "glue:UpdateTable",
];
const REDSHIFT: &str = "redshift.amazonaws.com";
/// What the Data API takes besides the rights of the database user.
const DATA_API: &[&str] = &[
    "redshift-data:DescribeStatement",
    "redshift-data:ExecuteStatement",
    "redshift-data:GetStatementResult",
];

/// The role with which tables are registered: within the database, for the prefix's tables only.
pub(super) fn catalog(catalog: &Catalog, around: &Around) -> Grant {
    let arn = |what: &str| {
        format!(
            "arn:aws:glue:{}:{}:{what}",
            around.region, around.aws_account_id
        )
    };
    let database = &catalog.database_name;
    let resources = json!([
        arn("catalog"),
        arn(&format!("database/{database}")),
        arn(&format!("table/{database}/{}*", catalog.table_prefix)),
    ]);
    let permissions =
        policy(&[json!({ "Effect": "Allow", "Action": GLUE, "Resource": resources })]);
    Grant {
        trust_policy: Some(trust(APPFLOW, around)),
        ..Grant::new(
            GrantPlace::Role,
            &catalog.role_arn,
            Purpose::Catalog,
            GLUE,
            permissions,
        )
    }
}

/// The roles of a Redshift connection.
pub(super) fn redshift(roles: &RedshiftRoles, around: &Around) -> Vec<Grant> {
    let mut grants = vec![load(roles, around)];
    if let Some(role) = &roles.data_api {
        grants.push(statements(role, around));
    }
    grants
}

/// Trusted by Redshift and attached to the cluster or workgroup: reads what is staged.
fn load(roles: &RedshiftRoles, around: &Around) -> Grant {
    const ACTIONS: [&str; 2] = ["s3:GetObject", "s3:ListBucket"];
    let (bucket, prefix) = around.staging.as_ref().map_or(("", None), |staging| {
        (staging.bucket.as_str(), staging.prefix.as_deref())
    });
    let below = prefix.map_or_else(
        || "*".to_owned(),
        |prefix| format!("{}/*", prefix.trim_end_matches('/')),
    );
    let permissions = policy(&[
        json!({ "Effect": "Allow", "Action": "s3:ListBucket", "Resource": format!("arn:aws:s3:::{bucket}"),
            "Condition": { "StringLike": { "s3:prefix": below } } }),
        json!({ "Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{bucket}/{below}") }),
    ]);
    Grant {
        principal: REDSHIFT,
        trust_policy: Some(trust(REDSHIFT, around)),
        note: Some("Attach the role to the cluster or to the workgroup's namespace.".to_owned()),
        ..Grant::new(
            GrantPlace::Role,
            &roles.load,
            Purpose::WarehouseLoad,
            &ACTIONS,
            permissions,
        )
    }
}

/// Trusted by AppFlow: statements over the Data API, as the role's own database user.
fn statements(role: &str, around: &Around) -> Grant {
    let arn = |service: &str, what: &str| {
        format!(
            "arn:aws:{service}:{}:{}:{what}",
            around.region, around.aws_account_id
        )
    };
    let permissions = policy(&[
        json!({ "Effect": "Allow", "Action": DATA_API, "Resource": "*" }),
        json!({ "Effect": "Allow", "Action": "redshift:GetClusterCredentials",
            "Resource": [arn("redshift", "dbname:*/*"), arn("redshift", "dbuser:*/*")] }),
        json!({ "Effect": "Allow", "Action": "redshift-serverless:GetCredentials",
            "Resource": arn("redshift-serverless", "workgroup/*") }),
        json!({ "Effect": "Deny", "Action": "redshift:CreateClusterUser", "Resource": arn("redshift", "dbuser:*/*") }),
        json!({ "Effect": "Allow", "Action": "iam:CreateServiceLinkedRole",
            "Resource": "arn:aws:iam::*:role/aws-service-role/redshift-data.amazonaws.com/AWSServiceRoleForRedshift",
            "Condition": { "StringLike": { "iam:AWSServiceName": "redshift-data.amazonaws.com" } } }),
    ]);
    let note = "The database user is IAMR:<name of the role>; grant it the right to insert into the table.";
    Grant {
        trust_policy: Some(trust(APPFLOW, around)),
        note: Some(note.to_owned()),
        ..Grant::new(
            GrantPlace::Role,
            role,
            Purpose::WarehouseStatements,
            DATA_API,
            permissions,
        )
    }
}

/// Only the service, and AppFlow only for this account. Redshift names no account when it loads.
fn trust(service: &str, around: &Around) -> Value {
    let mut statement = json!({
        "Effect": "Allow",
        "Principal": { "Service": service },
        "Action": "sts:AssumeRole",
    });
    if service == APPFLOW {
        statement["Condition"] =
            json!({ "StringEquals": { "aws:SourceAccount": around.aws_account_id } });
    }
    policy(&[statement])
}
