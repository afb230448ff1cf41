//! The catalogue: one descriptor per application that AppFlow can talk to, and no code per connector.

pub mod profile;
mod table;

use serde::Serialize;
use utoipa::ToSchema;

use crate::{connection::TokenOwner, oauth::Provider};

pub use table::{CONNECTORS, connector};

/// How a connection proves who we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthKind {
    /// Consent in the browser.
    OauthAuthorizationCode,
    /// IAM roles in the account.
    Roles,
    /// The account's own rights; there is no connection to make.
    None,
}

/// What can start a flow from this source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A call.
    OnDemand,
    /// A schedule.
    Scheduled,
    /// An event of the application.
    Event,
}

/// A property that a connection needs, without secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PropertyNeed {
    /// Its name in `properties`, which is AppFlow's member name.
    #[schema(example = "workgroupName")]
    pub name: &'static str,
    /// What it is.
    pub description: &'static str,
    /// Whether a connection cannot be made without it.
    pub required: bool,
    /// Longest value that AppFlow takes.
    pub max_length: usize,
}

/// One application.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Connector {
    /// Its key.
    #[schema(example = "salesforce")]
    pub key: &'static str,
    /// What people call it.
    #[schema(example = "Salesforce")]
    pub label: &'static str,
    /// AppFlow's connector type.
    pub appflow_type: &'static str,
    /// AppFlow's key in profile properties, credentials and flow properties.
    pub property_key: &'static str,
    /// Whether flows can read from it.
    pub source: bool,
    /// Whether flows can write to it.
    pub destination: bool,
    /// Ways to connect.
    #[schema(value_type = Vec<AuthKind>)]
    pub auth: &'static [AuthKind],
    /// The OAuth provider that consents.
    #[schema(value_type = Option<String>)]
    pub provider: Option<&'static str>,
    /// Who may use the refresh token; the first is the default.
    #[schema(value_type = Vec<TokenOwner>)]
    pub token_owners: &'static [TokenOwner],
    /// What can start a flow from it.
    #[schema(value_type = Vec<Trigger>)]
    pub triggers: &'static [Trigger],
    /// Shortest time between two scheduled runs, in minutes.
    #[schema(value_type = Option<u32>)]
    pub shortest_schedule_minutes: Option<u32>,
    /// What its connections need.
    #[schema(value_type = Vec<PropertyNeed>)]
    pub needs: &'static [PropertyNeed],
    /// Keys of the connectors that flows from here can write to.
    #[schema(value_type = Vec<String>)]
    pub destinations: &'static [&'static str],
}

impl Connector {
    /// Whether AppFlow keeps a connector profile for it.
    pub fn has_profile(&self) -> bool {
        !self.auth.contains(&AuthKind::None)
    }

    /// The row of its OAuth provider.
    pub fn oauth_provider(&self) -> Option<&'static Provider> {
        self.provider.and_then(crate::oauth::provider::provider)
    }
}
