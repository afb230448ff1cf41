//! The credential registry: which access key belongs to whom.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use sandbox_core::{Canaries, Principal};

use crate::random;

/// Credentials to sign requests with.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Access key id: `AKIA...` for a user, `ASIA...` for a session.
    pub access_key_id: String,
    /// Secret access key.
    pub secret_access_key: String,
    /// Session token, with temporary credentials.
    pub session_token: Option<String>,
    /// The account the credentials belong to.
    pub account: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

/// What is known about one access key.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) principal: Principal,
    pub(crate) credentials: Credentials,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) transitive_tags: BTreeSet<String>,
    pub(crate) policy: Option<String>,
    /// The application of Identity Center that the person came through.
    pub(crate) application: Option<String>,
}

/// What a new session is made of.
pub(crate) struct NewSession {
    pub(crate) account: String,
    pub(crate) arn: String,
    pub(crate) role_arn: String,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) transitive_tags: BTreeSet<String>,
    pub(crate) policy: Option<String>,
    pub(crate) on_behalf_of: Option<sandbox_core::DirectoryUser>,
    pub(crate) application: Option<String>,
    pub(crate) lifetime: SignedDuration,
}

/// Why a signer is not recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unrecognised {
    #[error("the request is missing authentication information")]
    Unsigned,
    #[error("the authorization information is malformed")]
    Malformed,
    #[error("the security token included in the request is invalid")]
    UnknownKey,
    #[error("the security token included in the request is expired")]
    Expired,
}

/// All access keys.
pub(crate) struct Registry {
    canaries: Canaries,
    sessions: Mutex<BTreeMap<String, Session>>,
}

impl Registry {
    pub(crate) fn new(canaries: Canaries) -> Self {
        Self {
            canaries,
            sessions: Mutex::default(),
        }
    }

    /// Long-lived credentials of the account's administrator, the same for every caller.
    pub(crate) fn admin(&self, account: &str) -> Session {
        let arn = format!("arn:aws:iam::{account}:user/admin");
        let mut sessions = self.lock();
        if let Some(session) = sessions
            .values()
            .find(|session| session.principal.arn == arn)
        {
            return session.clone();
        }
        let credentials = Credentials {
            access_key_id: random::identifier("AKIA"),
            secret_access_key: random::secret(40),
            session_token: None,
            account: account.to_owned(),
        };
        self.canaries
            .seed("aws secret access key", &credentials.secret_access_key);
        let session = Session {
            principal: Principal {
                access_key_id: credentials.access_key_id.clone(),
                account: account.to_owned(),
                arn,
                role_arn: None,
                tags: BTreeMap::new(),
                on_behalf_of: None,
            },
            credentials,
            expires_at: None,
            transitive_tags: BTreeSet::new(),
            policy: None,
            application: None,
        };
        sessions.insert(session.principal.access_key_id.clone(), session.clone());
        session
    }

    /// Issues temporary credentials.
    pub(crate) fn issue(&self, new: NewSession) -> Session {
        let token = random::secret(360);
        let credentials = Credentials {
            access_key_id: random::identifier("ASIA"),
            secret_access_key: random::secret(40),
            session_token: Some(token.clone()),
            account: new.account.clone(),
        };
        self.canaries
            .seed("aws secret access key", &credentials.secret_access_key);
        self.canaries.seed("aws session token", &token);
        let session = Session {
            principal: Principal {
                access_key_id: credentials.access_key_id.clone(),
                account: new.account,
                arn: new.arn,
                role_arn: Some(new.role_arn),
                tags: new.tags,
                on_behalf_of: new.on_behalf_of,
            },
            credentials,
            expires_at: Some(whole_seconds(Timestamp::now().saturating_add(new.lifetime))),
            transitive_tags: new.transitive_tags,
            policy: new.policy,
            application: new.application,
        };
        self.lock()
            .insert(session.principal.access_key_id.clone(), session.clone());
        session
    }

    /// Finds the signer. A temporary key counts only together with its own session token.
    pub(crate) fn recognise(
        &self,
        access_key_id: &str,
        session_token: Option<&str>,
    ) -> Result<Session, Unrecognised> {
        let session = self
            .session(access_key_id)
            .ok_or(Unrecognised::UnknownKey)?;
        if session.credentials.session_token.as_deref() != session_token {
            return Err(Unrecognised::UnknownKey);
        }
        if session.expires_at.is_some_and(|at| at <= Timestamp::now()) {
            return Err(Unrecognised::Expired);
        }
        Ok(session)
    }

    /// What is known about an access key.
    pub(crate) fn session(&self, access_key_id: &str) -> Option<Session> {
        self.lock().get(access_key_id).cloned()
    }

    /// Ends a session's life now.
    pub(crate) fn expire(&self, access_key_id: &str) {
        if let Some(session) = self.lock().get_mut(access_key_id) {
            session.expires_at = Some(Timestamp::now());
        }
    }

    /// Ends the life of the sessions that carry this person.
    pub(crate) fn expire_person(&self, user_id: &str) -> usize {
        let now = Timestamp::now();
        let mut sessions = self.lock();
        let of_person = sessions.values_mut().filter(|session| {
            let person = session.principal.on_behalf_of.as_ref();
            person.is_some_and(|person| person.user_id == user_id)
                && session.expires_at.is_none_or(|at| at > now)
        });
        of_person
            .map(|session| session.expires_at = Some(now))
            .count()
    }

    /// Forgets all sessions of a role, as IAM does when the role is deleted.
    pub(crate) fn revoke_role(&self, role_arn: &str) {
        self.lock()
            .retain(|_, session| session.principal.role_arn.as_deref() != Some(role_arn));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// AWS gives times of expiry in whole seconds.
fn whole_seconds(at: Result<Timestamp, jiff::Error>) -> Timestamp {
    let at = at.unwrap_or(Timestamp::MAX);
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry() -> Registry {
        Registry::new(Canaries::default())
    }

    fn session(registry: &Registry, lifetime: SignedDuration) -> Session {
        registry.issue(NewSession {
            account: "111111111111".into(),
            arn: "arn:aws:sts::111111111111:assumed-role/r/s".into(),
            role_arn: "arn:aws:iam::111111111111:role/r".into(),
            tags: BTreeMap::new(),
            transitive_tags: BTreeSet::new(),
            policy: None,
            on_behalf_of: None,
            application: None,
            lifetime,
        })
    }

    #[test]
    fn a_temporary_key_needs_its_own_session_token() {
        let registry = registry();
        let one = session(&registry, SignedDuration::from_hours(1));
        let other = session(&registry, SignedDuration::from_hours(1));
        let key = &one.credentials.access_key_id;
        let token = one.credentials.session_token.as_deref();
        assert!(registry.recognise(key, token).is_ok());
        for wrong in [None, other.credentials.session_token.as_deref()] {
            assert_eq!(
                registry.recognise(key, wrong).err(),
                Some(Unrecognised::UnknownKey)
            );
        }
    }

    #[test]
    fn an_expired_session_is_told_from_an_unknown_one() {
        let registry = registry();
        let old = session(&registry, SignedDuration::from_secs(-1));
        assert_eq!(
            registry
                .recognise(
                    &old.credentials.access_key_id,
                    old.credentials.session_token.as_deref()
                )
                .err(),
            Some(Unrecognised::Expired)
        );
    }

    #[test]
    fn issued_secrets_are_canaries_and_not_in_debug() {
        let canaries = Canaries::default();
        let registry = Registry::new(canaries.clone());
        let issued = session(&registry, SignedDuration::from_hours(1)).credentials;
        assert_eq!(
            canaries.found_in(issued.session_token.as_deref().unwrap()),
            ["aws session token"]
        );
        assert!(canaries.found_in(&format!("{issued:?}")).is_empty());
    }
}
