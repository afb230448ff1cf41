//! What the identity parser is told by configuration.

use super::{AuthKind, RoleGroups};
use crate::{
    config::Env,
    error::{Error, Result},
    jwt::IssuerKeys,
    oauth::Endpoint,
};

/// How callers are recognised.
#[derive(Debug, Clone)]
pub struct AuthConfig {
    /// `AUTH_KIND`: the authorizer in front of us.
    pub kind: AuthKind,
    /// `AUTH_ISSUER`: the one issuer whose tokens count.
    pub issuer: String,
    /// `AUTH_AUDIENCE`: client ids that tokens may have been issued to.
    pub audience: Vec<String>,
    /// `AUTH_TENANT_CLAIM`: the trusted claim that names the tenant; never one that users can write.
    pub tenant_claim: String,
    /// `AUTH_ROLES_CLAIM`: the claim that lists roles, separated by blanks.
    pub roles_claim: String,
    /// `AUTH_GROUPS_CLAIM`: the claim that lists groups.
    pub groups_claim: String,
    /// `AUTH_ROLE_GROUPS`: groups that have roles, for an identity provider without a claim for roles.
    pub role_groups: RoleGroups,
    /// `AUTH_OPERATOR_CLIENTS`: the vendor's own machine clients (client ids, or role ARNs for IAM).
    pub operator_clients: Vec<String>,
    /// Whether a token that says it is an ID token is refused.
    pub requires_access_token: bool,
}

impl AuthConfig {
    /// Reads the variables named above.
    pub fn from_env(env: &mut Env) -> Option<Self> {
        let kind = env.parsed("AUTH_KIND");
        let tenant_claim = env.required("AUTH_TENANT_CLAIM");
        if tenant_claim.starts_with("custom:") {
            env.fault(
                "AUTH_TENANT_CLAIM must not be a custom attribute: users can often write those",
            );
        }
        let role_groups = env.optional_list("AUTH_ROLE_GROUPS");
        let role_groups = RoleGroups::parse(&role_groups, kind).unwrap_or_else(|faults| {
            for fault in faults {
                env.fault(fault);
            }
            RoleGroups::default()
        });
        let config = Self {
            kind: kind.unwrap_or(AuthKind::HttpJwt),
            issuer: env.required("AUTH_ISSUER"),
            audience: env.list("AUTH_AUDIENCE"),
            tenant_claim,
            roles_claim: env.required("AUTH_ROLES_CLAIM"),
            groups_claim: env.required("AUTH_GROUPS_CLAIM"),
            role_groups,
            operator_clients: env.optional_list("AUTH_OPERATOR_CLIENTS"),
            requires_access_token: true,
        };
        kind.map(|_| config)
    }

    /// The issuer's keys, where the authorizer in front of us takes its tokens.
    pub fn issuer_keys(&self) -> Result<Option<IssuerKeys>> {
        if !self.kind.vouches_by_token() {
            return Ok(None);
        }
        let issuer: Endpoint = self.issuer.parse().map_err(|error| {
            Error::internal("issuer", "AUTH_ISSUER is not a safe address").with_source(error)
        })?;
        IssuerKeys::new(issuer).map(Some).map_err(|error| {
            Error::internal("http_client", "no HTTP client could be made").with_source(error)
        })
    }
}
