//! `POST /v1/accounts/{id}/verify`: proves the role, step by step.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use tributary::{
    error::Error,
    http::{IdempotencyKey, Problem},
    id::AccountId,
    tenancy::{AccountState, VerificationReport},
};
use utoipa::ToSchema;

use super::{
    find,
    inspect::{self, Patience},
    settle,
};
use crate::{
    App,
    edge::{Admin, NoBody, id_in_path, json},
};

/// What verification found, and where the account stands now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Verification {
    id: AccountId,
    state: AccountState,
    report: VerificationReport,
}

/// Proves the role: assumed with its external id, in the declared account, refused without and
/// with a wrong one; with every action that it needs; and that events of the account reach us.
/// Nothing is made or changed in the account.
#[utoipa::path(post, path = "/v1/accounts/{id}/verify", tag = "accounts", params(
    ("id" = AccountId, Path, description = "The account"),
    IdempotencyKey,
), responses(
    (status = 200, body = Verification),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn verify_account(
    State(app): State<App>,
    admin: Admin,
    key: IdempotencyKey,
    Path(id): Path<String>,
    body: NoBody,
) -> Result<Response, Error> {
    let app = app.within(&admin.scope);
    let account = find(&app, admin.tenant, id_in_path(&id)?).await?;
    let store = admin.store();
    let operation = format!("verify-account-{}", account.id);
    let work = async {
        let report = inspect::inspect(&app, &account, Patience::Caller).await?;
        let now = Timestamp::now();
        let state = settle::settle(&app, store, &account, &report, now).await?;
        let id = account.id;
        json(StatusCode::OK, &Verification { id, state, report })
    };
    key.once(
        store,
        &admin.partition(),
        &operation,
        admin.subject(),
        &body.bytes,
        work,
    )
    .await
}
