//! How the providers are set up.

use std::time::Duration;

use sandbox_core::{Canaries, Clock, Faults, Journal};

/// An app that is registered at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderApp {
    /// Client id.
    pub client_id: String,
    /// Client secrets; several are good at once while one replaces another.
    pub client_secrets: Vec<String>,
    /// Callback URLs, compared character by character.
    pub redirect_uris: Vec<String>,
}

/// What a [`super::Providers`] is made of.
#[derive(Clone, Default)]
pub struct ProvidersOptions {
    /// Token lives follow this clock.
    pub clock: Clock,
    /// Faults of the service `providers`; an operation reads `POST /zendesk/acme/oauth/tokens`.
    pub faults: Faults,
    /// Where requests are written down.
    pub journal: Journal,
    /// Where issued secrets are written down.
    pub canaries: Canaries,
}

/// How many calls of the token endpoint a client may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Calls.
    pub calls: usize,
    /// In any period of this length, by the sandbox's clock.
    pub per: Duration,
}
