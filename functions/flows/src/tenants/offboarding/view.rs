//! An offboarding as the operator sees it: how far it is, and at the end the receipt.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use tributary::{
    error::Error,
    id::TenantId,
    store::Store,
    tenancy::{Tenant, TenantState},
};
use utoipa::ToSchema;

use super::{
    Offboarding, Phase,
    thing::{self, LeftBehind, Thing, ThingKind},
};
use crate::accounts::report::canonical;

/// Something that is left over, and of what.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LeftOf {
    /// Of what.
    of: ThingKind,
    /// Its id or name.
    #[schema(example = "acc_0193d3f0aaaa7bbb8cccdddddddddddd")]
    id: String,
    #[serde(flatten)]
    left: LeftBehind,
}

/// What was removed of one sort.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Removed {
    /// How many.
    #[schema(example = 2)]
    count: usize,
    /// Which; members are counted only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["flw_0193d3f0aaaa7bbb8cccdddddddddddd"]))]
    ids: Vec<String>,
}

/// An offboarding: while it goes on, how far it is; at the end, the receipt.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OffboardingView {
    tenant_id: TenantId,
    /// What the tenant was called.
    tenant_name: String,
    /// Where the tenant stands.
    state: TenantState,
    /// What is being removed now.
    phase: Phase,
    #[schema(value_type = String, format = DateTime)]
    requested_at: Timestamp,
    /// The operator's client that asked for it.
    #[schema(example = "tributary-operator")]
    requested_by: String,
    /// The gateway's id of that request.
    #[schema(example = "JKJaXmPLvHcESHA=")]
    request_id: String,
    /// When it was over; absent while it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
    /// What was met, by sort: at the end, everything that was removed.
    #[schema(example = json!({ "flow": { "count": 1, "ids": ["flw_0193d3f0aaaa7bbb8cccdddddddddddd"] } }))]
    things: BTreeMap<ThingKind, Removed>,
    /// Other items that were removed: runs, sessions, repeated requests.
    #[schema(example = 40)]
    other_items: u64,
    /// What is still there, and who can do something about it.
    left_over: Vec<LeftOf>,
    /// The receipt, signed when it was over: a compact JWS (ES256) whose payload is this object
    /// without `jws`, as canonical JSON. `GET /v1/report-keys` has the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl")]
    jws: Option<String>,
}

impl OffboardingView {
    /// Reads the offboarding of a tenant; not found where nobody asked for one.
    pub(crate) async fn load(store: &Store, tenant: &Tenant) -> Result<Self, Error> {
        let job = Offboarding::load(store, tenant.id)
            .await?
            .filter(|_| !tenant.state.may_become(TenantState::Leaving))
            .ok_or_else(Error::not_found)?;
        let things = thing::all(store, tenant.id).await?;
        Ok(Self::of(tenant, job, things))
    }

    /// The receipt of an offboarding that is over now.
    pub(super) async fn finished(
        store: &Store,
        tenant: &Tenant,
        job: &Offboarding,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let job = Offboarding {
            finished_at: Some(now),
            ..job.clone()
        };
        let things = thing::all(store, tenant.id).await?;
        let view = Self::of(tenant, job, things);
        Ok(Self {
            state: TenantState::Gone,
            ..view
        })
    }

    /// What is signed.
    pub(super) fn canonical(&self) -> Result<String, Error> {
        let value = serde_json::to_value(self).map_err(|error| {
            Error::internal("receipt_unwritable", "a receipt could not be written")
                .with_source(error)
        })?;
        Ok(canonical(&value))
    }

    fn of(tenant: &Tenant, job: Offboarding, things: Vec<Thing>) -> Self {
        let Offboarding {
            tenant_id,
            phase,
            requested_at,
            requested_by,
            request_id,
            items,
            finished_at,
            jws,
        } = job;
        let (mut removed, mut left_over) = (BTreeMap::<ThingKind, Removed>::new(), Vec::new());
        for Thing { kind, name, left } in things {
            let of_kind = removed.entry(kind).or_default();
            of_kind.count += 1;
            if kind != ThingKind::Member {
                of_kind.ids.push(name.clone());
            }
            left_over.extend(left.into_iter().map(|left| LeftOf {
                of: kind,
                id: name.clone(),
                left,
            }));
        }
        Self {
            tenant_id,
            tenant_name: tenant.name.clone(),
            state: tenant.state,
            phase,
            requested_at,
            requested_by,
            request_id,
            finished_at,
            things: removed,
            other_items: items,
            left_over,
            jws,
        }
    }
}
