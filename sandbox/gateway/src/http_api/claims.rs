//! Claims as the JWT authorizer hands them to functions: all of them texts.

use serde_json::{Map, Value};

/// Arrays become `[a b]`, numbers and booleans text, objects JSON text; nulls are left out.
pub(crate) fn as_text(claims: &Map<String, Value>) -> Map<String, Value> {
    claims
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.clone(), Value::String(text(value))))
        .collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(text).collect();
            format!("[{}]", items.join(" "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_claim_has_its_text() {
        let claims = json!({
            "sub": "a4f8",
            "cognito:groups": ["amer-sales", "exec-global"],
            "exp": 1_795_173_300,
            "email_verified": true,
            "address": { "country": "DE" },
            "none": [],
            "nonce": null,
            "bracketed": "[platform-admin]",
        });
        let expected = json!({
            "sub": "a4f8",
            "cognito:groups": "[amer-sales exec-global]",
            "exp": "1795173300",
            "email_verified": "true",
            "address": r#"{"country":"DE"}"#,
            "none": "[]",
            "bracketed": "[platform-admin]",
        });
        assert_eq!(
            Value::Object(as_text(claims.as_object().unwrap())),
            expected
        );
    }
}
