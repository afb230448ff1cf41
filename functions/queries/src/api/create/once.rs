//! `Idempotency-Key` of queries: the Data API itself runs a statement once per client token, and we
//! remember what a key was used for. Rows are not kept: the Data API has them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tributary::{
    error::{Error, Kind},
    store::{Key, Store, StoreError, from_item, key::sha256_hex},
};

use crate::session::User;

/// How long the Data API remembers a client token, in seconds; we remember the request as long.
const REMEMBERED: i64 = 8 * 3600;

/// A statement that is run once, however often it is asked for.
pub(super) struct Once {
    /// What the Data API knows it by.
    pub(super) client_token: String,
    /// When it was asked for first.
    pub(super) at: Timestamp,
}

/// What a key was used for.
#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    request_hash: String,
    #[serde(default)]
    at: Timestamp,
    expires_at: i64,
}

/// The statement that a key stands for. The same key with another body is refused, because it would
/// get the first statement's rows.
pub(super) async fn once(
    store: &Store,
    user: &User,
    key: &str,
    body: &[u8],
) -> Result<Once, Error> {
    let scope = Key::tenant_partition(user.tenant);
    let now = Timestamp::now();
    let mut record = Remembered {
        request_hash: sha256_hex(&String::from_utf8_lossy(body)),
        at: now,
        expires_at: now.as_second() + REMEMBERED,
    };
    let place = Key::idempotency(&scope, "queries.create", &user.subject, key);
    match store.insert(&place, &record).await {
        Ok(()) => {}
        Err(StoreError::Condition {
            current: Some(current),
        }) => {
            let first: Remembered = from_item(*current)?;
            if first.request_hash != record.request_hash {
                return Err(key_reused());
            }
            record.at = first.at;
        }
        Err(error) => return Err(error.into()),
    }
    Ok(Once {
        client_token: sha256_hex(&format!("{}\n{}\n{key}", user.tenant, user.subject)),
        at: record.at,
    })
}

fn key_reused() -> Error {
    Error::new(
        Kind::Unprocessable,
        "idempotency_key_reused",
        "This Idempotency-Key was used for another request.",
    )
}
