//! Connections by the hundred, written straight into the table as their consents would have left them.

use std::sync::Arc;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use jiff::Timestamp;
use sandbox::Sandbox;
use sandbox_core::{REGION, VENDOR_ACCOUNT};
use serde_json::json;
use tributary::{
    connection::{Connection, Intent},
    id::{AccountId, ConnectionId, TenantId},
    oauth::TokenBundle,
    secret::Secret,
    store::{Key, Store, Update},
    vault::{Vault, VaultKeys},
};

use super::world::{LONG_ENOUGH, World};

/// Who granted what is seeded; not the person whom tests let consent.
const GRANTOR: &str = "oscar@other.example.crm";
/// Shards of the due index.
const SHARDS: u32 = 4;

/// A tenant with an account.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seeded {
    pub(super) tenant: TenantId,
    pub(super) account: AccountId,
}

/// Writes connections, sealed by the real vault.
pub(super) struct Seeder {
    sandbox: Arc<Sandbox>,
    client: aws_sdk_dynamodb::Client,
    table: String,
    pub(super) vault: Vault,
}

impl Seeder {
    pub(super) fn new(world: &World) -> Self {
        let current = world.sandbox.stack.resources["DataKey"].arn().unwrap();
        Self::with_keys(world, VaultKeys::from(current.to_owned()))
    }

    /// With other keys than the deployment's.
    pub(super) fn with_keys(world: &World, keys: VaultKeys) -> Self {
        let aws = config(&world.sandbox);
        Self {
            sandbox: Arc::clone(&world.sandbox),
            client: aws_sdk_dynamodb::Client::new(&aws),
            table: world.physical("Table"),
            vault: Vault::new(aws_sdk_kms::Client::new(&aws), keys),
        }
    }

    fn store(&self, tenant: TenantId) -> Store {
        Store::of_tenant(self.client.clone(), self.table.clone(), tenant)
    }

    /// The world's own tenant.
    pub(super) fn here(world: &World) -> Seeded {
        Seeded {
            tenant: world.tenant.id.parse().unwrap(),
            account: world.account.parse().unwrap(),
        }
    }

    /// Another tenant in the same AWS account. It is in no list of tenants.
    pub(super) async fn another_tenant(&self, world: &World) -> Seeded {
        let new = Seeded {
            tenant: TenantId::new(),
            account: AccountId::new(),
        };
        let key = format!("ACCOUNT#{}", world.account);
        let items = self.sandbox.table_items().await;
        let mut item = items
            .into_iter()
            .find(|item| item["sk"]["S"] == key.as_str())
            .unwrap();
        let at = Key::account(new.tenant, new.account);
        item["pk"] = json!({ "S": at.pk });
        item["sk"] = json!({ "S": at.sk });
        item["id"] = json!({ "S": new.account });
        item["tenant_id"] = json!({ "S": new.tenant });
        let admin = self.sandbox.aws.admin(VENDOR_ACCOUNT);
        let request = json!({ "TableName": self.table, "Item": item });
        let reply = self
            .sandbox
            .aws
            .call(&admin, "dynamodb", "PutItem", &request)
            .await;
        assert!(reply.status.is_success());
        new
    }

    /// A connection with a grant of its own, due then.
    pub(super) async fn connection(&self, of: Seeded, due: Timestamp) -> ConnectionId {
        let (access, refresh) = self.sandbox.salesforce.issue_grant(GRANTOR).unwrap();
        let bundle = TokenBundle {
            access_token: Secret::new(access),
            refresh_token: Some(Secret::new(refresh)),
        };
        let id = ConnectionId::new();
        let place = Connection::vault_place(id, 1);
        let place = place.each_ref().map(String::as_str);
        let sealed = self
            .vault
            .seal(of.tenant, &place, &bundle.to_json())
            .await
            .unwrap();
        let now = Timestamp::now();
        let instance = self.sandbox.salesforce_url.as_str().trim_end_matches('/');
        let record: Connection = serde_json::from_value(json!({
            "id": id, "connection_id": id, "tenant_id": of.tenant, "account_id": of.account,
            "connector": "salesforce", "name": "Seeded", "state": "active", "token_owner": "tributary",
            "created_by": "seed", "profile_name": format!("tributary-{}-{id}", of.tenant), "instance_url": instance,
            "scopes": ["api", "refresh_token"], "generation": 1, "bundle": sealed, "pushed_generation": 1,
            "access_expires_at": now.as_millisecond() + 3_600_000, "due_shard": Connection::shard(id, SHARDS),
            "due_at": due.as_millisecond(), "created_at": now, "updated_at": now, "version": 1,
        }))
        .unwrap();
        let key = Key::connection(of.tenant, id);
        self.store(of.tenant).insert(&key, &record).await.unwrap();
        id
    }

    /// The record as it is now.
    pub(super) async fn record(&self, of: Seeded, id: ConnectionId) -> Connection {
        let found = self
            .store(of.tenant)
            .get(&Key::connection(of.tenant, id))
            .await;
        found.unwrap().unwrap()
    }

    /// So much time passes for a connection that its lease is over and its intent has settled.
    pub(super) async fn time_passes(&self, of: Seeded, id: ConnectionId) {
        let mut update = Update::new().remove("lease_until");
        let record = self.record(of, id).await;
        if let Some(intent) = record.intent {
            let at = intent.at - i64::try_from(LONG_ENOUGH.as_millis()).unwrap();
            update = update.set("intent", Intent { at, ..intent });
        }
        let key = Key::connection(of.tenant, id);
        let changed: Result<Connection, _> = self.store(of.tenant).update(&key, update).await;
        changed.unwrap();
    }

    /// The tokens of a record.
    pub(super) async fn tokens(&self, record: &Connection) -> TokenBundle {
        let place = Connection::vault_place(record.id, record.generation);
        let place = place.each_ref().map(String::as_str);
        let sealed = record.bundle.as_ref().unwrap();
        let opened = self.vault.open(record.tenant_id, &place, sealed).await;
        TokenBundle::from_json(&opened.unwrap()).unwrap()
    }
}

fn config(sandbox: &Sandbox) -> SdkConfig {
    let admin = sandbox.aws.admin_credentials(VENDOR_ACCOUNT);
    let credentials = Credentials::new(
        admin.access_key_id,
        admin.secret_access_key,
        admin.session_token,
        None,
        "tests",
    );
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(REGION))
        .endpoint_url(sandbox.aws_url.as_str())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}
