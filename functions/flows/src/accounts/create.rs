//! `POST /v1/accounts`

use axum::{extract::State, response::Response};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tributary::{
    error::{Error, Fault, Kind},
    http::{IdempotencyKey, Json, Problem},
    id::{AccountId, TenantId},
    oauth::random_token,
    store::{Key, Store, StoreError},
    tenancy::{Account, AccountState, HostingMode, RoleArn},
};
use utoipa::ToSchema;

use super::{
    onboarding::CUSTOMER_ROLE,
    pool::{self, Host},
    view::AccountView,
};
use crate::{
    App, OnboardingConfig,
    edge::{Admin, created, json},
};

/// The Regions that have AppFlow.
const REGIONS: [&str; 16] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "af-south-1",
    "ap-south-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
];

/// An account to be. The external id is ours to make and is never accepted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AccountInput {
    /// The twelve digits; may be left out for the vendor's account.
    #[serde(default)]
    aws_account_id: Option<String>,
    /// The Region in which flows are to run.
    #[schema(example = "us-east-1")]
    region: String,
    /// In whose account flows run; `customer` when absent.
    #[serde(default)]
    hosting: Option<HostingMode>,
}

/// Guard that a tenant has an AWS account once.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Guard {
    pub(super) account_id: AccountId,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Written {
    Account(Box<Account>),
    Guard(Guard),
}

/// Registers an AWS account and answers what the customer has to launch. Asking again for the same
/// account answers the same.
#[utoipa::path(post, path = "/v1/accounts", tag = "accounts", params(IdempotencyKey), request_body = AccountInput, responses(
    (status = 201, body = AccountView),
    (status = 200, body = AccountView, description = "It was registered before"),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn create_account(
    State(app): State<App>,
    admin: Admin,
    key: IdempotencyKey,
    Json { value, bytes }: Json<AccountInput>,
) -> Result<Response, Error> {
    let app = app.within(&admin.scope);
    let config = &app.config.onboarding;
    let wants_a_host = value.hosting == Some(HostingMode::Vendor) && value.aws_account_id.is_none();
    let host = if wants_a_host {
        Some(pool::home(&app, admin.store(), admin.tenant).await?)
    } else {
        None
    };
    let account = check(&value, host, config, admin.tenant)?;
    let work = async {
        let guard = Key::aws_account(admin.tenant, &account.aws_account_id);
        match insert(admin.store(), &account).await {
            Ok(()) => {
                let location = format!("/v1/accounts/{}", account.id);
                created(&location, &AccountView::of(account, config)?)
            }
            Err(error) if error.is_condition() => {
                let known = known(admin.store(), &account, &guard).await?;
                json(StatusCode::OK, &AccountView::of(known, config)?)
            }
            Err(error) => Err(error.into()),
        }
    };
    key.once(
        admin.store(),
        &admin.partition(),
        "create-account",
        admin.subject(),
        &bytes,
        work,
    )
    .await
}

/// Writes an account and the guard that the tenant has it once.
pub(super) async fn insert(store: &Store, account: &Account) -> Result<(), StoreError> {
    let guard = Guard {
        account_id: account.id,
    };
    let items = [
        (
            Key::account(account.tenant_id, account.id),
            Written::Account(Box::new(account.clone())),
        ),
        (
            Key::aws_account(account.tenant_id, &account.aws_account_id),
            Written::Guard(guard),
        ),
    ];
    store.insert_together(&items).await
}

/// The account that was registered before.
async fn known(store: &Store, asked: &Account, guard: &Key) -> Result<Account, Error> {
    let Some(Guard { account_id }) = store.get(guard).await? else {
        return Err(changed_meanwhile());
    };
    let Some(known) = Account::load(store, asked.tenant_id, account_id).await? else {
        // A deletion stopped half way: the guard has nothing to guard any more.
        store.delete(guard).await?;
        return Err(changed_meanwhile());
    };
    if known.region == asked.region && known.hosting == asked.hosting {
        return Ok(known);
    }
    Err(Error::new(
        Kind::Conflict,
        "account_exists",
        "This AWS account is registered with another Region or hosting.",
    ))
}

fn changed_meanwhile() -> Error {
    Error::new(
        Kind::Conflict,
        "changed_meanwhile",
        "This account was being deleted. Try again.",
    )
    .with_retry_after(1)
}

fn check(
    input: &AccountInput,
    host: Option<Host>,
    config: &OnboardingConfig,
    tenant: TenantId,
) -> Result<Account, Error> {
    let mut faults = Vec::new();
    let hosting = input.hosting.unwrap_or(HostingMode::Customer);
    let host = match hosting {
        HostingMode::Customer => None,
        HostingMode::Vendor => vendors_account(&mut faults, input, host, config)?,
    };
    let aws_account_id = match &host {
        Some(host) => host.aws_account_id.clone(),
        None if hosting == HostingMode::Customer => customers_account(&mut faults, input, config),
        None => String::new(),
    };
    if !REGIONS.contains(&input.region.as_str()) {
        faults.push(Fault::new(
            "/region",
            "region_not_supported",
            "AppFlow is not in this Region.",
        ));
    }
    if !faults.is_empty() {
        return Err(Error::unprocessable(
            "invalid_account",
            "The account breaks rules.",
            faults,
        ));
    }
    let (role_arn, external_id) = match host {
        None => (
            RoleArn::of(
                config.vendor_role.arn.partition(),
                &aws_account_id,
                CUSTOMER_ROLE,
            )
            .map_err(|error| {
                Error::internal("role_arn", "a checked account makes no role ARN")
                    .with_source(error)
            })?,
            // STS takes 43 base64url characters; AWS does not treat an external id as a secret.
            random_token()?.expose().to_owned(),
        ),
        Some(host) => (host.role_arn, config.vendor_role.external_id.clone()),
    };
    let now = Timestamp::now();
    Ok(Account {
        id: AccountId::new(),
        tenant_id: tenant,
        aws_account_id,
        region: input.region.clone(),
        hosting,
        role_arn,
        external_id,
        state: AccountState::Pending,
        report: None,
        created_at: now,
        updated_at: now,
        version: 1,
        due_at: None,
        checks_failed: 0,
        scarce: Vec::new(),
    })
}

fn customers_account(
    faults: &mut Vec<Fault>,
    input: &AccountInput,
    config: &OnboardingConfig,
) -> String {
    let given = input.aws_account_id.clone().unwrap_or_default();
    if given.len() != 12 || !given.bytes().all(|byte| byte.is_ascii_digit()) {
        faults.push(Fault::new(
            "/awsAccountId",
            "invalid_account_id",
            "Twelve digits.",
        ));
    } else if given == config.vendor_account_id || config.vendor_pool.contains(&given) {
        faults.push(Fault::new(
            "/awsAccountId",
            "vendors_account",
            "This is our own account; ask for hosting vendor.",
        ));
    }
    given
}

/// The vendor's account that was asked for, or the one that was chosen when none was.
fn vendors_account(
    faults: &mut Vec<Fault>,
    input: &AccountInput,
    chosen: Option<Host>,
    config: &OnboardingConfig,
) -> Result<Option<Host>, Error> {
    let hosts = pool::hosts(config)?;
    let named = input.aws_account_id.as_ref().map(|given| {
        let named = hosts.into_iter().find(|host| host.aws_account_id == *given);
        if named.is_none() {
            faults.push(Fault::new(
                "/awsAccountId",
                "not_vendors_account",
                "With hosting vendor, leave the account out.",
            ));
        }
        named
    });
    if input.region != config.region {
        faults.push(Fault::new(
            "/region",
            "region_not_supported",
            format!("With hosting vendor, flows run in {}.", config.region),
        ));
    }
    Ok(named.unwrap_or(chosen))
}

#[cfg(test)]
mod tests {
    use super::{super::onboarding::sample_config, *};

    fn input(text: &str) -> AccountInput {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn o2_a_supplied_external_id_is_not_read() {
        let text = r#"{"awsAccountId":"222222222222","region":"us-east-1","externalId":"mine"}"#;
        assert!(serde_json::from_str::<AccountInput>(text).is_err());
    }

    #[test]
    fn o10_all_faults_of_an_account_are_told_at_once() {
        let cases = [
            (r#"{"region":"mars-1"}"#, vec!["/awsAccountId", "/region"]),
            (
                r#"{"awsAccountId":"22222222222x","region":"us-east-1"}"#,
                vec!["/awsAccountId"],
            ),
            (
                r#"{"awsAccountId":"111111111111","region":"us-east-1"}"#,
                vec!["/awsAccountId"],
            ),
            (
                r#"{"awsAccountId":"222222222222","region":"eu-west-1","hosting":"vendor"}"#,
                vec!["/awsAccountId", "/region"],
            ),
        ];
        for (text, expected) in cases {
            let error = check(&input(text), None, &sample_config(), TenantId::new()).unwrap_err();
            let pointers: Vec<&str> = error.faults().iter().map(|f| f.pointer.as_str()).collect();
            assert_eq!(pointers, expected, "{text}");
        }
    }

    #[test]
    fn o1_an_external_id_has_256_random_bits_and_fits_sts() {
        let text = r#"{"awsAccountId":"222222222222","region":"us-east-1"}"#;
        let made = || {
            check(&input(text), None, &sample_config(), TenantId::new())
                .unwrap()
                .external_id
        };
        let (one, other) = (made(), made());
        assert_ne!(one, other);
        assert_eq!(one.len(), 43);
        assert!(
            one.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        );
    }

    #[test]
    fn the_vendors_account_uses_the_configured_role_and_id() {
        let account = check(
            &input(r#"{"region":"us-east-1","hosting":"vendor"}"#),
            pool::hosts(&sample_config()).unwrap().into_iter().next(),
            &sample_config(),
            TenantId::new(),
        )
        .unwrap();
        assert_eq!(account.aws_account_id, "111111111111");
        assert_eq!(account.external_id, "vendor-external-id");
    }
}
