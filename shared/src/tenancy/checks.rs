//! When an account is looked at again: once a day, and at once when its role refuses us (O8).

use aws_config::SdkConfig;
use jiff::{SignedDuration, Timestamp};
use serde::de::IgnoredAny;

use super::{Account, AccountState, AssumeError, RoleSessions};
use crate::{
    error::Error,
    store::{Key, Store, Update},
};

/// Shard of the due index that holds the accounts' checks.
pub const CHECK_SHARD: &str = "account-checks";

/// A role that refuses every call makes its account due so often at most.
const NOT_SOONER: SignedDuration = SignedDuration::from_mins(10);

/// An SDK configuration that acts in the tenant's account. A role that refuses makes the account due
/// for a check: whoever meets it first is the one that notices. `store` reaches the tenant's items.
pub async fn session(
    sessions: &RoleSessions,
    store: &Store,
    account: &Account,
) -> Result<SdkConfig, Error> {
    let session = sessions.config(account).await;
    if let Err(AssumeError::Refused { .. }) = &session
        && let Err(error) = check_soon(store, account, Timestamp::now()).await
    {
        // The daily check finds out too.
        tracing::warn!(
            tenant.id = %account.tenant_id, account.id = %account.id,
            error.code = error.code(), error.chain = error.chain(), "a refusing account was not made due"
        );
    }
    Ok(session?)
}

/// Makes a verified account due now, unless that was done lately. What is degraded is known to be,
/// and what is pending was never proven.
async fn check_soon(store: &Store, account: &Account, now: Timestamp) -> Result<(), Error> {
    let lately = now
        .saturating_sub(NOT_SOONER)
        .unwrap_or(Timestamp::MIN)
        .as_millisecond();
    let update = Update::new()
        .set("due_shard", CHECK_SHARD)
        .set("due_at", now.as_millisecond())
        .set("nudged_at", now.as_millisecond())
        .when_equal("state", AccountState::Verified)
        .when_absent_or_less("nudged_at", lately);
    let key = Key::account(account.tenant_id, account.id);
    match store.update::<IgnoredAny>(&key, update).await {
        Ok(_) => {
            tracing::warn!(tenant.id = %account.tenant_id, account.id = %account.id, "the role of an account refuses us; it is checked");
            Ok(())
        }
        Err(error) if error.is_condition() => Ok(()),
        Err(error) => Err(error.into()),
    }
}
