//! A stored grant's way into AppFlow, and what the connection is afterwards.

mod hand_over;

use aws_sdk_appflow::Client;
use jiff::{SignedDuration, Timestamp};

use super::{
    Connection, ConnectionState,
    grantors::Grantors,
    keep::{Grant, Kept},
    resume::resume,
};
use crate::{
    connector::profile::{AccessToken, push_tokens},
    error::{Error, Result},
    oauth::{Introspection, ProviderLink, answer::refresh_due},
    store::{Key, Store, StoreError, Update, key::sha256_hex},
    tenancy::{Account, RoleSessions},
};

/// What a delivery needs.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// The tenant's items.
    pub store: &'a Store,
    /// The lists of grantors, over all tenants.
    pub grantors: Grantors<'a>,
    /// Sessions in tenants' accounts.
    pub roles: &'a RoleSessions,
    /// Name of the deployment, part of the source of events.
    pub stage: &'a str,
    /// How the connection's provider is talked to.
    pub link: &'a ProviderLink,
}

/// What became of a grant that was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// It works.
    Connected,
    /// It works in part, or later; the code says what is missing.
    Limited(&'static str),
}

impl Delivery<'_> {
    /// Pushes the stored grant and writes what became of it. A push that fails is tried again by the
    /// refresh, which finds the connection due.
    pub async fn deliver(&self, actor: &str, kept: &Kept, grant: &Grant) -> Result<Delivered> {
        let connection = &kept.now;
        let (pushed, introspection) = tokio::join!(
            Box::pin(self.push(connection, grant)),
            self.link.client.introspect(&grant.bundle.access_token),
        );
        let now = Timestamp::now();
        let (delivered, update) = match &pushed {
            Ok(_) => settled(connection, grant, known_life(grant, introspection), now),
            Err(error) => {
                tracing::warn!(tenant.id = %connection.tenant_id, connection.id = %connection.id, error.code = error.code(), error.chain = error.chain(), "the tokens are stored and did not reach AppFlow; the refresh will push them");
                let update = Update::new()
                    .set("reason", "push_failed")
                    .set("due_at", now.as_millisecond());
                (Delivered::Limited("push_failed"), update)
            }
        };
        let update = update
            .set("updated_at", now)
            .when_equal("generation", connection.generation);
        let recovered = if pushed.is_ok() && connection.reauth_told {
            connection.recovered(self.stage, now).items(now)
        } else {
            Vec::default()
        };
        let key = Key::connection(connection.tenant_id, connection.id);
        match self.store.update_with(&key, update, &recovered).await {
            Ok(()) => audit(actor, connection, grant, pushed.is_ok()),
            Err(StoreError::Condition { .. }) => {
                tracing::info!(tenant.id = %connection.tenant_id, connection.id = %connection.id, "a refresh or another consent went on from here");
            }
            Err(error) => return Err(error.into()),
        }
        if let Ok(appflow) = &pushed
            && delivered == Delivered::Connected
        {
            self.afterwards(appflow, kept).await;
        }
        Ok(delivered)
    }

    /// What follows from a connection that works: nothing here makes it fail.
    async fn afterwards(&self, appflow: &Client, kept: &Kept) {
        let connection = &kept.now;
        let reconnected = matches!(
            kept.before.state,
            ConnectionState::ReauthRequired | ConnectionState::Limited
        );
        if reconnected && let Err(error) = resume(self.store, appflow, connection).await {
            tracing::warn!(tenant.id = %connection.tenant_id, connection.id = %connection.id, error.code = error.code(), error.chain = error.chain(), "the connection works, and flows that AppFlow switched off may wait for somebody to start them");
        }
        if let Err(error) = self.grantors.note(connection).await {
            tracing::warn!(tenant.id = %connection.tenant_id, connection.id = %connection.id, error.code = error.code(), error.chain = error.chain(), "the grantor's other connections were not looked at");
        }
    }

    async fn appflow(&self, connection: &Connection) -> Result<Client> {
        let account = Account::load(self.store, connection.tenant_id, connection.account_id)
            .await?
            .ok_or_else(|| Error::internal("no_account", "a connection's account is gone"))?;
        Ok(Client::new(&self.roles.config(&account).await?))
    }

    async fn push(&self, connection: &Connection, grant: &Grant) -> Result<Client> {
        let appflow = self.appflow(connection).await?;
        let token = AccessToken::from(&grant.bundle);
        push_tokens(&appflow, connection, grant.instance.as_ref(), token).await?;
        Ok(appflow)
    }
}

/// Rule L4: who granted what to whom, on whose behalf.
fn audit(actor: &str, connection: &Connection, grant: &Grant, pushed: bool) {
    tracing::info!(
        tenant.id = %connection.tenant_id,
        connection.id = %connection.id,
        user.subject = actor,
        provider.org = grant.grantor.org_id,
        provider.user = grant.grantor.user_id,
        provider.instance = connection.instance_url.as_deref().unwrap_or_default(),
        pushed,
        "consent finished"
    );
}

fn known_life(grant: &Grant, introspection: Introspection) -> SignedDuration {
    match introspection {
        Introspection::Active { life: Some(life) } => life,
        Introspection::Active { life: None } | Introspection::Inactive | Introspection::Unknown => {
            grant.life
        }
    }
}

/// The connection works: when its next refresh is due, and what it lacks.
fn settled(
    connection: &Connection,
    grant: &Grant,
    life: SignedDuration,
    now: Timestamp,
) -> (Delivered, Update) {
    let ends = now.saturating_add(life).unwrap_or(Timestamp::MAX);
    let due = refresh_due(now, life, spread(connection));
    let update = Update::new()
        .set("pushed_generation", connection.generation)
        .set("access_expires_at", ends.as_millisecond())
        .set("due_at", due.as_millisecond())
        .remove("reauth_told");
    if grant.missing_scopes.is_empty() {
        let update = update
            .set("state", ConnectionState::Active)
            .remove("reason");
        return (Delivered::Connected, update);
    }
    let update = update
        .set("state", ConnectionState::Limited)
        .set("reason", "missing_scopes");
    (Delivered::Limited("missing_scopes"), update)
}

/// A number from 0 to 1 that differs from connection to connection and from grant to grant.
fn spread(connection: &Connection) -> f64 {
    let hash = sha256_hex(&format!("{}:{}", connection.id, connection.generation));
    let number = u32::from_str_radix(&hash[..8], 16).unwrap_or(0);
    f64::from(number) / f64::from(u32::MAX)
}
