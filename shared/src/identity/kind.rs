//! The kinds of authorizer that a gateway can have in front of us.

use std::{fmt, str::FromStr};

/// Which authorizer vouches, and in which shape. Chosen by `AUTH_KIND`, never guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthKind {
    /// HTTP API, payload 2.0, JWT authorizer: `authorizer.jwt.claims`.
    HttpJwt,
    /// HTTP API, payload 1.0, JWT authorizer: `authorizer.claims`.
    HttpV1Jwt,
    /// HTTP API, payload 2.0, Lambda authorizer: `authorizer.lambda`.
    HttpLambda,
    /// HTTP API or function URL, IAM: `authorizer.iam`.
    HttpIam,
    /// REST API, Cognito authorizer: `authorizer.claims`, lists joined by commas.
    RestCognito,
    /// REST API, JWT authorizer: `authorizer.claims`, native JSON.
    RestJwt,
    /// REST API, Lambda authorizer: flat, lists as JSON text.
    RestLambda,
    /// REST API, IAM: `identity`.
    RestIam,
}

/// How lists arrive in the claims of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListForm {
    /// `"[a b]"`.
    Bracketed,
    /// `"a,b"`.
    Commas,
    /// `["a", "b"]`.
    Native,
    /// `"[\"a\",\"b\"]"`.
    JsonText,
}

impl AuthKind {
    const ALL: [(Self, &'static str); 8] = [
        (Self::HttpJwt, "http-jwt"),
        (Self::HttpV1Jwt, "http-v1-jwt"),
        (Self::HttpLambda, "http-lambda"),
        (Self::HttpIam, "http-iam"),
        (Self::RestCognito, "rest-cognito"),
        (Self::RestJwt, "rest-jwt"),
        (Self::RestLambda, "rest-lambda"),
        (Self::RestIam, "rest-iam"),
    ];

    /// How lists arrive.
    pub const fn list_form(self) -> ListForm {
        match self {
            Self::HttpJwt | Self::HttpV1Jwt => ListForm::Bracketed,
            Self::RestCognito => ListForm::Commas,
            Self::RestJwt | Self::HttpLambda | Self::HttpIam | Self::RestIam => ListForm::Native,
            Self::RestLambda => ListForm::JsonText,
        }
    }

    /// Whether the claims are those of a token, so that issuer and audience can be checked again.
    pub const fn vouches_by_token(self) -> bool {
        matches!(
            self,
            Self::HttpJwt | Self::HttpV1Jwt | Self::RestCognito | Self::RestJwt
        )
    }

    /// Whether AWS credentials vouch.
    pub const fn is_iam(self) -> bool {
        matches!(self, Self::HttpIam | Self::RestIam)
    }
}

impl fmt::Display for AuthKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL
            .iter()
            .find(|(kind, _)| kind == self)
            .map_or("", |(_, name)| name);
        f.write_str(name)
    }
}

/// The text names no kind of authorizer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("one of {}", AuthKind::ALL.map(|(_, name)| name).join(", "))]
pub struct UnknownKind;

impl FromStr for AuthKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .iter()
            .find(|(_, name)| *name == text)
            .map(|(kind, _)| *kind)
            .ok_or(UnknownKind)
    }
}
