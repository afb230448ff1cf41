//! A topic that keeps what was published to it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sandbox_core::{AwsCall, AwsReply, AwsService, BoxFuture};
use serde_json::Value;

const PUBLISHED: &str = "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
    <MessageId>019364c0-a1b2-7cc3-a4d5-e6f708192a3b</MessageId></PublishResult></PublishResponse>";
const REFUSED: &str = "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type>\
    <Code>InvalidParameter</Code><Message>As scripted.</Message></Error></ErrorResponse>";

#[derive(Debug, Default)]
struct State {
    messages: Vec<Value>,
    failing: u32,
    /// Words in a message that the topic will never take.
    refused: Option<String>,
}

/// SNS, as far as it is published to.
#[derive(Debug, Default)]
pub(in crate::runs) struct Topic(Mutex<State>);

impl Topic {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails this many publishes from now on, and no more than these.
    pub(in crate::runs) fn fail(&self, times: u32) {
        self.state().failing = times;
    }

    /// Refuses for ever what has these words in it.
    pub(in crate::runs) fn refuse(&self, words: &str) {
        self.state().refused = Some(words.to_owned());
    }

    /// What was published since the last look, in order.
    pub(in crate::runs) fn take(&self) -> Vec<Value> {
        std::mem::take(&mut self.state().messages)
    }

    fn answer(&self, call: &AwsCall) -> AwsReply {
        let form = url::form_urlencoded::parse(&call.body);
        let message = form.into_iter().find(|(name, _)| name == "Message");
        let message = message
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default();
        let mut state = self.state();
        if state.failing > 0 {
            state.failing -= 1;
            return xml(StatusCode::INTERNAL_SERVER_ERROR, REFUSED);
        }
        if state
            .refused
            .as_ref()
            .is_some_and(|words| message.contains(words))
        {
            return xml(StatusCode::BAD_REQUEST, REFUSED);
        }
        state
            .messages
            .push(serde_json::from_str(&message).unwrap_or_default());
        xml(StatusCode::OK, PUBLISHED)
    }
}

fn xml(status: StatusCode, body: &'static str) -> AwsReply {
    let kind = HeaderValue::from_static("text/xml");
    AwsReply {
        status,
        headers: HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]),
        body: Bytes::from_static(body.as_bytes()),
    }
}

impl AwsService for Topic {
    fn signing_names(&self) -> &'static [&'static str] {
        &["sns"]
    }

    fn handle(&self, call: AwsCall) -> BoxFuture<'_, AwsReply> {
        Box::pin(async move { self.answer(&call) })
    }
}
