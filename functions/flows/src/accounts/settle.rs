//! What a report does to its account: state, history, notification and the next check, in one
//! transaction.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::json;
use tributary::{
    error::Error,
    event::{CloudEvent, Fact, Sequence},
    outbox::{Entry, EntryItem},
    store::{Key, Store, Update},
    subscription::EventType,
    tenancy::{Account, AccountState, CHECK_SHARD, VerificationReport},
};
use uuid::Uuid;

use super::{
    inspect,
    report::{self, StoredReport},
};
use crate::App;

/// From one check to the next, on the average.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// A check is so much earlier or later at most, so that accounts that were onboarded together are
/// not always looked at together.
const JITTER: SignedDuration = SignedDuration::from_hours(2);
/// The first wait after a check that proved nothing; doubled with each further one.
const SOON: SignedDuration = SignedDuration::from_mins(10);
/// The longest such wait.
const LONGEST: SignedDuration = SignedDuration::from_hours(6);

#[derive(Serialize)]
#[serde(untagged)]
enum Written {
    Report(Box<StoredReport>),
    Notification(EntryItem),
}

/// Writes a report down, if the account is still as it was when it was looked at; answers where the
/// account stands then.
pub(super) async fn settle(
    app: &App,
    store: &Store,
    account: &Account,
    found: &VerificationReport,
    now: Timestamp,
) -> Result<AccountState, Error> {
    let state = inspect::state_after(account.state, found);
    let signed = report::sign(app, account, state, found, now).await?;
    let mut others = vec![(
        Key::account_report(account.tenant_id, account.id, now),
        Written::Report(Box::new(signed)),
    )];
    if let Some(entry) = notification(&app.config.stage, account, state, found, now) {
        let told = entry.items(now).into_iter();
        others.extend(told.map(|(key, item)| (key, Written::Notification(item))));
    }
    let is_inconclusive = is_inconclusive(found);
    let failures = if is_inconclusive {
        account.checks_failed.saturating_add(1)
    } else {
        0
    };
    let due_at = (state != AccountState::Pending).then(|| next(now, failures, chance()));
    let update = Update::new()
        .set("state", state)
        .set("report", found)
        .set("updated_at", now)
        .set("checks_failed", failures)
        .set_or_remove("due_shard", due_at.map(|_| CHECK_SHARD))
        .set_or_remove("due_at", due_at)
        .add("version", 1)
        .when_equal("version", account.version);
    let key = Key::account(account.tenant_id, account.id);
    store.update_with(&key, update, &others).await?;
    tracing::info!(
        tenant.id = %account.tenant_id, account.id = %account.id, account.state = ?state,
        passed = found.passed, reason = found.reason.as_deref(), missing = ?found.missing, "account checked"
    );
    if let Err(error) = report::keep_the_last(store, account).await {
        // Older ones go with the next.
        tracing::warn!(
            tenant.id = %account.tenant_id, account.id = %account.id,
            error.code = error.code(), error.chain = error.chain(), "old reports were not removed"
        );
    }
    Ok(state)
}

/// Notes a check that proved nothing: nothing changes but the time of the next.
pub(super) async fn again_soon(
    store: &Store,
    account: &Account,
    now: Timestamp,
) -> Result<(), Error> {
    let failures = account.checks_failed.saturating_add(1);
    let update = Update::new()
        .set("checks_failed", failures)
        .set("due_at", next(now, failures, chance()))
        .when_equal("version", account.version);
    let key = Key::account(account.tenant_id, account.id);
    match store.update::<serde::de::IgnoredAny>(&key, update).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_condition() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether a report proves nothing either way.
pub(super) fn is_inconclusive(found: &VerificationReport) -> bool {
    found.reason.as_deref() == Some("inconclusive")
}

/// What subscribers are told: that an account is proven, no more, or again. The version
/// makes each change a fact of its own, and one that is told once.
fn notification(
    stage: &str,
    account: &Account,
    state: AccountState,
    found: &VerificationReport,
    now: Timestamp,
) -> Option<Entry> {
    let kind = match (account.state, state) {
        (AccountState::Verified, AccountState::Degraded) => EventType::AccountDegraded,
        (AccountState::Pending | AccountState::Degraded, AccountState::Verified) => {
            EventType::AccountVerified
        }
        _ => return None,
    };
    let what = match kind {
        EventType::AccountDegraded => "degraded",
        _ => "verified",
    };
    let version = account.version + 1;
    let mut data = json!({
        "accountId": account.id,
        "awsAccountId": account.aws_account_id,
        "region": account.region,
        "state": state,
        "before": account.state,
        "missing": found.missing,
    });
    if let Some(reason) = &found.reason {
        data["reason"] = json!(reason);
    }
    let fact = Fact {
        kind,
        subject: account.id.to_string(),
        name: &format!("{what}/{version}"),
        sequence: Sequence::of_version(version, 0),
        time: now,
        data,
    };
    let event = CloudEvent::new(stage, account.tenant_id, fact);
    Some(Entry::new(event, what).with_attribute("accountId", &account.id))
}

/// When the role is looked at next, epoch milliseconds; `chance` is between 0 and 1,000.
fn next(now: Timestamp, failures: u32, chance: i64) -> i64 {
    let wait = if failures == 0 {
        let millis = 2 * JITTER.as_millis() * i128::from(chance) / 1_000;
        let jitter = SignedDuration::from_millis(i64::try_from(millis).unwrap_or_default());
        DAY - JITTER + jitter
    } else {
        let doubled = SOON.as_secs() << failures.saturating_sub(1).min(10);
        SignedDuration::from_secs(doubled).min(LONGEST)
    };
    now.saturating_add(wait)
        .unwrap_or(Timestamp::MAX)
        .as_millisecond()
}

/// A number between 0 and 1,000 that nobody needs to be unable to guess.
fn chance() -> i64 {
    i64::try_from(Uuid::new_v4().as_u128() % 1_001).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use tributary::tenancy::HostingMode;

    use super::*;

    fn report(reason: Option<&str>) -> VerificationReport {
        VerificationReport {
            passed: reason.is_none(),
            reason: reason.map(str::to_owned),
            probes: Vec::new(),
            permissions: Vec::new(),
            missing: Vec::new(),
            statements: Vec::new(),
            warnings: Vec::new(),
        }
    }

    #[test]
    fn o8_only_a_change_is_told_and_each_has_an_id_of_its_own() {
        use AccountState::{Degraded, Pending, Verified};
        let told = |before: AccountState, after: AccountState, version: u64| {
            let mut account = inspect::sample_account(HostingMode::Customer);
            account.id = "acc_019364c0a1b27cc3a4d5e6f708192a3c".parse().unwrap();
            (account.state, account.version) = (before, version);
            let found = report(Some("role_not_assumable"));
            notification("prod", &account, after, &found, Timestamp::UNIX_EPOCH).map(|entry| {
                (
                    entry.event.kind,
                    entry.event.id,
                    entry.event.data.to_string(),
                )
            })
        };
        for (before, after) in [
            (Pending, Pending),
            (Verified, Verified),
            (Degraded, Degraded),
        ] {
            assert_eq!(told(before, after, 3), None);
        }
        let degraded = told(Verified, Degraded, 3).unwrap();
        assert_eq!(degraded.0, "tributary.account.degraded");
        assert!(!degraded.2.contains("xxxxx"), "the external id is told");
        assert_eq!(
            told(Degraded, Verified, 4).unwrap().0,
            "tributary.account.verified"
        );
        assert_eq!(
            told(Pending, Verified, 1).unwrap().0,
            "tributary.account.verified"
        );
        assert_ne!(told(Verified, Degraded, 5).unwrap().1, degraded.1);
        assert_eq!(told(Verified, Degraded, 3).unwrap().1, degraded.1);
    }

    #[test]
    fn o8_the_next_check_is_in_a_day_or_soon_after_one_that_proved_nothing() {
        let minutes = |failures, chance| next(Timestamp::UNIX_EPOCH, failures, chance) / 60_000;
        assert_eq!(
            [minutes(0, 0), minutes(0, 500), minutes(0, 1_000)],
            [1_320, 1_440, 1_560]
        );
        assert_eq!(
            [1, 2, 3, 6, 7, 90].map(|failures| minutes(failures, 500)),
            [10, 20, 40, 320, 360, 360]
        );
    }
}
