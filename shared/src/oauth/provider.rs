//! The provider table: one row per OAuth provider, and no code per provider.
//!
//! A row is the start value; the answer decides (a changed refresh token, `expires_in`).

mod failure;
mod table;

use jiff::SignedDuration;

use super::{Endpoint, token::Endpoints};

pub use failure::{ErrorRule, TokenFailure};
pub use table::{PROVIDERS, SIGN_IN, provider};

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
}

/// One provider.
#[derive(Debug)]
pub struct Provider {
    /// Its key, also the last segment of its callback path.
    pub key: &'static str,
    /// What people call it.
    pub label: &'static str,
    /// Path of the authorization endpoint on the configured host.
    pub authorize_path: &'static str,
    /// Path of the token endpoint.
    pub token_path: &'static str,
    /// Path of the revocation endpoint (RFC 7009).
    pub revoke_path: Option<&'static str>,
    /// Path of the introspection endpoint (RFC 7662).
    pub introspect_path: Option<&'static str>,
    /// Scopes that are asked for.
    pub scopes: &'static [&'static str],
    /// Scopes without which a connection is of no use; each with words that mean the same.
    pub mandatory_scopes: &'static [&'static [&'static str]],
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
        Endpoints {
            authorize: host.join(self.authorize_path),
            token: host.join(self.token_path),
            revoke: self.revoke_path.map(|path| host.join(path)),
            introspect: self.introspect_path.map(|path| host.join(path)),
        }
    }

    /// The scopes that are asked for, as one text.
    pub fn scope_text(&self) -> String {
        self.scopes.join(&self.scope_separator.to_string())
    }

    /// Which of the asked scopes were not granted. A scope granted under another name counts.
    pub fn missing_scopes(&self, granted: &[String]) -> Vec<String> {
        self.scopes
            .iter()
            .filter(|scope| !self.is_granted(scope, granted))
            .map(|scope| (*scope).to_owned())
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
