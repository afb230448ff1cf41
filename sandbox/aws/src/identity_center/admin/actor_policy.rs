//! Who may exchange tokens with an application: its authentication method and its policy.

use serde_json::{Value, json};

use super::{
    super::{refusal::Refusal, state::State},
    application,
};
use crate::Aws;

/// `PutApplicationAuthenticationMethod`. A principal that does not exist is refused.
pub(super) fn put(aws: &Aws, state: &mut State, body: &Value) -> Result<Value, Refusal> {
    check_type(body)?;
    let application = application(state, body)?;
    let policy = &body["AuthenticationMethod"]["Iam"]["ActorPolicy"];
    let exists =
        |principal: &str| !principal.contains(":role/") || aws.roles.get(principal).is_some();
    if !is_valid(policy, exists) {
        return Err(Refusal::validation("Invalid actor policy provided"));
    }
    application.actor_policy = Some(policy.clone());
    Ok(json!({}))
}

/// `GetApplicationAuthenticationMethod`
pub(super) fn get(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    check_type(body)?;
    let policy = application(state, body)?
        .actor_policy
        .clone()
        .ok_or_else(|| Refusal::not_found("Authentication method"))?;
    Ok(json!({ "AuthenticationMethod": { "Iam": { "ActorPolicy": policy } } }))
}

fn check_type(body: &Value) -> Result<(), Refusal> {
    if body["AuthenticationMethodType"] == "IAM" {
        return Ok(());
    }
    Err(Refusal::validation("AuthenticationMethodType must be IAM"))
}

/// Each statement needs its effect, principal, action and resource.
fn is_valid(policy: &Value, exists: impl Fn(&str) -> bool) -> bool {
    let statements = match &policy["Statement"] {
        Value::Array(statements) => statements.as_slice(),
        statement @ Value::Object(_) => std::slice::from_ref(statement),
        _ => return false,
    };
    let is_whole = |statement: &Value| {
        let effect = &statement["Effect"];
        (effect == "Allow" || effect == "Deny")
            && !texts(&statement["Action"]).is_empty()
            && !texts(&statement["Resource"]).is_empty()
            && principals(&statement["Principal"])
                .is_some_and(|names| !names.is_empty() && names.into_iter().all(&exists))
    };
    !statements.is_empty() && statements.iter().all(is_whole)
}

fn principals(principal: &Value) -> Option<Vec<&str>> {
    match principal {
        Value::String(all) if all == "*" => Some(vec!["*"]),
        Value::Object(kinds) => Some(kinds.values().flat_map(texts).collect()),
        _ => None,
    }
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_without_one_of_its_parts_or_with_nobody_is_no_policy() {
        let whole = json!({
            "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:role/known"},
            "Action": "sso-oauth:CreateTokenWithIAM", "Resource": "*",
        });
        let exists = |name: &str| name.ends_with("/known");
        let policy = |statement: &Value| json!({"Version": "2012-10-17", "Statement": [statement]});
        assert!(is_valid(&policy(&whole), exists));
        for part in ["Effect", "Principal", "Action", "Resource"] {
            let mut broken = whole.clone();
            broken.as_object_mut().unwrap().remove(part);
            assert!(!is_valid(&policy(&broken), exists), "{part}");
        }
        let mut nobody = whole.clone();
        nobody["Principal"]["AWS"] = json!("arn:aws:iam::111111111111:role/unknown");
        assert!(!is_valid(&policy(&nobody), exists));
        assert!(!is_valid(&json!({"Statement": []}), exists));
    }
}
