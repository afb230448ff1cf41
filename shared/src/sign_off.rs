//! Sign-ins that ended before their tokens did: by signing out, or because somebody was taken out of
//! a tenant or given other roles there (A7).
//!
//! A mark says that one sign-in has ended, or that a person's tokens up to an instant have. It lasts
//! longer than any token that it speaks of.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    error::Result,
    identity::Identity,
    store::{Key, Store},
};

/// How long a mark stays: longer than an identity provider lets a token live (a day at Amazon
/// Cognito), with an hour for clocks.
const KEPT: SignedDuration = SignedDuration::from_hours(25);
/// A token that was being made when its owner was taken out may be so much younger than the mark:
/// a pre-token-generation trigger has five seconds.
const IN_THE_MAKING: SignedDuration = SignedDuration::from_secs(5);

/// That something has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    /// Tokens made up to this instant count no more, epoch seconds.
    ended_at: i64,
    expires_at: i64,
}

impl Mark {
    fn at(ended_at: Timestamp) -> Self {
        Self {
            ended_at: ended_at.as_second(),
            expires_at: after(ended_at, KEPT).as_second(),
        }
    }
}

/// What ended of a caller's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    sign_in: bool,
    person_until: Option<i64>,
}

impl Marks {
    /// Looks up what ended of this caller's.
    pub async fn of(store: &Store, identity: &Identity) -> Result<Self> {
        let login = async {
            let Some(login) = &identity.login_id else {
                return Ok(None);
            };
            store
                .get::<Mark>(&Key::ended_sign_in(&identity.issuer, login))
                .await
        };
        let key = Key::ended_person(&identity.issuer, &identity.subject);
        let (sign_in, person) = tokio::try_join!(login, store.get::<Mark>(&key))?;
        Ok(Self {
            sign_in: sign_in.is_some(),
            person_until: person.map(|mark| mark.ended_at),
        })
    }

    /// Whether the caller's token has ended with it. One that does not say when it was made has.
    pub fn end(self, identity: &Identity) -> bool {
        let person = self
            .person_until
            .is_some_and(|until| identity.issued_at.is_none_or(|made| made <= until));
        self.sign_in || person
    }
}

/// Ends one sign-in with all tokens that descend from it.
pub async fn end_sign_in(store: &Store, issuer: &str, login_id: &str) -> Result<()> {
    let mark = Mark::at(Timestamp::now());
    Ok(store
        .put(&Key::ended_sign_in(issuer, login_id), &mark)
        .await?)
}

/// Ends every token that a person has now, or that is being made. The person may sign in again.
pub async fn end_person(store: &Store, issuer: &str, subject: &str) -> Result<()> {
    let mark = Mark::at(after(Timestamp::now(), IN_THE_MAKING));
    Ok(store
        .put(&Key::ended_person(issuer, subject), &mark)
        .await?)
}

/// Whether a person's tokens made at this instant have ended.
pub async fn person_ended(
    store: &Store,
    issuer: &str,
    subject: &str,
    made: Timestamp,
) -> Result<bool> {
    let mark: Option<Mark> = store.get(&Key::ended_person(issuer, subject)).await?;
    Ok(mark.is_some_and(|mark| made.as_second() <= mark.ended_at))
}

fn after(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(issued_at: Option<i64>) -> Identity {
        Identity {
            issuer: "https://idp.example".to_owned(),
            subject: "sub".to_owned(),
            tenant: None,
            roles: Vec::new(),
            groups: Vec::new(),
            scopes: Vec::new(),
            client_id: None,
            login_id: None,
            issued_at,
            operator: false,
        }
    }

    #[test]
    fn a7_tokens_up_to_the_mark_have_ended_and_later_ones_have_not() {
        let marks = Marks {
            sign_in: false,
            person_until: Some(100),
        };
        assert!(marks.end(&identity(Some(99))) && marks.end(&identity(Some(100))));
        assert!(marks.end(&identity(None)));
        assert!(!marks.end(&identity(Some(101))));
        assert!(!Marks::default().end(&identity(None)));
    }

    #[test]
    fn a7_a_sign_in_that_ended_stays_ended_however_young_its_tokens_are() {
        let marks = Marks {
            sign_in: true,
            person_until: None,
        };
        assert!(marks.end(&identity(Some(i64::MAX))));
    }

    #[test]
    fn a_mark_outlives_the_tokens_that_it_speaks_of() {
        let now = Timestamp::now();
        let day = SignedDuration::from_hours(24).as_secs();
        assert!(Mark::at(now).expires_at - now.as_second() > day);
    }
}
