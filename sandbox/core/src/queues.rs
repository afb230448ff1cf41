//! Queues as the delivery services and the gateway's poller use them, without going over HTTP.

use std::{collections::BTreeMap, time::Duration};

use crate::BoxFuture;

/// A message taken from a queue and not deleted yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Message id.
    pub message_id: String,
    /// Handle of this receipt.
    pub receipt_handle: String,
    /// Body.
    pub body: String,
    /// System attributes (`ApproximateReceiveCount`, `SentTimestamp`, ...).
    pub attributes: BTreeMap<String, String>,
    /// Message attributes that are strings.
    pub message_attributes: BTreeMap<String, String>,
}

/// SQS queues by ARN (`arn:aws:sqs:<region>:<account>:<name>`). `Err` carries SQS's error code.
pub trait Queues: Send + Sync + 'static {
    /// Sends a message; string message attributes go along.
    fn send<'a>(
        &'a self,
        queue_arn: &'a str,
        body: String,
        attributes: BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<(), String>>;
    /// Takes up to `most` visible messages; redrive to the dead-letter queue happens here.
    fn receive<'a>(
        &'a self,
        queue_arn: &'a str,
        most: usize,
    ) -> BoxFuture<'a, Result<Vec<Received>, String>>;
    /// Deletes a received message.
    fn delete<'a>(
        &'a self,
        queue_arn: &'a str,
        receipt_handle: &'a str,
    ) -> BoxFuture<'a, Result<(), String>>;
    /// Makes a received message visible again after a delay.
    fn release<'a>(
        &'a self,
        queue_arn: &'a str,
        receipt_handle: &'a str,
        after: Duration,
    ) -> BoxFuture<'a, Result<(), String>>;
}
