//! Seeded secrets: whatever a stand-in issues as a secret is written down here, and the sweep at
//! the end of a tour or test looks for each of them in everything that was logged or sent.

use std::sync::{Arc, Mutex, PoisonError};

/// The list of secrets that must appear nowhere.
#[derive(Debug, Clone, Default)]
pub struct Canaries(Arc<Mutex<Vec<(String, String)>>>);

impl Canaries {
    /// Writes down a secret under a label (`salesforce refresh token`). Short values are refused,
    /// because they would be found by chance.
    pub fn seed(&self, label: &str, secret: &str) {
        debug_assert!(
            secret.len() >= 12,
            "a canary of {} characters proves nothing",
            secret.len()
        );
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((label.to_owned(), secret.to_owned()));
    }

    /// How many secrets are seeded.
    pub fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether none is seeded.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Labels of the secrets that `text` contains, each once.
    pub fn found_in(&self, text: &str) -> Vec<String> {
        let seeded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut labels: Vec<String> = seeded
            .iter()
            .filter(|(_, secret)| text.contains(secret.as_str()))
            .map(|(label, _)| label.clone())
            .collect();
        labels.sort();
        labels.dedup();
        labels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seeded_secret_is_found_by_its_label_and_nothing_else_is() {
        let canaries = Canaries::default();
        canaries.seed("access token", "00D!canary-access-token");
        assert_eq!(
            canaries.found_in("log: 00D!canary-access-token."),
            ["access token"]
        );
        assert!(canaries.found_in("log: 00D!canary").is_empty());
    }
}
