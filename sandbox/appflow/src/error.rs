//! The errors of the API: exception, HTTP status and message.

use http::StatusCode;
use sandbox_core::AwsReply;
use serde_json::json;

/// The exceptions AppFlow models, and two of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exception {
    Validation,
    ResourceNotFound,
    Conflict,
    ServiceQuotaExceeded,
    UnsupportedOperation,
    ConnectorAuthentication,
    ConnectorServer,
    InternalServer,
    Serialization,
    UnknownOperation,
}

impl Exception {
    /// Name on the wire and HTTP status. Quota is 402 and connector authentication 401; both are
    /// easily taken for something else.
    pub(crate) fn wire(self) -> (&'static str, StatusCode) {
        match self {
            Self::Validation => ("ValidationException", StatusCode::BAD_REQUEST),
            Self::ResourceNotFound => ("ResourceNotFoundException", StatusCode::NOT_FOUND),
            Self::Conflict => ("ConflictException", StatusCode::CONFLICT),
            Self::ServiceQuotaExceeded => (
                "ServiceQuotaExceededException",
                StatusCode::PAYMENT_REQUIRED,
            ),
            Self::UnsupportedOperation => {
                ("UnsupportedOperationException", StatusCode::BAD_REQUEST)
            }
            Self::ConnectorAuthentication => {
                ("ConnectorAuthenticationException", StatusCode::UNAUTHORIZED)
            }
            Self::ConnectorServer => ("ConnectorServerException", StatusCode::BAD_REQUEST),
            Self::InternalServer => ("InternalServerException", StatusCode::INTERNAL_SERVER_ERROR),
            Self::Serialization => ("SerializationException", StatusCode::BAD_REQUEST),
            Self::UnknownOperation => ("UnknownOperationException", StatusCode::NOT_FOUND),
        }
    }
}

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{exception:?}: {message}")]
pub(crate) struct ApiError {
    /// Which exception.
    pub(crate) exception: Exception,
    /// The message for the caller; never holds a credential.
    pub(crate) message: String,
}

impl ApiError {
    pub(crate) fn new(exception: Exception, message: impl Into<String>) -> Self {
        Self {
            exception,
            message: message.into(),
        }
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new(Exception::Validation, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Exception::ResourceNotFound, message)
    }

    /// A conflict, in the service's grammar.
    pub(crate) fn conflict(message: impl AsRef<str>) -> Self {
        Self::new(
            Exception::Conflict,
            format!("Conflict executing request: {}", message.as_ref()),
        )
    }

    /// The answer on the wire: the header names the exception, the body has `message` alone.
    pub(crate) fn reply(&self) -> AwsReply {
        let (code, status) = self.exception.wire();
        let mut reply = AwsReply::json(
            status,
            "application/json",
            &json!({ "message": self.message }),
        );
        reply
            .headers
            .insert("x-amzn-errortype", http::HeaderValue::from_static(code));
        reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quota_is_402_and_connector_authentication_is_401() {
        let quota = ApiError::new(Exception::ServiceQuotaExceeded, "full").reply();
        assert_eq!(quota.status.as_u16(), 402);
        assert_eq!(
            quota.headers["x-amzn-errortype"],
            "ServiceQuotaExceededException"
        );
        assert_eq!(&quota.body[..], br#"{"message":"full"}"#);
        let auth = ApiError::new(Exception::ConnectorAuthentication, "expired").reply();
        assert_eq!(auth.status.as_u16(), 401);
    }
}
