//! What a found intent means: somebody presented the refresh token and never reported. What may be
//! done depends on what the provider does with used refresh tokens.

use jiff::{SignedDuration, Timestamp};
use tributary::{
    connection::{Connection, Intent},
    oauth::{Provider, RotationClass, mint::MintCredentials},
};

use super::{SETTLING, Step, millis};

/// How long an answer may wait on the queue before it is taken to be lost: as long as the queue keeps
/// trying (five times its visibility timeout of six minutes).
pub(crate) const RESCUE: SignedDuration = SignedDuration::from_mins(30);
/// Longest that an invocation lives.
const INVOCATION: SignedDuration = SignedDuration::from_secs(60);

/// What the next access token comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// A refresh token.
    RefreshToken,
    /// The connection's own credentials.
    Credentials,
    /// There is no next one: this provider's access tokens do not end.
    Nothing,
}

/// How the provider of a connection goes about its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Practice {
    /// What it does with used refresh tokens.
    pub(crate) class: RotationClass,
    /// Whether it can be asked what became of one.
    pub(crate) introspects: bool,
    /// What the next access token comes from.
    pub(crate) source: Source,
}

impl Practice {
    /// The provider's row, unless the connection was seen to do otherwise.
    pub(crate) const fn of(connection: &Connection, row: &Provider) -> Self {
        let (class, source) = if MintCredentials::are_of(connection.auth) {
            (RotationClass::NoRefreshToken, Source::Credentials)
        } else {
            match row.rotation {
                // A provider that was not known to rotate and did: what it does with used tokens
                // is not known either, so the worst is assumed.
                RotationClass::Never if connection.rotates => {
                    (RotationClass::Strict, Source::RefreshToken)
                }
                RotationClass::NoRefreshToken => (RotationClass::NoRefreshToken, Source::Nothing),
                class => (class, Source::RefreshToken),
            }
        };
        Self {
            class,
            introspects: row.introspect_path.is_some(),
            source,
        }
    }

    /// Whether presenting a token again does no harm, whatever became of the call before.
    pub(crate) const fn may_always_resend(self) -> bool {
        matches!(
            self.class,
            RotationClass::Never | RotationClass::KeepsOld | RotationClass::NoRefreshToken
        )
    }
}

/// What is done about an intent that was found.
pub(super) fn step(
    intent: &Intent,
    practice: Practice,
    access_end: Option<i64>,
    now: Timestamp,
) -> Step {
    let now = now.as_millisecond();
    if let Some(until) = intent.rescue_until.filter(|until| now < *until) {
        return Step::Wait { until };
    }
    if practice.may_always_resend() {
        return Step::Resend;
    }
    let settled = intent.at.saturating_add(millis(SETTLING));
    if now < settled {
        return Step::Wait { until: settled };
    }
    if intent.last {
        return Step::Lost;
    }
    if let RotationClass::Grace(window) = practice.class
        && !intent.resent
        && now < resend_until(intent, window)
    {
        return Step::Resend;
    }
    if practice.introspects {
        return Step::Settle;
    }
    // An answer may wait on the queue without a mark in the record: the last attempt would kill it.
    let until = intent
        .at
        .saturating_add(millis(RESCUE))
        .max(access_end.unwrap_or(i64::MIN));
    if now < until {
        Step::Hold { until }
    } else {
        Step::Gamble
    }
}

/// Until when a used token may be presented again at a provider that keeps it good for a while. Once
/// only: some keep the token before the newest and no other, and a resend makes another newest.
///
/// A resend may be late as any request may be: it must arrive within the window even then, or it is
/// a replay. So the window is shorter by the settling time, and by the time for which a worker that
/// has decided can live.
fn resend_until(intent: &Intent, window: SignedDuration) -> i64 {
    intent
        .at
        .saturating_add(millis(window))
        .saturating_sub(millis(SETTLING))
        .saturating_sub(millis(INVOCATION))
}
