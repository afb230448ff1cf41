//! Who may put events on a bus of another account.

use serde_json::Value;

/// The statements of a policy document (or of a document that is one statement).
pub(super) fn statements(document: &Value) -> Vec<Value> {
    match document.get("Statement") {
        Some(Value::Array(list)) => list.clone(),
        Some(one) => vec![one.clone()],
        None if document.get("Effect").is_some() => vec![document.clone()],
        None => Vec::new(),
    }
}

/// Whether a policy lets an account put events. A statement with a condition that is not
/// understood here allows nothing and, if it denies, denies.
pub(super) fn allows(policy: &[Value], account: &str) -> bool {
    let applies = |statement: &&Value| {
        names(statement.get("Action"), |action| {
            ["events:PutEvents", "events:*", "*"].contains(&action)
        }) && principal(statement.get("Principal"), account)
    };
    let effect = |statement: &Value, effect: &str| statement["Effect"] == effect;
    let denied = policy
        .iter()
        .filter(applies)
        .any(|s| effect(s, "Deny") && condition(s.get("Condition"), account) != Some(false));
    let allowed = policy
        .iter()
        .filter(applies)
        .any(|s| effect(s, "Allow") && condition(s.get("Condition"), account) == Some(true));
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

/// `StringEquals` on the caller's account is understood; `None` means "cannot tell".
fn condition(condition: Option<&Value>, account: &str) -> Option<bool> {
    let Some(condition) = condition
        .and_then(Value::as_object)
        .filter(|c| !c.is_empty())
    else {
        return Some(true);
    };
    let mut holds = true;
    for (operator, keys) in condition {
        for (key, values) in keys.as_object()? {
            let key = key.to_lowercase();
            if operator != "StringEquals"
                || !["aws:principalaccount", "aws:sourceaccount"].contains(&key.as_str())
            {
                return None;
            }
            holds &= names(Some(values), |value| value == account);
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

    #[test]
    fn only_a_statement_for_the_account_lets_it_in() {
        let policy = |principal: Value, condition: Value| {
            statements(
                &json!({ "Statement": [{ "Effect": "Allow", "Action": "events:PutEvents",
                "Principal": principal, "Condition": condition }] }),
            )
        };
        let none = || json!({});
        assert!(allows(&policy(json!("*"), none()), "222222222222"));
        assert!(allows(
            &policy(json!({ "AWS": "222222222222" }), none()),
            "222222222222"
        ));
        let root = json!({ "AWS": ["arn:aws:iam::222222222222:root"] });
        assert!(allows(&policy(root.clone(), none()), "222222222222"));
        assert!(!allows(&policy(root, none()), "333333333333"));
        let own = json!({ "StringEquals": { "aws:PrincipalAccount": ["222222222222"] } });
        assert!(allows(&policy(json!("*"), own.clone()), "222222222222"));
        assert!(!allows(&policy(json!("*"), own), "333333333333"));
        let unknown = json!({ "StringEquals": { "aws:PrincipalOrgID": "o-1" } });
        assert!(!allows(&policy(json!("*"), unknown), "222222222222"));
        assert!(!allows(&[], "222222222222"));
    }
}
