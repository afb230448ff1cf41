//! Attempts to get a consent: how an application learns the result without the window that it opened
//! (scenario C10).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    error::Error,
    id::{AttemptId, ConnectionId, TenantId},
    store::{Key, Store},
};

/// How long the result can be asked for.
const LIFE: SignedDuration = SignedDuration::from_hours(24 * 8);

/// Where an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AttemptState {
    /// Nobody came back from the provider yet.
    Waiting,
    /// There is a result.
    Finished,
}

/// An attempt, as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Attempt {
    /// Its id.
    pub id: AttemptId,
    /// For which connection.
    pub connection_id: ConnectionId,
    /// Where it stands.
    pub state: AttemptState,
    /// `connected`, `limited`, `denied`, `failed`, or `unconfirmed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// The stable code of the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// When it came to stand there.
    pub at: Timestamp,
    /// When it is forgotten, epoch seconds.
    pub expires_at: i64,
}

impl Attempt {
    fn new(id: AttemptId, connection_id: ConnectionId, state: AttemptState) -> Self {
        let at = Timestamp::now();
        Self {
            id,
            connection_id,
            state,
            result: None,
            code: None,
            at,
            expires_at: at.saturating_add(LIFE).unwrap_or(at).as_second(),
        }
    }

    /// An attempt begins.
    pub async fn begin(
        store: &Store,
        tenant: TenantId,
        connection: ConnectionId,
        id: AttemptId,
    ) -> Result<(), Error> {
        let attempt = Self::new(id, connection, AttemptState::Waiting);
        store
            .put(&Key::attempt(tenant, connection, id), &attempt)
            .await
            .map_err(Error::from)
    }

    /// An attempt ended.
    pub async fn finish(
        store: &Store,
        tenant: TenantId,
        connection: ConnectionId,
        id: AttemptId,
        result: &str,
        code: &str,
    ) -> Result<(), Error> {
        let mut attempt = Self::new(id, connection, AttemptState::Finished);
        attempt.result = Some(result.to_owned());
        attempt.code = Some(code.to_owned());
        store
            .put(&Key::attempt(tenant, connection, id), &attempt)
            .await
            .map_err(Error::from)
    }

    /// An attempt of a tenant.
    pub async fn load(
        store: &Store,
        tenant: TenantId,
        connection: ConnectionId,
        id: AttemptId,
    ) -> Result<Option<Self>, Error> {
        let found: Option<Self> = store.get(&Key::attempt(tenant, connection, id)).await?;
        let now = Timestamp::now().as_second();
        Ok(found.filter(|attempt| attempt.expires_at > now))
    }
}
