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
        edge::json(StatusCode::ACCEPTED, &TestSent { event_id })
    };
    let (scope, subject) = (admin.partition(), admin.subject());
    key.once(&app.store, &scope, &operation, subject, &body.bytes, work)
        .await
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
