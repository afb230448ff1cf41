//! Fair queues: in a standard queue, messages with a `MessageGroupId` are given out group by group, so
//! that a group with many does not delay the others (SQS developer guide, "Amazon SQS fair queues").
//!
//! Grouped messages wait here until somebody receives; then the groups take turns.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write as _,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use http::StatusCode;
use md5::{Digest as _, Md5};
use sandbox_core::{AwsCall, AwsReply};
use serde_json::{Value, json};
use uuid::Uuid;
use winterbaume_sqs::SqsService;

use super::{CONTENT_TYPE, single};

/// The groups of a queue in the order of their turns, each with its messages.
type Groups = VecDeque<(String, VecDeque<AwsCall>)>;

/// Messages that wait for their group's turn, by queue.
#[derive(Default)]
pub(in super::super) struct Waiting(Mutex<BTreeMap<String, Groups>>);

impl Waiting {
    /// Keeps a message that names a group and no delay; answers nothing for any other call.
    pub(super) async fn keep(&self, service: &SqsService, call: &AwsCall) -> Option<AwsReply> {
        let ask = grouped(call)?;
        let queue = ask["QueueUrl"].as_str()?.to_owned();
        let group = ask["MessageGroupId"].as_str()?.to_owned();
        let mut look = call.clone();
        look.headers.insert(
            "x-amz-target",
            http::HeaderValue::from_static("AmazonSQS.GetQueueAttributes"),
        );
        look.body = Bytes::from(json!({ "QueueUrl": queue }).to_string());
        let looked = single(service, &look).await;
        if !looked.status.is_success() {
            return Some(looked);
        }
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let groups = queues.entry(queue).or_default();
        match groups.iter_mut().find(|(known, _)| *known == group) {
            Some((_, messages)) => messages.push_back(call.clone()),
            None => groups.push_back((group, VecDeque::from([call.clone()]))),
        }
        let body = ask["MessageBody"].as_str().unwrap_or_default();
        let answer = json!({ "MessageId": Uuid::new_v4(), "MD5OfMessageBody": md5(body) });
        Some(AwsReply::json(StatusCode::OK, CONTENT_TYPE, &answer))
    }

    /// Hands over what a call may see: as many messages as it receives, group after group, and all of
    /// them to whatever else is asked of the queue.
    pub(super) async fn hand_over(&self, service: &SqsService, call: &AwsCall) {
        let Ok(ask) = call.json() else { return };
        let Some(queue) = ask["QueueUrl"].as_str() else {
            return;
        };
        let most = match call.target_operation() {
            Some("ReceiveMessage") => ask["MaxNumberOfMessages"].as_u64().unwrap_or(1),
            Some("GetQueueAttributes" | "PurgeQueue" | "DeleteQueue") => u64::MAX,
            _ => 0,
        };
        for _ in 0..most {
            let Some(message) = self.next(queue) else {
                return;
            };
            single(service, &message).await;
        }
    }

    /// The next message of the group whose turn it is.
    fn next(&self, queue: &str) -> Option<AwsCall> {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let groups = queues.get_mut(queue)?;
        let (group, mut messages) = groups.pop_front()?;
        let message = messages.pop_front();
        if !messages.is_empty() {
            groups.push_back((group, messages));
        }
        message
    }
}

/// The request, if it sends a message of a group to a standard queue at once.
fn grouped(call: &AwsCall) -> Option<Value> {
    if call.target_operation() != Some("SendMessage") {
        return None;
    }
    let ask = call.json().ok()?;
    let is_fifo = ask["QueueUrl"].as_str()?.strip_suffix(".fifo").is_some();
    let is_delayed = ask["DelaySeconds"].as_u64().is_some_and(|delay| delay > 0);
    (!is_fifo && !is_delayed && ask["MessageGroupId"].is_string()).then_some(ask)
}

fn md5(body: &str) -> String {
    Md5::digest(body.as_bytes())
        .iter()
        .fold(String::new(), |mut text, byte| {
            // Writing to a String does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
