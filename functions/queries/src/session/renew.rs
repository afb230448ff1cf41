//! The session that a request works with: as stored, renewed, or none.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tributary::{
    error::{Error, Kind},
    secret::Secret,
    store::{Key, StoreError, Update},
};

use super::{
    Grant, Meaning, Session, TenantSessions, User, guard,
    guard::{Guard, Outlook},
    reauthenticate,
    record::{Record, place},
};

/// Credentials are renewed so long before they end.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_mins(5);
/// Credentials that end sooner than this are not used: a long poll must not outlive them.
const USABLE_BEFORE: SignedDuration = SignedDuration::from_secs(30);
/// Longest that one renewal can take.
const RENEWAL: SignedDuration = SignedDuration::from_secs(30);
/// How often, and how many times, it is looked whether another attempt is done: five seconds.
const LOOK_EVERY: Duration = Duration::from_millis(250);
const LOOKS: usize = 20;

/// What a stored session is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Freshness {
    /// Use it.
    Fresh,
    /// Use it, after an attempt to renew it.
    Ending,
    /// Renew it, or it is of no use.
    Ended,
}

fn freshness(valid_until: i64, now: Timestamp) -> Freshness {
    let left = SignedDuration::from_millis(valid_until - now.as_millisecond());
    if left > RENEW_BEFORE {
        Freshness::Fresh
    } else if left > USABLE_BEFORE {
        Freshness::Ending
    } else {
        Freshness::Ended
    }
}

impl TenantSessions {
    /// The user's session, renewed if it ends soon. Without one the user is asked to establish it.
    pub async fn current(&self, user: &User) -> Result<Session, Error> {
        let Some(record) = self.stored(user).await? else {
            return Err(Error::new(
                Kind::Unauthenticated,
                "identity_required",
                "Present your ID token to /v1/identity first.",
            ));
        };
        let now = Timestamp::now();
        let is_being_renewed = record
            .renewing_until
            .is_some_and(|until| until > now.as_millisecond());
        match freshness(record.valid_until, now) {
            Freshness::Fresh => self.open(user, &record).await,
            Freshness::Ending if is_being_renewed || record.refresh_token.is_none() => {
                self.open(user, &record).await
            }
            Freshness::Ending => match self.renew(user, &record).await {
                Ok(session) => Ok(session),
                Err(error) => {
                    tracing::warn!(tenant.id = %user.tenant, error.code = error.code(), error.chain = error.chain(), "user session not renewed, used to its end");
                    self.open(user, &record).await
                }
            },
            Freshness::Ended => self.renew(user, &record).await,
        }
    }

    /// Waits for the session that another attempt makes of the same ID token.
    pub(super) async fn wait_for_winner(
        &self,
        user: &User,
        token_use: &Key,
    ) -> Result<Session, Error> {
        for _ in 0..LOOKS {
            let guard: Option<Guard> = self.guards.get(token_use).await?;
            let guard = guard.ok_or_else(|| reauthenticate("the guard of the token is gone"))?;
            let stored = self.stored(user).await?;
            let is_there = stored.is_some_and(|record| record.token_use == token_use.pk);
            match guard::outlook(&guard, is_there, Timestamp::now()) {
                Outlook::Ready => return self.current(user).await,
                Outlook::Spent => return Err(reauthenticate("the ID token was used before")),
                Outlook::Wait => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
        Err(Error::new(
            Kind::Conflict,
            "exchange_in_progress",
            "This ID token is being exchanged by another request.",
        )
        .with_retry_after(2))
    }

    /// Renews a session: one attempt at a time, because a refresh token may be good once.
    async fn renew(&self, user: &User, record: &Record) -> Result<Session, Error> {
        let Some(sealed) = &record.refresh_token else {
            return Err(reauthenticate("the session has no refresh token"));
        };
        let key = self.key(user);
        let now = Timestamp::now();
        let until = now.as_millisecond() + RENEWAL.as_secs() * 1000;
        let lease = Update::new()
            .set("renewing_until", until)
            .when_equal("valid_until", record.valid_until)
            .when_absent_or_less("renewing_until", now.as_millisecond());
        match self.scope.store().update::<Record>(&key, lease).await {
            Ok(_) => {}
            Err(StoreError::Condition { .. }) => return self.wait_for_renewal(user, record).await,
            Err(error) => return Err(error.into()),
        }
        let refresh_token = self
            .scope
            .vault()
            .open(user.tenant, &place(&key, "refresh"), sealed)
            .await?;
        self.renew_under_lease(user, &key, refresh_token, until)
            .await
    }

    async fn renew_under_lease(
        &self,
        user: &User,
        key: &Key,
        refresh_token: Secret,
        lease: i64,
    ) -> Result<Session, Error> {
        let exchanged = match self
            .identity_center
            .call(Grant::Refresh(&refresh_token))
            .await
        {
            Ok(exchanged) => exchanged,
            Err(Meaning::NotAccepted { log }) => return Err(reauthenticate(&log)),
            Err(meaning) => return Err(meaning.into()),
        };
        let session = self.role.assume(user, exchanged.identity_context).await?;
        let mut renewed = Update::new()
            .set(
                "credentials",
                self.seal_credentials(user, key, &session).await?,
            )
            .set("valid_until", session.valid_until.as_millisecond())
            .remove("renewing_until")
            .when_equal("renewing_until", lease);
        if let Some(token) = &exchanged.refresh_token {
            renewed = renewed.set(
                "refresh_token",
                self.seal(user, key, "refresh", token).await?,
            );
        }
        match self.scope.store().update::<Record>(key, renewed).await {
            // The user signed in anew meanwhile; these credentials are the user's all the same.
            Ok(_) | Err(StoreError::Condition { .. }) => Ok(session),
            Err(error) => Err(error.into()),
        }
    }

    async fn wait_for_renewal(&self, user: &User, before: &Record) -> Result<Session, Error> {
        for _ in 0..LOOKS {
            if let Some(record) = self.stored(user).await?
                && record.valid_until != before.valid_until
            {
                return self.open(user, &record).await;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Err(reauthenticate(
            "another request's renewal did not end in time",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_renewed_before_they_end_and_not_used_at_their_very_end() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let ends_in = |seconds: i64| freshness(now.as_millisecond() + seconds * 1000, now);
        for (seconds, expected) in [
            (900, Freshness::Fresh),
            (301, Freshness::Fresh),
            (300, Freshness::Ending),
            (31, Freshness::Ending),
            (30, Freshness::Ended),
            (-1, Freshness::Ended),
        ] {
            assert_eq!(ends_in(seconds), expected, "{seconds}");
        }
    }
}
