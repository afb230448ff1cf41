//! Queues and functions that write down what they get, and signed calls.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use sandbox_core::{
    AwsCall, BoxFuture, Functions, InvocationError, Principal, Queues, Received, VENDOR_ACCOUNT,
};
use serde_json::Value;

/// A message as a queue got it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sent {
    pub(crate) queue: String,
    pub(crate) body: String,
    pub(crate) attributes: BTreeMap<String, String>,
}

impl Sent {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// Queues that keep everything; a queue named `missing` does not exist.
#[derive(Default)]
pub(crate) struct MemoryQueues(Mutex<Vec<Sent>>);

impl MemoryQueues {
    pub(crate) fn sent(&self, queue: &str) -> Vec<Sent> {
        let all = self.0.lock().unwrap();
        all.iter().filter(|s| s.queue == queue).cloned().collect()
    }
}

impl Queues for MemoryQueues {
    fn send<'a>(
        &'a self,
        queue_arn: &'a str,
        body: String,
        attributes: BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            if queue_arn.ends_with(":missing") {
                return Err("AWS.SimpleQueueService.NonExistentQueue".to_owned());
            }
            self.0.lock().unwrap().push(Sent {
                queue: queue_arn.to_owned(),
                body,
                attributes,
            });
            Ok(())
        })
    }

    fn receive<'a>(&'a self, _: &'a str, _: usize) -> BoxFuture<'a, Result<Vec<Received>, String>> {
        Box::pin(async { Err("delivery only sends".to_owned()) })
    }

    fn delete<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async { Err("delivery only sends".to_owned()) })
    }

    fn release<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: Duration,
    ) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async { Err("delivery only sends".to_owned()) })
    }
}

/// Functions that write down what they are invoked with.
#[derive(Default)]
pub(crate) struct MemoryFunctions(Mutex<Vec<(String, Value)>>);

impl MemoryFunctions {
    pub(crate) fn invoked(&self, function: &str) -> Vec<Value> {
        let all = self.0.lock().unwrap();
        let own = all.iter().filter(|(name, _)| name == function);
        own.map(|(_, payload)| payload.clone()).collect()
    }
}

impl Functions for MemoryFunctions {
    fn invoke<'a>(
        &'a self,
        logical_id: &'a str,
        _: Value,
    ) -> BoxFuture<'a, Result<Value, InvocationError>> {
        Box::pin(async move { Err(InvocationError::Unknown(logical_id.to_owned())) })
    }

    fn invoke_async<'a>(&'a self, logical_id: &'a str, payload: Value) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            self.0
                .lock()
                .unwrap()
                .push((logical_id.to_owned(), payload));
        })
    }
}

pub(crate) fn queues() -> Arc<MemoryQueues> {
    Arc::default()
}

pub(crate) fn queue(account: &str, name: &str) -> String {
    format!("arn:aws:sqs:us-east-1:{account}:{name}")
}

pub(crate) fn function(name: &str) -> String {
    format!("arn:aws:lambda:us-east-1:{VENDOR_ACCOUNT}:function:{name}")
}

/// A request signed by a role of an account.
pub(crate) fn call(service: &str, account: &str, target: Option<&str>, body: String) -> AwsCall {
    let mut headers = HeaderMap::new();
    if let Some(target) = target {
        headers.insert("x-amz-target", HeaderValue::from_str(target).unwrap());
    }
    AwsCall {
        principal: Principal {
            access_key_id: "ASIAEXAMPLE".to_owned(),
            account: account.to_owned(),
            arn: format!("arn:aws:sts::{account}:assumed-role/Role/session"),
            role_arn: Some(format!("arn:aws:iam::{account}:role/Role")),
            tags: BTreeMap::new(),
            on_behalf_of: None,
        },
        region: "us-east-1".to_owned(),
        service: service.to_owned(),
        method: Method::POST,
        path: "/".to_owned(),
        query: String::new(),
        headers,
        body: Bytes::from(body),
    }
}
