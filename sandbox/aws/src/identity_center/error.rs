//! Errors of `CreateTokenWithIAM`: exception, HTTP status and OAuth error, from the service model.

use http::{HeaderValue, StatusCode};
use sandbox_core::AwsReply;
use serde_json::json;

/// What `CreateTokenWithIAM` refuses with. The descriptions are not a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenError {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    InvalidScope,
    /// The application has no way to authenticate, so it may use no grant.
    UnauthorizedClient,
    UnsupportedGrantType,
    ExpiredToken,
    /// The person is not assigned to the application.
    AccessDenied,
    /// The caller may not use the application: refused by IAM, before OAuth.
    CallerDenied,
    /// The caller's client looks for Identity Center in another Region.
    WrongRegion,
}

impl TokenError {
    pub(super) fn reply(self) -> AwsReply {
        let (exception, status, error, description) = match self {
            Self::InvalidRequest => (
                "InvalidRequestException",
                400,
                "invalid_request",
                "The request is missing a required parameter or is malformed",
            ),
            Self::InvalidClient => (
                "InvalidClientException",
                401,
                "invalid_client",
                "Invalid client provided",
            ),
            Self::InvalidGrant => (
                "InvalidGrantException",
                400,
                "invalid_grant",
                "Invalid grant provided",
            ),
            Self::InvalidScope => (
                "InvalidScopeException",
                400,
                "invalid_scope",
                "Invalid scope provided",
            ),
            Self::UnauthorizedClient => (
                "UnauthorizedClientException",
                400,
                "unauthorized_client",
                "The client is not authorized to use this grant",
            ),
            Self::UnsupportedGrantType => (
                "UnsupportedGrantTypeException",
                400,
                "unsupported_grant_type",
                "Grant type is not supported",
            ),
            Self::ExpiredToken => (
                "ExpiredTokenException",
                400,
                "expired_token",
                "The token has expired",
            ),
            Self::AccessDenied => (
                "AccessDeniedException",
                400,
                "access_denied",
                "Access denied",
            ),
            Self::CallerDenied => {
                return AwsReply::json_error(
                    StatusCode::BAD_REQUEST,
                    "application/json",
                    "AccessDeniedException",
                    "The caller is not authorized to perform: sso-oauth:CreateTokenWithIAM",
                );
            }
            Self::WrongRegion => (
                "InvalidRequestRegionException",
                400,
                "invalid_request",
                "Identity Center is in another Region",
            ),
        };
        let mut body = json!({ "error": error, "error_description": description });
        if self == Self::WrongRegion {
            body["endpoint"] = json!(format!(
                "https://oidc.{}.amazonaws.com",
                sandbox_core::REGION
            ));
            body["region"] = json!(sandbox_core::REGION);
        }
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        let mut reply = AwsReply::json(status, "application/json", &body);
        reply
            .headers
            .insert("x-amzn-errortype", HeaderValue::from_static(exception));
        reply
    }
}
