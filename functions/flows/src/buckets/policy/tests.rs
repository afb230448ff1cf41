use serde_json::{Value, json};

use super::*;
use crate::compile::permissions::Access;

pub(in crate::buckets) const BUCKET: &str = "appflow-landing-123456789012";
pub(in crate::buckets) const ACCOUNT: &str = "123456789012";

pub(in crate::buckets) fn need(access: Access) -> BucketNeed {
    BucketNeed {
        bucket: BUCKET.to_owned(),
        accesses: [access].into(),
        aws_account_id: ACCOUNT.to_owned(),
        source_arns: vec![match access {
            Access::Read => format!("arn:aws:appflow:us-east-1:{ACCOUNT}:*"),
            Access::Write => format!("arn:aws:appflow:us-east-1:{ACCOUNT}:flow/tributary-*"),
        }],
    }
}

fn reference() -> Value {
    let text = include_str!("../../../../../events/appflow/policy-s3-bucket-destination.json");
    serde_json::from_str(text).unwrap()
}

fn changed(pointer: &str, to: Value) -> Value {
    let mut policy = reference();
    *policy.pointer_mut(pointer).unwrap() = to;
    policy
}

fn is_enough(policy: &Value) -> bool {
    verdict(Some(policy), &need(Access::Write)).is_enough()
}

#[test]
fn the_references_policy_is_enough_for_what_it_is_for() {
    assert!(is_enough(&reference()));
    let read = verdict(Some(&reference()), &need(Access::Read));
    assert_eq!(read.missing, ["s3:GetObject", "s3:ListBucket"]);
    assert_eq!(verdict(None, &need(Access::Write)).missing.len(), 6);
    assert!(is_enough(
        &json!({ "Statement": need(Access::Write).statement("One") })
    ));
}

#[test]
fn each_part_of_an_allowing_statement_matters() {
    let one = |part: &str, to: Value| (format!("/Statement/0/{part}"), to);
    for (pointer, to, enough) in [
        ("Effect", json!("Deny"), false),
        ("Principal", json!("*"), true),
        ("Principal", json!({ "Service": ["glue.amazonaws.com", "appflow.amazonaws.com"] }), true),
        ("Principal", json!({ "Service": "glue.amazonaws.com" }), false),
        ("Principal", json!({ "AWS": "arn:aws:iam::123456789012:root" }), false),
        ("Action", json!("s3:*"), true),
        ("Action", json!(["S3:Put*", "s3:Abort*", "s3:List*", "s3:Get*"]), true),
        ("Action", json!("s3:PutObject"), false),
        ("Resource", json!("*"), true),
        ("Resource", json!(format!("arn:aws:s3:::{BUCKET}*")), true),
        ("Resource", json!(format!("arn:aws:s3:::{BUCKET}/*")), false),
        ("Resource", json!([format!("arn:aws:s3:::{BUCKET}"), format!("arn:aws:s3:::{BUCKET}/crm/*")]), false),
        ("Condition", json!({}), true),
        ("Condition", json!({ "Bool": { "aws:SecureTransport": true } }), true),
        ("Condition", json!({ "StringEquals": { "aws:SourceAccount": ["999999999999", ACCOUNT] } }), true),
        ("Condition", json!({ "StringEquals": { "aws:SourceAccount": "999999999999" } }), false),
        ("Condition", json!({ "ArnLike": { "aws:SourceArn": "arn:aws:appflow:us-east-1:123456789012:flow/other" } }), false),
        (
            "Condition",
            json!({ "StringEquals": { "aws:SourceArn": "arn:aws:appflow:us-east-1:123456789012:flow/tributary-*" } }),
            false,
        ),
        (
            "Condition",
            json!({ "ArnLike": { "aws:SourceArn": "arn:aws:appflow:us-east-1:123456789012:flow/tributary-?" } }),
            false,
        ),
        ("Condition", json!({ "StringEquals": { "aws:PrincipalOrgID": "o-1" } }), false),
        ("Condition", json!({ "IpAddress": { "aws:SourceIp": "10.0.0.0/8" } }), false),
        ("Condition", json!("odd"), false),
    ]
    .map(|(part, to, enough)| { let (pointer, to) = one(part, to); (pointer, to, enough) })
    {
        assert_eq!(is_enough(&changed(&pointer, to.clone())), enough, "{pointer} {to}");
    }
}

#[test]
fn actions_may_be_spread_over_statements() {
    let mut first = need(Access::Write).statement("First");
    let mut second = first.clone();
    first["Action"] = json!(["s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"]);
    second["Action"] = json!([
        "s3:ListMultipartUploadParts",
        "s3:ListBucketMultipartUploads",
        "s3:GetBucketAcl"
    ]);
    assert!(is_enough(&json!({ "Statement": [first, second] })));
    assert!(!is_enough(&json!({ "Statement": [second] })));
}

fn denies(change: &Value) -> bool {
    let mut deny = json!({ "Sid": "No", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*" });
    for (member, value) in change.as_object().unwrap() {
        if value.is_null() {
            deny.as_object_mut().unwrap().remove(member);
        } else {
            deny[member] = value.clone();
        }
    }
    let policy = json!({ "Statement": [need(Access::Write).statement("Yes"), deny] });
    let denied_by = verdict(Some(&policy), &need(Access::Write)).denied_by;
    assert!(denied_by.is_empty() || denied_by == ["No"], "{denied_by:?}");
    !denied_by.is_empty()
}

#[test]
fn a_deny_blocks_unless_it_cannot_hit_appflow() {
    for (change, blocks) in [
        (json!({}), true),
        (json!({ "Principal": { "AWS": "*" } }), true),
        (
            json!({ "Principal": { "AWS": "arn:aws:iam::123456789012:user/x" } }),
            false,
        ),
        (
            json!({ "Principal": null, "NotPrincipal": { "Service": APPFLOW } }),
            false,
        ),
        (
            json!({ "Principal": null, "NotPrincipal": { "AWS": "arn:aws:iam::123456789012:root" } }),
            true,
        ),
        (json!({ "Action": "s3:DeleteObject" }), false),
        (json!({ "Action": null, "NotAction": "s3:*" }), false),
        (json!({ "Action": null, "NotAction": "s3:GetObject" }), true),
        (json!({ "Resource": "arn:aws:s3:::other/*" }), false),
        (
            json!({ "Resource": format!("arn:aws:s3:::{BUCKET}/private/*") }),
            false,
        ),
        (
            json!({ "Resource": null, "NotResource": format!("arn:aws:s3:::{BUCKET}*") }),
            false,
        ),
        // TLS is what AppFlow uses anyway.
        (
            json!({ "Condition": { "Bool": { "aws:SecureTransport": "false" } } }),
            false,
        ),
        (
            json!({ "Condition": { "BoolIfExists": { "aws:PrincipalIsAWSService": "false" } } }),
            false,
        ),
        (
            json!({ "Condition": { "StringNotEquals": { "aws:SourceAccount": ACCOUNT } } }),
            false,
        ),
        (
            json!({ "Condition": { "StringNotEquals": { "aws:SourceAccount": "999999999999" } } }),
            true,
        ),
        (
            json!({ "Condition": { "StringNotEquals": { "aws:PrincipalOrgID": "o-1" } } }),
            true,
        ),
        (
            json!({ "Condition": { "StringNotEquals": { "aws:PrincipalOrgID": "o-1" }, "Bool": { "aws:PrincipalIsAWSService": "false" } } }),
            false,
        ),
        (
            json!({ "Condition": { "ArnNotLike": { "aws:PrincipalArn": "arn:aws:iam::1:role/x" }, "Null": { "aws:PrincipalArn": "false" } } }),
            false,
        ),
        // AppFlow reaches S3 through endpoints of its own: lists of addresses shut it out.
        (
            json!({ "Condition": { "NotIpAddress": { "aws:SourceIp": "203.0.113.0/24" } } }),
            true,
        ),
        (
            json!({ "Condition": { "StringNotEquals": { "aws:SourceVpce": "vpce-1" } } }),
            true,
        ),
    ] {
        assert_eq!(denies(&change), blocks, "{change}");
    }
}

#[test]
fn statements_without_a_name_are_told_by_their_place() {
    let deny = json!({ "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*" });
    let policy = json!({ "Statement": [need(Access::Write).statement("Yes"), deny] });
    assert_eq!(
        verdict(Some(&policy), &need(Access::Write)).denied_by,
        ["/Statement/1"]
    );
}

#[test]
fn wildcards_are_policies_and_long_ones_end() {
    for (pattern, text, expected) in [
        ("*", "", true),
        ("a*c", "abbc", true),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("a*b*c", "a-b-b-c", true),
        ("a*b", "a-b-c", false),
        ("", "a", false),
    ] {
        assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
    }
    assert!(!glob(
        &"*a".repeat(1000),
        &"a".repeat(999).replace("aaaa", "aaab")
    ));
}
