//! Who calls: taken from `requestContext.authorizer` alone, by a parser chosen by configuration.
//!
//! Headers, bodies and query strings never make an identity, and shapes are never probed: where a
//! second authorizer's shape is present as well, the request is refused.

mod claims;
mod config;
mod kind;
mod role;
mod role_groups;

use serde_json::Value;

pub use config::AuthConfig;
pub use kind::AuthKind;
pub use role::Role;
pub use role_groups::RoleGroups;

use self::claims::Claims;
use crate::{
    error::{Error, Kind},
    id::TenantId,
};

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who vouched: the issuer of the token, or `iam`.
    pub issuer: String,
    /// Who it is, unique within the issuer.
    pub subject: String,
    /// The tenant, from the trusted claim; absent for the vendor's own clients.
    pub tenant: Option<TenantId>,
    /// What the caller may do within the tenant.
    pub roles: Vec<Role>,
    /// Groups, as the identity provider names them.
    pub groups: Vec<String>,
    /// OAuth scopes of the token.
    pub scopes: Vec<String>,
    /// The client that the token was issued to.
    pub client_id: Option<String>,
    /// Id of the sign-in that the token descends from.
    pub login_id: Option<String>,
    /// When the token was made, epoch seconds.
    pub issued_at: Option<i64>,
    /// Whether this is one of the vendor's own machine clients.
    pub operator: bool,
}

/// The one answer to whatever does not prove an identity; the log says which it was.
pub fn unauthenticated(log: &str) -> Error {
    Error::new(Kind::Unauthenticated, "unauthenticated", "Sign in first.").with_log(log)
}

impl Identity {
    /// Reads the identity out of an event's request context.
    pub fn from_request_context(config: &AuthConfig, context: &Value) -> Result<Self, Error> {
        let claims = Claims::of(config.kind, context)?;
        if config.kind.is_iam() {
            return claims::iam_identity(config, &claims);
        }
        let issuer = if config.kind.vouches_by_token() {
            verified_issuer(config, &claims)?
        } else {
            config.issuer.clone()
        };
        let subject = claims
            .text("sub")
            .ok_or_else(|| unauthenticated("no subject"))?
            .to_owned();
        let client_id = claims
            .text("client_id")
            .or_else(|| claims.text("aud"))
            .map(str::to_owned);
        let is_machine = claims.text("client_id") == Some(subject.as_str())
            && claims.text("username").is_none()
            && claims.text("cognito:username").is_none();
        let operator = is_machine && config.operator_clients.contains(&subject);
        let tenant = match claims.text(&config.tenant_claim) {
            // A machine client is an operator or a tenant's: never both.
            Some(_) if operator => {
                return Err(unauthenticated("an operator's token names a tenant"));
            }
            Some(unverified) => Some(unverified.parse().map_err(|error| {
                unauthenticated("the tenant claim is no tenant id").with_source(error)
            })?),
            None => None,
        };
        let groups = claims.list(&config.groups_claim);
        let mut roles = Role::parse_words(claims.text(&config.roles_claim).unwrap_or_default());
        roles.extend(config.role_groups.roles_of(&groups));
        Ok(Self {
            issuer,
            subject,
            tenant,
            roles,
            groups,
            scopes: claims.text("scope").map(words).unwrap_or_default(),
            client_id,
            login_id: claims
                .text("origin_jti")
                .or_else(|| claims.text("sid"))
                .map(str::to_owned),
            issued_at: claims.seconds("iat"),
            operator,
        })
    }
}

/// Checks again what the gateway checked, and what it does not: a mis-wired authorizer and an ID
/// token in place of an access token stop here.
fn verified_issuer(config: &AuthConfig, claims: &Claims<'_>) -> Result<String, Error> {
    let issuer = claims
        .text("iss")
        .ok_or_else(|| unauthenticated("no issuer"))?;
    if issuer != config.issuer {
        return Err(unauthenticated("another issuer than the configured one"));
    }
    if config.requires_access_token
        && claims
            .text("token_use")
            .is_some_and(|token_use| token_use != "access")
    {
        return Err(unauthenticated("not an access token"));
    }
    let audience = claims.text("client_id").or_else(|| claims.text("aud"));
    let expected =
        audience.is_some_and(|audience| config.audience.iter().any(|ours| ours == audience));
    if !expected {
        return Err(unauthenticated("a token for another audience"));
    }
    Ok(issuer.to_owned())
}

fn words(text: &str) -> Vec<String> {
    text.split_ascii_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
