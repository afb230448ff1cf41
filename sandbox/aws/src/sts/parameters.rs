//! The parameters of `AssumeRole` and their limits (STS API reference, `AssumeRole`).

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use serde_json::Value;

use super::{Refused, form::Form};

/// Session policy and policy ARNs together, in characters.
const POLICY_CHARACTERS: usize = 2048;

/// `AssumeRole`'s parameters, checked.
#[derive(Debug)]
pub(super) struct Parameters {
    pub(super) role_arn: String,
    pub(super) session_name: String,
    pub(super) external_id: Option<String>,
    pub(super) duration_seconds: Option<u32>,
    pub(super) policy: Option<String>,
    pub(super) packed_policy_percent: usize,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) transitive_tags: BTreeSet<String>,
    pub(super) source_identity: Option<String>,
    /// Pairs of provider ARN and context assertion.
    pub(super) contexts: Vec<[String; 2]>,
    /// A multi-factor device is named; there is none here, so the request cannot succeed.
    pub(super) names_mfa_device: bool,
}

impl Parameters {
    /// Takes everything out of the form and checks lengths and patterns.
    pub(super) fn parse(mut form: Form) -> Result<Self, Refused> {
        let policy = form.take("Policy");
        let policy_arns = form
            .take_structures("PolicyArns", ["arn"])?
            .into_iter()
            .map(|[arn]| arn)
            .collect::<Vec<_>>();
        let packed_policy_percent = check_policy(policy.as_deref(), &policy_arns)?;
        let tags = check_tags(form.take_structures("Tags", ["Key", "Value"])?)?;
        let transitive_tags: BTreeSet<String> =
            form.take_texts("TransitiveTagKeys").into_iter().collect();
        if transitive_tags.len() > 50 {
            return Err(too_many("transitiveTagKeys", 50));
        }
        let contexts =
            form.take_structures("ProvidedContexts", ["ProviderArn", "ContextAssertion"])?;
        if contexts.len() > 5 {
            return Err(too_many("providedContexts", 5));
        }
        for [provider, assertion] in &contexts {
            length("providerArn", provider, 20, 2048)?;
            length("contextAssertion", assertion, 4, 2048)?;
        }
        let source_identity = form.take("SourceIdentity");
        if let Some(identity) = &source_identity {
            name("sourceIdentity", identity, "", 2, 64)?;
            if identity.starts_with("aws:") {
                return Err(Refused::validation(
                    "sourceIdentity must not begin with aws:",
                ));
            }
        }
        let external_id = form.take("ExternalId");
        if let Some(id) = &external_id {
            name("externalId", id, ":/", 2, 1224)?;
        }
        let role_arn = required(&mut form, "RoleArn")?;
        length("roleArn", &role_arn, 20, 2048)?;
        let session_name = required(&mut form, "RoleSessionName")?;
        name("roleSessionName", &session_name, "", 2, 64)?;
        let duration_seconds = form
            .take("DurationSeconds")
            .map(|text| match text.parse() {
                Ok(seconds @ 900..=43_200) => Ok(seconds),
                _ => Err(Refused::validation(
                    "Value at 'durationSeconds' failed to satisfy constraint: Member must be between 900 and 43200",
                )),
            })
            .transpose()?;
        let names_mfa_device =
            form.take("SerialNumber").is_some() | form.take("TokenCode").is_some();
        form.finish()?;
        Ok(Self {
            role_arn,
            session_name,
            external_id,
            duration_seconds,
            policy,
            packed_policy_percent,
            tags,
            transitive_tags,
            source_identity,
            contexts,
            names_mfa_device,
        })
    }
}

fn required(form: &mut Form, parameter: &str) -> Result<String, Refused> {
    form.take(parameter)
        .ok_or_else(|| Refused::validation(format!("{parameter} is missing")))
}

fn length(what: &str, value: &str, least: usize, most: usize) -> Result<(), Refused> {
    if (least..=most).contains(&value.chars().count()) {
        Ok(())
    } else {
        Err(Refused::validation(format!(
            "1 validation error detected: Value at '{what}' failed to satisfy constraint: Member must have length between {least} and {most}"
        )))
    }
}

/// Checks `[\w+=,.@-]*` with some more characters.
fn name(what: &str, value: &str, more: &str, least: usize, most: usize) -> Result<(), Refused> {
    length(what, value, least, most)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c) || more.contains(c);
    if value.chars().all(fits) {
        Ok(())
    } else {
        Err(Refused::validation(format!(
            "1 validation error detected: Value at '{what}' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@{more}-]*"
        )))
    }
}

fn too_many(what: &str, most: usize) -> Refused {
    Refused::validation(format!(
        "1 validation error detected: Value at '{what}' failed to satisfy constraint: Member must have length less than or equal to {most}"
    ))
}

fn check_tags(list: Vec<[String; 2]>) -> Result<BTreeMap<String, String>, Refused> {
    if list.len() > 50 {
        return Err(too_many("tags", 50));
    }
    let mut tags: BTreeMap<String, String> = BTreeMap::new();
    for [key, value] in list {
        length("tags.key", &key, 1, 128)?;
        length("tags.value", &value, 0, 256)?;
        let fits = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c);
        if !key.chars().chain(value.chars()).all(fits) || key.starts_with("aws:") {
            return Err(Refused::validation(
                "a tag key or value has characters that are not allowed",
            ));
        }
        // Tag keys differ by more than case.
        if tags.keys().any(|known| known.eq_ignore_ascii_case(&key)) {
            return Err(Refused::new(
                StatusCode::BAD_REQUEST,
                "InvalidParameterValue",
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            ));
        }
        tags.insert(key, value);
    }
    Ok(tags)
}

/// Checks the session policy and answers how full the space for it is, in percent.
fn check_policy(policy: Option<&str>, arns: &[String]) -> Result<usize, Refused> {
    if arns.len() > 10 {
        return Err(too_many("policyArns", 10));
    }
    let mut characters = 0;
    for arn in arns {
        length("policyArns.arn", arn, 20, 2048)?;
        characters += arn.chars().count();
    }
    if let Some(policy) = policy {
        length("policy", policy, 1, POLICY_CHARACTERS)?;
        characters += policy.chars().count();
        if !is_session_policy(policy) {
            return Err(Refused::new(
                StatusCode::BAD_REQUEST,
                "MalformedPolicyDocument",
                "The policy is not in the valid JSON format.",
            ));
        }
    }
    let percent = (characters * 100).div_ceil(POLICY_CHARACTERS);
    if percent > 100 {
        return Err(Refused::new(
            StatusCode::BAD_REQUEST,
            "PackedPolicyTooLarge",
            format!(
                "Packed policy consumes {percent}% of allotted space, please use smaller policy."
            ),
        ));
    }
    Ok(percent)
}

/// A session policy is an identity policy: statements with effect, action and resource, and
/// without a principal.
fn is_session_policy(text: &str) -> bool {
    let Ok(policy) = serde_json::from_str::<Value>(text) else {
        return false;
    };
    let statements = match policy.get("Statement") {
        Some(Value::Array(list)) if !list.is_empty() => list.as_slice(),
        Some(one @ Value::Object(_)) => std::slice::from_ref(one),
        _ => return false,
    };
    statements.iter().all(|statement| {
        let has = |name: &str| statement.get(name).is_some();
        matches!(
            statement.get("Effect").and_then(Value::as_str),
            Some("Allow" | "Deny")
        ) && (has("Action") || has("NotAction"))
            && (has("Resource") || has("NotResource"))
            && !has("Principal")
            && !has("NotPrincipal")
    })
}
