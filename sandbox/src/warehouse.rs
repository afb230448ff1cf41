//! The warehouse of the worked example, as `docs/WAREHOUSE.md` sets it up; and how it reaches S3.

use std::sync::Arc;

use bytes::Bytes;
use sandbox_aws::{Act, Aws};
use sandbox_redshift::{ObjectsAsked, ReadObjects};

/// The administrator's script: tables, roles, grants, row- and column-level security.
pub const SETUP: &str = include_str!("../../docs/warehouse/sports-gear.sql");
/// Which time zones belong to which sales region.
pub const REGIONS: &str = include_str!("../../docs/warehouse/regions.sql");

/// The database that holds it.
pub const DATABASE: &str = "analytics";
/// The workgroup that serves it.
pub const WORKGROUP: &str = "tributary";

/// How COPY reads objects: the role trusts Redshift, and its policies allow to list the bucket and to
/// get each object.
pub(crate) fn read_objects(aws: &Arc<Aws>) -> ReadObjects {
    let aws = Arc::clone(aws);
    Box::new(move |asked| Box::pin(objects(Arc::clone(&aws), asked)))
}

async fn objects(aws: Arc<Aws>, asked: ObjectsAsked) -> Result<Vec<Bytes>, String> {
    let ObjectsAsked {
        account,
        role_arn,
        bucket,
        prefix,
    } = asked;
    aws.assume_for_warehouse(&role_arn)
        .map_err(|_| format!("the cluster is not authorized to assume IAM Role {role_arn}"))?;
    let may = |action, resource: String, keys: &[(&str, &str)]| {
        let act = Act {
            action,
            resource: &resource,
            keys,
        };
        aws.authorize_role(&role_arn, &act).map_err(|_| {
            "S3ServiceException:Access Denied,Status 403,Error AccessDenied".to_owned()
        })
    };
    let failed = |code: String| format!("S3ServiceException:{code}");
    let list_keys = [("s3:prefix", prefix.as_str())];
    may(
        "s3:ListBucket",
        format!("arn:aws:s3:::{bucket}"),
        &list_keys,
    )?;
    let keys = aws.list_objects(&account, &bucket, &prefix).await;
    let mut objects = Vec::new();
    for key in keys.map_err(failed)? {
        may("s3:GetObject", format!("arn:aws:s3:::{bucket}/{key}"), &[])?;
        objects.push(
            aws.get_object(&account, &bucket, &key)
                .await
                .map_err(failed)?,
        );
    }
    Ok(objects)
}

/// ARN of the user directory behind an application of Identity Center.
pub(crate) fn identity_store(application_arn: &str) -> String {
    let mut parts = application_arn.split(':').skip(4);
    let account = parts.next().unwrap_or_default();
    let instance = parts.next().and_then(|rest| rest.split('/').nth(1));
    let store = instance.unwrap_or_default().trim_start_matches("ssoins-");
    let store: String = store.chars().take(10).collect();
    format!("arn:aws:identitystore::{account}:identitystore/d-{store}")
}
