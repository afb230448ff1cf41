//! How many connector profiles an AWS account of the vendor's still takes, over all tenants (O9).
//!
//! AppFlow's quota is of the AWS account and the Region, so no tenant's own items can tell. A counter
//! goes up when a connection is made and down when it is deleted; it is set right by listing, when it
//! is old, when it says full, and when the watch lists the account anyway. AppFlow has the last word.
//! What is counted here is the operator's: no tenant is shown it.

use aws_sdk_appflow::Client;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::json;
use tributary::{
    error::Error,
    store::{Key, Update},
    telemetry::{self, Metric},
    tenancy::{Account, HostingMode},
};

use crate::{App, TenantApp, accounts, appflow::failed};

/// How long a count is believed without looking.
const BELIEVED: SignedDuration = SignedDuration::from_mins(15);
/// Most pages that are read of one account, a hundred profiles each.
const MOST_PAGES: usize = 100;

/// The count of an AWS account in a Region.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Counter {
    /// Connector profiles, and connections that will have one.
    connections: i64,
    /// When they were last listed.
    #[serde(default)]
    counted_at: Option<Timestamp>,
    /// Set from the time on that the operator was told, until there is room again.
    #[serde(default)]
    told_at: Option<Timestamp>,
}

fn key(account: &Account) -> Key {
    Key::headroom(&account.aws_account_id, &account.region)
}

/// How many are used in an AWS account, as far as is known.
pub(crate) async fn used(app: &App, aws_account: &str, region: &str) -> Result<i64, Error> {
    let counter: Option<Counter> = app.shared.get(&Key::headroom(aws_account, region)).await?;
    Ok(counter.map_or(0, |counter| counter.connections.max(0)))
}

/// Takes one place in the AWS account, if there is one.
pub(crate) async fn reserve(app: &TenantApp, account: &Account) -> Result<bool, Error> {
    let known: Option<Counter> = app.shared.get(&key(account)).await?;
    let now = Timestamp::now();
    let is_fresh = known.is_some_and(|counter| {
        counter
            .counted_at
            .is_some_and(|at| now.duration_since(at) < BELIEVED)
    });
    if !is_fresh {
        list(app, account).await?;
    }
    if take(app, account).await? {
        return Ok(true);
    }
    if is_fresh {
        // Consents that never came hold places: look before somebody is turned away.
        list(app, account).await?;
        return take(app, account).await;
    }
    Ok(false)
}

async fn take(app: &App, account: &Account) -> Result<bool, Error> {
    let limit = i64::from(app.config.quotas.connections);
    let update = Update::new()
        .add("connections", 1)
        .when_absent_or_less("connections", limit);
    match app.shared.update::<Counter>(&key(account), update).await {
        Ok(counter) => {
            judge(app, account, &counter).await?;
            Ok(true)
        }
        Err(error) if error.is_condition() => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Gives a place back. A count that is not there is made by the next who looks.
pub(crate) async fn release(app: &App, account: &Account) -> Result<(), Error> {
    if account.hosting != HostingMode::Vendor {
        return Ok(());
    }
    let update = Update::new().add("connections", -1);
    match app.shared.update::<Counter>(&key(account), update).await {
        Ok(counter) => judge(app, account, &counter).await,
        Err(error) if error.is_condition() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Sets the count right, after somebody listed the account.
pub(crate) async fn counted(app: &App, account: &Account, connections: u32) -> Result<(), Error> {
    if account.hosting != HostingMode::Vendor {
        return Ok(());
    }
    let update = Update::new()
        .set("connections", connections)
        .set("counted_at", Timestamp::now())
        .upsert();
    let counter = app.shared.update::<Counter>(&key(account), update).await?;
    judge(app, account, &counter).await
}

async fn list(app: &TenantApp, account: &Account) -> Result<(), Error> {
    let client: Client = accounts::appflow(app, account).await?;
    let mut number = 0;
    let mut next = None;
    for _ in 0..MOST_PAGES {
        let page = client
            .describe_connector_profiles()
            .max_results(100)
            .set_next_token(next)
            .send()
            .await
            .map_err(|error| failed("DescribeConnectorProfiles", &error))?;
        number += page.connector_profile_details().len();
        next = page.next_token;
        if next.is_none() {
            break;
        }
    }
    counted(app, account, u32::try_from(number).unwrap_or(u32::MAX)).await
}

/// Tells the operator once when the share is reached, and again only after there was room.
async fn judge(app: &App, account: &Account, counter: &Counter) -> Result<(), Error> {
    let quotas = app.config.quotas;
    let percent = percent(counter.connections, quotas.connections);
    metric(account, percent);
    let is_scarce = percent >= i64::from(quotas.alert_percent);
    let update = match (is_scarce, counter.told_at) {
        (true, None) => Update::new()
            .set("told_at", Timestamp::now())
            .when_absent("told_at"),
        (false, Some(told_at)) => Update::new()
            .remove("told_at")
            .when_equal("told_at", told_at),
        _ => return Ok(()),
    };
    match app.shared.update::<IgnoredAny>(&key(account), update).await {
        Ok(_) if is_scarce => tracing::error!(
            error.code = "connections_nearly_used_up",
            aws.account = account.aws_account_id,
            aws.region = account.region,
            used = counter.connections,
            limit = quotas.connections,
            "AppFlow's quota of connector profiles of a vendor's account is nearly used up; raise it or add an account to the pool"
        ),
        Ok(_) => tracing::info!(
            aws.account = account.aws_account_id,
            aws.region = account.region,
            used = counter.connections,
            limit = quotas.connections,
            "there is room for connections in a vendor's account again"
        ),
        // Somebody else told it.
        Err(error) if error.is_condition() => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

fn percent(used: i64, limit: u32) -> i64 {
    used.max(0).saturating_mul(100) / i64::from(limit.max(1))
}

/// The metric behind the alarm.
fn metric(account: &Account, percent: i64) {
    let properties = [
        ("awsAccount", json!(account.aws_account_id)),
        ("region", json!(account.region)),
    ];
    #[expect(
        clippy::cast_precision_loss,
        reason = "a share of a quota is a small number"
    )]
    telemetry::emit(Metric::ConnectionsUsedPercent, percent as f64, &properties);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o9_the_share_is_rounded_down_and_never_negative() {
        assert_eq!(
            [(0, 100), (89, 100), (90, 100), (95, 100), (-3, 100), (5, 0)]
                .map(|(used, limit)| percent(used, limit)),
            [0, 89, 90, 95, 0, 500]
        );
        assert_eq!(percent(17, 19), 89);
    }
}
