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
