//! What Identity Center has issued: refresh tokens and identity contexts.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use sandbox_core::{Canaries, DirectoryUser};

use super::IdentityCenter;
use crate::random;

/// How long a context assertion is good for. AWS documents no time; callers use it at once.
const CONTEXT_LIFE: SignedDuration = SignedDuration::from_mins(10);
/// How long a refresh token is good for: Identity Center's default session of eight hours.
const REFRESH_LIFE: SignedDuration = SignedDuration::from_hours(8);

/// An identity context and whom it speaks of.
#[derive(Debug, Clone)]
pub(crate) struct BoundContext {
    pub(crate) user: DirectoryUser,
    application_arn: String,
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
        let store = instance.trim_start_matches("ssoins-");
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
    /// Refresh token to user id and end of life.
    refresh: Mutex<BTreeMap<String, (String, Timestamp)>>,
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
    pub(super) fn issue(&self, configuration: &IdentityCenter, user: &DirectoryUser) -> Tokens {
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
                application_arn: configuration.application_arn.clone(),
                expires_at: after(CONTEXT_LIFE),
            },
        );
        lock(&self.refresh).insert(
            tokens.refresh.clone(),
            (user.user_id.clone(), after(REFRESH_LIFE)),
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

    /// Takes a refresh token out of use and answers whose it was, and whether it is still good.
    pub(super) fn take_refresh(&self, token: &str) -> Option<(String, bool)> {
        let (user_id, expires_at) = lock(&self.refresh).remove(token)?;
        Some((user_id, expires_at > Timestamp::now()))
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
