//! Names of databases and tables, checked before they come near a call.

use std::str::FromStr;

/// The name of a database or a table of the Glue Data Catalog, in lower case as Glue keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CatalogName(String);

/// Not a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to 255 bytes, no control characters and no blanks at its ends")]
pub(crate) struct NotACatalogName;

/// Longest name, in bytes (Glue API, `NameString`).
const LENGTH: usize = 255;

impl CatalogName {
    /// The name as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CatalogName {
    type Err = NotACatalogName;

    fn from_str(text: &str) -> Result<Self, NotACatalogName> {
        let folded = text.to_lowercase();
        let sound = (1..=LENGTH).contains(&folded.len())
            && !folded.chars().any(char::is_control)
            && folded.trim() == folded;
        sound.then_some(Self(folded)).ok_or(NotACatalogName)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_in_lower_case() {
        for (given, kept) in [
            ("sales", "sales"),
            ("Sales", "sales"),
            ("sf_appflow_x-1_latest", "sf_appflow_x-1_latest"),
            ("a b/c*", "a b/c*"),
            ("größe", "größe"),
        ] {
            assert_eq!(given.parse::<CatalogName>().unwrap().as_str(), kept);
        }
        assert!("a".repeat(255).parse::<CatalogName>().is_ok());
    }

    #[test]
    fn what_glue_could_not_have_is_no_name() {
        let long = "a".repeat(256);
        for odd in ["", " ", " a", "a ", "a\n", "a\u{0}b", "\u{7f}", &long] {
            assert_eq!(odd.parse::<CatalogName>(), Err(NotACatalogName), "{odd:?}");
        }
    }
}
