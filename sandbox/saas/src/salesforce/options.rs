//! How a Salesforce stand-in is set up.

use std::time::Duration;

use sandbox_core::{Canaries, Clock, Faults, Journal};

use super::city_sale::record_id;

/// A person who can grant access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgUser {
    /// Login name.
    pub username: String,
    /// Name on the consent page.
    pub display_name: String,
    /// E-mail address.
    pub email: String,
    /// 18-character id of the user's org.
    pub org_id: String,
    /// 18-character id of the user.
    pub user_id: String,
}

/// What a [`super::Salesforce`] is made of.
#[derive(Clone)]
pub struct SalesforceOptions {
    /// Token lives follow this clock.
    pub clock: Clock,
    /// Faults of the service `salesforce`; an operation reads `POST /services/oauth2/token`.
    pub faults: Faults,
    /// Where requests are written down.
    pub journal: Journal,
    /// Where issued secrets are written down.
    pub canaries: Canaries,
    /// Consumer key of the vendor's app.
    pub client_id: String,
    /// Consumer secret of the vendor's app.
    pub client_secret: String,
    /// Registered callback URLs, compared character by character.
    pub redirect_uris: Vec<String>,
    /// Life of an access token: two hours, unless the org says otherwise. Use does not extend it.
    pub token_life: Duration,
    /// How long a refresh token may lie unused: 30 days.
    pub refresh_idle: Duration,
    /// Records in one page of a query.
    pub page_size: usize,
    /// Who can grant. The first is chosen if the consent names nobody.
    pub users: Vec<OrgUser>,
}

impl SalesforceOptions {
    /// An app with the usual policies and two users, who belong to different orgs.
    pub fn new(client_id: &str, client_secret: &str) -> Self {
        Self {
            clock: Clock::default(),
            faults: Faults::default(),
            journal: Journal::default(),
            canaries: Canaries::default(),
            client_id: client_id.to_owned(),
            client_secret: client_secret.to_owned(),
            redirect_uris: Vec::new(),
            token_life: Duration::from_hours(2),
            refresh_idle: Duration::from_hours(30 * 24),
            page_size: 500,
            users: vec![
                user("olivia", "Olivia Admin", "sports", 1),
                user("oscar", "Oscar Admin", "other", 2),
            ],
        }
    }
}

fn user(name: &str, display_name: &str, org: &str, number: u64) -> OrgUser {
    OrgUser {
        username: format!("{name}@{org}.example.crm"),
        display_name: display_name.to_owned(),
        email: format!("{name}@{org}.example"),
        org_id: record_id("00D", number),
        user_id: record_id("005", number),
    }
}
