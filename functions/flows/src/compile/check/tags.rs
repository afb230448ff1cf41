//! Key and tags (flow-model section 12).

use std::collections::BTreeMap;

use super::{Faults, text};

/// Tags of a flow in AppFlow, less the two that are ours.
const MOST: usize = 50 - 2;

pub(super) fn check(faults: &mut Faults, tags: &BTreeMap<String, String>) {
    if tags.len() > MOST {
        faults.add(
            "/tags",
            "too_many",
            format!("{MOST} at most; AppFlow takes 50, and two are Tributary's."),
        );
    }
    for (key, value) in tags {
        let pointer = format!("/tags/{}", text::escaped(key));
        let reserved = ["aws:", "tributary:"].iter().any(|beginning| {
            key.get(..beginning.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(beginning))
        });
        if reserved {
            faults.add(
                &pointer,
                "reserved_tag",
                "Keys that begin with aws: or tributary: are not yours to set.",
            );
        }
        let plain = |c: char| c.is_ascii_alphabetic() || between(c) || c == '_';
        if key.is_empty() || key.len() > 128 || !key.chars().all(plain) {
            faults.add(
                &pointer,
                "invalid_tag_key",
                "1 to 128 letters, digits and _ + , - . / : ; < = without blanks.",
            );
        }
        let plain = |c: char| {
            c.is_ascii_alphabetic() || between(c) || c.is_ascii_whitespace() || "_@".contains(c)
        };
        if text::length(value) > 256 || !value.chars().all(plain) {
            faults.add(
                pointer,
                "invalid_tag_value",
                "Up to 256 letters, digits, blanks and _ @ + , - . / : ; < =.",
            );
        }
    }
}

/// AppFlow's patterns say `+-=` and so mean all that stands between: digits and `, - . / : ; <`.
const fn between(c: char) -> bool {
    matches!(c, '+'..='=')
}

/// ARN of the key that encrypts a flow's data.
pub(super) fn key(faults: &mut Faults, arn: &str) {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let sound = match parts[..] {
        ["arn", "aws", "kms", region, account, resource] => {
            let name = resource
                .strip_prefix("key/")
                .or_else(|| resource.strip_prefix("alias/"));
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-/".contains(&b);
            !region.is_empty()
                && region
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                && account.len() == 12
                && account.bytes().all(|b| b.is_ascii_digit())
                && name.is_some_and(|name| !name.is_empty() && name.bytes().all(plain))
        }
        _ => false,
    };
    if !sound || arn.len() > 2048 {
        faults.add(
            "/kmsKeyArn",
            "invalid_key_arn",
            "An ARN of the form arn:aws:kms:<region>:<12 digits>:key/<id> or …:alias/<name>.",
        );
    }
}
