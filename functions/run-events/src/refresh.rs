//! A run that failed on its credentials asks for a refresh of the connections that it used.
//!
//! The message names the generation that was seen, so it joins a refresh that is under way, and one
//! that is done already makes it void. At most one an hour and connection: a flow that fails every
//! minute for another reason than its token costs the provider little.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tributary::{
    aws::Refusal,
    connection::{Connection, ConnectionState, TokenOwner},
    error::Error,
    id::{ConnectionId, RunId, TenantId},
    run::{CauseClass, Run, RunStatus},
    store::{Key, StoreError},
};

use crate::TenantEvents;

/// How long a mark keeps further runs from asking: 19 times a day at most.
const MARK_LIFE: SignedDuration = SignedDuration::from_mins(75);

/// That a run asked.
#[derive(Debug, Serialize)]
struct Mark {
    run_id: RunId,
    /// Epoch seconds.
    expires_at: i64,
}

/// What is needed of a flow's item.
#[derive(Debug, Deserialize)]
struct FlowUse {
    /// JSON text.
    definition: String,
}

impl TenantEvents<'_> {
    /// Asks, if the run is one that failed on its credentials. What cannot be asked for is found by
    /// the schedule of refreshes: it does not fail the event.
    pub(crate) async fn ask_for_refresh(&self, run: &Run) {
        if run.status != RunStatus::Failed || run.cause != Some(CauseClass::Credentials) {
            return;
        }
        if let Err(error) = self.ask(run).await {
            tracing::warn!(tenant.id = %run.tenant_id, run.id = %run.id, error.code = error.code(), error.chain = error.chain(), "no refresh could be asked for");
        }
    }

    async fn ask(&self, run: &Run) -> Result<(), Error> {
        let key = Key::flow(run.tenant_id, run.flow_id);
        let Some(flow) = self.store.get::<FlowUse>(&key).await? else {
            return Ok(());
        };
        for id in connections(&flow.definition) {
            let Some(connection) = Connection::load(&self.store, run.tenant_id, id).await? else {
                continue;
            };
            if may_be_refreshed(&connection, run) && self.is_first(run, id).await? {
                self.send(&connection).await?;
                tracing::info!(tenant.id = %run.tenant_id, run.id = %run.id, connection.id = %id, generation = connection.generation, "refresh asked for, because a run failed on its credentials");
            }
        }
        Ok(())
    }

    /// Whether nobody asked lately, repeats of the same news included.
    async fn is_first(&self, run: &Run, connection: ConnectionId) -> Result<bool, Error> {
        let now = Timestamp::now();
        let until = now.saturating_add(MARK_LIFE).unwrap_or(Timestamp::MAX);
        let mark = Mark {
            run_id: run.id,
            expires_at: until.as_second(),
        };
        let key = Key::refresh_asked(run.tenant_id, connection);
        match self.store.insert(&key, &mark).await {
            Ok(()) => Ok(true),
            Err(StoreError::Condition { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn send(&self, connection: &Connection) -> Result<(), Error> {
        let message = message(connection.tenant_id, connection.id, connection.generation);
        self.queues
            .send_message()
            .queue_url(&self.refresh_queue)
            .message_body(message.to_string())
            .message_group_id(connection.tenant_id.to_string())
            .send()
            .await
            .map_err(|error| Refusal::of(&error).into_error("sqs:SendMessage"))?;
        Ok(())
    }
}

fn message(tenant: TenantId, connection: ConnectionId, generation: u64) -> Value {
    json!({
        "tenantId": tenant, "connectionId": connection, "generation": generation, "reason": "asked",
    })
}

/// The connections that a flow's definition names.
fn connections(definition: &str) -> Vec<ConnectionId> {
    let definition: Value = serde_json::from_str(definition).unwrap_or_default();
    let mut found = Vec::new();
    for end in ["source", "destination"] {
        let id = definition[end]["connectionId"].as_str();
        if let Some(id) = id.and_then(|id| id.parse().ok())
            && !found.contains(&id)
        {
            found.push(id);
        }
    }
    found
}

/// Whether a refresh is ours to do and could help: the tokens are ours, and have not changed since
/// the run began.
fn may_be_refreshed(connection: &Connection, run: &Run) -> bool {
    let is_in_use = matches!(
        connection.state,
        ConnectionState::Active | ConnectionState::Limited
    );
    let began = run.started_at.unwrap_or(run.created_at);
    connection.token_owner == TokenOwner::Tributary && is_in_use && connection.updated_at <= began
}

#[cfg(test)]
mod tests {
    use tributary::id::{AccountId, FlowId};

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn connection(owner: &str, state: &str, updated_at: i64) -> Connection {
        let id = ConnectionId::new();
        serde_json::from_value(json!({
            "id": id, "connection_id": id, "tenant_id": TenantId::new(), "account_id": AccountId::new(),
            "connector": "salesforce", "name": "n", "state": state, "token_owner": owner, "created_by": "s",
            "profile_name": "p", "generation": 1, "created_at": at(0), "updated_at": at(updated_at), "version": 1,
        }))
        .unwrap()
    }

    #[test]
    fn only_tokens_that_are_ours_in_use_and_older_than_the_run_are_refreshed_for_it() {
        let mut run = Run::queued(TenantId::new(), FlowId::new(), "e-1", at(100));
        run.started_at = Some(at(100));
        for (owner, state, updated_at, expected) in [
            ("tributary", "active", 50, true),
            ("tributary", "limited", 50, true),
            ("appflow", "active", 50, false),
            ("nobody", "active", 50, false),
            ("tributary", "reauth_required", 50, false),
            ("tributary", "pending", 50, false),
            ("tributary", "active", 101, false),
        ] {
            let found = may_be_refreshed(&connection(owner, state, updated_at), &run);
            assert_eq!(found, expected, "{owner} {state} {updated_at}");
        }
    }

    #[test]
    fn the_connections_of_a_definition_are_found_once_each() {
        let (a, b) = (ConnectionId::new(), ConnectionId::new());
        let both = json!({ "source": { "connectionId": a }, "destination": { "connectionId": b } });
        assert_eq!(connections(&both.to_string()), [a, b]);
        let same = json!({ "source": { "connectionId": a }, "destination": { "connectionId": a } });
        assert_eq!(connections(&same.to_string()), [a]);
        let none = json!({ "source": { "bucket": "b" } });
        assert_eq!(connections(&none.to_string()), []);
        assert_eq!(connections("no json"), []);
    }
}
