//! Conditions of statements, for what AppFlow does for the account's flows.

use serde_json::Value;

use super::{glob, several};
use crate::compile::permissions::{APPFLOW, BucketNeed};

/// Whether conditions hold for everything that AppFlow needs to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Always,
    Never,
    /// It depends on what is not known here.
    Perhaps,
}

/// What is known of AppFlow's requests.
enum Known {
    /// One of these values, each of which may come.
    Values(Vec<String>),
    /// The key is not in the request.
    Absent,
    Unknown,
}

/// Whether all conditions hold.
pub(super) fn holds(conditions: &Value, need: &BucketNeed) -> Holds {
    if conditions.is_null() {
        return Holds::Always;
    }
    let Some(operators) = conditions.as_object() else {
        return Holds::Perhaps;
    };
    let mut all = Holds::Always;
    for (operator, keys) in operators {
        let Some(keys) = keys.as_object() else {
            return Holds::Perhaps;
        };
        for (key, wanted) in keys {
            match one(operator, &known(key, need), wanted) {
                Holds::Never => return Holds::Never,
                Holds::Perhaps => all = Holds::Perhaps,
                Holds::Always => {}
            }
        }
    }
    all
}

fn known(key: &str, need: &BucketNeed) -> Known {
    let one = |value: &str| Known::Values(vec![value.to_owned()]);
    match key.to_ascii_lowercase().as_str() {
        "aws:sourceaccount" | "aws:resourceaccount" | "s3:resourceaccount" => {
            one(&need.aws_account_id)
        }
        // A pattern of ours stands for ARNs that only wildcards of a policy can match.
        "aws:sourcearn" => {
            let arns = need.source_arns.iter();
            Known::Values(arns.map(|arn| arn.replace('*', "\u{1}any\u{1}")).collect())
        }
        "aws:securetransport" | "aws:principalisawsservice" => one("true"),
        "aws:principalservicename" => one(APPFLOW),
        "aws:viaawsservice" => one("false"),
        // A service is nobody's user or role, and belongs to no organisation.
        "aws:principalarn"
        | "aws:principalaccount"
        | "aws:principalorgid"
        | "aws:principalorgpaths"
        | "aws:userid"
        | "aws:username"
        | "aws:multifactorauthpresent" => Known::Absent,
        _ => Known::Unknown,
    }
}

fn one(operator: &str, known: &Known, wanted: &Value) -> Holds {
    let (operator, if_exists) = match operator.strip_suffix("IfExists") {
        Some(operator) => (operator, true),
        None => (operator, false),
    };
    if operator == "Null" {
        let absent = several(wanted).iter().any(|value| is_true(value));
        return match known {
            Known::Absent => when(absent),
            Known::Values(_) => when(!absent),
            Known::Unknown => Holds::Perhaps,
        };
    }
    let (negative, patterns, ignore_case) = match operator {
        "StringEquals" => (false, false, false),
        "StringEqualsIgnoreCase" | "Bool" => (false, false, true),
        "StringNotEquals" => (true, false, false),
        "StringNotEqualsIgnoreCase" => (true, false, true),
        "StringLike" | "ArnLike" | "ArnEquals" => (false, true, false),
        "StringNotLike" | "ArnNotLike" | "ArnNotEquals" => (true, true, false),
        _ => return Holds::Perhaps,
    };
    match known {
        Known::Unknown => Holds::Perhaps,
        // Negative operators hold for keys that are not there.
        Known::Absent => when(negative || if_exists),
        Known::Values(values) => {
            let hits = values
                .iter()
                .filter(|value| is_among(value, wanted, patterns, ignore_case))
                .count();
            match (hits, negative) {
                (0, negative) => when(negative),
                (hits, negative) if hits == values.len() => when(!negative),
                _ => Holds::Perhaps,
            }
        }
    }
}

fn is_among(value: &str, wanted: &Value, patterns: bool, ignore_case: bool) -> bool {
    several(wanted).into_iter().any(|wanted| {
        let wanted = match wanted {
            Value::Bool(truth) => truth.to_string(),
            Value::String(text) => text.clone(),
            _ => return false,
        };
        if patterns {
            glob(&wanted, value)
        } else if ignore_case {
            wanted.eq_ignore_ascii_case(value)
        } else {
            wanted == value
        }
    })
}

fn is_true(value: &Value) -> bool {
    *value == Value::Bool(true)
        || value
            .as_str()
            .is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

const fn when(holds: bool) -> Holds {
    if holds { Holds::Always } else { Holds::Never }
}
