//! What Identity Center has issued: refresh tokens and identity contexts.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use sandbox_core::{Canaries, DirectoryUser};

use crate::random;

/// How long a context assertion is good for. AWS documents no time; callers use it at once.
const CONTEXT_LIFE: SignedDuration = SignedDuration::from_mins(10);
/// How long a session with an application lasts, however often it is renewed: Identity Center's default.
const SESSION_LIFE: SignedDuration = SignedDuration::from_hours(8);

/// When a session that begins now ends.
pub(super) fn session_end() -> Timestamp {
    after(SESSION_LIFE)
}

/// Whose a refresh token is.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) user_id: String,
    pub(super) application_arn: String,
    pub(super) session_end: Timestamp,
}

/// An identity context and whom it speaks of.
#[derive(Debug, Clone)]
pub(crate) struct BoundContext {
    pub(crate) user: DirectoryUser,
    pub(crate) application_arn: String,
    expires_at: Timestamp,
}

impl BoundContext {
    /// The claims that trust policies see as `sts:RequestContext/...`.
    pub(crate) fn claims(&self) -> [(&'static str, String); 4] {
        let mut parts = self.application_arn.split(':').skip(4);
        let account = parts.next().unwrap_or_default();
        let instance = parts
            .next()
            .and_then(|resource| resource.split('/').nth(1))
            .unwrap_or_default();
        let store: String = instance
            .trim_start_matches("ssoins-")
            .chars()
            .take(10)
            .collect();
        [
            ("identitystore:UserId", self.user.user_id.clone()),
            (
                "identitystore:IdentityStoreArn",
                format!("arn:aws:identitystore::{account}:identitystore/d-{store}"),
            ),
            (
                "identitycenter:InstanceArn",
                format!("arn:aws:sso:::instance/{instance}"),
            ),
            (
                "identitycenter:ApplicationArn",
                self.application_arn.clone(),
            ),
        ]
    }
}

/// Why a context assertion is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContextRefused {
    /// Identity Center did not issue it.
    Unknown,
    /// It is too old.
    Expired,
}

/// One set of tokens for a person.
pub(super) struct Tokens {
    pub(super) access: String,
    pub(super) refresh: String,
    pub(super) id: String,
    pub(super) context: String,
}

pub(super) struct Issued {
    canaries: Canaries,
    contexts: Mutex<BTreeMap<String, BoundContext>>,
    refresh: Mutex<BTreeMap<String, Held>>,
}

impl Issued {
    pub(super) fn new(canaries: Canaries) -> Self {
        Self {
            canaries,
            contexts: Mutex::default(),
            refresh: Mutex::default(),
        }
    }

    /// Issues tokens and an identity context bound to the person.
    pub(super) fn issue(
        &self,
        application_arn: &str,
        user: &DirectoryUser,
        session_end: Timestamp,
    ) -> Tokens {
        let tokens = Tokens {
            access: format!("aoa{}", random::secret(80)),
            refresh: format!("aor{}", random::secret(80)),
            id: format!("ict{}", random::secret(120)),
            context: random::secret(400),
        };
        for (label, token) in [
            ("identity center access token", &tokens.access),
            ("identity center refresh token", &tokens.refresh),
            ("identity center id token", &tokens.id),
            ("identity context", &tokens.context),
        ] {
            self.canaries.seed(label, token);
        }
        lock(&self.contexts).insert(
            tokens.context.clone(),
            BoundContext {
                user: user.clone(),
                application_arn: application_arn.to_owned(),
                expires_at: after(CONTEXT_LIFE),
            },
        );
        lock(&self.refresh).insert(
            tokens.refresh.clone(),
            Held {
                user_id: user.user_id.clone(),
                application_arn: application_arn.to_owned(),
                session_end,
            },
        );
        tokens
    }

    pub(super) fn context(&self, assertion: &str) -> Result<BoundContext, ContextRefused> {
        let bound = lock(&self.contexts)
            .get(assertion)
            .cloned()
            .ok_or(ContextRefused::Unknown)?;
        if bound.expires_at <= Timestamp::now() {
            return Err(ContextRefused::Expired);
        }
        Ok(bound)
    }

    /// Takes a refresh token out of use and answers whose it was.
    pub(super) fn take_refresh(&self, token: &str) -> Option<Held> {
        lock(&self.refresh).remove(token)
    }

    /// Ends every session now.
    pub(super) fn end_sessions(&self) {
        for held in lock(&self.refresh).values_mut() {
            held.session_end = Timestamp::now();
        }
    }
}

fn after(life: SignedDuration) -> Timestamp {
    Timestamp::now()
        .saturating_add(life)
        .unwrap_or(Timestamp::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assertion_nobody_issued_is_unknown_and_an_old_one_is_expired() {
        let issued = Issued::new(Canaries::default());
        assert_eq!(
            issued.context("forged").err(),
            Some(ContextRefused::Unknown)
        );
        lock(&issued.contexts).insert(
            "old".into(),
            BoundContext {
                user: DirectoryUser {
                    user_id: "u".into(),
                    user_name: "u".into(),
                    groups: vec![],
                },
                application_arn: String::new(),
                expires_at: Timestamp::now(),
            },
        );
        assert_eq!(issued.context("old").err(), Some(ContextRefused::Expired));
    }
}
