//! What changes in Salesforce reaches the event flows.

use std::sync::Arc;

use sandbox_appflow::AppFlow;
use sandbox_saas::Salesforce;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::Sandbox;

/// The push from Salesforce to AppFlow.
#[derive(Clone)]
pub(crate) struct Changes {
    salesforce: Arc<Salesforce>,
    appflow: AppFlow,
    /// Events keep their order: one batch is delivered before the next is taken.
    turn: Arc<Mutex<()>>,
}

impl Changes {
    pub(crate) fn new(salesforce: &Arc<Salesforce>, appflow: &AppFlow) -> Self {
        Self {
            salesforce: Arc::clone(salesforce),
            appflow: appflow.clone(),
            turn: Arc::default(),
        }
    }

    /// Delivers as events are published, until the future is dropped.
    pub(crate) async fn push(self) {
        loop {
            self.salesforce.events_published().await;
            self.deliver().await;
        }
    }

    /// Delivers everything that was published, in batches of neighbours on one channel.
    async fn deliver(&self) {
        let _turn = self.turn.lock().await;
        let events = self.salesforce.take_events();
        for batch in events.chunk_by(|a, b| a.channel == b.channel) {
            let details: Vec<Value> = batch.iter().map(|e| e.detail.clone()).collect();
            self.appflow
                .deliver_instance_events(self.salesforce.base_url(), &batch[0].channel, &details)
                .await;
        }
    }
}

impl Sandbox {
    /// Publishes an event in the Salesforce org, for example a platform event (`Order__e`) or a
    /// change event with a body of the caller's, and delivers it.
    pub async fn emit_salesforce_event(&self, channel: &str, detail: Value) {
        self.salesforce.publish_event(channel, detail);
        self.deliver_salesforce_events().await;
    }

    /// Answers when everything that changed in Salesforce so far has reached the event flows. Events
    /// are delivered without this too, a moment later.
    pub async fn deliver_salesforce_events(&self) {
        self.changes.deliver().await;
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Method;
    use sandbox_core::{CUSTOMER_ACCOUNT, Clock, serve};
    use sandbox_saas::SalesforceOptions;
    use serde_json::json;

    use super::*;
    use crate::services::loopback;

    #[tokio::test]
    async fn a_changed_record_reaches_the_bucket_of_an_event_flow_by_itself() {
        let (aws, services) = loopback();
        let appflow = AppFlow::new(Clock::default(), services);
        aws.register(Arc::new(appflow.clone()));
        let options = SalesforceOptions::new("app", "consumer-secret-of-the-org");
        let salesforce = Arc::new(Salesforce::new(options));
        let (listener, _) = serve::bind(0).await.unwrap();
        tokio::spawn(Arc::clone(&salesforce).serve(listener));
        let admin = aws.admin(CUSTOMER_ACCOUNT);
        let call = async |service: &str, method: Method, path: &str, body: Value| {
            let body = Bytes::from(body.to_string());
            let reply = aws.call_rest(&admin, service, method, path, body).await;
            assert!(reply.status.is_success(), "{path} {reply:?}");
        };
        call("s3", Method::PUT, "/landing", Value::Null).await;
        let policy = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow",
            "Principal": { "Service": "appflow.amazonaws.com" }, "Action": "s3:*",
            "Resource": ["arn:aws:s3:::landing", "arn:aws:s3:::landing/*"] }] });
        call("s3", Method::PUT, "/landing?policy", policy).await;
        let token = salesforce.issue_access_token("olivia@sports.example.crm");
        let profile = json!({ "connectorProfileName": "org", "connectorType": "Salesforce",
            "connectionMode": "Public", "connectorProfileConfig": {
                "connectorProfileProperties": { "Salesforce": { "instanceUrl": salesforce.base_url() } },
                "connectorProfileCredentials": { "Salesforce": { "accessToken": token } } } });
        call(
            "appflow",
            Method::POST,
            "/create-connector-profile",
            profile,
        )
        .await;
        let flow = json!({
            "flowName": "changes", "triggerConfig": { "triggerType": "Event" },
            "sourceFlowConfig": { "connectorType": "Salesforce", "connectorProfileName": "org",
                "sourceConnectorProperties": { "Salesforce": { "object": "City_Sales__ChangeEvent" } } },
            "destinationFlowConfigList": [{ "connectorType": "S3", "destinationConnectorProperties":
                { "S3": { "bucketName": "landing" } } }],
            "tasks": [{ "taskType": "Map_all", "sourceFields": [], "taskProperties": {},
                        "connectorOperator": { "Salesforce": "NO_OP" } }],
        });
        call("appflow", Method::POST, "/create-flow", flow).await;
        let start = json!({ "flowName": "changes" });
        call("appflow", Method::POST, "/start-flow", start).await;

        let changes = Changes::new(&salesforce, &appflow);
        let pushing = tokio::spawn(changes.clone().push());
        let id = salesforce.sales()[0].id.clone();
        salesforce.change_sales(|sale| {
            if sale.id == id {
                sale.units = 4_321;
            }
        });
        // Whoever is first, the push or this call: afterwards the event is delivered once.
        changes.deliver().await;
        pushing.abort();
        let keys = aws
            .list_objects(CUSTOMER_ACCOUNT, "landing", "changes/")
            .await;
        let keys = keys.unwrap();
        assert_eq!(keys.len(), 1);
        let body = aws.get_object(CUSTOMER_ACCOUNT, "landing", &keys[0]).await;
        let line: Value = serde_json::from_slice(&body.unwrap()).unwrap();
        assert_eq!(line["Units__c"], 4_321);
    }
}
