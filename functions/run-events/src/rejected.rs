//! Why an event could not be worked on.

use lambda_runtime::Diagnostic;
use tributary::{error::Error, store::StoreError};

/// Why an event could not be worked on: its type is stable, for the dead-letter queue and alarms.
#[derive(Debug, thiserror::Error)]
pub enum Rejected {
    /// The event does not have the shape of any that we know.
    #[error("the event cannot be read: {0}")]
    Malformed(&'static str),
    /// AppFlow, or somebody in its name, sent a type of event that we do not know.
    #[error("the event is of an unknown type")]
    UnknownDetailType,
    /// No flow of this name is ours in the account that the event came from.
    #[error("no flow of this name is registered for the account that sent the event")]
    UnknownFlow,
    /// No verification sent this event through the account that it came from.
    #[error("no verification sent this event through the account that sent it")]
    UnknownVerification,
    /// No run of ours has this statement.
    #[error("no run has the statement that the event names")]
    UnknownStatement,
    /// Something that we depend on failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl Rejected {
    /// The stable error type.
    pub const fn error_type(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "RunEvents.Malformed",
            Self::UnknownDetailType => "RunEvents.UnknownDetailType",
            Self::UnknownFlow => "RunEvents.UnknownFlow",
            Self::UnknownVerification => "RunEvents.UnknownVerification",
            Self::UnknownStatement => "RunEvents.UnknownStatement",
            Self::Failed(error) => error.code(),
        }
    }

    /// The message with all causes, for the log.
    pub fn chain(&self) -> String {
        match self {
            Self::Failed(error) => error.chain(),
            other => other.to_string(),
        }
    }
}

impl From<StoreError> for Rejected {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Rejected> for Diagnostic {
    fn from(rejected: Rejected) -> Self {
        Self {
            error_type: rejected.error_type().to_owned(),
            error_message: rejected.to_string(),
        }
    }
}
