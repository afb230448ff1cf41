//! The Salesforce stand-in itself, for what the small one of these tests cannot do: writes, changes,
//! large orgs.

use std::sync::Arc;

use sandbox_saas::{Salesforce, SalesforceOptions};
use serde_json::{Value, json};

use super::world::{ACCOUNT, World};

pub(super) struct Org {
    pub(super) salesforce: Arc<Salesforce>,
}

impl Org {
    /// An org on the world's clock, and the profile `org` of the customer's account that leads to it.
    pub(super) async fn connected(world: &World) -> Self {
        let mut options = SalesforceOptions::new("app", "consumer-secret-of-the-org");
        options.clock = world.clock.clone();
        let salesforce = Arc::new(Salesforce::new(options));
        let (listener, _) = sandbox_core::serve::bind(0).await.expect("port");
        tokio::spawn(Arc::clone(&salesforce).serve(listener));
        let org = Self { salesforce };
        org.connect(world, ACCOUNT).await;
        org
    }

    /// Makes the profile `org` in an account.
    pub(super) async fn connect(&self, world: &World, account: &str) {
        let token = self
            .salesforce
            .issue_access_token("olivia@sports.example.crm");
        let mut profile = world.profile("org", &json!({ "accessToken": token }));
        profile["connectorProfileConfig"]["connectorProfileProperties"]["Salesforce"]["instanceUrl"] =
            json!(self.salesforce.base_url());
        let answer = world
            .call_as(account, "create-connector-profile", profile)
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// The live account with this external id.
    pub(super) fn account(&self, external_id: &str) -> Option<Value> {
        let mut records = self.salesforce.records("Account").into_iter();
        records
            .find(|r| r["External_Id__c"] == external_id && r["IsDeleted"] == false)
            .map(Value::Object)
    }
}

/// The destination of a flow that writes to an object of the org; errors go to `landing/errors`.
pub(super) fn into_org(operation: &str, ids: &[&str], stop: bool) -> Value {
    let mut properties = json!({
        "object": "Account",
        "writeOperationType": operation,
        "errorHandlingConfig": { "failOnFirstDestinationError": stop, "bucketName": "landing",
                                 "bucketPrefix": "errors" },
    });
    if !ids.is_empty() {
        properties["idFieldNames"] = json!(ids);
    }
    json!([{ "connectorType": "Salesforce", "connectorProfileName": "org",
             "destinationConnectorProperties": { "Salesforce": properties } }])
}
