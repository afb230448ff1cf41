//! How connections are made: ways to prove who we are, and the fields that each asks for.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::connection::TokenOwner;

mod form;

pub use form::Form;

/// How a connection proves who we are.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AuthKind {
    /// Consent in the browser.
    #[default]
    OauthAuthorizationCode,
    /// Client id and secret alone.
    OauthClientCredentials,
    /// An assertion that a private key signs (RFC 7523).
    OauthJwtBearer,
    /// A user's name and password at the token endpoint. Discouraged: only where the organisation
    /// still allows it.
    OauthPassword,
    /// A user's name and password with each request.
    Basic,
    /// A key with each request.
    ApiKey,
    /// Whatever fields the application asks for.
    Custom,
    /// IAM roles in the account.
    Roles,
    /// The account's own rights; there is no connection to make.
    None,
}

/// A field that a connection needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PropertyNeed {
    /// Its name in `properties` or `credentials`, which is AppFlow's member name.
    pub name: &'static str,
    /// What it is.
    pub description: &'static str,
    /// Whether a connection cannot be made without it.
    pub required: bool,
    /// Longest value that AppFlow takes.
    pub max_length: usize,
    /// Whether a form hides what is typed. Whatever stands in `credentials` is never shown again.
    pub secret: bool,
    /// What its value looks like.
    pub form: Form,
}

/// One way to connect to an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Method {
    /// What sort of way.
    pub kind: AuthKind,
    /// What it needs in `properties`: shown again, so nothing that is secret.
    pub properties: &'static [PropertyNeed],
    /// What it needs in `credentials`: kept in Secrets Manager and never shown again.
    pub credentials: &'static [PropertyNeed],
    /// Who may use a refresh token; the first is the default.
    pub token_owners: &'static [TokenOwner],
    /// Whether it is there for old organisations only: prefer another way.
    pub discouraged: bool,
    /// Whether names besides those listed are taken, for connectors that define their own.
    pub open: bool,
    /// AppFlow's name of a custom way, where it has one.
    pub custom_type: Option<&'static str>,
}

impl Method {
    /// Whether a connection of this kind has an access token that we get ourselves.
    pub const fn is_ours(&self) -> bool {
        matches!(self.token_owners, [TokenOwner::Tributary, ..])
    }
}
