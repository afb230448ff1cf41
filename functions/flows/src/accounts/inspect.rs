//! What verification and the daily re-check look at: whom the role trusts, what it may do, and
//! whether events of the account reach us. Nothing is made or changed in the account.

mod ask;
mod events;
mod forwarding;
mod needs;
mod permissions;
mod probe;
mod trust;

use std::time::Duration;

use tokio::time::Instant;
use tributary::{
    error::Error,
    tenancy::{Account, VerificationReport},
};

pub(in crate::accounts) use probe::state_after;

use crate::App;

/// Longest that a whole look takes: the gateway gives up after thirty seconds.
const WITHIN: Duration = Duration::from_secs(25);
/// Longest that the part after STS takes.
const PARTS_WITHIN: Duration = Duration::from_secs(18);

/// What an event means that did not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// Somebody waits for the answer and can ask again: it is not forwarded.
    Caller,
    /// Nobody asked, and EventBridge may be slow today: it proves nothing yet.
    FirstTime,
}

/// Looks at an account. What cannot be tried while the role is not to be trusted is left out.
pub(super) async fn inspect(
    app: &App,
    account: &Account,
    patience: Patience,
) -> Result<VerificationReport, Error> {
    let begun = Instant::now();
    let (mut probes, session) = trust::Prober::new(app, account).probe().await?;
    let Some(session) = session.filter(|_| probe::all_passed(&probes)) else {
        return Ok(probe::report(probes, Vec::new()));
    };
    let deadline = (Instant::now() + PARTS_WITHIN).min(begun + WITHIN);
    let (tested, forwarded) = tokio::join!(
        permissions::self_test(app, account, &session, deadline),
        forwarding::check(app, account, &session, patience, deadline),
    );
    let (tested, (forwarded, put)) = (tested?, forwarded?);
    probes.push(forwarded);
    let mut found = tested.permissions;
    found.push(put);
    let mut report = probe::report(probes, found);
    report.statements = needs::statements(account, &report.missing);
    report.warnings = tested.warnings;
    Ok(report)
}

#[cfg(test)]
pub(super) fn sample_account(hosting: tributary::tenancy::HostingMode) -> Account {
    use tributary::{
        id::{AccountId, TenantId},
        tenancy::{AccountState, RoleArn},
    };
    Account {
        id: AccountId::new(),
        tenant_id: TenantId::new(),
        aws_account_id: "222222222222".to_owned(),
        region: "us-east-1".to_owned(),
        hosting,
        role_arn: RoleArn::in_account("222222222222", "TributaryAccess").unwrap(),
        external_id: "x".repeat(43),
        state: AccountState::Verified,
        report: None,
        created_at: jiff::Timestamp::UNIX_EPOCH,
        updated_at: jiff::Timestamp::UNIX_EPOCH,
        version: 1,
        due_at: None,
        checks_failed: 0,
        scarce: Vec::new(),
    }
}
