//! `GET /v1/flows/{id}/permissions`, and `POST /v1/flows/permissions` for a flow that is not made yet.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tributary::{
    connection::{Connection, TokenOwner},
    error::Error,
    http::{Json, Problem},
    id::{FlowId, TenantId},
    tenancy::Account,
};
use utoipa::{IntoParams, ToSchema};

use super::{find, references::sound};
use crate::{
    App, TenantApp, accounts,
    buckets::policy::verdict,
    compile::{
        Staging,
        permissions::{Around, Grant, RedshiftRoles, permissions},
    },
    connections::ask::{Ask, refused_query, truth},
    edge::{Viewer, id_in_path, json},
    model::{Destination, FlowDefinition, Source},
    s3::{self, S3},
};

/// Query parameters of permissions.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PermissionsQuery {
    /// `true` compares the policies of buckets as they are now: `inPlace` and `problem`.
    #[param(default = false)]
    check: Option<String>,
}

/// What a flow needs to be allowed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Permissions {
    /// One grant for each resource.
    grants: Vec<Grant>,
    /// Whether every bucket allows what is needed; absent where it was not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    buckets_in_place: Option<bool>,
}

/// Shows what each bucket, key, secret and role must allow so that the flow runs, as policy documents.
#[utoipa::path(get, path = "/v1/flows/{id}/permissions", tag = "flows", params(
    ("id" = FlowId, Path, description = "The flow"),
    PermissionsQuery,
), responses(
    (status = 200, body = Permissions),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn flow_permissions(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Ask(query): Ask<PermissionsQuery>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let flow = find(&app, viewer.tenant, id_in_path(&id)?).await?;
    let check = wanted(&query)?;
    // Not checked for soundness: what a broken flow needs is asked for too.
    let account = accounts::find(&app, viewer.tenant, flow.account_id).await?;
    answer(
        &app,
        viewer.tenant,
        &account,
        Some(flow.id),
        &flow.definition,
        check,
    )
    .await
}

/// Shows the same for a flow that is not made yet: AppFlow wants bucket policies to be there first.
/// They name all flows of the tenant, because the flow has no id yet.
#[utoipa::path(post, path = "/v1/flows/permissions", tag = "flows", request_body = FlowDefinition, params(PermissionsQuery), responses(
    (status = 200, body = Permissions),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn definition_permissions(
    State(app): State<App>,
    viewer: Viewer,
    Ask(query): Ask<PermissionsQuery>,
    Json { value, .. }: Json<FlowDefinition>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let check = wanted(&query)?;
    let sound = sound(&app, viewer.tenant, FlowId::new(), &value).await?;
    answer(&app, viewer.tenant, &sound.account, None, &value, check).await
}

fn wanted(query: &PermissionsQuery) -> Result<bool, Error> {
    truth("check", query.check.as_deref()).map_err(|fault| refused_query(vec![fault]))
}

async fn answer(
    app: &TenantApp,
    tenant: TenantId,
    account: &Account,
    flow_id: Option<FlowId>,
    definition: &FlowDefinition,
    check: bool,
) -> Result<Response, Error> {
    let around = around(app, tenant, account, flow_id, definition).await?;
    let mut grants = permissions(definition, &around);
    let mut buckets_in_place = None;
    if check {
        let s3 = s3::of(app, account).await?;
        for grant in &mut grants {
            compare(&s3, grant).await;
        }
        let looked_at = || grants.iter().filter_map(|grant| grant.in_place);
        buckets_in_place = Some(looked_at().all(|in_place| in_place));
    }
    json(
        StatusCode::OK,
        &Permissions {
            grants,
            buckets_in_place,
        },
    )
}

/// What the flow's connections keep.
async fn around(
    app: &TenantApp,
    tenant: TenantId,
    account: &Account,
    flow_id: Option<FlowId>,
    definition: &FlowDefinition,
) -> Result<Around, Error> {
    let mut around = Around {
        tenant_id: tenant,
        flow_id,
        aws_account_id: account.aws_account_id.clone(),
        region: account.region.clone(),
        staging: None,
        redshift: None,
        client_secret_arn: None,
    };
    let (source, destination) = (
        definition.source.connection_id(),
        definition.destination.connection_id(),
    );
    for id in [source, destination].into_iter().flatten() {
        let Some(connection) = Connection::load(&app.store, tenant, id).await? else {
            continue;
        };
        let is_salesforce = match Some(id) {
            id if id == source => matches!(definition.source, Source::Salesforce(_)),
            _ => matches!(definition.destination, Destination::Salesforce(_)),
        };
        if is_salesforce && connection.token_owner == TokenOwner::Appflow {
            around.client_secret_arn.clone_from(&connection.credentials);
        }
        if Some(id) == destination {
            around.staging = staging(&connection);
            around.redshift = redshift(&connection);
        }
    }
    Ok(around)
}

fn property(connection: &Connection, name: &str) -> Option<String> {
    connection
        .properties
        .get(name)
        .filter(|value| !value.is_empty())
        .cloned()
}

fn staging(connection: &Connection) -> Option<Staging> {
    Some(Staging {
        bucket: property(connection, "bucketName")?,
        prefix: property(connection, "bucketPrefix"),
        database: property(connection, "databaseName"),
    })
}

fn redshift(connection: &Connection) -> Option<RedshiftRoles> {
    Some(RedshiftRoles {
        load: property(connection, "roleArn")?,
        data_api: property(connection, "dataApiRoleArn"),
    })
}

/// Looks at a bucket's policy. One that cannot be looked at is a problem of that bucket, not of the
/// question.
async fn compare(s3: &S3, grant: &mut Grant) {
    let Some(need) = &grant.need else {
        return;
    };
    let policy = match need.bucket.parse() {
        Ok(bucket) => s3.policy(&bucket).await.map_err(Error::from),
        Err(_) => Err(Error::not_found()),
    };
    let policy = match policy {
        Ok(text) => text.and_then(|text| serde_json::from_str(&text).ok()),
        Err(error) => {
            tracing::info!(
                bucket = need.bucket,
                error.chain = error.chain(),
                "a bucket's policy could not be compared"
            );
            grant.problem = Some(error.caller_message().to_owned());
            grant.in_place = (!error.retryable()).then_some(false);
            return;
        }
    };
    let verdict = verdict(policy.as_ref(), need);
    grant.in_place = Some(verdict.is_enough());
    if !verdict.denied_by.is_empty() {
        grant.problem = Some(format!("Forbidden by {}.", verdict.denied_by.join(", ")));
    } else if !verdict.missing.is_empty() {
        grant.problem = Some(format!("Nothing allows {}.", verdict.missing.join(", ")));
    }
}
