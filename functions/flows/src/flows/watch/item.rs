//! When an account is looked at again, as it is stored.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use tributary::{
    error::Error,
    id::{AccountId, TenantId},
    store::{Key, Update},
};

use crate::TenantApp;

/// Shard of the due index that holds accounts.
pub(super) const SHARD: &str = "accounts";
/// From one look to the next; a tick may come half a minute early.
const EVERY: SignedDuration = SignedDuration::from_secs(270);
/// Longest wait after failures.
const LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// When an account is looked at again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Watch {
    pub(crate) tenant_id: TenantId,
    pub(crate) account_id: AccountId,
    /// Epoch milliseconds.
    pub(super) due_at: i64,
    /// When a flow was last to be made in the account, epoch milliseconds.
    pub(super) wanted_at: i64,
    /// Looks in a row that failed.
    #[serde(default)]
    pub(super) failures: u32,
    /// When the account was last looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) looked_at: Option<Timestamp>,
    /// Flows that the AWS account had then, ours and others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) flows: Option<u32>,
    /// Connector profiles that the AWS account had then, ours and others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) connections: Option<u32>,
}

impl Watch {
    pub(super) fn key(&self) -> Key {
        Key::watch(self.tenant_id, self.account_id)
    }
}

/// Puts the account on the watch, before a flow is made in it: whatever becomes of the making,
/// somebody looks. Says that it is wanted, so that a tick does not take it off meanwhile.
pub(crate) async fn ensure(
    app: &TenantApp,
    tenant: TenantId,
    account: AccountId,
) -> Result<(), Error> {
    let update = Update::new()
        .set("tenant_id", tenant)
        .set("account_id", account)
        .set("due_shard", SHARD)
        .add("due_at", 0)
        .set("wanted_at", Timestamp::now().as_millisecond())
        .upsert();
    app.store
        .update::<IgnoredAny>(&Key::watch(tenant, account), update)
        .await?;
    Ok(())
}

/// Takes the look that is due: of several ticks, one gets it. If it dies, the next look is a whole
/// period later.
pub(super) async fn claim(app: &TenantApp, watch: &Watch, now: Timestamp) -> Result<bool, Error> {
    let update = Update::new()
        .set("due_at", after(now, EVERY))
        .when_equal("due_at", watch.due_at);
    match app.store.update::<IgnoredAny>(&watch.key(), update).await {
        Ok(_) => Ok(true),
        Err(error) if error.is_condition() => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Notes a look that failed: the more in a row, the later the next.
pub(super) async fn failed(app: &TenantApp, watch: &Watch, now: Timestamp) -> Result<(), Error> {
    let failures = watch.failures.saturating_add(1);
    let update = Update::new()
        .set("failures", failures)
        .set("due_at", after(now, pause(failures)));
    app.store.update::<IgnoredAny>(&watch.key(), update).await?;
    Ok(())
}

/// Notes a look that succeeded, and what was counted.
pub(super) async fn looked(
    app: &TenantApp,
    watch: &Watch,
    now: Timestamp,
    flows: u32,
    connections: u32,
) -> Result<(), Error> {
    let update = Update::new()
        .set("failures", 0)
        .set("looked_at", now)
        .set("flows", flows)
        .set("connections", connections);
    app.store.update::<IgnoredAny>(&watch.key(), update).await?;
    Ok(())
}

/// Takes an account off the watch, unless somebody wants it again.
pub(super) async fn end(app: &TenantApp, watch: &Watch) -> Result<(), Error> {
    use aws_sdk_dynamodb::types::AttributeValue;

    let ended = app
        .store
        .client()
        .delete_item()
        .table_name(app.store.table())
        .set_key(Some(watch.key().to_item()))
        .condition_expression("wanted_at = :wanted_at")
        .expression_attribute_values(":wanted_at", AttributeValue::N(watch.wanted_at.to_string()))
        .send()
        .await;
    match ended {
        Ok(_) => Ok(()),
        Err(error) => {
            let refusal = tributary::aws::Refusal::of(&error);
            if refusal.is("ConditionalCheckFailedException") {
                return Ok(());
            }
            Err(refusal.into_error("dynamodb:DeleteItem"))
        }
    }
}

fn after(now: Timestamp, wait: SignedDuration) -> i64 {
    now.saturating_add(wait)
        .unwrap_or(Timestamp::MAX)
        .as_millisecond()
}

/// One minute after the first failure, then twice as long each time, an hour at most.
fn pause(failures: u32) -> SignedDuration {
    let minutes = 1_i64 << failures.saturating_sub(1).min(6);
    SignedDuration::from_mins(minutes).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_that_keeps_failing_is_asked_less_and_less() {
        let minutes: Vec<i64> = [1, 2, 3, 6, 7, 40]
            .map(|failures| pause(failures).as_mins())
            .to_vec();
        assert_eq!(minutes, [1, 2, 4, 32, 60, 60]);
    }
}
