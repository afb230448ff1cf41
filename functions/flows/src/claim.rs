//! Ids that survive a crash: a retry with the same `Idempotency-Key` works on the same thing.
//!
//! Without this, an attempt that died half way would leave something behind under an id that
//! nobody knows, and its retry would make a second one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tributary::{
    error::Error,
    http::IdempotencyKey,
    store::{Key, Store, StoreError},
};

/// As long as an idempotency record is remembered.
const REMEMBERED_SECONDS: i64 = 24 * 3600;

#[derive(Debug, Serialize, Deserialize)]
struct Claim<I> {
    id: I,
    expires_at: i64,
}

/// The id under which the request with this key makes its thing: `fresh`, or that of the first attempt.
pub(crate) async fn id<I: Serialize + DeserializeOwned>(
    store: &Store,
    key: &IdempotencyKey,
    scope: &str,
    operation: &str,
    subject: &str,
    fresh: I,
) -> Result<I, Error> {
    let Some(value) = key.value() else {
        return Ok(fresh);
    };
    let at = Key::idempotency(scope, &format!("{operation}/id"), subject, value);
    let claim = Claim {
        id: fresh,
        expires_at: Timestamp::now().as_second() + REMEMBERED_SECONDS,
    };
    match store.insert(&at, &claim).await {
        Ok(()) => Ok(claim.id),
        Err(StoreError::Condition {
            current: Some(first),
        }) => Ok(tributary::store::from_item::<Claim<I>>(*first)?.id),
        Err(error) => Err(error.into()),
    }
}
