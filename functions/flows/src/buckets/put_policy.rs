//! `PUT /v1/buckets/{bucket}/policy`

use std::collections::BTreeSet;

use axum::{
    extract::{Path, State},
    response::Response,
};
use serde::Deserialize;
use tributary::{
    error::{Error, Fault, Kind},
    http::{Json, Problem},
    id::AccountId,
    tenancy::HostingMode,
};
use utoipa::ToSchema;

use super::{
    merge::{Refusal, merge},
    show_policy::{Place, tagged},
    view::{PolicyView, after},
};
use crate::{
    App,
    compile::permissions::Access,
    edge::{Admin, IfMatch},
};

/// What AppFlow is to be allowed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PolicyInput {
    /// The account that the bucket is in.
    account_id: AccountId,
    /// What AppFlow is to do with the bucket, at least one.
    #[schema(example = json!(["write"]))]
    access: BTreeSet<Access>,
}

/// Adds to a bucket's policy what AppFlow needs for the account's flows, and nothing else: what is
/// there stays, and what is allowed already is not added again. Send `If-Match` with the ETag of the
/// policy that you saw.
///
/// S3 has no write that depends on what was there. The policy is read again right before it is written;
/// a change that somebody else makes between these two calls, some tens of milliseconds, is lost.
#[utoipa::path(put, path = "/v1/buckets/{bucket}/policy", tag = "buckets", request_body = PolicyInput, params(
    ("bucket" = String, Path, description = "Name of the bucket", example = "tributary-landing-222222222222-us-east-1"),
    ("if-match" = String, Header, description = "The ETag of the policy that is meant, or `*`"),
), responses(
    (status = 200, body = PolicyView, headers(("etag" = String, description = "Names the policy as it is now"))),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn put_policy(
    State(app): State<App>,
    admin: Admin,
    Path(bucket): Path<String>,
    if_match: Result<IfMatch, Error>,
    Json { value, .. }: Json<PolicyInput>,
) -> Result<Response, Error> {
    let app = app.within(&admin.scope);
    if value.access.is_empty() {
        let fault = Fault::new("/access", "required", "Name read, write or both.");
        return Err(Error::unprocessable(
            "invalid_policy",
            "The request breaks rules.",
            vec![fault],
        ));
    }
    let place = Place::find(&app, admin.tenant, &value.account_id.to_string(), &bucket).await?;
    let current = place.current().await?;
    if_match?.holds_for(current.version)?;
    let needs = place.needs(&value.access);
    let merged = merge(current.policy.as_ref(), &needs).map_err(|refusal| refused(&refusal))?;
    if !merged.is_changed {
        return tagged(&place, current, &needs);
    }
    // Tenants share the vendor's buckets: what one of them adds would let in all of them.
    if place.account.hosting == HostingMode::Vendor {
        let text = "The vendor manages the policies of the buckets in its own account.";
        return Err(Error::new(Kind::Conflict, "vendor_managed", text));
    }
    let text = merged.policy.to_string();
    place.s3.put_policy(&place.bucket, &text).await?;
    let (before, after) = (current.version, after(text)?);
    tracing::info!(
        tenant.id = %admin.tenant, account.id = %place.account.id, subject = admin.subject(),
        bucket = place.bucket.as_str(), access = ?value.access,
        policy.before = format!("{before:016x}"), policy.after = format!("{:016x}", after.version),
        "bucket policy added to"
    );
    tagged(&place, after, &needs)
}

fn refused(refusal: &Refusal) -> Error {
    let code = match refusal {
        Refusal::Unreadable => "policy_unreadable",
        Refusal::Denied(_) => "policy_denies",
        Refusal::TooLarge(_) => "policy_too_large",
    };
    Error::new(Kind::Conflict, code, refusal.to_string())
}
