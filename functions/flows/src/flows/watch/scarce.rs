//! Quotas of AppFlow that are nearly used up in a customer's own account: its tenant is told once per
//! crossing. What is used of the vendor's accounts is the operator's ([`crate::headroom`]).

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde_json::json;
use tributary::{
    error::Error,
    event::{CloudEvent, Fact, Sequence},
    outbox::Entry,
    store::{Key, Update},
    subscription::EventType,
    tenancy::{Account, HostingMode},
};

use crate::TenantApp;

/// How much of one quota is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Use {
    /// What is counted.
    pub(super) quota: &'static str,
    /// How many there are.
    pub(super) used: u32,
    /// How many there may be.
    pub(super) limit: u32,
}

impl Use {
    /// Four fifths, or more.
    pub(super) fn is_scarce(self) -> bool {
        u64::from(self.used) * 5 >= u64::from(self.limit) * 4
    }

    /// Less than three quarters: what goes up and down around four fifths is not told each time.
    fn is_ample(self) -> bool {
        u64::from(self.used) * 4 < u64::from(self.limit) * 3
    }
}

/// Tells the tenant what has become scarce since the last look. A change of the account at the same
/// time leaves it to the next look.
pub(super) async fn tell(
    app: &TenantApp,
    account: &Account,
    uses: &[Use],
    now: Timestamp,
) -> Result<(), Error> {
    if account.hosting != HostingMode::Customer {
        return Ok(());
    }
    let scarce = scarce(&account.scarce, uses);
    if scarce == account.scarce {
        return Ok(());
    }
    let told: Vec<_> = uses
        .iter()
        .enumerate()
        .filter(|(_, one)| is_new(&account.scarce, &scarce, one.quota))
        .map(|(place, one)| entry(&app.config.stage, account, *one, place, now))
        .flat_map(|entry| entry.items(now))
        .collect();
    let update = Update::new()
        .set("scarce", &scarce)
        .add("version", 1)
        .when_equal("version", account.version);
    let key = Key::account(account.tenant_id, account.id);
    let written = if told.is_empty() {
        let written = app.store.update::<IgnoredAny>(&key, update);
        written.await.map(|_| ())
    } else {
        app.store.update_with(&key, update, &told).await
    };
    match written {
        Ok(()) => Ok(()),
        Err(error) if error.is_condition() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// What is scarce now; what was scarce stays so until there is ample room.
fn scarce(before: &[String], uses: &[Use]) -> Vec<String> {
    let was_scarce = |quota: &str| before.iter().any(|name| name == quota);
    uses.iter()
        .filter(|one| one.is_scarce() || (was_scarce(one.quota) && !one.is_ample()))
        .map(|one| one.quota.to_owned())
        .collect()
}

fn is_new(before: &[String], now: &[String], quota: &str) -> bool {
    let has = |list: &[String]| list.iter().any(|name| name == quota);
    has(now) && !has(before)
}

fn entry(stage: &str, account: &Account, one: Use, place: usize, now: Timestamp) -> Entry {
    let version = account.version + 1;
    let fact = Fact {
        kind: EventType::AccountHeadroom,
        subject: account.id.to_string(),
        name: &format!("headroom/{}/{version}", one.quota),
        // Both quotas may become scarce with one version; verification's facts have place 0.
        sequence: Sequence::of_version(version, u8::try_from(place + 1).unwrap_or(9)),
        time: now,
        data: json!({
            "accountId": account.id,
            "awsAccountId": account.aws_account_id,
            "region": account.region,
            "quota": one.quota,
            "used": one.used,
            "limit": one.limit,
        }),
    };
    let event = CloudEvent::new(stage, account.tenant_id, fact);
    Entry::new(event, "headroom").with_attribute("accountId", &account.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flows(used: u32) -> [Use; 1] {
        [Use {
            quota: "flows",
            used,
            limit: 100,
        }]
    }

    #[test]
    fn o9_a_quota_is_scarce_from_four_fifths_on() {
        let is_scarce = |used| flows(used)[0].is_scarce();
        assert!(!is_scarce(79));
        assert!(is_scarce(80) && is_scarce(100));
        assert!(!is_scarce(0));
    }

    #[test]
    fn o9_a_crossing_is_told_once_until_there_was_ample_room() {
        let mut known = Vec::new();
        let told: Vec<bool> = [79, 80, 95, 79, 80, 75, 80, 74, 80]
            .map(|used| {
                let now = scarce(&known, &flows(used));
                let is_told = is_new(&known, &now, "flows");
                known = now;
                is_told
            })
            .into();
        assert_eq!(
            told,
            [false, true, false, false, false, false, false, false, true]
        );
    }
}
