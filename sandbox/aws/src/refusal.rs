//! Errors that the endpoint itself answers, in the shape of the caller's protocol.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sandbox_core::AwsReply;
use winterbaume_core::xml_escape;

use crate::{credentials::Unrecognised, random};

/// The shapes in which AWS services answer errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// `X-Amz-Target` and `application/x-amz-json-1.0`.
    Json10,
    /// `X-Amz-Target` and `application/x-amz-json-1.1`.
    Json11,
    /// JSON over paths and methods.
    RestJson,
    /// A form with `Action`, answered in XML.
    Query,
    /// S3's XML.
    S3,
}

impl Protocol {
    /// The protocol of a request, as far as its shape tells.
    pub(crate) fn of(service: Option<&str>, headers: &HeaderMap) -> Self {
        let content_type = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        match service {
            Some("s3") => Self::S3,
            _ if content_type.starts_with("application/x-amz-json-1.0") => Self::Json10,
            _ if headers.contains_key("x-amz-target") => Self::Json11,
            Some("sts") => Self::Query,
            _ if content_type.starts_with("application/x-www-form-urlencoded") => Self::Query,
            _ => Self::RestJson,
        }
    }

    /// An error in this protocol's shape.
    pub(crate) fn error(self, status: StatusCode, code: &str, message: &str) -> AwsReply {
        match self {
            Self::Json10 => {
                AwsReply::json_error(status, "application/x-amz-json-1.0", code, message)
            }
            Self::Json11 => {
                AwsReply::json_error(status, "application/x-amz-json-1.1", code, message)
            }
            Self::RestJson => AwsReply::json_error(status, "application/json", code, message),
            Self::Query => xml(
                status,
                &format!(
                    "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>{code}</Code><Message>{}</Message></Error><RequestId>{}</RequestId></ErrorResponse>",
                    xml_escape(message),
                    uuid::Uuid::new_v4(),
                ),
            ),
            Self::S3 => xml(
                status,
                &format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{}</Message><RequestId>{}</RequestId></Error>",
                    xml_escape(message),
                    random::identifier(""),
                ),
            ),
        }
    }

    /// The refusal of a signer.
    pub(crate) fn unrecognised(self, why: Unrecognised) -> AwsReply {
        let s3 = self == Self::S3;
        let query = self == Self::Query;
        let (status, code) = match why {
            Unrecognised::Unsigned if s3 => (StatusCode::FORBIDDEN, "AccessDenied"),
            Unrecognised::Unsigned if query => {
                (StatusCode::FORBIDDEN, "MissingAuthenticationToken")
            }
            Unrecognised::Unsigned => {
                (StatusCode::FORBIDDEN, "MissingAuthenticationTokenException")
            }
            Unrecognised::Malformed if s3 => {
                (StatusCode::BAD_REQUEST, "AuthorizationHeaderMalformed")
            }
            Unrecognised::Malformed if query => (StatusCode::BAD_REQUEST, "IncompleteSignature"),
            Unrecognised::Malformed => (StatusCode::BAD_REQUEST, "IncompleteSignatureException"),
            Unrecognised::UnknownKey if s3 => (StatusCode::FORBIDDEN, "InvalidAccessKeyId"),
            Unrecognised::UnknownKey if query => (StatusCode::FORBIDDEN, "InvalidClientTokenId"),
            Unrecognised::UnknownKey => (StatusCode::FORBIDDEN, "UnrecognizedClientException"),
            Unrecognised::Expired if s3 => (StatusCode::BAD_REQUEST, "ExpiredToken"),
            Unrecognised::Expired if query => (StatusCode::FORBIDDEN, "ExpiredToken"),
            Unrecognised::Expired => (StatusCode::FORBIDDEN, "ExpiredTokenException"),
        };
        self.error(status, code, &why.to_string())
    }
}

/// An XML answer.
pub(crate) fn xml(status: StatusCode, body: &str) -> AwsReply {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    AwsReply {
        status,
        headers,
        body: Bytes::from(body.to_owned()),
    }
}
