//! Faults on demand: what goes wrong, where, and how often.

use std::sync::{Arc, Mutex, PoisonError};

/// What goes wrong with one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Answered with this status, optional `Retry-After` seconds and body, before any effect.
    Status {
        /// HTTP status.
        status: u16,
        /// `Retry-After` in seconds.
        retry_after: Option<u32>,
        /// Body, sent as it is.
        body: String,
    },
    /// The connection closes before the request has any effect.
    DropBefore,
    /// The effect happens, then the connection closes without an answer.
    DropAfter,
    /// The effect happens, and half of the answer's body is sent.
    Truncate,
    /// The answer waits this many milliseconds (real time) after the effect.
    Delay(u64),
}

/// A fault and the requests it applies to.
#[derive(Debug, Clone)]
pub struct FaultRule {
    /// Who plays it: `salesforce`, `oidc`, `appflow`, `sts`, `dynamodb`, ...
    pub service: String,
    /// Operation or path fragment; empty for all.
    pub operation: String,
    /// What goes wrong.
    pub fault: Fault,
    /// How many requests it hits before it is used up.
    pub times: u32,
}

/// The faults in force.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Vec<FaultRule>>>);

impl Faults {
    /// Puts a rule in force, behind those already there.
    pub fn add(&self, rule: FaultRule) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(rule);
    }

    /// Takes the fault that hits this request, if any, and counts it down.
    pub fn take(&self, service: &str, operation: &str) -> Option<Fault> {
        let mut rules = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = rules.iter().position(|rule| {
            rule.service == service && operation.contains(rule.operation.as_str())
        })?;
        let fault = rules[at].fault.clone();
        rules[at].times = rules[at].times.saturating_sub(1);
        if rules[at].times == 0 {
            rules.remove(at);
        }
        Some(fault)
    }

    /// Removes every rule.
    pub fn clear(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_hits_as_often_as_it_says() {
        let faults = Faults::default();
        faults.add(FaultRule {
            service: "salesforce".into(),
            operation: "token".into(),
            fault: Fault::DropAfter,
            times: 2,
        });
        assert_eq!(
            faults.take("salesforce", "/services/oauth2/token"),
            Some(Fault::DropAfter)
        );
        assert_eq!(faults.take("oidc", "/token"), None);
        assert_eq!(
            faults.take("salesforce", "/services/oauth2/token"),
            Some(Fault::DropAfter)
        );
        assert_eq!(faults.take("salesforce", "/services/oauth2/token"), None);
    }
}
