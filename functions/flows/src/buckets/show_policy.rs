//! `GET /v1/buckets/{bucket}/policy`

use std::collections::BTreeSet;

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use tributary::{
    error::{Error, Fault},
    http::Problem,
    id::{AccountId, TenantId},
    tenancy::Account,
};
use utoipa::IntoParams;

use super::{
    Current, account, current, need,
    view::{Needs, PolicyView},
};
use crate::{
    App, TenantApp,
    compile::permissions::Access,
    connections::ask::{Ask, refused_query},
    edge::{Viewer, etag, json},
    s3::{self, BucketName, S3},
};

/// Query parameters of a bucket's policy.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PolicyQuery {
    /// The account that the bucket is in.
    #[param(value_type = AccountId, required)]
    account_id: Option<String>,
    /// What AppFlow is to do with it: `read`, `write` or both, separated by a comma; both when absent.
    #[param(example = "read,write")]
    access: Option<String>,
}

/// Shows a bucket's policy as it is, the statements that AppFlow needs, and the policy with both.
/// Nothing is changed.
#[utoipa::path(get, path = "/v1/buckets/{bucket}/policy", tag = "buckets", params(
    ("bucket" = String, Path, description = "Name of the bucket", example = "tributary-landing-222222222222-us-east-1"),
    PolicyQuery,
), responses(
    (status = 200, body = PolicyView, headers(("etag" = String, description = "Names the policy as it is"))),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn show_policy(
    State(app): State<App>,
    viewer: Viewer,
    Path(bucket): Path<String>,
    Ask(query): Ask<PolicyQuery>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let mut faults = Vec::new();
    let id = query.account_id.unwrap_or_else(|| {
        faults.push(Fault::new(
            "query:accountId",
            "required",
            "In which account is the bucket?",
        ));
        String::new()
    });
    let accesses = accesses(query.access.as_deref());
    if accesses.is_none() {
        faults.push(Fault::new(
            "query:access",
            "malformed",
            "read, write, or read,write.",
        ));
    }
    let (Some(accesses), true) = (accesses, faults.is_empty()) else {
        return Err(refused_query(faults));
    };
    let place = Place::find(&app, viewer.tenant, &id, &bucket).await?;
    let current = place.current().await?;
    let needs = place.needs(&accesses);
    tagged(&place, current, &needs)
}

/// A bucket in an account of the tenant.
pub(super) struct Place {
    pub(super) account: Account,
    pub(super) bucket: BucketName,
    pub(super) s3: S3,
}

impl Place {
    /// What is no name of a bucket is the same answer as a bucket that is not there.
    pub(super) async fn find(
        app: &TenantApp,
        tenant: TenantId,
        account_id: &str,
        bucket: &str,
    ) -> Result<Self, Error> {
        let account = account(app, tenant, account_id).await?;
        let bucket = bucket.parse().map_err(|_| Error::not_found())?;
        let s3 = s3::of(app, &account).await?;
        Ok(Self {
            account,
            bucket,
            s3,
        })
    }

    pub(super) async fn current(&self) -> Result<Current, Error> {
        current(&self.s3, &self.account, &self.bucket).await
    }

    pub(super) fn needs(&self, accesses: &BTreeSet<Access>) -> Needs {
        let one = |access: &Access| (*access, need(&self.account, &self.bucket, *access));
        accesses.iter().map(one).collect()
    }
}

/// A policy as an answer, with its entity tag.
pub(super) fn tagged(place: &Place, current: Current, needs: &Needs) -> Result<Response, Error> {
    let tag = etag(current.version);
    let mut response = json(
        StatusCode::OK,
        &PolicyView::of(&place.bucket, current, needs),
    )?;
    let tag = HeaderValue::from_str(&tag)
        .map_err(|error| Error::internal("etag", "a tag is no header").with_source(error))?;
    response.headers_mut().insert(header::ETAG, tag);
    Ok(response)
}

fn accesses(given: Option<&str>) -> Option<BTreeSet<Access>> {
    let Some(given) = given else {
        return Some(Access::ALL.into());
    };
    given
        .split(',')
        .map(|word| match word.trim() {
            "read" => Some(Access::Read),
            "write" => Some(Access::Write),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accesses_are_read_written_or_both() {
        let read = |text| accesses(text).map(|found| found.into_iter().collect::<Vec<_>>());
        assert_eq!(read(None), Some(Access::ALL.to_vec()));
        assert_eq!(read(Some("write")), Some(vec![Access::Write]));
        assert_eq!(read(Some("write, read,read")), Some(Access::ALL.to_vec()));
        for odd in ["", "own", "read,", "READ"] {
            assert_eq!(read(Some(odd)), None, "{odd}");
        }
    }
}
