//! AppFlow's records of executions, as a history says that they are.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use http::StatusCode;
use sandbox_core::{AwsCall, AwsReply, AwsService, BoxFuture};
use serde_json::{Value, json};

const CONTENT_TYPE: &str = "application/json";
/// Records on a page, few, so that there are pages.
const PAGE: usize = 2;

#[derive(Debug, Default)]
struct State {
    /// By the flow's name, newest first.
    known: BTreeMap<String, Vec<Value>>,
    throttled: u32,
}

/// AppFlow, as far as it is asked for records.
#[derive(Debug, Default)]
pub(in crate::runs) struct Records(Mutex<State>);

impl Records {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What AppFlow knows of a flow from now on, newest first.
    pub(in crate::runs) fn set(&self, flow: &str, records: Vec<Value>) {
        self.state().known.insert(flow.to_owned(), records);
    }

    pub(super) fn forget(&self, flow: &str) {
        self.state().known.remove(flow);
    }

    /// Throttles this many questions from now on, and no more than these.
    pub(in crate::runs) fn throttle(&self, times: u32) {
        self.state().throttled = times;
    }

    fn answer(&self, call: &AwsCall) -> AwsReply {
        let error = |status, code| AwsReply::json_error(status, CONTENT_TYPE, code, "As scripted.");
        if call.path != "/describe-flow-execution-records" {
            return error(StatusCode::BAD_REQUEST, "ValidationException");
        }
        let mut state = self.state();
        if state.throttled > 0 {
            state.throttled -= 1;
            return error(StatusCode::TOO_MANY_REQUESTS, "ThrottlingException");
        }
        let asked = call.json().unwrap_or_default();
        let name = asked["flowName"].as_str().unwrap_or_default();
        let Some(records) = state.known.get(name) else {
            return error(StatusCode::NOT_FOUND, "ResourceNotFoundException");
        };
        let from: usize = asked["nextToken"]
            .as_str()
            .and_then(|at| at.parse().ok())
            .unwrap_or(0);
        let until = (from + PAGE).min(records.len());
        let next = (until < records.len()).then(|| until.to_string());
        let body = json!({ "flowExecutions": records[from.min(until)..until], "nextToken": next });
        AwsReply::json(StatusCode::OK, CONTENT_TYPE, &body)
    }
}

impl AwsService for Records {
    fn signing_names(&self) -> &'static [&'static str] {
        &["appflow"]
    }

    fn handle(&self, call: AwsCall) -> BoxFuture<'_, AwsReply> {
        Box::pin(async move { self.answer(&call) })
    }
}
