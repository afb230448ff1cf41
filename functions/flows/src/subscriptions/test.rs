//! `POST /v1/subscriptions/{id}/test`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use tributary::{
    aws::Refusal,
    error::Error,
    event::{CloudEvent, Fact, Sequence},
    http::{IdempotencyKey, Problem},
    id::SubscriptionId,
    outbox::Entry,
    subscription::{DELIVER_TO, EventType, Subscription},
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{active, find};
use crate::{
    App,
    edge::{self, Admin, NoBody, id_in_path},
};

/// A notification that is on its way.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TestSent {
    /// The event's id.
    event_id: String,
}

/// Sends a `tributary.subscription.test` to this subscription alone, whatever its filter.
#[utoipa::path(post, path = "/v1/subscriptions/{id}/test", tag = "subscriptions", params(
    ("id" = SubscriptionId, Path, description = "The subscription"),
    IdempotencyKey,
), responses(
    (status = 202, body = TestSent),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn test_subscription(
    State(app): State<App>,
    admin: Admin,
    key: IdempotencyKey,
    Path(id): Path<String>,
    body: NoBody,
) -> Result<Response, Error> {
    let app = app.within(&admin.scope);
    let found = find(&app, admin.tenant, id_in_path(&id)?).await?;
    active(&found)?;
    let operation = format!("test-subscription/{}", found.id);
    let work = async {
        let entry = entry(&app.config.stage, &found, admin.subject(), Timestamp::now());
        let event_id = entry.event.id.clone();
        app.store
            .insert_together(&entry.items(Timestamp::now()))
            .await?;
        publish_now(&app, &event_id).await;
        edge::json(StatusCode::ACCEPTED, &TestSent { event_id })
    };
    let (scope, subject) = (admin.partition(), admin.subject());
    key.once(&app.store, &scope, &operation, subject, &body.bytes, work)
        .await
}

/// Somebody waits for it. It is decided already: what fails here goes out with the rest of the
/// outbox within a minute.
async fn publish_now(app: &App, event_id: &str) {
    let sent = app
        .queues
        .send_message()
        .queue_url(&app.config.notifications.delivery_queue_url)
        .message_body(json!({ "kind": "publish", "eventId": event_id }).to_string())
        .send()
        .await;
    if let Err(error) = sent {
        let refusal = Refusal::of(&error).into_error("SendMessage");
        tracing::warn!(
            event.id = event_id,
            error.code = refusal.code(),
            error.chain = refusal.chain(),
            "a test message waits in the outbox"
        );
    }
}

/// Each test is a fact of its own.
fn entry(stage: &str, subscription: &Subscription, subject: &str, now: Timestamp) -> Entry {
    let id = subscription.id;
    let fact = Fact {
        kind: EventType::SubscriptionTest,
        subject: id.to_string(),
        name: &format!("test/{}", Uuid::now_v7()),
        sequence: Sequence::of_time(now, 1),
        time: now,
        data: json!({ "subscriptionId": id, "name": subscription.name, "requestedBy": subject }),
    };
    let event = CloudEvent::new(stage, subscription.tenant_id, fact);
    Entry::new(event, "test").with_attribute(DELIVER_TO, &id)
}
