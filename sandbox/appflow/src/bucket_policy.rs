//! Whether a bucket's policy lets AppFlow in. AppFlow reaches buckets as a service principal, never
//! as the caller, so the policy must be there before the flow.

use serde_json::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// Whether an action is asked of the bucket itself or of its objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum On {
    Bucket,
    Objects,
}

impl Access {
    pub(crate) fn verb(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write to",
        }
    }

    /// What the service does to a bucket of a source, or of a destination (section 11.1 of the
    /// reference).
    fn actions(self) -> &'static [(&'static str, On)] {
        match self {
            Self::Read => &[("s3:ListBucket", On::Bucket), ("s3:GetObject", On::Objects)],
            Self::Write => &[
                ("s3:PutObject", On::Objects),
                ("s3:AbortMultipartUpload", On::Objects),
                ("s3:ListMultipartUploadParts", On::Objects),
                ("s3:ListBucketMultipartUploads", On::Bucket),
                ("s3:GetBucketAcl", On::Bucket),
                ("s3:PutObjectAcl", On::Objects),
            ],
        }
    }
}

/// The actions that no Allow statement admits `appflow.amazonaws.com` to for this flow, or that a
/// Deny hits. Only the two confused-deputy conditions are known; a statement with another one does
/// not count.
pub(crate) fn missing(
    policy: &Value,
    bucket: &str,
    access: Access,
    account: &str,
    flow_arn: &str,
) -> Vec<&'static str> {
    let admitted = |action: &str, on: On| {
        let resource = match on {
            On::Bucket => format!("arn:aws:s3:::{bucket}"),
            On::Objects => format!("arn:aws:s3:::{bucket}/key"),
        };
        let hits = |effect: &str| {
            list(&policy["Statement"]).into_iter().any(|statement| {
                statement["Effect"] == effect
                    && is_appflow(&statement["Principal"])
                    && any(&statement["Action"], action, true)
                    && any(&statement["Resource"], &resource, false)
                    && conditions_hold(&statement["Condition"], account, flow_arn)
            })
        };
        hits("Allow") && !hits("Deny")
    };
    let actions = access.actions().iter();
    actions
        .filter(|(action, on)| !admitted(action, *on))
        .map(|(action, _)| *action)
        .collect()
}

fn is_appflow(principal: &Value) -> bool {
    principal == "*" || any(&principal["Service"], "appflow.amazonaws.com", false)
}

fn conditions_hold(conditions: &Value, account: &str, flow_arn: &str) -> bool {
    let Some(operators) = conditions.as_object() else {
        return conditions.is_null();
    };
    operators.iter().all(|(operator, keys)| {
        keys.as_object().is_some_and(|keys| {
            keys.iter().all(|(key, wanted)| {
                let actual = match key.to_ascii_lowercase().as_str() {
                    "aws:sourceaccount" => account,
                    "aws:sourcearn" => flow_arn,
                    _ => return false,
                };
                match operator.as_str() {
                    "StringEquals" => list(wanted).iter().any(|w| *w == actual),
                    "StringLike" | "ArnLike" | "ArnEquals" => any(wanted, actual, false),
                    _ => false,
                }
            })
        })
    })
}

/// One value or a list of values.
fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().collect(),
        one => vec![one],
    }
}

fn any(patterns: &Value, text: &str, ignore_case: bool) -> bool {
    list(patterns)
        .into_iter()
        .filter_map(Value::as_str)
        .any(|pattern| {
            if ignore_case {
                glob(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase())
            } else {
                glob(pattern, text)
            }
        })
}

/// `*` and `?` as policies use them.
fn glob(pattern: &str, text: &str) -> bool {
    let mut pattern = pattern.chars();
    match pattern.next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = pattern.as_str();
            glob(rest, text)
                || text
                    .char_indices()
                    .any(|(at, c)| glob(rest, &text[at + c.len_utf8()..]))
        }
        Some('?') => {
            let mut text = text.chars();
            text.next().is_some() && glob(pattern.as_str(), text.as_str())
        }
        Some(c) => text
            .strip_prefix(c)
            .is_some_and(|rest| glob(pattern.as_str(), rest)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const BUCKET: &str = "appflow-landing-123456789012";
    const FLOW: &str = "arn:aws:appflow:us-east-1:123456789012:flow/f";

    fn admits(policy: &Value, bucket: &str, access: Access, account: &str, flow: &str) -> bool {
        missing(policy, bucket, access, account, flow).is_empty()
    }

    fn reference() -> Value {
        let text = include_str!("../tests-data/policy-s3-bucket-destination.json");
        serde_json::from_str(text).expect("JSON")
    }

    fn changed(pointer: &str, to: Value) -> Value {
        let mut policy = reference();
        *policy.pointer_mut(pointer).expect("member") = to;
        policy
    }

    #[test]
    fn the_references_policies_admit_what_they_are_for_and_nothing_else() {
        let account = "123456789012";
        let policy = reference();
        assert!(admits(&policy, BUCKET, Access::Write, account, FLOW));
        assert!(!admits(&policy, BUCKET, Access::Read, account, FLOW));
        assert!(!admits(&policy, "another", Access::Write, account, FLOW));
        assert!(!admits(
            &policy,
            BUCKET,
            Access::Write,
            "999999999999",
            FLOW
        ));
        assert!(!admits(&json!({}), BUCKET, Access::Write, account, FLOW));
        let source = include_str!("../tests-data/policy-s3-bucket-source.json");
        let source = serde_json::from_str(source).expect("JSON");
        let bucket = "appflow-outbound-123456789012";
        assert!(admits(&source, bucket, Access::Read, account, FLOW));
        assert!(!admits(&source, bucket, Access::Write, account, FLOW));
    }

    #[test]
    fn each_part_of_the_statement_matters() {
        for (pointer, to) in [
            ("/Statement/0/Effect", json!("Deny")),
            (
                "/Statement/0/Principal",
                json!({ "Service": "glue.amazonaws.com" }),
            ),
            ("/Statement/0/Action", json!("s3:GetBucketAcl")),
            (
                "/Statement/0/Resource",
                json!([format!("arn:aws:s3:::{BUCKET}")]),
            ),
            (
                "/Statement/0/Condition/ArnLike",
                json!({ "aws:SourceArn": "arn:aws:appflow:us-east-1:123456789012:flow/other" }),
            ),
            (
                "/Statement/0/Condition",
                json!({ "Bool": { "aws:SecureTransport": "true" } }),
            ),
        ] {
            let policy = changed(pointer, to);
            assert!(
                !admits(&policy, BUCKET, Access::Write, "123456789012", FLOW),
                "{pointer}"
            );
        }
    }

    #[test]
    fn every_action_counts_and_so_does_what_it_is_asked_of() {
        let policy = reference();
        let actions = policy["Statement"][0]["Action"].as_array().expect("list");
        for left_out in actions {
            let others: Vec<&Value> = actions.iter().filter(|a| *a != left_out).collect();
            let policy = changed("/Statement/0/Action", json!(others));
            let left = missing(&policy, BUCKET, Access::Write, "123456789012", FLOW);
            assert_eq!(json!(left), json!([left_out]));
        }
        let objects = json!([format!("arn:aws:s3:::{BUCKET}/*")]);
        let policy = changed("/Statement/0/Resource", objects);
        assert_eq!(
            missing(&policy, BUCKET, Access::Write, "123456789012", FLOW),
            ["s3:ListBucketMultipartUploads", "s3:GetBucketAcl"]
        );
        assert_eq!(
            missing(&policy, BUCKET, Access::Read, "123456789012", FLOW),
            ["s3:ListBucket", "s3:GetObject"]
        );
    }

    #[test]
    fn wildcards_and_single_values_are_read() {
        let policy = json!({ "Statement": { "Effect": "Allow", "Principal": { "Service": ["appflow.amazonaws.com"] },
            "Action": "s3:*", "Resource": format!("arn:aws:s3:::{BUCKET}*") } });
        assert!(admits(&policy, BUCKET, Access::Write, "1", FLOW));
    }
}
