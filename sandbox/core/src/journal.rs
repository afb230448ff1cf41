//! The journal: every request that a stand-in saw, for tests and for the tour's account of events.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

/// One request as a stand-in saw it. Never holds a secret.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Who was asked: `salesforce`, `oidc`, `appflow`, `sts`, ...
    pub service: String,
    /// Operation, or method and path template.
    pub operation: String,
    /// AWS account of the caller, if there is one.
    pub account: Option<String>,
    /// Who asked: a role session ARN, a user name, a client id.
    pub principal: Option<String>,
    /// On whose behalf (Identity Center user id), as CloudTrail's `onBehalfOf`.
    pub on_behalf_of: Option<String>,
    /// HTTP status of the answer.
    pub status: u16,
    /// What else is worth knowing, without secrets (`grant_type=refresh_token`).
    pub note: String,
}

/// An append-only list of entries, shared by all stand-ins.
#[derive(Debug, Clone, Default)]
pub struct Journal(Arc<Mutex<Vec<Entry>>>);

impl Journal {
    /// Appends an entry.
    pub fn record(&self, entry: Entry) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(entry);
    }

    /// The entries so far.
    pub fn entries(&self) -> Vec<Entry> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How many entries of this service have an operation or note that contains `what`.
    pub fn count(&self, service: &str, what: &str) -> usize {
        self.entries()
            .iter()
            .filter(|e| {
                e.service == service && (e.operation.contains(what) || e.note.contains(what))
            })
            .count()
    }
}
