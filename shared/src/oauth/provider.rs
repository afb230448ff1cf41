//! The provider table: one row per OAuth provider, and no code per provider.
//!
//! A row is the start value; the answer decides (a changed refresh token, `expires_in`).

#[cfg(test)]
mod documented;
mod errors;
mod failure;
mod table;

use jiff::SignedDuration;

use super::{Endpoint, token::Endpoints};

pub use failure::{ErrorRule, TOKEN_REUSE, TokenFailure};
pub use table::{PROVIDERS, SIGN_IN, provider};

/// Where a provider is.
#[derive(Debug, Clone, Copy)]
pub struct Hosts {
    /// Base of its endpoints, the same for everybody.
    pub fixed: Option<&'static str>,
    /// Base of the authorization endpoint, where that is another host.
    pub authorize: Option<&'static str>,
    /// Base of its endpoints at one customer's instance: `{instance}` stands for one label that the
    /// user gives. With `fixed` beside it the label may be left out.
    pub instance: Option<&'static str>,
}

/// How a grant is ended at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoke {
    /// RFC 7009 at this path: the refresh token, and with it the grant.
    Standard(&'static str),
    /// `DELETE` of this path, with the access token as bearer token.
    DeleteWithBearer(&'static str),
}

/// How the client authenticates at the token endpoint; never in the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    /// `client_id` and `client_secret` in the form.
    Post,
    /// HTTP Basic.
    Basic,
}

/// What a provider does with a refresh token that was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotationClass {
    /// Never rotates: a doubtful call may be sent again.
    Never,
    /// Gives a new one and keeps the old one good.
    KeepsOld,
    /// Gives a new one; the old one stays good for this long.
    Grace(SignedDuration),
    /// Single use: presenting a used one can end the whole grant.
    Strict,
    /// Has no refresh tokens.
    NoRefreshToken,
}

/// How a provider proves who granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantorProof {
    /// Salesforce: HMAC-SHA256 over `id` and `issued_at` under the client secret.
    SalesforceSignature,
    /// An ID token.
    IdToken,
    /// It does not: the application is asked with the new token, see
    /// [`WhoAmI`](crate::connector::WhoAmI).
    AsksApplication,
}

/// One provider.
#[derive(Debug)]
pub struct Provider {
    /// Its key, also the last segment of its callback path.
    pub key: &'static str,
    /// What people call it.
    pub label: &'static str,
    /// Where it is.
    pub hosts: Hosts,
    /// Path of the authorization endpoint on its host.
    pub authorize_path: &'static str,
    /// Path of the token endpoint.
    pub token_path: &'static str,
    /// How a grant is ended.
    pub revoke: Option<Revoke>,
    /// Path of the introspection endpoint (RFC 7662).
    pub introspect_path: Option<&'static str>,
    /// Scopes that are asked for.
    pub scopes: &'static [&'static str],
    /// The parameter of the authorization request that they stand in.
    pub scope_parameter: &'static str,
    /// The member of a token answer that holds the tokens, where they do not stand at its top.
    pub token_member: Option<&'static str>,
    /// Scopes that answers do not list although they were granted.
    pub unlisted_scopes: &'static [&'static str],
    /// Scopes without which a connection is of no use; each with words that mean the same.
    pub mandatory_scopes: &'static [&'static [&'static str]],
    /// What else an authorization request needs (`access_type=offline`).
    pub authorize_extra: &'static [(&'static str, &'static str)],
    /// Whether it takes PKCE. Off means none at all: there is no weaker method than S256.
    pub pkce: bool,
    /// Token calls a second that one of its hosts gets from us at most, over all tenants.
    pub calls_per_second: u32,
    /// What separates scopes in a text.
    pub scope_separator: char,
    /// How the client authenticates.
    pub client_auth: ClientAuth,
    /// What happens to used refresh tokens.
    pub rotation: RotationClass,
    /// Life of an access token when the answer does not say.
    pub access_life: SignedDuration,
    /// A refresh token that is unused for so long ends.
    pub idle_limit: Option<SignedDuration>,
    /// Whether an answer without `token_type` is fine.
    pub token_type_optional: bool,
    /// Whether `expires_in: 0` means that the token does not end.
    pub zero_is_forever: bool,
    /// How it proves who granted.
    pub grantor_proof: GrantorProof,
    /// Host suffixes, each beginning with a dot, under which its instances live.
    pub instance_suffixes: &'static [InstanceSuffix],
    /// What its errors mean; the first rule that fits decides, before those of RFC 6749.
    pub error_rules: &'static [ErrorRule],
}

/// A host suffix with the number of labels that may stand before it.
#[derive(Debug, Clone, Copy)]
pub struct InstanceSuffix {
    /// The suffix, beginning with a dot.
    pub suffix: &'static str,
    /// At most so many labels before it.
    pub labels: usize,
}

impl Provider {
    /// The provider's endpoints on a host.
    pub fn endpoints(&self, host: &Endpoint) -> Endpoints {
        self.endpoints_at(host, host)
    }

    /// The provider's endpoints, the authorization endpoint on a host of its own.
    pub fn endpoints_at(&self, host: &Endpoint, authorize: &Endpoint) -> Endpoints {
        Endpoints {
            authorize: authorize.join(self.authorize_path),
            token: host.join(self.token_path),
            revoke: self.revoke.and_then(|revoke| match revoke {
                Revoke::Standard(path) => Some(host.join(path)),
                Revoke::DeleteWithBearer(_) => None,
            }),
            delete: self.revoke.and_then(|revoke| match revoke {
                Revoke::DeleteWithBearer(path) => Some(host.join(path)),
                Revoke::Standard(_) => None,
            }),
            introspect: self.introspect_path.map(|path| host.join(path)),
        }
    }

    /// Scopes as one text.
    pub fn scope_text<S: std::borrow::Borrow<str>>(&self, scopes: &[S]) -> String {
        scopes.join(&self.scope_separator.to_string())
    }

    /// Which of the asked scopes were not granted. A scope granted under another name counts.
    pub fn missing_scopes(&self, asked: &[String], granted: &[String]) -> Vec<String> {
        asked
            .iter()
            .filter(|scope| {
                !self.unlisted_scopes.contains(&scope.as_str()) && !self.is_granted(scope, granted)
            })
            .cloned()
            .collect()
    }

    /// Whether everything without which a connection is of no use was granted.
    pub fn has_mandatory_scopes(&self, granted: &[String]) -> bool {
        self.mandatory_scopes
            .iter()
            .all(|names| granted.iter().any(|scope| names.contains(&scope.as_str())))
    }

    fn is_granted(&self, scope: &str, granted: &[String]) -> bool {
        let names = self
            .mandatory_scopes
            .iter()
            .find(|names| names.contains(&scope));
        granted
            .iter()
            .any(|have| have == scope || names.is_some_and(|names| names.contains(&have.as_str())))
    }
}
