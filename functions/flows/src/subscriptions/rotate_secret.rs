//! `POST /v1/subscriptions/{id}/rotate-secret`

use std::sync::{Mutex, PoisonError};

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tributary::{
    error::{Error, Kind},
    http::{IdempotencyKey, Problem},
    id::SubscriptionId,
    secret::Secret,
    store::{Key, Update},
    subscription::Subscription,
};
use utoipa::ToSchema;

use super::{find, https, keys};
use crate::{
    App, TenantApp,
    edge::{Admin, NoBody, body_of, id_in_path, json},
};

/// Keys that sign at the same time.
const MOST_KEYS: usize = 3;

/// When a key was replaced.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rotated {
    previous_signs_until: Timestamp,
}

/// A new signing key.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewSecret {
    /// The key. It is shown this once, and not in repeats of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    signing_secret: Option<String>,
    /// Until when the key before signs too.
    #[schema(value_type = String, format = DateTime)]
    previous_signs_until: Timestamp,
}

/// Makes a new signing key. For 24 hours deliveries carry a signature of the old key too.
#[utoipa::path(post, path = "/v1/subscriptions/{id}/rotate-secret", tag = "subscriptions", params(
    ("id" = SubscriptionId, Path, description = "The subscription"),
    IdempotencyKey,
), responses(
    (status = 200, body = NewSecret),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn rotate_secret(
    State(app): State<App>,
    admin: Admin,
    key: IdempotencyKey,
    Path(id): Path<String>,
    body: NoBody,
) -> Result<Response, Error> {
    let app = app.within(&admin.scope);
    let found = find(&app, admin.tenant, id_in_path(&id)?).await?;
    https(&found)?;
    let operation = format!("rotate-secret/{}", found.id);
    let shown = Mutex::new(None);
    let work = async {
        let (secret, rotated) = rotate(&app, found, Timestamp::now()).await?;
        *shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(secret);
        json(StatusCode::OK, &rotated)
    };
    let (scope, subject) = (admin.partition(), admin.subject());
    let done = key.once(&app.store, &scope, &operation, subject, &body.bytes, work);
    let rotated: Rotated = body_of(done.await?).await?;
    // Outside of what is kept and replayed.
    let secret = shown.into_inner().unwrap_or_else(PoisonError::into_inner);
    let answer = NewSecret {
        signing_secret: secret.map(|secret| secret.expose().to_owned()),
        previous_signs_until: rotated.previous_signs_until,
    };
    json(StatusCode::OK, &answer)
}

async fn rotate(
    app: &TenantApp,
    found: Subscription,
    now: Timestamp,
) -> Result<(Secret, Rotated), Error> {
    let (tenant, id, version) = (found.tenant_id, found.id, found.version);
    let (secret, new) = keys::make(&app.vault, tenant, id, now).await?;
    let keys = keys::rotated(new, found.keys, now);
    if keys.len() > MOST_KEYS {
        return Err(Error::new(
            Kind::Conflict,
            "rotated_too_often",
            format!("{MOST_KEYS} keys sign already. Wait until the oldest does no more."),
        ));
    }
    let previous = keys.get(1).and_then(|key| key.until);
    let update = Update::new()
        .set("keys", keys)
        .set("version", version + 1)
        .set("updated_at", now)
        .when_equal("version", version);
    let key = Key::subscription(tenant, id);
    let _: Subscription = app.store.update(&key, update).await?;
    let previous_signs_until = previous.unwrap_or(now);
    Ok((
        secret,
        Rotated {
            previous_signs_until,
        },
    ))
}
