//! `POST /v1/subscriptions/{id}/confirm`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use jiff::Timestamp;
use tributary::{
    error::{Error, Fault, Kind},
    http::{IdempotencyKey, Json, Problem},
    id::SubscriptionId,
    store::{Key, Update},
    subscription::{Subscription, SubscriptionState, Target},
};

use super::{
    confirmation::ConfirmationMessage,
    find,
    settle::settle,
    topic,
    view::{SubscriptionView, with_tag},
};
use crate::{
    App, TenantApp,
    edge::{Admin, body_of, id_in_path, json},
};

/// Confirms the subscription of a queue or function: its owner sends the whole message that SNS sent
/// there. Nothing in the message is called; its token is handed to SNS.
#[utoipa::path(post, path = "/v1/subscriptions/{id}/confirm", tag = "subscriptions", params(
    ("id" = SubscriptionId, Path, description = "The subscription"),
    IdempotencyKey,
), request_body = ConfirmationMessage, responses(
    (status = 200, body = SubscriptionView, headers(("etag" = String))),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn confirm_subscription(
    State(app): State<App>,
    admin: Admin,
    key: IdempotencyKey,
    Path(id): Path<String>,
    Json { value, bytes }: Json<ConfirmationMessage>,
) -> Result<Response, Error> {
    let app = app.within(&admin.scope);
    let found = find(&app, admin.tenant, id_in_path(&id)?).await?;
    let token = value.token(&app.config.notifications).map_err(refused)?;
    let operation = format!("confirm-subscription/{}", found.id);
    let work = async {
        let confirmed = confirm(&app, found, token).await?;
        let view = SubscriptionView::of(&confirmed, &app.config.notifications);
        json(StatusCode::OK, &view)
    };
    let (scope, subject) = (admin.partition(), admin.subject());
    // A token is not stored, not even as a plain hash of what it stands in.
    let body = app.sealer.fingerprint(&bytes);
    let done = key.once(&app.store, &scope, &operation, subject, &body, work);
    let view: SubscriptionView = body_of(done.await?).await?;
    with_tag(json(StatusCode::OK, &view)?, view.version)
}

async fn confirm(app: &TenantApp, found: Subscription, token: &str) -> Result<Subscription, Error> {
    if !matches!(found.target, Target::Queue { .. } | Target::Lambda { .. }) {
        return Err(Error::new(
            Kind::Conflict,
            "nothing_to_confirm",
            "An HTTPS endpoint needs no confirmation, and the owner of an address follows the link in the mail.",
        ));
    }
    // One that was interrupted has no name at the topic yet.
    let found = settle(app, found).await?;
    match found.state {
        SubscriptionState::Active => return Ok(found),
        SubscriptionState::Pending => {}
        SubscriptionState::Disabled => {
            return Err(Error::new(
                Kind::Conflict,
                "subscription_disabled",
                "This subscription is off. Switch it on first.",
            ));
        }
    }
    let confirmed = topic::confirm(app, token).await?;
    // Another subscription's token is as unknown as one that nobody has: whose it is is not told. Its
    // holder could have followed the link in the same message.
    if confirmed.is_none() || confirmed != found.topic_subscription {
        let told =
            "SNS does not know this token for this subscription. It may be older than two days.";
        return Err(refused(vec![Fault::new("/Token", "unknown_token", told)]));
    }
    let update = Update::new()
        .set("state", SubscriptionState::Active)
        .set("updated_at", Timestamp::now())
        .when_equal("state", SubscriptionState::Pending);
    let key = Key::subscription(found.tenant_id, found.id);
    match app.store.update(&key, update).await {
        Ok(active) => Ok(active),
        Err(error) if error.is_condition() => find(app, found.tenant_id, found.id).await,
        Err(error) => Err(error.into()),
    }
}

fn refused(faults: Vec<Fault>) -> Error {
    Error::unprocessable(
        "confirmation_refused",
        "This is not the message with which SNS asked to confirm this subscription.",
        faults,
    )
}
