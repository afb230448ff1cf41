//! The AWS accounts in which the vendor hosts flows: its own, and those of the pool (O9).

use jiff::Timestamp;
use tributary::{
    error::{Error, Kind},
    id::{AccountId, TenantId},
    store::{Key, Store},
    tenancy::{Account, AccountState, HostingMode, RoleArn},
};

use super::{
    create::{self, Guard},
    inspect::{self, Patience},
    onboarding::CUSTOMER_ROLE,
    settle,
};
use crate::{App, OnboardingConfig, TenantApp, headroom};

/// An AWS account in which the vendor hosts flows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Host {
    pub(super) aws_account_id: String,
    pub(super) role_arn: RoleArn,
}

/// The vendor's own account, then the pool's in the order of the configuration.
pub(super) fn hosts(config: &OnboardingConfig) -> Result<Vec<Host>, Error> {
    let own = Host {
        aws_account_id: config.vendor_account_id.clone(),
        role_arn: config.vendor_role.arn.clone(),
    };
    let partition = config.vendor_role.arn.partition();
    let pool = config.vendor_pool.iter().map(|id| {
        let role_arn = RoleArn::of(partition, id, CUSTOMER_ROLE).map_err(|error| {
            Error::internal("role_arn", "an account of the pool makes no role ARN")
                .with_source(error)
        })?;
        Ok(Host {
            aws_account_id: id.clone(),
            role_arn,
        })
    });
    std::iter::once(Ok(own)).chain(pool).collect()
}

/// The account that a tenant has with the vendor already, else the one with most room.
pub(super) async fn home(app: &App, store: &Store, tenant: TenantId) -> Result<Host, Error> {
    let config = &app.config.onboarding;
    let hosts = hosts(config)?;
    for host in &hosts {
        let guard = Key::aws_account(tenant, &host.aws_account_id);
        if store.get::<Guard>(&guard).await?.is_some() {
            return Ok(host.clone());
        }
    }
    by_room(app, hosts)
        .await?
        .into_iter()
        .next()
        .ok_or_else(|| Error::internal("no_host", "the vendor has no account"))
}

/// The accounts, those with most room first; of equals the first stays first.
async fn by_room(app: &App, hosts: Vec<Host>) -> Result<Vec<Host>, Error> {
    let mut used = Vec::with_capacity(hosts.len());
    for host in hosts {
        let region = &app.config.onboarding.region;
        let number = headroom::used(app, &host.aws_account_id, region).await?;
        used.push((number, host));
    }
    used.sort_by_key(|(number, _)| *number);
    Ok(used.into_iter().map(|(_, host)| host).collect())
}

/// The account in which a new connection is made: the one that was asked for, unless the vendor hosts
/// it and it is full. Then it is the tenant's account in the next of the pool, which is made if need
/// be. A place is taken there.
pub(crate) async fn place(app: &TenantApp, asked: Account) -> Result<Account, Error> {
    if asked.hosting != HostingMode::Vendor || asked.state == AccountState::Pending {
        return Ok(asked);
    }
    if headroom::reserve(app, &asked).await? {
        return Ok(asked);
    }
    let others = hosts(&app.config.onboarding)?
        .into_iter()
        .filter(|host| host.aws_account_id != asked.aws_account_id)
        .collect();
    for host in by_room(app, others).await? {
        let account = match account_at(app, &asked, &host).await {
            Ok(Some(account)) => account,
            Ok(None) => continue,
            Err(error) => {
                // The pool's next may do.
                tracing::error!(
                    aws.account = host.aws_account_id,
                    error.code = error.code(),
                    error.chain = error.chain(),
                    "an account of the pool cannot be used"
                );
                continue;
            }
        };
        if headroom::reserve(app, &account).await? {
            tracing::info!(tenant.id = %account.tenant_id, account.id = %account.id, "a connection goes into another account of the pool");
            return Ok(account);
        }
    }
    Err(Error::new(
        Kind::QuotaExhausted,
        "quota_exhausted",
        "A quota of the AWS account is used up.",
    ))
}

/// The tenant's account at this host, proven; none if the proof fails.
async fn account_at(
    app: &TenantApp,
    asked: &Account,
    host: &Host,
) -> Result<Option<Account>, Error> {
    let store = &app.store;
    let guard = Key::aws_account(asked.tenant_id, &host.aws_account_id);
    let mut account = if let Some(Guard { account_id }) = store.get(&guard).await? {
        let found = Account::load(store, asked.tenant_id, account_id).await?;
        found.ok_or_else(Error::not_found)?
    } else {
        let made = moved(asked, host);
        create::insert(store, &made).await?;
        made
    };
    if account.state == AccountState::Pending {
        let found = inspect::inspect(app, &account, Patience::Caller).await?;
        account.state = settle::settle(app, store, &account, &found, Timestamp::now()).await?;
    }
    Ok((account.state == AccountState::Verified).then_some(account))
}

/// The same tenant's account at another host, to be proven.
fn moved(asked: &Account, host: &Host) -> Account {
    let now = Timestamp::now();
    Account {
        id: AccountId::new(),
        aws_account_id: host.aws_account_id.clone(),
        role_arn: host.role_arn.clone(),
        state: AccountState::Pending,
        report: None,
        created_at: now,
        updated_at: now,
        version: 1,
        due_at: None,
        checks_failed: 0,
        scarce: Vec::new(),
        ..asked.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::onboarding::sample_config;

    #[test]
    fn o9_the_vendors_own_account_comes_before_the_pools() {
        let mut config = sample_config();
        config.vendor_pool = vec!["333333333333".to_owned(), "444444444444".to_owned()];
        let hosts = hosts(&config).unwrap();
        let arns: Vec<&str> = hosts.iter().map(|host| host.role_arn.as_str()).collect();
        assert_eq!(
            arns,
            [
                "arn:aws:iam::111111111111:role/tributary/prod-vendor-flows",
                "arn:aws:iam::333333333333:role/TributaryAccess",
                "arn:aws:iam::444444444444:role/TributaryAccess",
            ]
        );
    }
}
