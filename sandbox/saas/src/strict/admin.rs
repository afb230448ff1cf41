//! What tests, the tour and the control page do behind the scenes, in process.

use std::time::Duration;

use super::{
    Endpoint, ProviderApp, ProviderCounters, ProviderUser, Providers, RateLimit, Trouble,
    TroubleRule,
    error::Cause,
    flavour::{FLAVOURS, Flavour, Realm, flavour},
    grants::{Approval, Exchange, Presented, Terms},
    users,
};

/// The tokens of a grant.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenPair {
    /// Access token.
    pub access_token: String,
    /// Refresh token.
    pub refresh_token: String,
}

impl std::fmt::Debug for TokenPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenPair([redacted])")
    }
}

fn usual_terms(row: &Flavour) -> Terms {
    Terms {
        rotation: row.rotation,
        access_life: row.access_life.0,
        refresh_life: row.refresh_life,
        access_prefix: row.access_prefix,
        access_bytes: row.access_bytes,
        refresh_prefix: row.refresh_prefix,
    }
}

/// Bases of the providers and applications at `base`, as a deployment configures them:
/// `hubspot=http://…/hubspot,zendesk=http://…/zendesk/{instance},…`.
pub fn hosts(base: &str) -> String {
    [
        ("service-now", "service-now/{instance}"),
        ("hubspot", "hubspot"),
        ("zendesk", "zendesk/{instance}"),
        ("microsoft", "microsoft/common"),
        ("dynamics365", "dynamics/{instance}"),
    ]
    .map(|(key, path)| format!("{key}={base}/{path}"))
    .join(",")
}

impl Providers {
    /// Registers an app at a provider. A second one with the same id replaces the first.
    pub fn register_app(&self, provider: &str, app: ProviderApp) {
        let Some(row) = flavour(provider) else { return };
        for secret in &app.client_secrets {
            self.seed(&format!("{} client secret", row.label), secret);
        }
        self.book(row, |book| {
            book.apps.retain(|known| known.client_id != app.client_id);
            book.apps.push(app);
        });
    }

    /// Ends an app: its requests are refused from now on.
    pub fn remove_app(&self, provider: &str, client_id: &str) {
        let Some(row) = flavour(provider) else { return };
        self.book(row, |book| {
            book.apps.retain(|app| app.client_id != client_id);
        });
    }

    /// Accepts another secret of every app of a provider beside those already valid.
    pub fn add_client_secret(&self, provider: &str, secret: &str) {
        let Some(row) = flavour(provider) else { return };
        self.seed(&format!("{} client secret", row.label), secret);
        self.book(row, |book| {
            for app in &mut book.apps {
                app.client_secrets.push(secret.to_owned());
            }
        });
    }

    /// Ends a client secret.
    pub fn retire_client_secret(&self, provider: &str, secret: &str) {
        let Some(row) = flavour(provider) else { return };
        self.book(row, |book| {
            for app in &mut book.apps {
                app.client_secrets.retain(|known| known != secret);
            }
        });
    }

    /// How often a client authenticated with this secret.
    pub fn secret_uses(&self, provider: &str, secret: &str) -> u64 {
        flavour(provider).map_or(0, |row| {
            self.book(row, |book| book.secret_uses.get(secret).copied())
                .unwrap_or_default()
        })
    }

    /// Makes another org: an instance of ServiceNow and of Zendesk, a HubSpot account, a directory and
    /// a Dynamics org, with the users Olivia and Otto.
    pub fn add_org(&self, org: &str) {
        if !self.has_org(org) {
            let people = users::of_org(org, ["olivia", "otto"]);
            self.state().users.extend(people);
        }
    }

    /// Everybody who can sign in.
    pub fn users(&self) -> Vec<ProviderUser> {
        self.state().users.clone()
    }

    /// Puts trouble in force, behind what is already there.
    pub fn add_trouble(&self, rule: TroubleRule) {
        self.state().troubles.push(rule);
    }

    /// Trouble for the next token request at a provider, at any instance.
    pub fn trouble_once(&self, provider: &str, trouble: Trouble) {
        self.add_trouble(TroubleRule {
            provider: provider.to_owned(),
            instance: None,
            endpoint: Endpoint::Token,
            trouble,
            times: 1,
        });
    }

    /// Ends all trouble.
    pub fn clear_trouble(&self) {
        self.state().troubles.clear();
    }

    /// Limits the calls of each client; `None` lifts it.
    pub fn limit_rate(&self, provider: &str, limit: Option<RateLimit>) {
        let Some(row) = flavour(provider) else { return };
        self.book(row, |book| {
            book.rate_limit = limit;
            book.calls_of.clear();
        });
    }

    /// Grants no more than these scopes from now on, whatever the app asks for; `None` lifts it.
    pub fn limit_scopes(&self, provider: &str, scopes: Option<&[&str]>) {
        let Some(row) = flavour(provider) else { return };
        let scopes = scopes.map(|scopes| scopes.iter().map(|s| (*s).to_owned()).collect());
        self.book(row, |book| book.scope_limit = scopes);
    }

    /// Whether authorization requests without a challenge are refused, as they are at first.
    pub fn require_pkce(&self, provider: &str, required: bool) {
        let Some(row) = flavour(provider) else { return };
        self.book(row, |book| book.pkce_optional = !required);
    }

    /// What a provider has seen so far.
    pub fn counters(&self, provider: &str) -> ProviderCounters {
        flavour(provider)
            .map(|row| self.book(row, |book| book.counters.clone()))
            .unwrap_or_default()
    }

    /// How many grants of a provider are alive.
    pub fn live_grants(&self, provider: &str) -> usize {
        flavour(provider).map_or(0, |row| {
            self.book(row, |book| book.grants.alive(None).len())
        })
    }

    /// How many grants of a user are alive.
    pub fn grants_of(&self, provider: &str, username: &str) -> usize {
        flavour(provider).map_or(0, |row| {
            self.book(row, |book| book.grants.alive(Some(username)).len())
        })
    }

    /// Revokes every grant of a user, as an administrator does. Tells how many were alive.
    pub fn revoke_grants_of(&self, provider: &str, username: &str) -> usize {
        flavour(provider).map_or(0, |row| {
            self.book(row, |book| book.grants.revoke_user(username))
        })
    }

    /// A grant without a browser: what a user's consent to the provider's first app would have led to.
    /// `None` if there is no such provider, user or app.
    pub fn grant(&self, provider: &str, username: &str, scope: &str) -> Option<TokenPair> {
        let row = flavour(provider)?;
        let user = self.user(username)?;
        let now = self.now();
        let instance = match row.realm {
            Realm::Instance => user.org,
            Realm::None | Realm::Directory => String::new(),
        };
        let issued = self.book(row, |book| {
            let client_id = book.apps.first()?.client_id.clone();
            let approval = Approval {
                username: user.username,
                client_id: client_id.clone(),
                instance: instance.clone(),
                scope: scope.to_owned(),
                refreshable: true,
                redirect_uri: String::new(),
                challenge: None,
                expires_at: i64::MAX,
            };
            let code = book.grants.approve(approval);
            let asked = Exchange {
                code: &code,
                client_id: &client_id,
                instance: &instance,
                redirect_uri: "",
                verifier: None,
            };
            book.grants.exchange(&asked, &usual_terms(row), now).ok()
        })?;
        self.seed_issued(row, &issued);
        Some(TokenPair {
            access_token: issued.access_token,
            refresh_token: issued.refresh_token?,
        })
    }

    /// Ends every access token of a provider now; grants and refresh tokens stay.
    pub fn expire_access_tokens(&self, provider: &str) {
        if let Some(row) = flavour(provider) {
            self.book(row, |book| book.grants.expire_access());
        }
    }

    /// Lets every refresh token of a provider lie unused for too long.
    pub fn expire_refresh_tokens(&self, provider: &str) {
        let now = self.now();
        if let Some(row) = flavour(provider) {
            self.book(row, |book| book.grants.expire_refresh(now));
        }
    }

    /// Presents a refresh token of a user that was replaced before, as a thief with a copy would. A
    /// strict provider ends the grant; tells whether it did. Not counted as a double use, which tells
    /// of the product alone.
    pub fn replay_refresh_token(&self, provider: &str, username: &str) -> bool {
        let Some(row) = flavour(provider) else {
            return false;
        };
        let now = self.now();
        let terms = usual_terms(row);
        self.book(row, |book| {
            let Some((token, client_id, instance)) = book.grants.traded(username) else {
                return false;
            };
            let asked = Presented {
                token: &token,
                client_id: &client_id,
                instance: &instance,
            };
            let outcome = book.grants.refresh(&asked, &terms, now);
            matches!(outcome, Err(refused) if refused.ended && refused.cause == Cause::Refresh)
        })
    }

    /// The current refresh token of a user's newest live grant.
    pub fn refresh_token_of(&self, provider: &str, username: &str) -> Option<String> {
        self.book(flavour(provider)?, |book| book.grants.current(username))
    }

    /// Every secret that was issued so far, with its label; all are canaries of the sandbox too.
    pub fn issued_secrets(&self) -> Vec<(String, String)> {
        self.state().issued.clone()
    }

    /// [`hosts`] of these providers.
    pub fn hosts(&self) -> String {
        hosts(self.base_url())
    }

    /// Waits (real time) until the token endpoint of a provider has had this many calls; tells whether
    /// that came within `patience`.
    pub async fn token_calls_reach(&self, provider: &str, calls: u64, patience: Duration) -> bool {
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let so_far: u64 = self.counters(provider).token_calls.values().sum();
            if so_far >= calls {
                return true;
            }
            if tokio::time::Instant::now() >= deadline {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Labels of the providers by key.
    pub fn labels() -> impl Iterator<Item = (&'static str, &'static str)> {
        FLAVOURS.iter().map(|row| (row.key, row.label))
    }
}
