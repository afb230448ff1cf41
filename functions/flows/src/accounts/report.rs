//! Signed reports of verifications: what was found, when, in a form that others can check.
//!
//! Each report is a JWS (RFC 7515, ES256) under an asymmetric key that never leaves KMS. Whoever gets
//! one checks it with the keys of `GET /v1/report-keys`.

mod get;
mod keys;
mod list;
mod signer;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tributary::{
    error::Error,
    store::{Key, PageRequest, Store},
    tenancy::{Account, AccountState, VerificationReport},
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) use signer::ReportSigner;

use crate::App;

/// Reports that are kept of an account.
const KEPT: usize = 30;

/// Routes of reports.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get::get_account_report))
        .routes(routes!(list::list_account_reports))
        .routes(routes!(keys::get_report_keys))
}

/// A report, as it is stored and shown.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StoredReport {
    /// When the account was looked at.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) checked_at: Timestamp,
    /// Where the account stood then.
    pub(crate) state: AccountState,
    /// What was found.
    pub(crate) report: VerificationReport,
    /// All of it and whose it is, signed: a compact JWS (ES256) whose payload is canonical JSON.
    pub(crate) jws: String,
}

/// Signs what was found.
pub(super) async fn sign(
    app: &App,
    account: &Account,
    state: AccountState,
    found: &VerificationReport,
    at: Timestamp,
) -> Result<StoredReport, Error> {
    let payload = canonical(&statement(account, state, found, at));
    Ok(StoredReport {
        checked_at: at,
        state,
        report: found.clone(),
        jws: app.reports.sign(payload.as_bytes()).await?,
    })
}

/// What the signature stands for. The external id is nobody's business but the customer's.
fn statement(
    account: &Account,
    state: AccountState,
    found: &VerificationReport,
    at: Timestamp,
) -> Value {
    json!({
        "accountId": account.id,
        "awsAccountId": account.aws_account_id,
        "checkedAt": at,
        "hosting": account.hosting,
        "region": account.region,
        "report": found,
        "roleArn": account.role_arn,
        "state": state,
        "tenantId": account.tenant_id,
    })
}

/// JSON with the members of each object in order and nothing between them: RFC 8785 for what a
/// report has, which is texts, whole numbers and truth values.
pub(crate) fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            names.sort();
            let members: Vec<String> = names
                .into_iter()
                .map(|name| {
                    format!(
                        "{}:{}",
                        Value::from(name.as_str()),
                        canonical(&members[name])
                    )
                })
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        plain => plain.to_string(),
    }
}

/// Removes all but the last reports of an account.
pub(super) async fn keep_the_last(store: &Store, account: &Account) -> Result<(), Error> {
    remove(store, account, KEPT).await
}

/// Removes all reports of an account.
pub(super) async fn forget(store: &Store, account: &Account) -> Result<(), Error> {
    remove(store, account, 0).await
}

/// What is read of a report to remove it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Old {
    checked_at: Timestamp,
}

/// Removes all but the newest. Each verification removes what it is one too many for, so that there are
/// never many.
async fn remove(store: &Store, account: &Account, but: usize) -> Result<(), Error> {
    let page = PageRequest {
        newest_first: true,
        ..PageRequest::first(KEPT + 20)
    };
    let partition = Key::tenant_partition(account.tenant_id);
    let prefix = Key::account_reports(account.id);
    let found = store.query::<Old>(&partition, &prefix, &page).await?;
    for old in found.items.into_iter().skip(but) {
        let key = Key::account_report(account.tenant_id, account.id, old.checked_at);
        store.delete(&key).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_reports_have_equal_bytes() {
        let one = json!({ "b": [1, { "y": "ü\"", "x": null }], "a": true });
        assert_eq!(
            canonical(&one),
            r#"{"a":true,"b":[1,{"x":null,"y":"ü\""}]}"#
        );
        let read: Value = serde_json::from_str(&canonical(&one)).unwrap();
        assert_eq!(read, one);
    }
}
