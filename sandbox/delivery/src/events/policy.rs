//! Who may put events on a bus of another account.

use serde_json::Value;

use crate::pattern::wildcard;

/// The statements of a policy document (or of a document that is one statement).
pub(super) fn statements(document: Value) -> Vec<Value> {
    match document {
        Value::Array(statements) => statements,
        Value::Object(mut fields) => match fields.remove("Statement") {
            Some(inner) => statements(inner),
            None => vec![Value::Object(fields)],
        },
        _ => Vec::new(),
    }
}

/// Whether a policy lets an account put events. A statement with a condition that is not
/// understood here allows nothing and, if it denies, denies.
pub(super) fn allows(policy: &[Value], account: &str, event: &Value) -> bool {
    let applies = |statement: &&Value| {
        names(statement.get("Action"), |action| {
            ["events:PutEvents", "events:*", "*"].contains(&action)
        }) && principal(statement.get("Principal"), account)
    };
    let effect = |statement: &Value, effect: &str| statement["Effect"] == effect;
    let denied = policy
        .iter()
        .filter(applies)
        .any(|s| effect(s, "Deny") && condition(s.get("Condition"), account, event) != Some(false));
    let allowed = policy
        .iter()
        .filter(applies)
        .any(|s| effect(s, "Allow") && condition(s.get("Condition"), account, event) == Some(true));
    allowed && !denied
}

fn principal(principal: Option<&Value>, account: &str) -> bool {
    let root = format!("arn:aws:iam::{account}:root");
    let is_meant = |name: &str| name == "*" || name == account || name == root;
    match principal {
        Some(Value::Object(kinds)) => names(kinds.get("AWS"), is_meant),
        other => names(other, |name| name == "*"),
    }
}

/// Whether a condition holds for this caller and event; `None` means "cannot tell". Understood are
/// `StringEquals` and `StringLike` on the caller's account and on the event's source and kind.
fn condition(condition: Option<&Value>, account: &str, event: &Value) -> Option<bool> {
    let Some(condition) = condition
        .and_then(Value::as_object)
        .filter(|c| !c.is_empty())
    else {
        return Some(true);
    };
    let mut holds = true;
    for (operator, keys) in condition {
        for (key, wanted) in keys.as_object()? {
            let actual = match key.to_lowercase().as_str() {
                "aws:principalaccount" | "aws:sourceaccount" => account,
                "events:source" => event["source"].as_str().unwrap_or_default(),
                "events:detail-type" => event["detail-type"].as_str().unwrap_or_default(),
                _ => return None,
            };
            holds &= match operator.as_str() {
                "StringEquals" => names(Some(wanted), |value| value == actual),
                "StringLike" => names(Some(wanted), |value| wildcard(value, actual)),
                _ => return None,
            };
        }
    }
    Some(holds)
}

fn names(value: Option<&Value>, test: impl Fn(&str) -> bool) -> bool {
    match value {
        Some(Value::String(name)) => test(name),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).any(test),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn admits(policy: &[Value], account: &str) -> bool {
        allows(policy, account, &json!({ "source": "aws.appflow" }))
    }

    #[test]
    fn only_a_statement_for_the_account_lets_it_in() {
        let policy = |principal: Value, condition: Value| {
            statements(
                json!({ "Statement": [{ "Effect": "Allow", "Action": "events:PutEvents",
                "Principal": principal, "Condition": condition }] }),
            )
        };
        let none = || json!({});
        assert!(admits(&policy(json!("*"), none()), "222222222222"));
        assert!(admits(
            &policy(json!({ "AWS": "222222222222" }), none()),
            "222222222222"
        ));
        let root = json!({ "AWS": ["arn:aws:iam::222222222222:root"] });
        assert!(admits(&policy(root.clone(), none()), "222222222222"));
        assert!(!admits(&policy(root, none()), "333333333333"));
        let own = json!({ "StringEquals": { "aws:PrincipalAccount": ["222222222222"] } });
        assert!(admits(&policy(json!("*"), own.clone()), "222222222222"));
        assert!(!admits(&policy(json!("*"), own), "333333333333"));
        let source = |source| json!({ "StringEquals": { "events:source": source } });
        assert!(admits(
            &policy(json!("*"), source("aws.appflow")),
            "222222222222"
        ));
        assert!(!admits(
            &policy(json!("*"), source("aws.s3")),
            "222222222222"
        ));
        let unknown = json!({ "StringEquals": { "aws:PrincipalOrgID": "o-1" } });
        assert!(!admits(&policy(json!("*"), unknown), "222222222222"));
        assert!(!admits(&[], "222222222222"));
    }
}
