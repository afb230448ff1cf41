//! Guards around the single use of ID tokens.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tributary::{
    error::Error,
    store::{Key, Store, StoreError, Update, from_item},
};

/// How long after its end a token is remembered, in seconds.
const REMEMBERED: i64 = 24 * 3600;
/// How long a refusal of the directory is remembered, in seconds.
const REFUSAL_REMEMBERED: i64 = 3600;
/// Longest that an attempt can be at work, in milliseconds: the function's own limit and some.
const WORK_LIMIT: i64 = 35_000;

/// That a token is being exchanged, or was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Guard {
    /// When the attempt began, epoch milliseconds.
    pub(super) began_at: i64,
    /// Whether it failed.
    #[serde(default)]
    pub(super) failed: bool,
    expires_at: i64,
}

/// That the directory refused a user.
#[derive(Debug, Serialize, Deserialize)]
struct Refused {
    expires_at: i64,
}

/// Who may exchange a token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// This attempt.
    Ours,
    /// Another did, or is at it.
    Others,
}

/// What is to be done about a token that another attempt claimed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outlook {
    /// Its session is there.
    Ready,
    /// It may still come.
    Wait,
    /// It will not come.
    Spent,
}

/// Claims a token for this attempt.
pub(super) async fn claim(store: &Store, token_use: &Key, exp: i64) -> Result<Claim, Error> {
    let guard = Guard {
        began_at: Timestamp::now().as_millisecond(),
        failed: false,
        expires_at: exp.saturating_add(REMEMBERED),
    };
    match store.insert(token_use, &guard).await {
        Ok(()) => Ok(Claim::Ours),
        Err(StoreError::Condition {
            current: Some(current),
        }) => {
            // Read only to know that it is a guard.
            let _: Guard = from_item(*current)?;
            Ok(Claim::Others)
        }
        Err(error) if error.is_condition() => Ok(Claim::Others),
        Err(error) => Err(error.into()),
    }
}

/// The guard in this partition, which a session names as the one of its ID token.
pub(super) fn at(partition: String) -> Key {
    Key {
        pk: partition,
        ..Key::token_use("", "")
    }
}

/// Tells those who wait that nothing will come. If that cannot be written they wait in vain, and no
/// longer than they would.
pub(super) async fn fail(store: &Store, token_use: &Key) {
    let failed = Update::new().set("failed", true);
    if let Err(error) = store.update::<Guard>(token_use, failed).await {
        tracing::warn!(
            error.chain = Error::from(error).chain(),
            "a failed exchange could not be marked"
        );
    }
}

/// What is to be done, from the guard and from the token that the stored session came from.
pub(super) fn outlook(guard: &Guard, session_is_of_token: bool, now: Timestamp) -> Outlook {
    if session_is_of_token {
        Outlook::Ready
    } else if guard.failed || now.as_millisecond() - guard.began_at > WORK_LIMIT {
        Outlook::Spent
    } else {
        Outlook::Wait
    }
}

/// Whether the directory refused the user within the last hour.
pub(super) async fn was_refused_before(store: &Store, mark: &Key) -> Result<bool, Error> {
    let refused: Option<Refused> = store.get(mark).await?;
    let now = Timestamp::now().as_second();
    Ok(refused.is_some_and(|refused| refused.expires_at > now))
}

/// Remembers that the directory refused the user.
pub(super) async fn mark_refused(store: &Store, mark: &Key) -> Result<(), Error> {
    let expires_at = Timestamp::now().as_second() + REFUSAL_REMEMBERED;
    Ok(store.put(mark, &Refused { expires_at }).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_names_the_guard_of_its_token() {
        let guard = Key::token_use("https://idp.example", "jti-1");
        assert_eq!(at(guard.pk.clone()), guard);
    }

    #[test]
    fn whoever_comes_second_waits_takes_over_the_session_or_gives_up() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let guard = |age: i64, failed| Guard {
            began_at: now.as_millisecond() - age,
            failed,
            expires_at: 0,
        };
        let cases = [
            (guard(100, false), true, Outlook::Ready),
            (guard(100, false), false, Outlook::Wait),
            (guard(100, true), false, Outlook::Spent),
            (guard(60_000, false), false, Outlook::Spent),
            (guard(60_000, false), true, Outlook::Ready),
        ];
        for (guard, is_there, expected) in cases {
            assert_eq!(
                outlook(&guard, is_there, now),
                expected,
                "{guard:?} {is_there}"
            );
        }
    }
}
