//! `DELETE /v1/accounts/{id}`

use axum::{
    extract::{Path, State},
    response::Response,
};
use tributary::{
    error::{Error, Kind},
    http::Problem,
    id::AccountId,
    store::Key,
};

use super::{find, report};
use crate::{
    App,
    edge::{Admin, id_in_path, no_content},
    usage,
};

/// Forgets an AWS account that nothing uses. What the customer launched stays theirs to delete.
#[utoipa::path(delete, path = "/v1/accounts/{id}", tag = "accounts", params(
    ("id" = AccountId, Path, description = "The account"),
), responses(
    (status = 204),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn delete_account(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let app = app.within(&admin.scope);
    let account = find(&app, admin.tenant, id_in_path(&id)?).await?;
    let store = admin.store();
    if usage::of_account(store, admin.tenant, account.id).await? {
        return Err(Error::new(
            Kind::Conflict,
            "account_in_use",
            "Connections or flows still use this account. Delete them first.",
        ));
    }
    report::forget(store, &account).await?;
    // The guard goes last: a registration that finds it alone takes it away.
    store
        .delete(&Key::account(admin.tenant, account.id))
        .await?;
    store
        .delete(&Key::aws_account(admin.tenant, &account.aws_account_id))
        .await?;
    Ok(no_content())
}
