//! The applications and the identity provider that the sandbox plays, each on its own loopback port.
//!
//! * [`Salesforce`]: OAuth with mandatory PKCE, refresh-token rotation and reuse detection, and a REST
//!   API (object list, describe, SOQL with paging, records written one by one and in collections) over
//!   sales per city and accounts, whose changes are published.
//! * [`Oidc`]: an OpenID Connect provider in the shape of Amazon Cognito, with the four users of the
//!   worked example and a pre-token-generation trigger.
//! * [`Providers`]: OAuth providers that forgive nothing, one row each: ServiceNow, HubSpot, Zendesk,
//!   Microsoft with Dynamics 365, and Marketo.
//!
//! * [`Catcher`]: webhook endpoints that keep what they are sent and answer as told.
//!
//! All answer faults on demand, write every request to the journal and seed every secret they issue.

pub mod catcher;
mod html;
mod oauth;
pub mod oidc;
mod params;
mod random;
pub mod salesforce;
mod server;
pub mod strict;

pub use catcher::Catcher;
pub use html::escape;
pub use oidc::{Oidc, OidcOptions};
pub use salesforce::{OwnApp, Salesforce, SalesforceOptions, city_sales};
pub use strict::{ProviderApp, Providers, ProvidersOptions};
