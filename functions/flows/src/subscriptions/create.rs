//! `POST /v1/subscriptions`

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use axum::{extract::State, response::Response};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use tributary::{
    error::{Error, Kind},
    http::{IdempotencyKey, Json, Problem},
    id::{FlowId, SubscriptionId, TenantId},
    secret::Secret,
    store::{Key, PageRequest},
    subscription::{Filter, SigningKey, Subscription, SubscriptionState, Target},
    tenancy::Account,
};
use utoipa::ToSchema;

use super::{
    MOST, all,
    check::{self, FilterInput},
    guard, keys,
    settle::settle,
    target,
    view::{SubscriptionView, with_tag},
};
use crate::{
    App, TenantApp, claim,
    edge::{Admin, body_of, created, json},
};

const OPERATION: &str = "create-subscription";

/// A subscription to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SubscriptionInput {
    /// What people call it.
    name: String,
    /// Where notifications go.
    target: Target,
    /// Which notifications; all when absent.
    #[serde(default, deserialize_with = "tributary::http::body::object")]
    filter: FilterInput,
}

/// A subscription that was just made.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewSubscription {
    #[serde(flatten)]
    subscription: SubscriptionView,
    /// The key that signs deliveries to an HTTPS endpoint. It is shown this once, and not in repeats
    /// of the request: whoever has lost it makes another.
    #[serde(skip_serializing_if = "Option::is_none")]
    signing_secret: Option<String>,
}

/// Subscribes a target. An HTTPS endpoint gets notifications at once. Queues, functions and e-mail
/// addresses stay `pending` until their owner has confirmed what SNS sends them.
#[utoipa::path(post, path = "/v1/subscriptions", tag = "subscriptions", params(IdempotencyKey), request_body = SubscriptionInput, responses(
    (status = 201, body = NewSubscription, headers(("etag" = String))),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn create_subscription(
    State(app): State<App>,
    admin: Admin,
    key: IdempotencyKey,
    Json { value, bytes }: Json<SubscriptionInput>,
) -> Result<Response, Error> {
    let app = app.within(&admin.scope);
    let filter = sound(&app, admin.tenant, &value).await?;
    let (scope, subject) = (admin.partition(), admin.subject());
    let shown = Mutex::new(None);
    let work = async {
        let id = SubscriptionId::new();
        let id = claim::id(&app.store, &key, &scope, OPERATION, subject, id).await?;
        let asked = record(id, admin.tenant, value, filter, subject);
        let (made, secret) = make(&app, asked).await?;
        *shown.lock().unwrap_or_else(PoisonError::into_inner) = secret;
        let view = SubscriptionView::of(&made, &app.config.notifications);
        json(StatusCode::CREATED, &view)
    };
    let made = key.once(&app.store, &scope, OPERATION, subject, &bytes, work);
    let subscription: SubscriptionView = body_of(made.await?).await?;
    let location = format!("/v1/subscriptions/{}", subscription.id);
    let version = subscription.version;
    // Outside of what is kept and replayed.
    let secret = shown.into_inner().unwrap_or_else(PoisonError::into_inner);
    let answer = NewSubscription {
        subscription,
        signing_secret: secret.map(|secret| secret.expose().to_owned()),
    };
    with_tag(created(&location, &answer)?, version)
}

/// The filter, if nothing is wrong with the whole.
async fn sound(
    app: &TenantApp,
    tenant: TenantId,
    input: &SubscriptionInput,
) -> Result<Filter, Error> {
    let SubscriptionInput {
        name,
        target,
        filter,
    } = input;
    let accounts = accounts(app, tenant).await?;
    let flows = flows(app, tenant, filter).await?;
    let mut faults = Vec::new();
    faults.extend(check::name_fault(name));
    faults.extend(target::fault(target, &accounts, &app.config.notifications));
    let filter = check::filter(filter, &flows, target::is_native(target), &mut faults);
    check::sound(faults)?;
    Ok(filter)
}

async fn accounts(app: &TenantApp, tenant: TenantId) -> Result<Vec<Account>, Error> {
    let partition = Key::tenant_partition(tenant);
    let mut page = PageRequest::first(100);
    let mut accounts = Vec::new();
    loop {
        let found = app
            .store
            .query::<Account>(&partition, "ACCOUNT#", &page)
            .await?;
        accounts.extend(found.items);
        if found.next.is_none() {
            return Ok(accounts);
        }
        page.after = found.next;
    }
}

/// Those of the flows that a filter names which the tenant has.
pub(super) async fn flows(
    app: &TenantApp,
    tenant: TenantId,
    filter: &FilterInput,
) -> Result<BTreeSet<FlowId>, Error> {
    let mut known = BTreeSet::new();
    for id in filter.flows() {
        let found: Option<IgnoredAny> = app.store.get(&Key::flow(tenant, id)).await?;
        if found.is_some() {
            known.insert(id);
        }
    }
    Ok(known)
}

fn record(
    id: SubscriptionId,
    tenant: TenantId,
    input: SubscriptionInput,
    filter: Filter,
    subject: &str,
) -> Subscription {
    let SubscriptionInput {
        name,
        target,
        filter: _,
    } = input;
    let now = Timestamp::now();
    let state = if target::is_native(&target) {
        SubscriptionState::Pending
    } else {
        SubscriptionState::Active
    };
    Subscription {
        id,
        tenant_id: tenant,
        name,
        target,
        filter,
        state,
        disabled_reason: None,
        topic_subscription: None,
        keys: Vec::new(),
        failing_since: None,
        created_at: now,
        created_by: subject.to_owned(),
        updated_at: now,
        version: 1,
    }
}

/// Makes the subscription, or goes on where an earlier attempt with the same key died.
async fn make(
    app: &TenantApp,
    asked: Subscription,
) -> Result<(Subscription, Option<Secret>), Error> {
    let key = Key::subscription(asked.tenant_id, asked.id);
    if let Some(known) = app.store.get::<Subscription>(&key).await? {
        let secret = secret_of(app, &known).await?;
        return Ok((subscribed(app, known).await?, secret));
    }
    if all(app, asked.tenant_id).await?.len() >= MOST {
        return Err(Error::new(
            Kind::Conflict,
            "too_many_subscriptions",
            format!("There are {MOST} subscriptions already. Delete one first."),
        ));
    }
    guard::claim(app, &asked).await?;
    if target::is_native(&asked.target) {
        app.store.insert(&key, &asked).await?;
        return Ok((subscribed(app, asked).await?, None));
    }
    let (tenant, id) = (asked.tenant_id, asked.id);
    let (secret, signing_key) = keys::make(&app.vault, tenant, id, asked.created_at).await?;
    let asked = Subscription {
        keys: vec![signing_key],
        ..asked
    };
    app.store.insert(&key, &asked).await?;
    Ok((asked, Some(secret)))
}

/// Nobody was shown the key when no answer was kept.
async fn secret_of(app: &TenantApp, known: &Subscription) -> Result<Option<Secret>, Error> {
    let Some(newest) = known.keys.first() else {
        return Ok(None);
    };
    let id = known.id.to_string();
    let place = SigningKey::place(&id);
    let opened = app.vault.open(known.tenant_id, &place, &newest.sealed);
    Ok(Some(opened.await?))
}

/// Makes it at the topic. What the topic refuses leaves nothing behind; when no answer came it stays
/// `pending`, and the next read goes on.
async fn subscribed(app: &TenantApp, asked: Subscription) -> Result<Subscription, Error> {
    match settle(app, asked.clone()).await {
        Ok(made) => Ok(made),
        Err(error) if matches!(error.kind(), Kind::Conflict | Kind::Unprocessable) => {
            guard::release(app, &asked).await?;
            let key = Key::subscription(asked.tenant_id, asked.id);
            app.store.delete(&key).await?;
            Err(error)
        }
        Err(error) => {
            tracing::warn!(
                tenant.id = %asked.tenant_id, subscription.id = %asked.id,
                error.code = error.code(), error.chain = error.chain(),
                "a subscription is written down and not made at the topic yet"
            );
            Ok(asked)
        }
    }
}
