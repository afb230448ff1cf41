//! Exchanging the account id between the real one and the one that the borrowed services know.
//!
//! Only fields that hold names of resources are touched, never data: not the items of a table, not
//! message bodies, not secret values.

use bytes::Bytes;
use serde_json::Value;
use winterbaume_core::DEFAULT_ACCOUNT_ID;

/// Fields besides `...Arn` that hold ARNs, account ids or texts with ARNs in them.
const FIELDS: [&str; 14] = [
    "tablename",
    "globaltablename",
    "keyid",
    "targetkeyid",
    "sourcekeyid",
    "destinationkeyid",
    "secretid",
    "secretidlist",
    "message",
    "policy",
    "resourcepolicy",
    "redrivepolicy",
    "catalogid",
    "awsaccountid",
];

/// A request body for the borrowed services.
pub(super) fn to_fixed(body: &[u8], account: &str) -> Bytes {
    exchange(body, account, DEFAULT_ACCOUNT_ID)
}

/// A reply body for the caller.
pub(super) fn to_real(body: &[u8], account: &str) -> Bytes {
    exchange(body, DEFAULT_ACCOUNT_ID, account)
}

/// A single text from the borrowed services, if the account id occurs in it.
pub(super) fn arn(text: &str, account: &str) -> Option<String> {
    text.contains(DEFAULT_ACCOUNT_ID)
        .then(|| exchange_text(text, DEFAULT_ACCOUNT_ID, account))
}

fn exchange(body: &[u8], from: &str, to: &str) -> Bytes {
    let untouched = || Bytes::copy_from_slice(body);
    let Ok(text) = std::str::from_utf8(body) else {
        return untouched();
    };
    if !text.contains(from) {
        return untouched();
    }
    if text.trim_start().starts_with('<') {
        let exchanged =
            exchange_text(text, from, to).replace(&format!(">{from}<"), &format!(">{to}<"));
        return Bytes::from(exchanged);
    }
    let Ok(mut value) = serde_json::from_str::<Value>(text) else {
        return untouched();
    };
    walk(&mut value, false, from, to);
    Bytes::from(value.to_string())
}

fn walk(value: &mut Value, names_resource: bool, from: &str, to: &str) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                walk(field, is_resource_field(name), from, to);
            }
        }
        Value::Array(values) => {
            for value in values {
                walk(value, names_resource, from, to);
            }
        }
        Value::String(text) if names_resource && text.contains(from) => {
            *text = exchange_text(text, from, to);
        }
        _ => {}
    }
}

fn is_resource_field(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with("arn") || name.ends_with("arns") || FIELDS.contains(&name.as_str())
}

fn exchange_text(text: &str, from: &str, to: &str) -> String {
    if text == from {
        return to.to_owned();
    }
    text.replace(&format!(":{from}:"), &format!(":{to}:"))
        .replace(&format!("/{from}/"), &format!("/{to}/"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn real(value: &Value) -> Value {
        serde_json::from_slice(&to_real(value.to_string().as_bytes(), "222222222222")).unwrap()
    }

    #[test]
    fn names_of_resources_are_exchanged() {
        assert_eq!(
            real(&json!({"TableArn": "arn:aws:dynamodb:us-east-1:123456789012:table/t"})),
            json!({"TableArn": "arn:aws:dynamodb:us-east-1:222222222222:table/t"})
        );
        assert_eq!(
            real(&json!({"CatalogId": "123456789012"})),
            json!({"CatalogId": "222222222222"})
        );
    }

    #[test]
    fn data_is_left_alone() {
        let item = json!({
            "Item": {"roleArn": {"S": "arn:aws:iam::123456789012:role/r"}, "message": {"S": "123456789012"}},
            "SecretString": "arn:aws:iam::123456789012:role/r",
            "Body": "123456789012",
        });
        assert_eq!(real(&item), item);
    }

    #[test]
    fn in_and_out_again_is_the_same() {
        let ask = json!({"RedrivePolicy": "{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:222222222222:d\"}"});
        let there = to_fixed(ask.to_string().as_bytes(), "222222222222");
        assert!(
            std::str::from_utf8(&there)
                .unwrap()
                .contains("123456789012")
        );
        assert_eq!(to_real(&there, "222222222222"), ask.to_string());
    }
}
