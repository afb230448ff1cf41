//! The catalogue: one descriptor per application that AppFlow can talk to, and no code per connector.

mod auth;
mod methods;
pub mod profile;
mod table;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::oauth::Provider;

pub use auth::{AuthKind, Form, Method, PropertyNeed};
pub use table::*;

/// How the application says whom a token belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WhoAmI {
    /// Path below the instance, or below the provider's host where there is none.
    pub path: &'static str,
    /// JSON pointer to the organisation in the answer; none: the instance is the organisation.
    pub org: Option<&'static str>,
    /// JSON pointer to the user, a text or a number.
    pub user: &'static str,
}

/// What is particular about an application's use of its OAuth provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OauthUse {
    /// Scopes to ask for; `{instance}` stands for the instance's URL. Empty: the provider's.
    pub scopes: &'static [&'static str],
    /// Base of the application's API (`https://{instance}.api.crm.dynamics.com`), where it is not the
    /// provider's own host.
    pub instance: Option<&'static str>,
    /// Whom to ask who granted, where the provider does not prove it.
    pub who_am_i: Option<WhoAmI>,
    /// The token endpoint that AppFlow's connector names in its profiles.
    pub profile_token_url: Option<&'static str>,
    /// Whether AppFlow's connector demands a client and a refresh token although it gets an access
    /// token: it gets placeholders then.
    pub demands_client: bool,
}

impl OauthUse {
    /// Nothing particular.
    pub const PLAIN: Self = Self {
        scopes: &[],
        instance: None,
        who_am_i: None,
        profile_token_url: None,
        demands_client: false,
    };
}

/// What can start a flow from this source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TriggerKind)] // a flow's trigger has the plain name
pub enum Trigger {
    /// A call.
    OnDemand,
    /// A schedule.
    Scheduled,
    /// An event of the application.
    Event,
}

/// How a filter compares a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the words say it")]
pub enum Comparison {
    Contains,
    Equals,
    NotEquals,
    LessThan,
    LessThanOrEquals,
    GreaterThan,
    GreaterThanOrEquals,
    Between,
}

/// What a flow does with a record at the destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum WriteOperation {
    /// Adds it.
    Insert,
    /// Changes the one with its id.
    Update,
    /// Changes the one with its id, or adds it.
    Upsert,
    /// Removes the one with its id.
    Delete,
}

/// Which version of an application's API a flow names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiVersion {
    /// Whether a flow must name one.
    pub required: bool,
    /// The one taken when a flow names none.
    #[schema(value_type = Option<String>, example = "1.0")]
    pub default: Option<&'static str>,
    /// The ones that are known; others may exist.
    #[schema(value_type = Vec<String>)]
    pub known: &'static [&'static str],
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
    /// AppFlow's connector label, for those behind `CustomConnector`.
    #[schema(value_type = Option<String>)]
    pub custom_label: Option<&'static str>,
    /// Whether flows can read from it.
    pub source: bool,
    /// Whether flows can write to it.
    pub destination: bool,
    /// Ways to connect; the first is the default.
    #[serde(skip)]
    #[schema(ignore)]
    pub methods: &'static [Method],
    /// Base of the application at one customer's instance, where no provider's row has it:
    /// `{instance}` stands for the label that the user gives.
    #[serde(skip)]
    #[schema(ignore)]
    pub instance: Option<&'static str>,
    /// Whether the objects that AppFlow lists through a connection prove that it works.
    #[serde(skip)]
    #[schema(ignore)]
    pub lists_entities: bool,
    /// The OAuth provider that consents.
    #[schema(value_type = Option<String>)]
    pub provider: Option<&'static str>,
    /// How it uses that provider.
    #[serde(skip)]
    #[schema(ignore)]
    pub oauth: OauthUse,
    /// What can start a flow from it.
    #[schema(value_type = Vec<Trigger>)]
    pub triggers: &'static [Trigger],
    /// Shortest time between two scheduled runs, in minutes.
    #[schema(value_type = Option<u32>)]
    pub shortest_schedule_minutes: Option<u32>,
    /// Keys of the connectors that flows from here can write to.
    #[schema(value_type = Vec<String>)]
    pub destinations: &'static [&'static str],
    /// The member of a flow's source or destination that names what is read or written.
    #[schema(value_type = Option<String>, example = "object")]
    pub object_member: Option<&'static str>,
    /// Comparisons that filters on this source may use; for custom connectors the upper bound.
    #[schema(value_type = Vec<Comparison>)]
    pub comparisons: &'static [Comparison],
    /// Whether flows from it can bring single fields; without it they bring all.
    pub projects: bool,
    /// Whether flows from it can mask, truncate, calculate, concatenate and validate.
    pub changes_values: bool,
    /// What flows to it can do with records.
    #[schema(value_type = Vec<WriteOperation>)]
    pub writes: &'static [WriteOperation],
    /// The version of its API, where flows can name one.
    pub api_version: Option<ApiVersion>,
    /// Whether the service behind it has ended.
    pub retired: bool,
}

impl Connector {
    /// Whether AppFlow keeps a connector profile for it.
    pub fn has_profile(&self) -> bool {
        self.method(AuthKind::None).is_none()
    }

    /// The way to connect of this kind.
    pub fn method(&self, kind: AuthKind) -> Option<&'static Method> {
        self.methods.iter().find(|method| method.kind == kind)
    }

    /// The row of its OAuth provider.
    pub fn oauth_provider(&self) -> Option<&'static Provider> {
        self.provider.and_then(crate::oauth::provider::provider)
    }

    /// Base of the application at one customer's instance, with `{instance}` in the place of the
    /// label that the user gives.
    pub fn instance_base(&self) -> Option<&'static str> {
        let base = self
            .instance
            .or(self.oauth.instance)
            .or_else(|| self.oauth_provider()?.hosts.instance);
        base.filter(|base| base.contains("{instance}"))
    }

    /// Whether a connection of this kind cannot be made without the label.
    pub fn needs_instance(&self, kind: AuthKind) -> bool {
        let provider = self.oauth_provider();
        self.instance_base().is_some_and(|base| {
            base.contains("{instance}")
                // Salesforce: the login host leads everybody to the own organisation, but takes no
                // client credentials.
                && (kind == AuthKind::OauthClientCredentials
                    || self.instance.is_some()
                    || self.oauth.instance.is_some()
                    || provider.is_none_or(|row| row.hosts.fixed.is_none()))
        })
    }
}
