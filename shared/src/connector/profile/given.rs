//! What a user gives to prove who we are: taken in, kept in Secrets Manager, given to AppFlow, and
//! never shown.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

use super::PushError;
use crate::secret::Secret;

/// Long-lived credentials of one connection, by field. Has no `Serialize`: see
/// [`Credentials::to_secret`].
#[derive(Clone, Default)]
pub struct Credentials(BTreeMap<String, Secret>);

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Credentials {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.0.get(name)
    }

    /// The JSON object under which they are kept.
    pub fn to_secret(&self) -> Secret {
        let members: serde_json::Map<String, serde_json::Value> = self
            .iter()
            .map(|(name, value)| (name.to_owned(), value.expose().into()))
            .collect();
        Secret::new(serde_json::Value::Object(members).to_string())
    }

    pub(super) fn expose(&self, name: &str) -> Result<&str, PushError> {
        let value = self.get(name).map(Secret::expose);
        value.ok_or_else(|| PushError::wrong(format!("the credential {name} is missing")))
    }
}

impl<'de> Deserialize<'de> for Credentials {
    /// By hand, because the usual errors repeat what is wrong.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Value::Object(members) = Value::deserialize(deserializer)? else {
            return Err(D::Error::custom("credentials are an object of texts"));
        };
        let fields = members.into_iter().map(|(name, value)| match value {
            Value::String(text) => Ok((name, Secret::new(text))),
            _ => Err(D::Error::custom("credentials are an object of texts")),
        });
        fields.collect()
    }
}

impl FromIterator<(String, Secret)> for Credentials {
    fn from_iter<I: IntoIterator<Item = (String, Secret)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_never_printed_and_come_back_from_where_they_are_kept() {
        let given: Credentials =
            serde_json::from_str(r#"{"username":"canary-u","password":"canary-p"}"#).unwrap();
        assert_eq!(format!("{given:?}"), r#"{"password", "username"}"#);
        let again: Credentials = serde_json::from_str(given.to_secret().expose()).unwrap();
        assert!(again.get("password").unwrap().same_as("canary-p"));
    }

    #[test]
    fn what_is_no_text_is_refused_without_repeating_it() {
        for body in [r#""canary""#, r#"{"pin":4711}"#, r#"{"a":["canary"]}"#] {
            let error = serde_json::from_str::<Credentials>(body).unwrap_err();
            let said = error.to_string();
            assert!(!said.contains("canary") && !said.contains("4711"), "{said}");
        }
    }
}
