//! Registered queries, as they are given and as they are kept.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ObjectBuilder, SchemaType, Type},
    },
};

use super::Parameter;

/// Longest name, in bytes.
const LONGEST_NAME: usize = 63;
/// How a name is written.
const PATTERN: &str = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$";

/// The text is not a name of a registered query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("A name has 1 to 63 lower-case letters, digits and hyphens, and no hyphen at either end.")]
pub struct InvalidQueryName;

/// The name of a registered query; unique in its tenant.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueryName(String);

impl QueryName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for QueryName {
    type Err = InvalidQueryName;

    fn from_str(text: &str) -> Result<Self, InvalidQueryName> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let ends_plainly = text.bytes().next().is_some_and(is_plain)
            && text.bytes().next_back().is_some_and(is_plain);
        let is_name = ends_plainly
            && text.len() <= LONGEST_NAME
            && text.bytes().all(|byte| is_plain(byte) || byte == b'-');
        is_name
            .then(|| Self(text.to_owned()))
            .ok_or(InvalidQueryName)
    }
}

impl fmt::Display for QueryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for QueryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for QueryName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for QueryName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

impl PartialSchema for QueryName {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .description(Some("Name of a registered query."))
            .pattern(Some(PATTERN))
            .examples(["total-sales-by-city"])
            .into()
    }
}

impl ToSchema for QueryName {}

/// What a registered query is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Purpose {
    /// People run it as themselves; it reads.
    Query,
    /// It runs when a flow's run has completed, under the tenant's service identity; it writes.
    AfterRun,
}

/// A registered query, as an admin gives it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QueryDefinition {
    /// What it is for.
    pub purpose: Purpose,
    /// What people call it; at most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Total sales by city")]
    pub title: Option<String>,
    /// What it answers; at most 2,048 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Cities with their sales, largest first")]
    pub description: Option<String>,
    /// One statement; parameters stand in it as `:name`.
    #[schema(example = "SELECT city, amount FROM public.city_sales WHERE country = :country")]
    pub sql: String,
    /// The parameters that the statement names, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
}

/// A registered query, as it is kept in its tenant's partition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegisteredQuery {
    /// Its name.
    pub name: QueryName,
    /// What was given, as JSON text: attributes of `DynamoDB` would not keep every number's form.
    #[serde(with = "json_text")]
    pub definition: QueryDefinition,
    /// Counts definitions; the entity tag.
    pub version: u64,
    /// Who registered it.
    pub created_by: String,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

mod json_text {
    use serde::{Deserialize, Deserializer, Serializer, de, ser};

    use super::QueryDefinition;

    pub(super) fn serialize<S: Serializer>(
        definition: &QueryDefinition,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let text = serde_json::to_string(definition).map_err(ser::Error::custom)?;
        serializer.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<QueryDefinition, D::Error> {
        let text = String::deserialize(deserializer)?;
        serde_json::from_str(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_words_with_hyphens_between() {
        for name in ["a", "total-sales-by-city", "q1", &"x".repeat(63)] {
            assert_eq!(name.parse::<QueryName>().unwrap().as_str(), name);
        }
        for name in [
            "",
            "-a",
            "a-",
            "A",
            "a b",
            "a/b",
            "a_b",
            "ä",
            &"x".repeat(64),
        ] {
            assert!(name.parse::<QueryName>().is_err(), "{name}");
        }
    }

    #[test]
    fn it_is_kept_with_its_numbers_as_they_were_written() {
        let query = RegisteredQuery {
            name: "q".parse().unwrap(),
            definition: serde_json::from_value(serde_json::json!({
                "purpose": "query", "sql": "SELECT :n",
                "parameters": [{ "name": "n", "type": "decimal", "default": 1.50 }],
            }))
            .unwrap(),
            version: 1,
            created_by: "ann".to_owned(),
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        };
        let kept = serde_json::to_value(&query).unwrap();
        assert!(kept["definition"].is_string(), "{kept}");
        assert_eq!(
            serde_json::from_value::<RegisteredQuery>(kept).unwrap(),
            query
        );
    }
}
