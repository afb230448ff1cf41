//! How a provider is set up, and who its users are.

use std::{collections::BTreeMap, time::Duration};

use sandbox_core::{Canaries, Clock, Faults, Journal};
use uuid::Uuid;

/// A person of the pool.
#[derive(Clone)]
pub struct OidcUser {
    /// What the person types to sign in.
    pub name: String,
    /// Stable subject, a UUID.
    pub sub: String,
    /// Verified e-mail address.
    pub email: String,
    /// Groups.
    pub groups: Vec<String>,
    /// Password.
    pub password: String,
    /// Attributes such as `custom:tenant_id`, which the person could write; they reach the trigger and
    /// the ID token.
    pub attributes: BTreeMap<String, String>,
}

impl std::fmt::Debug for OidcUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OidcUser")
            .field("name", &self.name)
            .field("sub", &self.sub)
            .field("groups", &self.groups)
            .finish_non_exhaustive()
    }
}

impl OidcUser {
    /// A user of `sports.example` in one group, with the password `<name>-password-local`.
    pub fn new(name: &str, group: &str) -> Self {
        let email = format!("{name}@sports.example");
        Self {
            name: name.to_owned(),
            sub: Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("mailto:{email}").as_bytes())
                .to_string(),
            email,
            groups: vec![group.to_owned()],
            password: format!("{name}-password-local"),
            attributes: BTreeMap::new(),
        }
    }
}

/// What an [`super::Oidc`] is made of.
#[derive(Clone)]
pub struct OidcOptions {
    /// Lives of codes and sessions follow this clock; `iat` and `exp` follow the machine's.
    pub clock: Clock,
    /// Faults of the service `oidc`; an operation reads `POST /oauth2/token`.
    pub faults: Faults,
    /// Where requests are written down.
    pub journal: Journal,
    /// Where issued secrets are written down.
    pub canaries: Canaries,
    /// The application's client.
    pub client_id: String,
    /// Its secret; none for a public client.
    pub client_secret: Option<String>,
    /// Callback URLs, compared character by character.
    pub redirect_uris: Vec<String>,
    /// URLs that `/logout` may lead to.
    pub logout_uris: Vec<String>,
    /// Scopes that the application's client may ask for.
    pub scopes: Vec<String>,
    /// The vendor's machine client.
    pub operator_id: String,
    /// Its secret.
    pub operator_secret: String,
    /// Scopes that it may ask for; all of them if it asks for none.
    pub operator_scopes: Vec<String>,
    /// Life of ID and access tokens.
    pub token_life: Duration,
    /// How long the pre-token-generation trigger may take: 5 seconds in Cognito.
    pub trigger_timeout: Duration,
    /// Whether every refresh gives a new refresh token. Off, as a pool is made.
    pub rotate_refresh_tokens: bool,
    /// The people.
    pub users: Vec<OidcUser>,
}

impl OidcOptions {
    /// A pool with the four users of the worked example.
    pub fn new(client_id: &str, client_secret: Option<&str>, operator_secret: &str) -> Self {
        let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect();
        Self {
            clock: Clock::default(),
            faults: Faults::default(),
            journal: Journal::default(),
            canaries: Canaries::default(),
            client_id: client_id.to_owned(),
            client_secret: client_secret.map(str::to_owned),
            redirect_uris: Vec::new(),
            logout_uris: Vec::new(),
            scopes: words(&["openid", "email", "profile", "tributary/api"]),
            operator_id: "tributary-operator".to_owned(),
            operator_secret: operator_secret.to_owned(),
            operator_scopes: words(&["tributary/operator"]),
            token_life: Duration::from_hours(1),
            trigger_timeout: Duration::from_secs(5),
            rotate_refresh_tokens: false,
            users: vec![
                OidcUser::new("ethan", "exec-global"),
                OidcUser::new("frank", "amer-sales"),
                OidcUser::new("alex", "emea-sales"),
                OidcUser::new("ming", "apac-sales"),
            ],
        }
    }
}
