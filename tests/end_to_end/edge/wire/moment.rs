//! What "nothing changed" means: the table, AppFlow, secrets, buckets and queues are as they were.

use std::collections::BTreeMap;

use http::Method;
use sandbox::Sandbox;
use sandbox_core::{CUSTOMER_ACCOUNT, Entry, OTHER_CUSTOMER_ACCOUNT, VENDOR_ACCOUNT};
use serde_json::{Value, json};

use super::API_FUNCTIONS;

/// The state of the system at a moment.
#[derive(Debug)]
pub(crate) struct Moment {
    /// What is kept, by where it is kept.
    kept: BTreeMap<String, Value>,
    /// How much each party has asked, by item.
    counted: BTreeMap<String, Value>,
    asked: usize,
    invocations: BTreeMap<&'static str, u64>,
}

impl Moment {
    /// The state now.
    pub(crate) async fn of(sandbox: &Sandbox) -> Self {
        sandbox.runtime.settled().await;
        let mut kept = BTreeMap::new();
        let mut counted = BTreeMap::new();
        for item in sandbox.table_items().await {
            let key = format!("item {} {}", item["pk"]["S"], item["sk"]["S"]);
            // Who asks is counted; that is no change of anything.
            let is_count = key.starts_with("item \"LIMIT#");
            let map = if is_count { &mut counted } else { &mut kept };
            map.insert(key, item);
        }
        // What was asked is recorded, whatever came of it: audit.rs.
        let audit = sandbox.stack.resources["AuditBucket"].physical_id();
        for (object, content) in sandbox.stored_objects(|bucket| bucket != audit).await {
            kept.insert(format!("object {object}"), Value::from(content));
        }
        for account in [VENDOR_ACCOUNT, CUSTOMER_ACCOUNT, OTHER_CUSTOMER_ACCOUNT] {
            kept.extend(of_account(sandbox, account).await);
        }
        kept.extend(queues(sandbox).await);
        Self {
            kept,
            counted,
            asked: sandbox.journal.entries().len(),
            invocations: API_FUNCTIONS
                .map(|id| (id, sandbox.runtime.counters(id).invocations))
                .into(),
        }
    }

    /// Nothing that is kept anywhere was made, changed or taken away since.
    pub(crate) async fn assert_nothing_changed(&self, sandbox: &Sandbox, what: &str) {
        self.assert_nothing_changed_but(sandbox, what, &[]).await;
    }

    /// Nothing but what begins like this was made, changed or taken away since: `item "pk" "sk`.
    pub(crate) async fn assert_nothing_changed_but(
        &self,
        sandbox: &Sandbox,
        what: &str,
        own: &[&str],
    ) {
        let now = Self::of(sandbox).await;
        let mut changed = self.changes(&now);
        changed.retain(|key| !own.iter().any(|begin| key.starts_with(begin)));
        assert!(changed.is_empty(), "{what} changed {changed:?}");
    }

    /// Nothing was counted as this tenant's since.
    pub(crate) async fn assert_not_counted(&self, sandbox: &Sandbox, tenant: &str) {
        let now = Self::of(sandbox).await;
        let own = |map: &BTreeMap<String, Value>| {
            let mut map = map.clone();
            map.retain(|key, _| key.contains(tenant));
            map
        };
        assert_eq!(own(&self.counted), own(&now.counted));
    }

    /// Where something differs.
    fn changes(&self, now: &Self) -> Vec<String> {
        let differs = |key: &&String| self.kept.get(*key) != now.kept.get(*key);
        let new = now.kept.keys().filter(|key| !self.kept.contains_key(*key));
        let all = self.kept.keys().chain(new);
        all.filter(differs).cloned().collect()
    }

    /// No function was invoked since.
    pub(crate) fn assert_nothing_invoked(&self, sandbox: &Sandbox, what: &str) {
        for (id, before) in &self.invocations {
            let now = sandbox.runtime.counters(id).invocations;
            assert_eq!(now, *before, "{what} reached {id}");
        }
    }

    /// What these services were asked since.
    pub(crate) fn asked_since(&self, sandbox: &Sandbox, services: &[&str]) -> Vec<String> {
        let entries: Vec<Entry> = sandbox.journal.entries();
        entries[self.asked..]
            .iter()
            .filter(|entry| services.contains(&entry.service.as_str()))
            .map(|entry| format!("{} {}", entry.service, entry.operation))
            .collect()
    }

    /// What anybody but these services was asked since.
    pub(crate) fn asked_besides(&self, sandbox: &Sandbox, services: &[&str]) -> Vec<String> {
        let entries: Vec<Entry> = sandbox.journal.entries();
        entries[self.asked..]
            .iter()
            .filter(|entry| !services.contains(&entry.service.as_str()))
            .map(|entry| format!("{} {}", entry.service, entry.operation))
            .collect()
    }
}

/// Flows, connector profiles and secrets of an AWS account.
async fn of_account(sandbox: &Sandbox, account: &str) -> BTreeMap<String, Value> {
    let admin = sandbox.aws.admin(account);
    let mut kept = BTreeMap::new();
    for operation in ["/list-flows", "/describe-connector-profiles"] {
        let body = json!({ "maxResults": 100 }).to_string().into();
        let reply = sandbox
            .aws
            .call_rest(&admin, "appflow", Method::POST, operation, body);
        let listed: Value = serde_json::from_slice(&reply.await.body).unwrap();
        assert!(listed["nextToken"].is_null(), "more than a page: {listed}");
        kept.insert(format!("appflow {account} {operation}"), listed);
    }
    let request = json!({ "MaxResults": 100 });
    let reply = sandbox
        .aws
        .call(&admin, "secretsmanager", "ListSecrets", &request);
    let listed: Value = serde_json::from_slice(&reply.await.body).unwrap();
    assert!(listed["NextToken"].is_null(), "more than a page: {listed}");
    for secret in listed["SecretList"].as_array().into_iter().flatten() {
        let mut secret = secret.clone();
        // Reading one is no change.
        secret.as_object_mut().unwrap().remove("LastAccessedDate");
        kept.insert(format!("secret {account} {}", secret["Name"]), secret);
    }
    kept
}

/// How many messages each queue of the stack holds.
async fn queues(sandbox: &Sandbox) -> BTreeMap<String, Value> {
    let admin = sandbox.aws.admin(VENDOR_ACCOUNT);
    let mut kept = BTreeMap::new();
    for (id, queue) in sandbox.stack.of_kind("AWS::SQS::Queue") {
        let request = json!({ "QueueUrl": queue.physical_id(), "AttributeNames": ["All"] });
        let reply = sandbox
            .aws
            .call(&admin, "sqs", "GetQueueAttributes", &request);
        let told: Value = serde_json::from_slice(&reply.await.body).unwrap();
        let messages = told["Attributes"]["ApproximateNumberOfMessages"].clone();
        assert!(messages.is_string(), "{id}: {told}");
        kept.insert(format!("queue {id}"), messages);
    }
    kept
}
