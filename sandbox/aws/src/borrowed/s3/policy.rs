//! Whether a text is a bucket policy at all. Who is let in is another question.

use serde_json::{Map, Value};

/// Largest policy, in bytes.
const LARGEST: usize = 20 * 1024;
const VERSIONS: [&str; 2] = ["2012-10-17", "2008-10-17"];

/// What S3 says of a policy that it does not take; `None` if it takes it.
pub(super) fn fault(body: &[u8], bucket: &str) -> Option<&'static str> {
    if body.len() > LARGEST {
        return Some("Policy exceeds the maximum allowed document size.");
    }
    let Ok(Value::Object(policy)) = serde_json::from_slice(body) else {
        return Some("Policies must be valid JSON and the first byte must be '{'");
    };
    let version = policy.get("Version").is_none_or(|version| {
        let known = version.as_str();
        known.is_some_and(|version| VERSIONS.contains(&version))
    });
    if !version {
        return Some("The policy must contain a valid version string");
    }
    let statements = match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.as_slice(),
        Some(statement @ Value::Object(_)) => std::slice::from_ref(statement),
        _ => return Some("Missing required field Statement"),
    };
    if statements.is_empty() {
        return Some("Could not parse the policy: Statement is empty!");
    }
    statements.iter().find_map(|statement| match statement {
        Value::Object(statement) => of_statement(statement, bucket),
        _ => Some("Statement is not a JSON object"),
    })
}

fn of_statement(statement: &Map<String, Value>, bucket: &str) -> Option<&'static str> {
    if !matches!(
        statement.get("Effect").and_then(Value::as_str),
        Some("Allow" | "Deny")
    ) {
        return Some("Invalid effect");
    }
    let principal = statement.get("Principal").or(statement.get("NotPrincipal"));
    if !principal.is_some_and(|p| p == "*" || p.is_object()) {
        return Some("Missing required field Principal");
    }
    let actions = statement.get("Action").or(statement.get("NotAction"));
    let Some(actions) = actions.and_then(texts) else {
        return Some("Missing required field Action");
    };
    if !actions
        .iter()
        .all(|a| *a == "*" || a.to_ascii_lowercase().starts_with("s3:"))
    {
        return Some("Policy has invalid action");
    }
    let resources = statement.get("Resource").or(statement.get("NotResource"));
    let Some(resources) = resources.and_then(texts) else {
        return Some("Missing required field Resource");
    };
    let own = format!("arn:aws:s3:::{bucket}");
    let inside = |resource: &&str| {
        let rest = resource.strip_prefix(own.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '*']))
    };
    if !resources.iter().all(inside) {
        return Some("Policy has invalid resource");
    }
    match statement.get("Condition") {
        None | Some(Value::Object(_)) => None,
        Some(_) => Some("Conditions must be a JSON object"),
    }
}

/// One text or a list of at least one.
fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(text) => Some(vec![text]),
        Value::Array(items) if !items.is_empty() => items.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn statement() -> Value {
        json!({ "Effect": "Allow", "Principal": { "Service": "appflow.amazonaws.com" },
                "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"] })
    }

    fn taken(policy: &Value) -> bool {
        fault(policy.to_string().as_bytes(), "b").is_none()
    }

    #[test]
    fn a_policy_is_taken_and_each_broken_part_of_it_is_not() {
        assert!(taken(
            &json!({ "Version": "2012-10-17", "Statement": [statement()] })
        ));
        assert!(taken(&json!({ "Statement": statement() })));
        for (member, value) in [
            ("Effect", json!("Maybe")),
            ("Principal", Value::Null),
            ("Principal", json!("appflow.amazonaws.com")),
            ("Action", json!([])),
            ("Action", json!("ec2:RunInstances")),
            ("Resource", json!("arn:aws:s3:::other/*")),
            ("Resource", json!("arn:aws:s3:::bb")),
            ("Condition", json!("none")),
        ] {
            let mut broken = statement();
            broken[member] = value.clone();
            assert!(
                !taken(&json!({ "Statement": [broken] })),
                "{member} {value}"
            );
        }
        assert!(!taken(
            &json!({ "Version": "2013-01-01", "Statement": [statement()] })
        ));
        assert!(!taken(&json!({ "Version": "2012-10-17", "Statement": [] })));
        assert!(fault(b"not a policy", "b").is_some());
        assert!(fault(&vec![b' '; LARGEST + 1], "b").is_some());
    }
}
