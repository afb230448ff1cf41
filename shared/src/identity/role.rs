//! What a member of a tenant may do.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A role within a tenant; each includes those before it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Also manages connections and flows, and runs queries.
    Editor,
    /// Also manages accounts, subscriptions and members.
    Admin,
}

impl Role {
    /// Whether who has this role may act in the other.
    pub fn includes(self, other: Self) -> bool {
        self >= other
    }

    /// The roles in a list of words separated by blanks; unknown words are nobody's role.
    pub fn parse_words(words: &str) -> Vec<Self> {
        words
            .split_ascii_whitespace()
            .filter_map(|word| match word {
                "viewer" => Some(Self::Viewer),
                "editor" => Some(Self::Editor),
                "admin" => Some(Self::Admin),
                _ => None,
            })
            .collect()
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Admin => "admin",
        })
    }
}
