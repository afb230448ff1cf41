//! Entity tags: the version of a thing, and `If-Match` on changes.

use axum::extract::FromRequestParts;
use http::{header, request::Parts};

use crate::error::{Error, Kind};

/// The entity tag of a version.
pub fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

/// The version that the caller means to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`: whatever it is now.
    Any,
    /// This version and no other.
    Version(u64),
}

impl IfMatch {
    /// Refuses when the caller's version is not the current one.
    pub fn holds_for(self, current: u64) -> Result<(), Error> {
        match self {
            Self::Any => Ok(()),
            Self::Version(version) if version == current => Ok(()),
            Self::Version(_) => Err(stale()),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "*" => Some(Self::Any),
            tag => tag
                .strip_prefix('"')?
                .strip_suffix('"')?
                .parse()
                .ok()
                .map(Self::Version),
        }
    }
}

/// The answer when somebody else changed the thing meanwhile.
pub fn stale() -> Error {
    Error::new(
        Kind::PreconditionFailed,
        "stale_version",
        "This is not the current version. Read it again.",
    )
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let Some(value) = parts.headers.get(header::IF_MATCH) else {
            return Err(Error::new(
                Kind::PreconditionRequired,
                "if_match_required",
                "Send If-Match with the ETag of the version that you mean to change.",
            ));
        };
        // A tag that we never gave cannot be the current one.
        value.to_str().ok().and_then(Self::parse).ok_or_else(stale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_read_back_and_a_strange_one_is_not() {
        assert_eq!(IfMatch::parse(&etag(7)), Some(IfMatch::Version(7)));
        assert_eq!(IfMatch::parse(" * "), Some(IfMatch::Any));
        for strange in ["7", "\"x\"", "W/\"7\"", "", "\"7"] {
            assert_eq!(IfMatch::parse(strange), None, "{strange}");
        }
    }

    #[test]
    fn only_the_current_version_passes() {
        assert!(IfMatch::Version(2).holds_for(2).is_ok());
        assert!(IfMatch::Any.holds_for(2).is_ok());
        assert_eq!(
            IfMatch::Version(1).holds_for(2).unwrap_err().code(),
            "stale_version"
        );
    }
}
