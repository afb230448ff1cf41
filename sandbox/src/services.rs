//! What AppFlow and the warehouse do through other services of an account.

use std::sync::Arc;

use bytes::Bytes;
use sandbox_aws::Aws;
use sandbox_core::{AccountServices, BoxFuture};
use sandbox_delivery::{CloudWatch, EventBridge};
use sandbox_redshift::Redshift;
use serde_json::Value;

/// The loopback AWS, seen from inside an account.
pub(crate) struct Services {
    pub(crate) aws: Arc<Aws>,
    pub(crate) events: Arc<EventBridge>,
    pub(crate) redshift: Redshift,
    pub(crate) cloudwatch: Arc<CloudWatch>,
}

impl AccountServices for Services {
    fn put_object<'a>(
        &'a self,
        account: &'a str,
        bucket: &'a str,
        key: &'a str,
        body: Bytes,
    ) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(self.aws.put_object(account, bucket, key, body))
    }

    fn get_object<'a>(
        &'a self,
        account: &'a str,
        bucket: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Bytes, String>> {
        Box::pin(async move {
            let aws = &self.aws;
            aws.appflow_may(account, bucket, "s3:GetObject", Some(key))
                .await?;
            aws.get_object(account, bucket, key).await
        })
    }

    fn list_objects<'a>(
        &'a self,
        account: &'a str,
        bucket: &'a str,
        prefix: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, String>> {
        Box::pin(async move {
            let aws = &self.aws;
            aws.appflow_may(account, bucket, "s3:ListBucket", None)
                .await?;
            aws.list_objects(account, bucket, prefix).await
        })
    }

    fn bucket_policy<'a>(
        &'a self,
        account: &'a str,
        bucket: &'a str,
    ) -> BoxFuture<'a, Result<Option<Value>, String>> {
        Box::pin(self.aws.bucket_policy(account, bucket))
    }

    fn put_secret<'a>(
        &'a self,
        account: &'a str,
        name: &'a str,
        value: String,
    ) -> BoxFuture<'a, Result<String, String>> {
        Box::pin(async move { self.aws.put_secret(account, name, value).await })
    }

    fn get_secret<'a>(
        &'a self,
        account: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, Result<String, String>> {
        Box::pin(self.aws.get_secret(account, id))
    }

    fn delete_secret<'a>(
        &'a self,
        account: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(self.aws.delete_secret(account, id))
    }

    fn put_event<'a>(&'a self, account: &'a str, event: Value) -> BoxFuture<'a, ()> {
        Box::pin(async move { self.events.put_event(account, event) })
    }

    fn put_metric(&self, account: &str, flow: &str, metric: &str, value: f64) {
        let by = ("FlowName", flow);
        self.cloudwatch
            .record(account, "AWS/AppFlow", metric, by, value);
    }

    fn offer_event_source<'a>(&'a self, account: &'a str, source: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(async move { self.events.offer_source(account, source) })
    }

    fn event_source_is_active<'a>(
        &'a self,
        account: &'a str,
        source: &'a str,
    ) -> BoxFuture<'a, bool> {
        Box::pin(async move { self.events.source_is_active(account, source) })
    }

    fn put_partner_event<'a>(
        &'a self,
        account: &'a str,
        source: &'a str,
        event: Value,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            // The bus of a partner has the name of the source.
            self.events.put_event_on(account, source, event);
        })
    }

    fn catalogue<'a>(
        &'a self,
        role_arn: &'a str,
        operation: &'a str,
        body: &'a Value,
    ) -> BoxFuture<'a, Result<Value, String>> {
        let appflow = "appflow.amazonaws.com";
        let asked = ("glue", operation);
        Box::pin(self.aws.call_under_role(appflow, role_arn, asked, body))
    }

    fn insert_rows<'a>(
        &'a self,
        account: &'a str,
        database: &'a str,
        table: &'a str,
        columns: &'a [String],
        rows: &'a [Vec<Option<String>>],
    ) -> BoxFuture<'a, Result<u64, String>> {
        Box::pin(async move {
            self.redshift
                .insert_rows(account, database, table, columns, rows)
        })
    }
}

/// An endpoint with EventBridge and a warehouse behind it, for tests of what stands on them.
#[cfg(test)]
pub(crate) fn loopback() -> (Arc<Aws>, Arc<dyn AccountServices>) {
    use sandbox_core::{Clock, Faults, Journal};

    let aws = Aws::new(sandbox_aws::AwsOptions::default());
    let events = Arc::new(EventBridge::new(
        Clock::default(),
        Journal::default(),
        Faults::default(),
        Arc::clone(&aws) as _,
    ));
    aws.register(Arc::clone(&events) as _);
    let services = Services {
        aws: Arc::clone(&aws),
        cloudwatch: Arc::new(CloudWatch::new(Clock::default(), Arc::clone(&events))),
        events,
        redshift: Redshift::new(Clock::default()),
    };
    (aws, Arc::new(services))
}
