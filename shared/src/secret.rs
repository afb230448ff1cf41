//! Secrets in memory: they print `[redacted]`, are zeroed on drop, and are exposed at the last call.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// A token, code, verifier, password, client secret or assertion.
///
/// Has no `Serialize` and no `Display`: it leaves the process only where [`Secret::expose`] is called.
#[derive(Clone, Default)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes a value in. A buffer with room to spare is copied and overwritten, because giving the
    /// room back would leave the value behind.
    pub fn new(value: impl Into<String>) -> Self {
        let mut value = value.into();
        if value.len() == value.capacity() {
            return Self(SecretString::from(value));
        }
        let exact: Box<str> = value.as_str().into();
        value.zeroize();
        Self(SecretString::from(exact))
    }

    /// Takes bytes in, read as UTF-8 as far as they are, and overwrites them.
    pub fn from_utf8_lossy(mut bytes: Vec<u8>) -> Self {
        let secret = Self::new(String::from_utf8_lossy(&bytes));
        bytes.zeroize();
        secret
    }

    /// The value itself. Call it in the expression that sends or seals it, nowhere earlier.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether both are the same, compared in a time that does not depend on where they differ.
    pub fn same_as(&self, other: &str) -> bool {
        self.expose().as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self::new(value)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_string(SecretVisitor)
    }
}

struct SecretVisitor;

impl de::Visitor<'_> for SecretVisitor {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Secret, E> {
        Ok(Secret::new(value))
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Secret, E> {
        Ok(Secret::new(value))
    }
}

/// A parsed document that may hold secrets: prints nothing, and its texts are overwritten on drop.
#[derive(Default)]
pub struct SecretJson(Value);

impl SecretJson {
    /// Parses a document.
    pub fn parse(text: &Secret) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text.expose()).map(Self)
    }

    /// A member of the document; none of something that is no object.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The document.
    pub const fn value(&self) -> &Value {
        &self.0
    }
}

impl fmt::Debug for SecretJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Drop for SecretJson {
    fn drop(&mut self) {
        overwrite(&mut self.0);
    }
}

fn overwrite(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(overwrite),
        Value::Object(members) => members.values_mut().for_each(overwrite),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_the_value() {
        let secret = Secret::new("00D!canary");
        assert_eq!(
            format!("{secret:?} {:?}", Some(&secret)),
            "[redacted] Some([redacted])"
        );
    }

    #[test]
    fn secrets_come_in_from_any_buffer_as_they_are() {
        let mut roomy = String::with_capacity(100);
        roomy.push_str("token");
        assert_eq!(Secret::new(roomy).expose(), "token");
        assert_eq!(
            Secret::from_utf8_lossy(b"to\xffken".to_vec()).expose(),
            "to\u{fffd}ken"
        );
        let read: Secret = serde_json::from_str(r#""to\"ken""#).unwrap();
        assert_eq!(read.expose(), "to\"ken");
        assert!(serde_json::from_str::<Secret>("1").is_err());
    }

    #[test]
    fn a_document_prints_nothing_and_its_texts_are_overwritten() {
        let document = SecretJson::parse(&Secret::new(r#"{"a":["canary"],"b":1}"#)).unwrap();
        assert_eq!(format!("{document:?}"), "[redacted]");
        assert_eq!(document.get("b"), Some(&serde_json::json!(1)));
        let mut value = serde_json::json!({ "a": ["canary"], "b": "canary" });
        overwrite(&mut value);
        assert_eq!(value, serde_json::json!({ "a": [""], "b": "" }));
    }

    #[test]
    fn comparison_tells_equal_from_different_and_longer() {
        let secret = Secret::new("abc");
        assert!(secret.same_as("abc"));
        assert!(!secret.same_as("abd"));
        assert!(!secret.same_as("abcd"));
    }

    /// Whatever holds a secret prints without it, the types that the SDK would print in clear among
    /// what it is made from.
    #[test]
    fn nothing_that_holds_a_secret_prints_it() {
        use crate::oauth::{
            AppCredentials, TokenAnswer, TokenBundle, http::HttpAnswer, provider::provider,
        };
        const CANARY: &str = "canary-5Aep861";
        let secret = || Secret::new(CANARY);
        let bundle = TokenBundle {
            access_token: secret(),
            refresh_token: Some(secret()),
        };
        let body = Secret::new(format!(
            r#"{{"access_token":"{CANARY}","refresh_token":"{CANARY}","id_token":"{CANARY}"}}"#
        ));
        let answer = TokenAnswer::read(provider("salesforce").unwrap(), &body).unwrap();
        let app = AppCredentials {
            client_id: "id".to_owned(),
            client_secret: Some(secret()),
        };
        let printed = [
            format!("{bundle:?}"),
            format!("{:?}", bundle.to_json()),
            format!("{answer:?}"),
            format!("{app:?}"),
            format!("{:?}", crate::oauth::App::public("id")),
            format!(
                "{:?}",
                crate::connector::profile::AccessToken::from(&bundle)
            ),
            format!(
                "{:?}",
                HttpAnswer {
                    status: 200,
                    retry_after: None,
                    body,
                }
            ),
            format!("{:?}", SecretJson::parse(&bundle.to_json()).unwrap()),
        ];
        for text in printed {
            assert!(!text.contains(CANARY), "{text}");
        }
    }

    /// The SDK's own `Debug` shows refresh tokens and authorization codes (oauth.md, fact 10), so its
    /// types of credentials are named in two places only, and those print nothing.
    #[test]
    fn the_sdks_types_of_credentials_stay_where_nothing_is_printed() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut seen = 0;
        for folder in ["shared/src", "functions"] {
            for (path, text) in sources(&root.join(folder)) {
                if !names_credentials(&text) || path.ends_with("secret.rs") {
                    continue;
                }
                seen += 1;
                let path_text = path.to_string_lossy();
                let is_profile = path_text.contains("shared/src/connector/profile");
                // The self-test of a role sends credentials that are nobody's.
                let is_self_test = path_text.ends_with("accounts/inspect/ask.rs");
                assert!(
                    is_profile || is_self_test,
                    "{} names the SDK's credentials",
                    path.display()
                );
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                for printing in [":?}", ":#?}", "dbg!", "tracing::", "println!"] {
                    assert!(!code.contains(printing), "{}: {printing}", path.display());
                }
            }
        }
        assert!(seen > 0, "the types moved, and this test looks past them");
    }

    fn names_credentials(text: &str) -> bool {
        text.contains("ConnectorProfileCredentials")
            || text.contains("OAuth2Credentials")
            || text.contains("CustomAuthCredentials")
    }

    fn sources(folder: &std::path::Path) -> Vec<(std::path::PathBuf, String)> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(sources(&path));
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
        found
    }
}
