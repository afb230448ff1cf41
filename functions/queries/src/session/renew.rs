//! Sessions near their end: renewed by one request for all, or no more.

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
    identity_required, reauthenticate,
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
/// The end of credentials that count no more, although AWS would still take them.
const TAKEN_BACK: i64 = 0;

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

/// The right to renew a session, until then (epoch milliseconds).
struct Lease(i64);

/// What a failed renewal leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    /// The user is let in no more: the credentials count no more either.
    Over,
    /// The refresh token is used up or stale; the credentials hold to their end.
    Spent,
    /// Another attempt may succeed.
    Again,
}

impl After {
    fn of(meaning: &Meaning) -> Self {
        match meaning {
            Meaning::NotAccepted { .. } | Meaning::NotAssigned => Self::Over,
            // Also an answer that was lost: the token may have been taken.
            Meaning::Reauthenticate { .. } => Self::Spent,
            Meaning::NoIdentityContext
            | Meaning::Configuration { .. }
            | Meaning::Role { .. }
            | Meaning::Busy { .. }
            | Meaning::Away { .. } => Self::Again,
        }
    }
}

impl TenantSessions {
    /// A session that can be used, renewed if it ends soon.
    pub(super) async fn usable(&self, user: &User) -> Result<Session, Error> {
        let record = self.stored(user).await?.ok_or_else(identity_required)?;
        match freshness(record.valid_until, Timestamp::now()) {
            Freshness::Fresh => self.open(user, &record).await,
            Freshness::Ending => self.renew_early(user, &record).await,
            Freshness::Ended => self.renew(user, &record).await,
        }
    }

    /// A session in place of credentials that AWS takes no more.
    pub(super) async fn replace(&self, user: &User, refused: &Session) -> Result<Session, Error> {
        let record = self.stored(user).await?.ok_or_else(identity_required)?;
        let is_newer = record.valid_until != refused.valid_until.as_millisecond();
        if is_newer && freshness(record.valid_until, Timestamp::now()) != Freshness::Ended {
            return self.open(user, &record).await;
        }
        self.renew(user, &record).await
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
                Outlook::Ready => return self.usable(user).await,
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

    /// Renews credentials that still hold, if nobody else is at it; without success they are used
    /// to their end, unless the user is let in no more.
    async fn renew_early(&self, user: &User, record: &Record) -> Result<Session, Error> {
        if let Some(refresh_token) = &record.refresh_token
            && let Some(lease) = self.lease(user, record).await?
        {
            let token = self.vault_open(user, "refresh", refresh_token).await?;
            match self.renew_under(user, &lease, token).await {
                Ok(session) => return Ok(session),
                Err((After::Over, error)) => return Err(error),
                Err((After::Spent | After::Again, error)) => {
                    tracing::warn!(tenant.id = %user.tenant, error.code = error.code(), error.chain = error.chain(), "user session not renewed, used to its end");
                }
            }
        }
        self.open(user, record).await
    }

    /// Renews credentials that are of no use any more, or waits for who is at it.
    async fn renew(&self, user: &User, record: &Record) -> Result<Session, Error> {
        let Some(refresh_token) = &record.refresh_token else {
            return Err(reauthenticate("the session has no refresh token"));
        };
        match self.lease(user, record).await? {
            Some(lease) => {
                let token = self.vault_open(user, "refresh", refresh_token).await?;
                let renewed = self.renew_under(user, &lease, token).await;
                renewed.map_err(|(_, error)| error)
            }
            None => self.wait_for_renewal(user, record).await,
        }
    }

    /// Takes the right to renew this very record: one attempt at a time, because a refresh token may
    /// be good once. Nothing if another has it.
    async fn lease(&self, user: &User, record: &Record) -> Result<Option<Lease>, Error> {
        let now = Timestamp::now().as_millisecond();
        let until = now + RENEWAL.as_secs() * 1000;
        let lease = Update::new()
            .set("renewing_until", until)
            .when_equal("valid_until", record.valid_until)
            .when_absent_or_less("renewing_until", now);
        let taken = self.scope.store();
        match taken.update::<Record>(&self.key(user), lease).await {
            Ok(_) => Ok(Some(Lease(until))),
            Err(StoreError::Condition { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn renew_under(
        &self,
        user: &User,
        lease: &Lease,
        refresh_token: Secret,
    ) -> Result<Session, (After, Error)> {
        let again = |error| (After::Again, error);
        let exchanged = match self
            .identity_center
            .call(Grant::Refresh(&refresh_token))
            .await
        {
            Ok(exchanged) => exchanged,
            Err(meaning) => {
                let after = After::of(&meaning);
                self.leave(user, lease, after).await;
                return Err((after, meaning.into()));
            }
        };
        let mut renewed = Update::new();
        if let Some(token) = &exchanged.refresh_token {
            let key = self.key(user);
            let sealed = self.seal(user, &key, "refresh", token).await;
            renewed = renewed.set("refresh_token", sealed.map_err(again)?);
        }
        match self.role.assume(user, exchanged.identity_context).await {
            Ok(session) => {
                let sealed = self.seal_credentials(user, &self.key(user), &session).await;
                let renewed = renewed
                    .set("credentials", sealed.map_err(again)?)
                    .set("valid_until", session.valid_until.as_millisecond());
                self.write(user, lease, renewed).await.map_err(again)?;
                Ok(session)
            }
            Err(error) => {
                // The token that was taken is replaced all the same, for the next attempt.
                self.write(user, lease, renewed).await.map_err(again)?;
                Err((After::Again, error))
            }
        }
    }

    /// Says what became of a renewal that failed. If that cannot be written, the lease ends by
    /// itself, and the next attempt finds out anew.
    async fn leave(&self, user: &User, lease: &Lease, after: After) {
        let update = match after {
            After::Over => Update::new()
                .remove("refresh_token")
                .set("valid_until", TAKEN_BACK),
            After::Spent => Update::new().remove("refresh_token"),
            After::Again => Update::new(),
        };
        if let Err(error) = self.write(user, lease, update).await {
            tracing::warn!(
                error.chain = error.chain(),
                "a failed renewal could not be noted"
            );
        }
    }

    /// Ends a lease with what it brought. When the record is another's by now (forgotten, or the user
    /// signed in anew), nothing is written.
    async fn write(&self, user: &User, lease: &Lease, update: Update) -> Result<(), Error> {
        let update = update
            .remove("renewing_until")
            .when_equal("renewing_until", lease.0);
        let store = self.scope.store();
        match store.update::<Record>(&self.key(user), update).await {
            Ok(_) | Err(StoreError::Condition { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn wait_for_renewal(&self, user: &User, before: &Record) -> Result<Session, Error> {
        for _ in 0..LOOKS {
            let record = self.stored(user).await?.ok_or_else(identity_required)?;
            match progress(before.valid_until, &record, Timestamp::now()) {
                Progress::Renewed => return self.open(user, &record).await,
                Progress::Over => return Err(reauthenticate("another request's renewal failed")),
                Progress::Failed => break,
                Progress::UnderWay => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
        Err(Error::unavailable(
            "identity_unavailable",
            "another request's renewal failed, or did not end in time",
        ))
    }

    async fn vault_open(
        &self,
        user: &User,
        what: &str,
        sealed: &tributary::vault::Sealed,
    ) -> Result<Secret, Error> {
        let key = self.key(user);
        let place = place(&key, what);
        Ok(self.scope.vault().open(user.tenant, &place, sealed).await?)
    }
}

/// How another's renewal is getting on.
#[derive(Debug, PartialEq, Eq)]
enum Progress {
    UnderWay,
    Renewed,
    /// Without success; another attempt may have it.
    Failed,
    /// Without success, and there will be none.
    Over,
}

fn progress(before: i64, record: &Record, now: Timestamp) -> Progress {
    let is_new = record.valid_until != before;
    if is_new && freshness(record.valid_until, now) != Freshness::Ended {
        Progress::Renewed
    } else if is_new || record.refresh_token.is_none() {
        Progress::Over
    } else if record.renewing_until.is_none() {
        Progress::Failed
    } else {
        Progress::UnderWay
    }
}

#[cfg(test)]
mod tests {
    use tributary::id::TenantId;

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
        assert_eq!(freshness(TAKEN_BACK, now), Freshness::Ended);
    }

    #[test]
    fn q7_who_is_let_in_no_more_stops_at_once_and_who_met_trouble_does_not() {
        let log = String::new;
        for (meaning, after) in [
            (Meaning::NotAccepted { log: log() }, After::Over),
            (Meaning::NotAssigned, After::Over),
            (Meaning::Reauthenticate { log: log() }, After::Spent),
            (Meaning::Busy { log: log() }, After::Again),
            (Meaning::Role { log: log() }, After::Again),
            (Meaning::Configuration { log: log() }, After::Again),
            (Meaning::NoIdentityContext, After::Again),
        ] {
            assert_eq!(After::of(&meaning), after, "{meaning:?}");
        }
    }

    #[test]
    fn who_waits_for_a_renewal_learns_what_became_of_it() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let sealed = serde_json::json!({ "v": 1, "k": "k", "c": "c" });
        let record = |valid_until: i64, has_token: bool, is_leased: bool| {
            let mut record = serde_json::json!({
                "tenant_id": TenantId::new(), "token_use": "JTI#x", "credentials": sealed,
                "valid_until": valid_until, "expires_at": 0,
            });
            if has_token {
                record["refresh_token"] = sealed.clone();
            }
            if is_leased {
                record["renewing_until"] = 1.into();
            }
            serde_json::from_value::<Record>(record).unwrap()
        };
        let good = now.as_millisecond() + 900_000;
        for (record, expected) in [
            (record(1, true, true), Progress::UnderWay),
            (record(1, true, false), Progress::Failed),
            (record(1, false, false), Progress::Over),
            (record(TAKEN_BACK, false, false), Progress::Over),
            (record(good, true, false), Progress::Renewed),
        ] {
            assert_eq!(progress(1, &record, now), expected, "{record:?}");
        }
    }
}
