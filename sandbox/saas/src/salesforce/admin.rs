//! What tests and the tour do behind the scenes, in process.

use std::sync::{Arc, PoisonError, atomic::Ordering};

use serde_json::{Map, Value};

use super::{
    ChangeEvent, CitySale, Salesforce,
    event::{ChangeType, Commit, of_change},
    grants::Approval,
};

/// The example pair of RFC 7636, appendix B: a grant made in process has no browser to keep a secret
/// from.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

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

/// How often metadata was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MetadataCounters {
    /// `GET …/sobjects`: the list of objects.
    pub object_lists: u64,
    /// `GET …/sobjects/{name}/describe`.
    pub describes: u64,
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

    /// How often objects were listed and described so far.
    pub fn metadata_counters(&self) -> MetadataCounters {
        MetadataCounters {
            object_lists: self.counters.object_lists.load(Ordering::SeqCst),
            describes: self.counters.describes.load(Ordering::SeqCst),
        }
    }

    /// Makes the org as large as real ones are: `objects` objects in all, of which `Wide__c` has
    /// `fields` fields. The new ones hold no records.
    pub fn grow(&self, objects: usize, fields: usize) {
        self.org().grow(objects, fields);
    }

    /// Deletes a custom field, as an administrator of the org does; tells whether it was there. Queries
    /// that name it fail from now on.
    pub fn delete_field(&self, object: &str, field: &str) -> bool {
        self.org().delete_field(object, field)
    }

    /// A grant without a browser: what a user's consent would have led to. Answers the access token;
    /// `None` if nobody has this name.
    pub fn issue_access_token(&self, username: &str) -> Option<String> {
        let user = self.user(username)?;
        let approval = Approval {
            username: user.username.clone(),
            scope: "api refresh_token id".to_owned(),
            redirect_uri: String::new(),
            challenge: CHALLENGE.to_owned(),
        };
        let now = self.now();
        let mut state = self.state();
        let code = state.grants.approve(approval, now);
        let issued = state.grants.exchange(&code, "", VERIFIER, now).ok()?;
        let canaries = &self.options.canaries;
        canaries.seed("salesforce access token", &issued.access_token);
        Some(issued.access_token)
    }

    /// A grant without a browser, beside all others of the user: access token and refresh token. `None`
    /// if nobody has this name.
    pub fn issue_grant(&self, username: &str) -> Option<(String, String)> {
        let username = self.user(username)?.username.clone();
        let now = self.now();
        let scope = "api refresh_token id";
        let issued = self.state().grants.grant(&username, scope, now);
        let refresh_token = issued.refresh_token?;
        let canaries = &self.options.canaries;
        canaries.seed("salesforce access token", &issued.access_token);
        canaries.seed("salesforce refresh token", &refresh_token);
        Some((issued.access_token, refresh_token))
    }

    /// The records of an object with every field, those in the recycle bin too; none if there is no
    /// such object.
    pub fn records(&self, object: &str) -> Vec<Map<String, Value>> {
        let org = self.org();
        let Some(object) = org.object(object) else {
            return Vec::new();
        };
        let named = |row: &Vec<super::table::Cell>| {
            let cells = object.fields.iter().zip(row);
            cells
                .filter(|(field, _)| field.is_there())
                .map(|(field, cell)| (field.name.to_string(), cell.to_json()))
                .collect()
        };
        org.rows(&object, &self.sales()).iter().map(named).collect()
    }

    /// Tells subscribers of a channel something: a platform event (`Order__e`), or a change that no
    /// record of the stand-in went through.
    pub fn publish_event(&self, channel: &str, detail: Value) {
        self.org().publish(ChangeEvent {
            channel: channel.to_owned(),
            detail,
        });
        self.published.notify_one();
    }

    /// The events that nobody has fetched yet, oldest first.
    pub fn take_events(&self) -> Vec<ChangeEvent> {
        self.org().take_events()
    }

    /// Waits until there may be events to take.
    pub async fn events_published(&self) {
        self.published.notified().await;
    }

    /// Changes records as a user of the org would: whatever `change` alters gets the sandbox's time as
    /// `LastModifiedDate`, and is told to the subscribers of `City_Sales__ChangeEvent`. Tells how many
    /// were altered.
    pub fn change_sales(&self, change: impl Fn(&mut CitySale)) -> usize {
        let now = self.options.clock.now();
        let mut altered = Vec::new();
        {
            let mut sales = self.sales.write().unwrap_or_else(PoisonError::into_inner);
            for sale in Arc::make_mut(&mut sales) {
                let before = sale.clone();
                change(sale);
                if *sale != before {
                    sale.last_modified = now;
                    altered.push((before, sale.clone()));
                }
            }
        }
        self.tell_changes(&altered, now);
        altered.len()
    }

    fn tell_changes(&self, altered: &[(CitySale, CitySale)], now: jiff::Timestamp) {
        let mut org = self.org();
        let Some(object) = org.object("City_Sales__c").filter(|_| !altered.is_empty()) else {
            return;
        };
        let number = org.next_commit();
        let user_id = self.options.users.first().map(|u| u.user_id.clone());
        for (sequence, (before, after)) in (1..).zip(altered) {
            let deleted = after.is_deleted && !before.is_deleted;
            let commit = Commit {
                number,
                sequence,
                user_id: user_id.clone().unwrap_or_default(),
                at: now,
            };
            let kind = if deleted {
                ChangeType::Delete
            } else {
                ChangeType::Update
            };
            let cells = |sale: &CitySale| object.rows(std::slice::from_ref(sale));
            let (before, after) = (cells(before), cells(after));
            let event = of_change(&object, kind, &before[0], &after[0], &commit);
            if let Some(event) = event {
                org.publish(event);
            }
        }
        drop(org);
        self.published.notify_one();
    }
}
