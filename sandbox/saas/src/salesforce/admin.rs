//! What tests and the tour do behind the scenes, in process.

use std::sync::{Arc, PoisonError, atomic::Ordering};

use super::{CitySale, Salesforce};

/// How often the token endpoint was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenCounters {
    /// Requests with `grant_type=authorization_code` from an authenticated client.
    pub exchanges: u64,
    /// Requests with `grant_type=refresh_token` from an authenticated client.
    pub refreshes: u64,
    /// Those of them that rotated a token.
    pub refreshes_granted: u64,
    /// Used refresh tokens that came again and ended a grant.
    pub reuse_detected: u64,
    /// Token requests with a secret in the URL, all refused.
    pub secret_in_url: u64,
    /// Introspections.
    pub introspections: u64,
}

impl Salesforce {
    /// Revokes every grant of a user, as an org's admin does. Tells how many were alive.
    pub fn revoke_grants_of(&self, username: &str) -> usize {
        self.state().grants.revoke_user(username)
    }

    /// How many grants of a user are alive.
    pub fn grants_of(&self, username: &str) -> usize {
        self.state().grants.approvals(username)
    }

    /// Ends every access token now; refresh tokens stay.
    pub fn expire_access_tokens(&self) {
        self.state().grants.expire_access();
    }

    /// Registers another callback URL.
    pub fn register_redirect_uri(&self, uri: &str) {
        self.state().redirect_uris.push(uri.to_owned());
    }

    /// Accepts another client secret beside those already valid, as a staged rotation does.
    pub fn add_client_secret(&self, secret: &str) {
        self.options
            .canaries
            .seed("salesforce client secret", secret);
        self.state().client_secrets.push(secret.to_owned());
    }

    /// Ends a client secret.
    pub fn retire_client_secret(&self, secret: &str) {
        self.state().client_secrets.retain(|known| known != secret);
    }

    /// Grants no more than these scopes from now on, whatever the app asks for; `None` lifts it.
    pub fn limit_scopes(&self, scopes: Option<&[&str]>) {
        self.state().scope_limit =
            scopes.map(|scopes| scopes.iter().map(|s| (*s).to_owned()).collect());
    }

    /// How often the token endpoint was asked so far.
    pub fn token_counters(&self) -> TokenCounters {
        let counters = &self.counters;
        TokenCounters {
            exchanges: counters.exchanges.load(Ordering::SeqCst),
            refreshes: counters.refreshes.load(Ordering::SeqCst),
            refreshes_granted: counters.refreshes_granted.load(Ordering::SeqCst),
            reuse_detected: counters.reuse_detected.load(Ordering::SeqCst),
            secret_in_url: counters.secret_in_url.load(Ordering::SeqCst),
            introspections: counters.introspections.load(Ordering::SeqCst),
        }
    }

    /// The records of `City_Sales__c` as they are now.
    pub fn sales(&self) -> Arc<Vec<CitySale>> {
        Arc::clone(&self.sales.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes records as a user of the org would: whatever `change` alters gets the sandbox's time as
    /// `LastModifiedDate`. Tells how many were altered.
    pub fn change_sales(&self, change: impl Fn(&mut CitySale)) -> usize {
        let now = self.options.clock.now();
        let mut sales = self.sales.write().unwrap_or_else(PoisonError::into_inner);
        let mut altered = 0;
        for sale in Arc::make_mut(&mut sales) {
            let before = sale.clone();
            change(sale);
            if *sale != before {
                sale.last_modified = now;
                altered += 1;
            }
        }
        altered
    }
}
