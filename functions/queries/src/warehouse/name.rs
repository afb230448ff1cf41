//! Names of schemas and tables as callers give them, and as patterns of the Data API.

use tributary::error::Error;

/// Longest identifier of Redshift, in bytes.
const LONGEST: usize = 127;
/// Schemas that Redshift keeps for itself.
const SYSTEM: [&str; 2] = ["information_schema", "catalog_history"];
/// How the names of its other schemas begin.
const SYSTEM_PREFIX: &str = "pg_";

/// The name of a schema or table that may exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// A name from a path. What cannot be a name names nothing.
    pub fn parse(unverified: &str) -> Result<Self, Error> {
        if is_text(unverified) {
            return Ok(Self(unverified.to_owned()));
        }
        Err(Error::not_found())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A pattern that fits this name, and perhaps others of its length.
    pub(super) fn pattern(&self) -> String {
        plain(&self.0)
    }
}

/// A part of names that is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search(String);

impl Search {
    /// A part of a name, if it can be one. Redshift keeps names in lower case.
    pub fn parse(unverified: &str) -> Option<Self> {
        is_text(unverified).then(|| Self(unverified.to_lowercase()))
    }

    /// What is looked for.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A pattern that fits every name with this part, and perhaps others.
    pub(super) fn pattern(&self) -> String {
        format!("%{}%", plain(&self.0))
    }

    /// Whether a name has this part.
    pub(super) fn finds(&self, name: &str) -> bool {
        name.to_lowercase().contains(&self.0)
    }
}

/// Whether Redshift keeps the schema for itself.
pub(super) fn is_system(schema: &str) -> bool {
    let schema = schema.to_lowercase();
    schema.starts_with(SYSTEM_PREFIX) || SYSTEM.contains(&schema.as_str())
}

fn is_text(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// A text as a pattern in which nothing is special but "any one character". How the Data API lets a
/// wildcard stand for itself is written nowhere; as any character it fits itself too, and what else
/// it fits is left out afterwards.
fn plain(text: &str) -> String {
    text.replace(['%', '\\'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_name_names_nothing() {
        assert_eq!(Name::parse("City Sales").unwrap().as_str(), "City Sales");
        for text in ["", "a\0b", "a\nb", &"x".repeat(128)] {
            assert_eq!(Name::parse(text).unwrap_err().code(), "not_found");
            assert!(Search::parse(text).is_none());
        }
    }

    #[test]
    fn a_searched_text_is_no_pattern_of_the_caller() {
        let search = Search::parse("50%_Of\\f").unwrap();
        assert_eq!(search.pattern(), "%50__of_f%");
        assert!(search.finds("x50%_of\\f") && search.finds("50%_OF\\F"));
        assert!(!search.finds("50 _of f"));
        assert_eq!(Name::parse("a%b_c").unwrap().pattern(), "a_b_c");
    }

    #[test]
    fn schemas_of_redshift_are_told_from_those_of_people() {
        for schema in ["pg_catalog", "PG_internal", "information_schema"] {
            assert!(is_system(schema), "{schema}");
        }
        for schema in ["public", "page", "sports_gear"] {
            assert!(!is_system(schema), "{schema}");
        }
    }
}
