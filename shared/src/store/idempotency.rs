//! Idempotency records: the same key does a thing once and answers the same each time.
//!
//! One conditional write acquires; completing and releasing carry the attempt's own random value, so
//! that a late worker cannot overwrite a result that another attempt finished.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Key, Store, StoreError, Update, from_item, key::sha256_hex};
use crate::{
    error::{Error, Kind},
    telemetry::{self, Metric},
};

/// How long a finished request is remembered.
const REMEMBERED_SECONDS: i64 = 24 * 3600;

/// The record of one idempotency key.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Record {
    status: Status,
    attempt: String,
    in_progress_expiration: i64,
    expires_at: i64,
    request_hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<StoredAnswer>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Status {
    InProgress,
    Completed,
}

/// An answer that is kept and replayed. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAnswer {
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: String,
    /// `Location`, if the answer had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// `ETag`, if the answer had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
}

/// What acquiring a key came to.
#[derive(Debug)]
pub enum Acquired {
    /// Nobody did this yet: do it, then [`Lease::complete`] or [`Lease::release`].
    Fresh(Lease),
    /// It was done: this is the answer.
    Replay(StoredAnswer),
}

/// The right to do the thing behind a key.
#[derive(Debug)]
pub struct Lease {
    store: Store,
    key: Key,
    attempt: String,
}

/// Acquires a key for a request with this content, until `deadline` at most.
pub async fn acquire(
    store: &Store,
    key: Key,
    request: &[u8],
    deadline: Timestamp,
) -> Result<Acquired, Error> {
    let now = Timestamp::now();
    let request_hash = sha256_hex(&String::from_utf8_lossy(request));
    let attempt = Uuid::new_v4().to_string();
    let record = Record {
        status: Status::InProgress,
        attempt: attempt.clone(),
        in_progress_expiration: deadline.as_millisecond(),
        expires_at: now.as_second() + REMEMBERED_SECONDS,
        request_hash: request_hash.clone(),
        answer: None,
    };
    store.check(&key.pk)?;
    match insert(store, &key, &record, now).await {
        Ok(()) => Ok(Acquired::Fresh(Lease {
            store: store.clone(),
            key,
            attempt,
        })),
        Err(StoreError::Condition {
            current: Some(current),
        }) => {
            let other: Record = from_item(*current)?;
            judge(&other, &request_hash)
                .inspect_err(|_| telemetry::count(Metric::IdempotencyConflict))
        }
        Err(error) => Err(error.into()),
    }
}

fn judge(other: &Record, request_hash: &str) -> Result<Acquired, Error> {
    if other.request_hash != request_hash {
        return Err(Error::new(
            Kind::Unprocessable,
            "idempotency_key_reused",
            "This Idempotency-Key was used with a different request.",
        ));
    }
    match (&other.status, &other.answer) {
        (Status::Completed, Some(answer)) => Ok(Acquired::Replay(answer.clone())),
        _ => Err(Error::new(
            Kind::Conflict,
            "request_in_progress",
            "The first request with this Idempotency-Key is still being worked on.",
        )
        .with_retry_after(2)),
    }
}

async fn insert(
    store: &Store,
    key: &Key,
    record: &Record,
    now: Timestamp,
) -> Result<(), StoreError> {
    use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};

    store
        .client()
        .put_item()
        .table_name(store.table())
        .set_item(Some(super::to_item(key, record)?))
        .condition_expression(
            "attribute_not_exists(pk) OR expires_at < :now \
             OR (#status = :in_progress AND in_progress_expiration < :now_ms)",
        )
        .expression_attribute_names("#status", "status")
        .expression_attribute_values(":now", AttributeValue::N(now.as_second().to_string()))
        .expression_attribute_values(
            ":now_ms",
            AttributeValue::N(now.as_millisecond().to_string()),
        )
        .expression_attribute_values(":in_progress", AttributeValue::S("INPROGRESS".to_owned()))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .send()
        .await
        .map_err(|error| super::write_error("PutItem", &error))?;
    Ok(())
}

impl Lease {
    /// Keeps the answer for the next request with the same key.
    pub async fn complete(self, answer: &StoredAnswer) -> Result<(), StoreError> {
        let update = Update::new()
            .set("status", Status::Completed)
            .set("answer", answer)
            .when_equal("attempt", &self.attempt)
            .when_equal("status", Status::InProgress);
        self.store
            .update::<serde::de::IgnoredAny>(&self.key, update)
            .await
            .map(|_| ())
    }

    /// Gives the key back: the request failed and may be tried again with the same key.
    pub async fn release(self) -> Result<(), StoreError> {
        use aws_sdk_dynamodb::types::AttributeValue;

        let released = self
            .store
            .client()
            .delete_item()
            .table_name(self.store.table())
            .set_key(Some(self.key.to_item()))
            .condition_expression("attempt = :attempt AND #status = :in_progress")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":attempt", AttributeValue::S(self.attempt))
            .expression_attribute_values(":in_progress", AttributeValue::S("INPROGRESS".to_owned()))
            .send()
            .await;
        match released.map_err(|error| super::write_error("DeleteItem", &error)) {
            // Somebody else took over after our time: theirs to finish.
            Ok(_) | Err(StoreError::Condition { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(status: Status, hash: &str) -> Record {
        Record {
            status,
            attempt: "a".to_owned(),
            in_progress_expiration: 0,
            expires_at: 0,
            request_hash: hash.to_owned(),
            answer: (status == Status::Completed).then(|| StoredAnswer {
                status: 201,
                body: "{}".to_owned(),
                location: None,
                etag: None,
            }),
        }
    }

    #[test]
    fn f1_another_body_under_the_same_key_is_refused() {
        let error = judge(&record(Status::Completed, "one"), "two").unwrap_err();
        assert_eq!(error.code(), "idempotency_key_reused");
    }

    #[test]
    fn a_finished_request_is_replayed_and_an_unfinished_one_is_a_conflict() {
        assert!(
            matches!(judge(&record(Status::Completed, "one"), "one"), Ok(Acquired::Replay(a)) if a.status == 201)
        );
        let error = judge(&record(Status::InProgress, "one"), "one").unwrap_err();
        assert_eq!(
            (error.code(), error.retry_after_seconds()),
            ("request_in_progress", Some(2))
        );
    }

    #[test]
    fn statuses_are_stored_under_the_words_of_the_condition() {
        assert_eq!(
            serde_json::to_value(Status::InProgress).unwrap(),
            "INPROGRESS"
        );
    }
}
