//! Why a sign-in gets no token.

use lambda_runtime::Diagnostic;
use tributary::{error::Error, store::StoreError, tenancy::TenantState};

/// Why a sign-in gets no token. `Display` is for the log; [`Diagnostic`] is what Cognito shows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The event is not a version 2 pre-token-generation event of a person.
    #[error("the event is not one that this trigger answers: {0}")]
    UnsupportedEvent(&'static str),
    /// Nobody made this subject a member of a tenant.
    #[error("the subject is no member of a tenant")]
    NotAMember,
    /// The membership names a tenant that does not exist.
    #[error("the member's tenant does not exist")]
    UnknownTenant,
    /// The member's tenant is suspended, is leaving or has left.
    #[error("the member's tenant is {0}")]
    TenantNotActive(TenantState),
    /// The membership cannot be read as one.
    #[error("the membership cannot be read: {0}")]
    Unreadable(String),
    /// The table did not answer.
    #[error("the table did not answer: {0}")]
    Unavailable(String),
}

impl Refusal {
    /// The stable error type.
    pub const fn error_type(&self) -> &'static str {
        match self {
            Self::UnsupportedEvent(_) => "TokenClaims.UnsupportedEvent",
            Self::NotAMember => "TokenClaims.NotAMember",
            Self::UnknownTenant => "TokenClaims.UnknownTenant",
            Self::TenantNotActive(_) => "TokenClaims.TenantNotActive",
            Self::Unreadable(_) => "TokenClaims.Unreadable",
            Self::Unavailable(_) => "TokenClaims.Unavailable",
        }
    }

    pub(crate) fn log(&self, subject_hash: &str, trigger: &str) {
        let error_code = self.error_type();
        match self {
            Self::NotAMember | Self::TenantNotActive(_) => {
                tracing::warn!(subject.hash = subject_hash, trigger, error.code = error_code, error.chain = %self, "sign-in refused");
            }
            Self::UnsupportedEvent(_)
            | Self::UnknownTenant
            | Self::Unreadable(_)
            | Self::Unavailable(_) => {
                tracing::error!(subject.hash = subject_hash, trigger, error.code = error_code, error.chain = %self, "sign-in refused");
            }
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Error::from(error).into()
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error.code() {
            "store_shape" => Self::Unreadable(error.chain()),
            _ => Self::Unavailable(error.chain()),
        }
    }
}

impl From<Refusal> for Diagnostic {
    fn from(refusal: Refusal) -> Self {
        Self {
            error_type: refusal.error_type().to_owned(),
            error_message: "You cannot sign in here.".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cognito_shows_tells_nothing() {
        let diagnostic = Diagnostic::from(Refusal::Unavailable("table prod".to_owned()));
        assert_eq!(diagnostic.error_type, "TokenClaims.Unavailable");
        assert_eq!(diagnostic.error_message, "You cannot sign in here.");
    }
}
