//! `clientToken`: eight hours, same parameters give the first answer, other parameters an error.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Weak},
};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::error::ApiError;

const LIFETIME: SignedDuration = SignedDuration::from_hours(8);

/// The tokens of one home.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    /// More than one answer per token only where a reused token is no error.
    kept: HashMap<Key, Vec<Kept>>,
    in_flight: HashMap<Key, Weak<Mutex<()>>>,
}

/// Operation and token.
type Key = (String, String);

#[derive(Debug)]
struct Kept {
    /// A hash, because requests hold credentials.
    fingerprint: u64,
    answer: Value,
    until: Timestamp,
}

/// A request that carries a token.
#[derive(Debug, Clone)]
pub(crate) struct Once {
    key: Key,
    fingerprint: u64,
}

impl Once {
    /// `None` for a request without a token.
    pub(crate) fn of(operation: &str, request: &Value) -> Option<Self> {
        let token = request.get("clientToken")?.as_str()?;
        let mut hasher = DefaultHasher::new();
        request.to_string().hash(&mut hasher);
        Some(Self {
            key: (operation.to_owned(), token.to_owned()),
            fingerprint: hasher.finish(),
        })
    }
}

impl Tokens {
    /// The turn of a token: a retry that overtakes its first request waits for that one's answer.
    pub(crate) fn turn(&mut self, once: &Once) -> Arc<Mutex<()>> {
        self.in_flight.retain(|_, turn| turn.strong_count() > 0);
        if let Some(turn) = self.in_flight.get(&once.key).and_then(Weak::upgrade) {
            return turn;
        }
        let turn = Arc::default();
        self.in_flight
            .insert(once.key.clone(), Arc::downgrade(&turn));
        turn
    }

    /// The stored answer of an equal request. Another request under the same token is an error,
    /// unless `lenient` (StartFlow of on-demand flows), where it counts as new.
    pub(crate) fn replay(
        &mut self,
        once: &Once,
        lenient: bool,
        now: Timestamp,
    ) -> Result<Option<Value>, ApiError> {
        self.kept.retain(|_, answers| {
            answers.retain(|kept| kept.until > now);
            !answers.is_empty()
        });
        let Some(answers) = self.kept.get(&once.key) else {
            return Ok(None);
        };
        match answers.iter().find(|k| k.fingerprint == once.fingerprint) {
            Some(kept) => Ok(Some(kept.answer.clone())),
            None if lenient => Ok(None),
            // Which exception the service raises is not documented.
            None => Err(ApiError::conflict(
                "The client token was already used with different parameters",
            )),
        }
    }

    /// Stores the answer of a request that succeeded.
    pub(crate) fn keep(&mut self, once: Once, answer: &Value, now: Timestamp) {
        self.kept.entry(once.key).or_default().push(Kept {
            fingerprint: once.fingerprint,
            answer: answer.clone(),
            until: now + LIFETIME,
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_lives_eight_hours_and_is_bound_to_its_parameters() {
        let mut tokens = Tokens::default();
        let now = Timestamp::UNIX_EPOCH;
        let first = Once::of("StartFlow", &json!({ "clientToken": "t", "flowName": "a" }));
        let other = Once::of("StartFlow", &json!({ "clientToken": "t", "flowName": "b" }));
        let (first, other) = (first.expect("token"), other.expect("token"));
        assert_eq!(tokens.replay(&first, false, now), Ok(None));
        tokens.keep(first.clone(), &json!("answer"), now);
        assert_eq!(tokens.replay(&first, false, now), Ok(Some(json!("answer"))));
        assert!(tokens.replay(&other, false, now).is_err());
        assert_eq!(tokens.replay(&other, true, now), Ok(None));
        tokens.keep(other.clone(), &json!("other"), now);
        assert_eq!(tokens.replay(&first, true, now), Ok(Some(json!("answer"))));
        let later = now + SignedDuration::from_hours(8);
        assert_eq!(tokens.replay(&other, false, later), Ok(None));
        assert!(Once::of("StartFlow", &json!({ "flowName": "a" })).is_none());
    }
}
