//! `PATCH /v1/subscriptions/{id}`

use axum::{
    extract::{Path, State},
    response::Response,
};
use jiff::Timestamp;
use serde::Deserialize;
use tributary::{
    error::Error,
    http::{Json, Problem},
    id::SubscriptionId,
    store::{Key, Update},
    subscription::{DisabledReason, Filter, Subscription, SubscriptionState},
};
use utoipa::ToSchema;

use super::{
    check::{self, FilterInput},
    create::flows,
    find,
    settle::settle,
    target,
    view::{SubscriptionView, tagged},
};
use crate::{
    App, TenantApp,
    edge::{Admin, IfMatch, id_in_path, stale},
};

/// What can be changed about a subscription; what is absent stays. For another target, make another
/// subscription.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SubscriptionPatch {
    /// What people call it.
    #[serde(default)]
    name: Option<String>,
    /// Which notifications.
    #[serde(default, deserialize_with = "tributary::http::body::optional_object")]
    filter: Option<FilterInput>,
    /// Whether it gets any.
    #[serde(default)]
    #[schema(inline)]
    state: Option<Wanted>,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Wanted {
    /// It gets what passes its filter, once its target has confirmed.
    Active,
    /// It gets nothing.
    Disabled,
}

/// Changes a subscription, or switches it off and on. A new filter of a queue, a function or an e-mail
/// address takes SNS up to 15 minutes.
#[utoipa::path(patch, path = "/v1/subscriptions/{id}", tag = "subscriptions", params(
    ("id" = SubscriptionId, Path, description = "The subscription"),
    ("if-match" = String, Header, description = "ETag of the version that is to be changed"),
), request_body = SubscriptionPatch, responses(
    (status = 200, body = SubscriptionView, headers(("etag" = String))),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn update_subscription(
    State(app): State<App>,
    admin: Admin,
    if_match: IfMatch,
    Path(id): Path<String>,
    Json { value, .. }: Json<SubscriptionPatch>,
) -> Result<Response, Error> {
    let app = app.within(&admin.scope);
    let found = find(&app, admin.tenant, id_in_path(&id)?).await?;
    if_match.holds_for(found.version)?;
    let filter = sound(&app, &found, &value).await?;
    let update = change(&found, value, filter, Timestamp::now());
    let key = Key::subscription(admin.tenant, found.id);
    let changed: Subscription = match app.store.update(&key, update).await {
        Ok(changed) => changed,
        Err(error) if error.is_condition() => return Err(stale()),
        Err(error) => return Err(error.into()),
    };
    // Whoever dies here is followed by the next read.
    tagged(&settle(&app, changed).await?, &app.config.notifications)
}

async fn sound(
    app: &TenantApp,
    subscription: &Subscription,
    patch: &SubscriptionPatch,
) -> Result<Option<Filter>, Error> {
    let mut faults = Vec::new();
    faults.extend(patch.name.as_deref().and_then(check::name_fault));
    let mut filter = None;
    if let Some(input) = &patch.filter {
        let known = flows(app, subscription.tenant_id, input).await?;
        let is_native = target::is_native(&subscription.target);
        filter = Some(check::filter(input, &known, is_native, &mut faults));
    }
    check::sound(faults)?;
    Ok(filter)
}

/// What changes. The state is written only where it changes: who delivers may switch an endpoint off
/// at the same time.
fn change(
    found: &Subscription,
    patch: SubscriptionPatch,
    filter: Option<Filter>,
    now: Timestamp,
) -> Update {
    let SubscriptionPatch {
        name,
        filter: _,
        state,
    } = patch;
    let mut update = Update::new()
        .set("updated_at", now)
        .set("version", found.version + 1)
        .when_equal("version", found.version);
    if let Some(name) = name {
        update = update.set("name", name);
    }
    if let Some(filter) = filter {
        update = update.set("filter", filter);
    }
    let is_off = found.state == SubscriptionState::Disabled;
    match state {
        Some(Wanted::Active) if is_off => {
            // Whether its target has confirmed, the topic knows.
            let state = if target::is_native(&found.target) {
                SubscriptionState::Pending
            } else {
                SubscriptionState::Active
            };
            update
                .set("state", state)
                .remove("disabled_reason")
                .remove("failing_since")
        }
        Some(Wanted::Disabled) if !is_off => update
            .set("state", SubscriptionState::Disabled)
            .set("disabled_reason", DisabledReason::Asked),
        _ => update,
    }
}
