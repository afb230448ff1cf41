//! `POST /v1/subscriptions/{id}/redeliver`

use std::collections::BTreeSet;

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tributary::{
    aws::Refusal,
    error::{Error, Fault},
    http::{IdempotencyKey, Json, Problem},
    id::SubscriptionId,
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{active, find};
use crate::{
    App,
    edge::{self, Admin, id_in_path},
};

/// How long events are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Events of one request.
const MOST_EVENTS: usize = 100;

/// What is to be delivered once more: the events of a time range that pass the filter, or single ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Redelivery {
    /// Events that happened then or later; with `to`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Events that happened before; with `from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// Ids of events, instead of a time range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_ids: Option<Vec<String>>,
}

/// A redelivery that is under way.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RedeliveryStarted {
    /// Which subscription gets it.
    subscription_id: SubscriptionId,
}

/// Delivers events of the last 30 days once more, under the ids that they had: subscribers recognise
/// what they have already.
#[utoipa::path(post, path = "/v1/subscriptions/{id}/redeliver", tag = "subscriptions", params(
    ("id" = SubscriptionId, Path, description = "The subscription"),
    IdempotencyKey,
), request_body = Redelivery, responses(
    (status = 202, body = RedeliveryStarted),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn redeliver(
    State(app): State<App>,
    admin: Admin,
    key: IdempotencyKey,
    Path(id): Path<String>,
    Json { value, bytes }: Json<Redelivery>,
) -> Result<Response, Error> {
    let app = app.within(&admin.scope);
    let found = find(&app, admin.tenant, id_in_path(&id)?).await?;
    let faults = faults(&value, Timestamp::now());
    if !faults.is_empty() {
        let told = "The redelivery breaks rules.";
        return Err(Error::unprocessable("invalid_redelivery", told, faults));
    }
    active(&found)?;
    let operation = format!("redeliver/{}", found.id);
    let work = async {
        let mut message = json!({
            "kind": "redeliver", "tenantId": found.tenant_id, "subscriptionId": found.id,
        });
        if let Some(events) = &value.event_ids {
            message["eventIds"] = json!(events);
        } else {
            message["from"] = json!(value.from);
            message["to"] = json!(value.to);
        }
        app.queues
            .send_message()
            .queue_url(&app.config.notifications.delivery_queue_url)
            .message_body(message.to_string())
            .send()
            .await
            .map_err(|error| Refusal::of(&error).into_error("SendMessage"))?;
        let subscription_id = found.id;
        edge::json(StatusCode::ACCEPTED, &RedeliveryStarted { subscription_id })
    };
    let (scope, subject) = (admin.partition(), admin.subject());
    key.once(&app.store, &scope, &operation, subject, &bytes, work)
        .await
}

fn faults(asked: &Redelivery, now: Timestamp) -> Vec<Fault> {
    let Redelivery {
        from,
        to,
        event_ids,
    } = asked;
    let one = |at: &str, code: &str, told: &str| vec![Fault::new(at, code, told)];
    match (from, to, event_ids) {
        (None, None, Some(ids)) => event_faults(ids),
        (Some(from), Some(to), None) => {
            let mut faults = Vec::new();
            if now.duration_since(*from) > KEPT {
                faults.extend(one("/from", "too_old", "Events are kept for 30 days."));
            }
            if from >= to {
                faults.extend(one("/to", "empty_range", "Later than from."));
            }
            faults
        }
        (Some(_), None, None) => one("/to", "missing", "The end of the time range."),
        (None, Some(_), None) => one("/from", "missing", "The begin of the time range."),
        _ => one("", "one_of", "Either from and to, or eventIds."),
    }
}

fn event_faults(ids: &[String]) -> Vec<Fault> {
    if !(1..=MOST_EVENTS).contains(&ids.len()) {
        let told = format!("1 to {MOST_EVENTS} events.");
        return vec![Fault::new("/eventIds", "wrong_number", told)];
    }
    let mut seen = BTreeSet::new();
    let faults = ids.iter().enumerate().filter_map(|(at, id)| {
        let pointer = format!("/eventIds/{at}");
        let is_id = Uuid::try_parse(id).is_ok_and(|parsed| parsed.to_string() == *id);
        if !is_id {
            return Some(Fault::new(pointer, "invalid_id", "The id of an event."));
        }
        (!seen.insert(id)).then(|| Fault::new(pointer, "duplicate", "It is in this list already."))
    });
    faults.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_or_events_and_never_both() {
        let now: Timestamp = "2026-06-30T00:00:00Z".parse().unwrap();
        let id = "9a3ba0d1-6d0e-5b8e-9b2f-4a0d3a3f6a11";
        for (text, expected) in [
            (
                r#"{"from":"2026-06-01T00:00:00Z","to":"2026-06-02T00:00:00Z"}"#.to_owned(),
                vec![],
            ),
            (
                r#"{"from":"2026-05-01T00:00:00Z","to":"2026-05-01T00:00:00Z"}"#.to_owned(),
                vec!["/from", "/to"],
            ),
            (r#"{"from":"2026-06-01T00:00:00Z"}"#.to_owned(), vec!["/to"]),
            (r#"{"to":"2026-06-01T00:00:00Z"}"#.to_owned(), vec!["/from"]),
            ("{}".to_owned(), vec![""]),
            (format!(r#"{{"eventIds":["{id}"]}}"#), vec![]),
            (
                format!(r#"{{"eventIds":["{id}","{id}","x"]}}"#),
                vec!["/eventIds/1", "/eventIds/2"],
            ),
            (r#"{"eventIds":[]}"#.to_owned(), vec!["/eventIds"]),
            (
                format!(r#"{{"from":"2026-06-01T00:00:00Z","eventIds":["{id}"]}}"#),
                vec![""],
            ),
        ] {
            let asked: Redelivery = serde_json::from_str(&text).unwrap();
            let told = faults(&asked, now);
            let pointers: Vec<&str> = told.iter().map(|fault| fault.pointer.as_str()).collect();
            assert_eq!(pointers, expected, "{text}");
        }
    }
}
