//! The one service error: a kind, a stable code, a message for the caller and one for the log.
//!
//! Layers below the edge know no status codes. The edge turns a [`Kind`] into a problem document
//! ([`crate::http::problem`]) or into a Lambda diagnostic, and logs the whole chain once.

use std::{error::Error as StdError, fmt};

use serde::Serialize;
use utoipa::ToSchema;

/// What sort of failure it is; decides the status, and whether trying again makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request cannot be read (malformed JSON, wrong types, unknown fields).
    Malformed,
    /// The request reads well and breaks a rule.
    Unprocessable,
    /// Nobody is signed in, or what was presented does not prove it.
    Unauthenticated,
    /// The caller is known and may not do this.
    Forbidden,
    /// There is no such thing, or the caller may not know of it.
    NotFound,
    /// The thing is in a state that does not allow this.
    Conflict,
    /// The caller's version of the thing is not the current one.
    PreconditionFailed,
    /// The caller must name the version that it means to change.
    PreconditionRequired,
    /// The body is larger than we take.
    TooLarge,
    /// The method is not offered at this address.
    MethodNotAllowed,
    /// The body has a media type that we do not read.
    UnsupportedMediaType,
    /// Too many requests.
    Throttled,
    /// A quota of the account is used up.
    QuotaExhausted,
    /// A system that we depend on answered wrongly or refused; its state is known.
    Upstream,
    /// A system that we depend on is slow or away; try again.
    Unavailable,
    /// A system that we depend on gave up on what it was asked, which took too long.
    TimedOut,
    /// Our bug or our configuration.
    Internal,
}

/// One fault of a request, with a JSON pointer to where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// JSON pointer (RFC 6901) into the body; `query:<name>` or `header:<name>` for the others.
    pub pointer: String,
    /// Stable code of this fault.
    pub code: String,
    /// What is wrong and what would be right.
    pub detail: String,
}

impl Fault {
    /// A fault at a pointer.
    pub fn new(
        pointer: impl Into<String>,
        code: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            pointer: pointer.into(),
            code: code.into(),
            detail: detail.into(),
        }
    }
}

/// A failure on its way to the edge.
///
/// `Display` is the log message and never repeats the source; the caller's message is separate and
/// says nothing that the caller should not learn.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    code: &'static str,
    caller: String,
    log: Option<String>,
    faults: Vec<Fault>,
    retry_after_seconds: Option<u32>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// A result with the service error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A failure of this kind, with its stable code and what the caller reads.
    pub fn new(kind: Kind, code: &'static str, caller: impl Into<String>) -> Self {
        Self {
            kind,
            code,
            caller: caller.into(),
            log: None,
            faults: Vec::new(),
            retry_after_seconds: None,
            source: None,
        }
    }

    /// The answer for what does not exist and for what belongs to somebody else.
    pub fn not_found() -> Self {
        Self::new(Kind::NotFound, "not_found", "There is no such resource.")
    }

    /// Our bug or configuration; the caller learns only that it was ours.
    pub fn internal(code: &'static str, log: impl Into<String>) -> Self {
        Self::new(Kind::Internal, code, "Something went wrong on our side.").with_log(log)
    }

    /// A dependency that may answer on another try.
    pub fn unavailable(code: &'static str, log: impl Into<String>) -> Self {
        Self::new(
            Kind::Unavailable,
            code,
            "A service that we depend on is not answering. Try again shortly.",
        )
        .with_log(log)
        .with_retry_after(2)
    }

    /// A request that breaks rules: every fault at once.
    pub fn unprocessable(
        code: &'static str,
        caller: impl Into<String>,
        faults: Vec<Fault>,
    ) -> Self {
        Self {
            faults,
            ..Self::new(Kind::Unprocessable, code, caller)
        }
    }

    /// A request that cannot be read.
    pub fn malformed(code: &'static str, caller: impl Into<String>, faults: Vec<Fault>) -> Self {
        Self {
            faults,
            ..Self::new(Kind::Malformed, code, caller)
        }
    }

    /// Says in the log what the caller is not told.
    #[must_use]
    pub fn with_log(mut self, log: impl Into<String>) -> Self {
        self.log = Some(log.into());
        self
    }

    /// Keeps the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds faults.
    #[must_use]
    pub fn with_faults(mut self, faults: Vec<Fault>) -> Self {
        self.faults = faults;
        self
    }

    /// Tells the caller when to try again.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// What sort of failure it is.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The stable code.
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// What the caller reads.
    pub fn caller_message(&self) -> &str {
        &self.caller
    }

    /// Faults of the request.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// When to try again, if it was said.
    pub const fn retry_after_seconds(&self) -> Option<u32> {
        self.retry_after_seconds
    }

    /// Whether the same request can succeed later without being changed.
    pub const fn retryable(&self) -> bool {
        matches!(self.kind, Kind::Throttled | Kind::Unavailable)
    }

    /// The log message and every cause below it, in one line.
    pub fn chain(&self) -> String {
        let mut line = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            line.push_str(": ");
            line.push_str(&error.to_string());
            cause = error.source();
        }
        line
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.log {
            Some(log) => write!(f, "{}: {log}", self.code),
            None => write!(f, "{}: {}", self.code, self.caller),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_has_the_chain_and_the_caller_does_not() {
        let error = Error::internal("store_failed", "put of the flow failed")
            .with_source(std::io::Error::other("connection reset"));
        assert_eq!(
            error.chain(),
            "store_failed: put of the flow failed: connection reset"
        );
        assert_eq!(error.caller_message(), "Something went wrong on our side.");
    }
}
