//! The Runtime API of one process (Lambda developer guide, "Using the Lambda runtime API").

use std::{
    sync::{Arc, Mutex},
    time::SystemTime,
};

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use http::{StatusCode, header::CONTENT_TYPE};
use sandbox_core::InvocationError;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot, watch};
use uuid::Uuid;

use super::{lock, process::Invocation};

/// Bytes that Lambda takes as the answer of a synchronous invocation.
const ANSWER_LIMIT: usize = 6 * 1024 * 1024 + 100;

/// An invocation on its way to the process.
pub(crate) struct Work {
    pub(crate) invocation: Invocation,
    /// Told when the process has taken the invocation.
    pub(crate) taken: oneshot::Sender<()>,
    pub(crate) answer: oneshot::Sender<Answer>,
}

/// What came out of an invocation, unless the process died.
#[derive(Debug)]
pub(crate) enum Answer {
    Done(Result<Bytes, InvocationError>),
    /// The process answered, and the answer is to be lost.
    Lost,
}

/// What the process has said about its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Init {
    Running,
    Done,
    Failed { error_type: String, message: String },
}

/// State behind the Runtime API of one process.
pub(crate) struct RuntimeApi {
    pub(crate) work: AsyncMutex<mpsc::Receiver<Work>>,
    pub(crate) init: watch::Sender<Init>,
    pub(crate) current: Mutex<Option<Current>>,
}

/// The invocation that the process is working on.
pub(crate) struct Current {
    request_id: String,
    answer: oneshot::Sender<Answer>,
    lose_answer: bool,
}

/// `errorType` and `errorMessage` as runtimes report them.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Reported {
    error_type: String,
    error_message: String,
}

pub(crate) fn router(api: Arc<RuntimeApi>) -> Router {
    let base = "/2018-06-01/runtime";
    Router::new()
        .route(&format!("{base}/invocation/next"), get(next))
        .route(
            &format!("{base}/invocation/{{id}}/response"),
            post(response),
        )
        .route(&format!("{base}/invocation/{{id}}/error"), post(error))
        .route(&format!("{base}/init/error"), post(init_error))
        .layer(axum::extract::DefaultBodyLimit::disable())
        .with_state(api)
}

async fn next(State(api): State<Arc<RuntimeApi>>) -> Response {
    api.init.send_replace(Init::Done);
    let Some(work) = api.work.lock().await.recv().await else {
        return refusal(StatusCode::GONE, "ShuttingDown", "no more invocations");
    };
    let Invocation {
        request_id,
        payload,
        arn,
        timeout,
        ..
    } = work.invocation;
    *lock(&api.current) = Some(Current {
        request_id: request_id.clone(),
        answer: work.answer,
        lose_answer: work.invocation.kill_at == Some(super::KillAt::Answer),
    });
    let deadline = SystemTime::now() + timeout;
    let deadline = deadline
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    // Nobody listens unless the process is to be killed at this point.
    let _ = work.taken.send(());
    if work.invocation.kill_at == Some(super::KillAt::Receipt) {
        // A quick function would have answered before the signal reached it.
        return std::future::pending().await;
    }
    let built = Response::builder()
        .header(CONTENT_TYPE, "application/json")
        .header("Lambda-Runtime-Aws-Request-Id", request_id)
        .header(
            "Lambda-Runtime-Deadline-Ms",
            deadline.as_millis().to_string(),
        )
        .header("Lambda-Runtime-Invoked-Function-Arn", arn)
        .header("Lambda-Runtime-Trace-Id", trace_id())
        .body(Body::from(payload));
    built.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

async fn response(
    State(api): State<Arc<RuntimeApi>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    if body.len() > ANSWER_LIMIT {
        let message = format!(
            "Response payload size exceeded maximum allowed payload size ({ANSWER_LIMIT} bytes)."
        );
        let failed = InvocationError::Failed {
            error_type: "Function.ResponseSizeTooLarge".to_owned(),
            message: message.clone(),
        };
        finish(&api, &id, Err(failed)).await;
        return refusal(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestEntityTooLarge",
            &message,
        );
    }
    finish(&api, &id, Ok(body)).await
}

async fn error(
    State(api): State<Arc<RuntimeApi>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let reported = reported(&body);
    let failed = InvocationError::Failed {
        error_type: reported.error_type,
        message: reported.error_message,
    };
    finish(&api, &id, Err(failed)).await
}

async fn init_error(State(api): State<Arc<RuntimeApi>>, body: Bytes) -> Response {
    let Reported {
        error_type,
        error_message: message,
    } = reported(&body);
    api.init.send_replace(Init::Failed {
        error_type,
        message,
    });
    accepted()
}

async fn finish(api: &RuntimeApi, id: &str, outcome: Result<Bytes, InvocationError>) -> Response {
    let current = {
        let mut current = lock(&api.current);
        if current
            .as_ref()
            .is_some_and(|current| current.request_id == id)
        {
            current.take()
        } else {
            None
        }
    };
    let Some(current) = current else {
        return refusal(
            StatusCode::BAD_REQUEST,
            "InvalidRequestID",
            "no such invocation in this process",
        );
    };
    if current.lose_answer {
        let _ = current.answer.send(Answer::Lost); // gone only with the whole runtime
        return std::future::pending().await;
    }
    // Nobody waits any more for an invocation that timed out; its process is being killed.
    let _ = current.answer.send(Answer::Done(outcome));
    accepted()
}

fn reported(body: &Bytes) -> Reported {
    serde_json::from_slice(body).unwrap_or_else(|_| Reported {
        error_type: "Runtime.Unknown".to_owned(),
        error_message: String::from_utf8_lossy(body).into_owned(),
    })
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, Json(json!({ "status": "OK" }))).into_response()
}

fn refusal(status: StatusCode, kind: &str, message: &str) -> Response {
    (
        status,
        Json(json!({ "errorType": kind, "errorMessage": message })),
    )
        .into_response()
}

/// A trace header of X-Ray, not sampled.
pub(crate) fn trace_id() -> String {
    let seconds = jiff::Timestamp::now().as_second();
    let random = Uuid::new_v4().simple().to_string();
    format!(
        "Root=1-{seconds:08x}-{};Parent={};Sampled=0",
        &random[..24],
        &random[16..]
    )
}
