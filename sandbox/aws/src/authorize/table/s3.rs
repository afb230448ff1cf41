//! S3. The operation is in the method, the path and the names of the query's parameters.

use http::Method;
use percent_encoding::percent_decode_str;

use super::{Ask, Need, Unmapped};

/// What a request asks of a bucket: method, sub-resource (empty for none), action.
const BUCKET: [(Method, &str, &str); 25] = [
    (Method::GET, "", "ListBucket"),
    (Method::HEAD, "", "ListBucket"),
    (Method::PUT, "", "CreateBucket"),
    (Method::DELETE, "", "DeleteBucket"),
    (Method::GET, "encryption", "GetEncryptionConfiguration"),
    (Method::PUT, "encryption", "PutEncryptionConfiguration"),
    (Method::GET, "lifecycle", "GetLifecycleConfiguration"),
    (Method::PUT, "lifecycle", "PutLifecycleConfiguration"),
    (Method::GET, "location", "GetBucketLocation"),
    (
        Method::GET,
        "object-lock",
        "GetBucketObjectLockConfiguration",
    ),
    (
        Method::PUT,
        "object-lock",
        "PutBucketObjectLockConfiguration",
    ),
    (Method::GET, "policy", "GetBucketPolicy"),
    (Method::PUT, "policy", "PutBucketPolicy"),
    (Method::DELETE, "policy", "DeleteBucketPolicy"),
    (
        Method::GET,
        "publicAccessBlock",
        "GetBucketPublicAccessBlock",
    ),
    (
        Method::PUT,
        "publicAccessBlock",
        "PutBucketPublicAccessBlock",
    ),
    (Method::GET, "tagging", "GetBucketTagging"),
    (Method::PUT, "tagging", "PutBucketTagging"),
    (Method::GET, "uploads", "ListBucketMultipartUploads"),
    (Method::GET, "versioning", "GetBucketVersioning"),
    (Method::PUT, "versioning", "PutBucketVersioning"),
    (Method::GET, "versions", "ListBucketVersions"),
    (Method::GET, "acl", "GetBucketAcl"),
    (Method::PUT, "acl", "PutBucketAcl"),
    (Method::POST, "delete", "DeleteObject"),
];

/// What a request asks of an object.
const OBJECT: [(Method, &str, &str); 18] = [
    (Method::GET, "", "GetObject"),
    (Method::HEAD, "", "GetObject"),
    (Method::PUT, "", "PutObject"),
    (Method::DELETE, "", "DeleteObject"),
    (Method::GET, "versionId", "GetObjectVersion"),
    (Method::HEAD, "versionId", "GetObjectVersion"),
    (Method::DELETE, "versionId", "DeleteObjectVersion"),
    (Method::GET, "retention", "GetObjectRetention"),
    (Method::PUT, "retention", "PutObjectRetention"),
    (Method::GET, "legal-hold", "GetObjectLegalHold"),
    (Method::PUT, "legal-hold", "PutObjectLegalHold"),
    (Method::GET, "tagging", "GetObjectTagging"),
    (Method::PUT, "tagging", "PutObjectTagging"),
    (Method::POST, "uploads", "PutObject"),
    (Method::PUT, "uploadId", "PutObject"),
    (Method::POST, "uploadId", "PutObject"),
    (Method::DELETE, "uploadId", "AbortMultipartUpload"),
    (Method::GET, "uploadId", "ListMultipartUploadParts"),
];

/// Headers that need an action of their own.
const HEADERS: [(&str, &str); 4] = [
    ("x-amz-acl", "PutObjectAcl"),
    ("x-amz-object-lock-legal-hold", "PutObjectLegalHold"),
    ("x-amz-object-lock-mode", "PutObjectRetention"),
    ("x-amz-tagging", "PutObjectTagging"),
];

pub(super) async fn needs(ask: &Ask<'_>) -> Result<Vec<Need>, Unmapped> {
    let path = ask.call.path.trim_start_matches('/');
    if path.is_empty() {
        return match ask.call.method {
            Method::GET => Ok(vec![Need::new("s3:ListAllMyBuckets", "*")]),
            _ => Err(Unmapped::Operation),
        };
    }
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let key = percent_decode_str(key).decode_utf8_lossy();
    let creates = ask.call.method == Method::PUT && key.is_empty() && ask.call.query.is_empty();
    let owner = match ask.aws.borrowed.bucket_owner(ask.call).await {
        Some(owner) => owner,
        None if creates => ask.account().to_owned(),
        // S3 says of a bucket that is not there that it is not, to whoever asks.
        None => return Ok(Vec::new()),
    };
    let policy = if owner == ask.account() && !creates {
        ask.aws.bucket_policy(&owner, bucket).await.ok().flatten()
    } else {
        None
    };
    let needs = if key.is_empty() {
        of_bucket(ask, bucket)?
    } else {
        of_object(ask, &format!("{bucket}/{key}"))?
    };
    let needs = needs.into_iter().map(|need| {
        let mut need = need.key("aws:ResourceAccount", [owner.clone()]);
        need.resource_policy.clone_from(&policy);
        need
    });
    Ok(needs.collect())
}

fn of_bucket(ask: &Ask<'_>, bucket: &str) -> Result<Vec<Need>, Unmapped> {
    let action = action(ask, &BUCKET)?;
    if action == "DeleteObject" {
        let text = String::from_utf8_lossy(&ask.call.body);
        let keys = text.split("<Key>").skip(1);
        let keys = keys.filter_map(|rest| rest.split_once("</Key>"));
        return Ok(keys
            .map(|(key, _)| need(action, &format!("{bucket}/{key}")))
            .collect());
    }
    let mut need = need(action, bucket);
    for (key, parameter) in [("s3:prefix", "prefix"), ("s3:delimiter", "delimiter")] {
        need = need.key(key, parameter_of(ask, parameter));
    }
    Ok(vec![need])
}

fn of_object(ask: &Ask<'_>, object: &str) -> Result<Vec<Need>, Unmapped> {
    let action = action(ask, &OBJECT)?;
    let header = |name: &str| {
        let value = ask.call.headers.get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let mut first = need(action, object).key("s3:VersionId", parameter_of(ask, "versionId"));
    let mut more = Vec::new();
    if action == "PutObject" {
        for (key, name) in [
            ("s3:if-match", "if-match"),
            ("s3:if-none-match", "if-none-match"),
            ("s3:object-lock-mode", "x-amz-object-lock-mode"),
            (
                "s3:x-amz-server-side-encryption",
                "x-amz-server-side-encryption",
            ),
        ] {
            first = first.key(key, header(name));
        }
        for (name, action) in HEADERS {
            more.extend(header(name).map(|_| need(action, object)));
        }
        if let Some(source) = header("x-amz-copy-source") {
            let source = percent_decode_str(&source).decode_utf8_lossy().into_owned();
            let source = source.trim_start_matches('/');
            let source = source
                .split_once("?versionId=")
                .map_or(source, |(key, _)| key);
            more.push(need("GetObject", source));
        }
    }
    more.insert(0, first);
    Ok(more)
}

/// Parameters that do not change what is asked for.
const ASIDE: [&str; 12] = [
    "x-id",
    "list-type",
    "prefix",
    "delimiter",
    "max-keys",
    "max-buckets",
    "start-after",
    "continuation-token",
    "fetch-owner",
    "encoding-type",
    "partNumber",
    "key-marker",
];

/// The action; parameters that nobody knows could mean another operation.
fn action(ask: &Ask<'_>, table: &[(Method, &str, &'static str)]) -> Result<&'static str, Unmapped> {
    let names: Vec<String> = url::form_urlencoded::parse(ask.call.query.as_bytes())
        .map(|(name, _)| name.into_owned())
        .filter(|name| !ASIDE.contains(&name.as_str()) && !name.starts_with("X-Amz-"))
        .collect();
    let sub = match names.as_slice() {
        [] => "",
        [one] => one.as_str(),
        // A version's retention or tags.
        [one, other] if one == "versionId" => other,
        [one, other] if other == "versionId" => one,
        _ => return Err(Unmapped::Operation),
    };
    let found = table
        .iter()
        .find(|(method, name, _)| *method == ask.call.method && *name == sub);
    found
        .map(|(_, _, action)| *action)
        .ok_or(Unmapped::Operation)
}

fn parameter_of(ask: &Ask<'_>, name: &str) -> Option<String> {
    url::form_urlencoded::parse(ask.call.query.as_bytes())
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned())
}

fn need(action: &str, resource: &str) -> Need {
    Need::new(&format!("s3:{action}"), &format!("arn:aws:s3:::{resource}"))
}
