//! `POST /v1/tenants`

use axum::{extract::State, response::Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tributary::{
    error::{Error, Fault},
    http::{IdempotencyKey, Json, Problem},
    store::Key,
    tenancy::{HostingMode, Tenant},
};
use utoipa::ToSchema;

use super::{
    TenantView, check_name,
    member::{self, Member, MemberInput},
    subject_taken,
};
use crate::{
    App,
    edge::{Operator, created},
};

/// A transaction has a hundred items at most; each member takes two.
const MOST_MEMBERS: usize = 40;

/// A tenant to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TenantInput {
    /// What people call it.
    name: String,
    /// Where its flows run unless an account says otherwise; `customer` when absent.
    #[serde(default)]
    hosting: Option<HostingMode>,
    /// Who belongs to it, 40 at most; more can be added one by one.
    #[serde(default)]
    members: Vec<MemberInput>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Written {
    Tenant(Tenant),
    Member(Member),
}

/// Makes a tenant with its first members. A subject belongs to one tenant.
#[utoipa::path(post, path = "/v1/tenants", tag = "tenants", params(IdempotencyKey), request_body = TenantInput, responses(
    (status = 201, body = TenantView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn create_tenant(
    State(app): State<App>,
    operator: Operator,
    key: IdempotencyKey,
    Json { value, bytes }: Json<TenantInput>,
) -> Result<Response, Error> {
    check(&value)?;
    let work = async {
        let hosting = value.hosting.unwrap_or(HostingMode::Customer);
        let tenant = Tenant::begin(value.name, hosting, Timestamp::now());
        let members = members(value.members, &tenant);
        let mut items = vec![(Key::tenant(tenant.id), Written::Tenant(tenant.clone()))];
        for member in &members {
            items.extend(
                member
                    .keys()
                    .map(|key| (key, Written::Member(member.clone()))),
            );
        }
        let app = app.for_operator(tenant.id).await?;
        app.store.insert_together(&items).await.map_err(|error| {
            if error.is_condition() {
                subject_taken()
            } else {
                error.into()
            }
        })?;
        let location = format!("/v1/tenants/{}", tenant.id);
        created(&location, &TenantView::of(tenant, Some(members)))
    };
    let scope = Key::operator_partition();
    key.once(
        &app.shared,
        &scope,
        "create-tenant",
        operator.subject(),
        &bytes,
        work,
    )
    .await
}

fn members(inputs: Vec<MemberInput>, tenant: &Tenant) -> Vec<Member> {
    inputs
        .into_iter()
        .map(
            |MemberInput {
                 subject,
                 email,
                 roles,
             }| Member {
                subject,
                tenant_id: tenant.id,
                roles,
                email,
                created_at: tenant.created_at,
            },
        )
        .collect()
}

fn check(input: &TenantInput) -> Result<(), Error> {
    let mut faults = Vec::new();
    check_name(&mut faults, &input.name);
    if input.members.len() > MOST_MEMBERS {
        faults.push(Fault::new(
            "/members",
            "too_many",
            format!("{MOST_MEMBERS} members at most; add the others one by one."),
        ));
    }
    for (index, one) in input.members.iter().enumerate() {
        let at = format!("/members/{index}");
        member::check(
            &mut faults,
            &at,
            &one.subject,
            one.email.as_deref(),
            &one.roles,
        );
        if input.members[..index]
            .iter()
            .any(|other| other.subject == one.subject)
        {
            faults.push(Fault::new(
                format!("{at}/subject"),
                "repeated",
                "Name each subject once.",
            ));
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(Error::unprocessable(
        "invalid_tenant",
        "The tenant breaks rules.",
        faults,
    ))
}
