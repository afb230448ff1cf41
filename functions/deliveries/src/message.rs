//! What travels on the two queues.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tributary::{
    error::Result,
    id::{SubscriptionId, TenantId},
    store::Key,
};

use crate::unknown_event;

/// One piece of work.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Message {
    /// A notification, as the topic sent it.
    Notification(Notification),
    /// Somebody waits for a notification that is in the outbox.
    Publish(Publish),
    /// Somebody wants events once more.
    Redeliver(Redeliver),
    /// A delivery is to be tried.
    Attempt(Attempt),
}

/// Which event was published. The event itself is read from the tenant's log: that is what was
/// decided, whoever sent this message.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Notification {
    /// The event's id.
    pub(crate) id: String,
    /// Whose it is.
    pub(crate) tenantid: TenantId,
}

/// Somebody waits for a notification that is in the outbox. If this message is lost, whoever looks
/// after the outbox publishes it a little later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Publish {
    /// The event's id.
    pub(crate) event_id: String,
}

/// Somebody wants events once more: those of a period, or those of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Redeliver {
    /// Whose events.
    pub(crate) tenant_id: TenantId,
    /// To which subscription.
    pub(crate) subscription_id: SubscriptionId,
    /// Begin of the period, included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<Timestamp>,
    /// End of the period, not included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<Timestamp>,
    /// The list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) event_ids: Vec<String>,
    /// Where in the log an earlier message of the same redelivery came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<String>,
}

/// A delivery is to be tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Attempt {
    /// Whose it is.
    pub(crate) tenant_id: TenantId,
    /// To which subscription.
    pub(crate) subscription_id: SubscriptionId,
    /// When the fact happened; part of the delivery's key.
    pub(crate) event_time: Timestamp,
    /// Which event.
    pub(crate) event_id: String,
    /// The due time that the sender saw, epoch milliseconds. A delivery that is due at another time
    /// by now was worked on since.
    pub(crate) due_at: i64,
    /// The sender's time: it is no earlier.
    pub(crate) at: Timestamp,
}

impl Attempt {
    /// Where the delivery is kept.
    pub(crate) fn key(&self) -> Key {
        Key::delivery(
            self.tenant_id,
            self.subscription_id,
            self.event_time,
            &self.event_id,
        )
    }
}

/// What we send ourselves names its kind; the topic's messages are events.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum Own {
    Publish(Publish),
    Redeliver(Redeliver),
    Attempt(Attempt),
}

impl Message {
    /// Reads a message of either queue.
    pub(crate) fn parse(body: &str) -> Result<Self> {
        let unreadable =
            |error| unknown_event("a message of the queue cannot be read").with_source(error);
        let value: Value = serde_json::from_str(body).map_err(unreadable)?;
        if value.get("kind").is_none() {
            return serde_json::from_value(value)
                .map(Self::Notification)
                .map_err(unreadable);
        }
        serde_json::from_value(value)
            .map(|own| match own {
                Own::Publish(publish) => Self::Publish(publish),
                Own::Redeliver(redeliver) => Self::Redeliver(redeliver),
                Own::Attempt(attempt) => Self::Attempt(attempt),
            })
            .map_err(unreadable)
    }

    /// The turn that the message takes: subscriptions take turns, and what is for none.
    pub(crate) fn lane(&self) -> Option<SubscriptionId> {
        match self {
            Self::Notification(_) | Self::Publish(_) => None,
            Self::Redeliver(redeliver) => Some(redeliver.subscription_id),
            Self::Attempt(attempt) => Some(attempt.subscription_id),
        }
    }
}

/// A redelivery in writing.
pub(crate) fn redeliver(message: Redeliver) -> serde_json::Result<String> {
    serde_json::to_string(&Own::Redeliver(message))
}

/// An attempt in writing.
pub(crate) fn attempt(message: Attempt) -> serde_json::Result<String> {
    serde_json::to_string(&Own::Attempt(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Attempt {
        Attempt {
            tenant_id: TenantId::new(),
            subscription_id: SubscriptionId::new(),
            event_time: "2026-01-01T00:00:00.123Z".parse().unwrap(),
            event_id: "e-1".to_owned(),
            due_at: 7,
            at: "2026-01-01T00:00:01Z".parse().unwrap(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let made = example();
        let text = attempt(made.clone()).unwrap();
        assert!(
            text.starts_with(r#"{"kind":"attempt","tenantId":"#),
            "{text}"
        );
        assert_eq!(
            Message::parse(&text).unwrap(),
            Message::Attempt(made.clone())
        );
        let asked = Redeliver {
            tenant_id: made.tenant_id,
            subscription_id: made.subscription_id,
            from: Some(made.event_time),
            to: Some(made.at),
            event_ids: Vec::new(),
            after: None,
        };
        let text = redeliver(asked.clone()).unwrap();
        assert_eq!(Message::parse(&text).unwrap(), Message::Redeliver(asked));
    }

    #[test]
    fn who_waits_names_the_event() {
        let publish = Publish {
            event_id: "e-1".to_owned(),
        };
        assert_eq!(
            Message::parse(r#"{"kind":"publish","eventId":"e-1"}"#).unwrap(),
            Message::Publish(publish)
        );
    }

    #[test]
    fn events_are_known_by_having_no_kind_and_others_are_refused() {
        let tenant = TenantId::new();
        let event =
            format!(r#"{{"specversion":"1.0","id":"e-1","tenantid":"{tenant}","data":{{}}}}"#);
        let notification = Notification {
            id: "e-1".to_owned(),
            tenantid: tenant,
        };
        assert_eq!(
            Message::parse(&event).unwrap(),
            Message::Notification(notification)
        );
        for body in [
            "",
            "[]",
            "{}",
            r#"{"kind":"other"}"#,
            r#"{"kind":"attempt"}"#,
            r#"{"kind":"publish"}"#,
        ] {
            assert_eq!(
                Message::parse(body).unwrap_err().code(),
                "unknown_event",
                "{body}"
            );
        }
    }
}
