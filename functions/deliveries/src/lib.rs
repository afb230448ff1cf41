//! Notifications to tenants' HTTPS endpoints.
//!
//! Three events reach the function. A batch of the *delivery queue* holds notifications, as the topic
//! sent them, and redeliveries that somebody asked for: for each endpoint that is meant a delivery is
//! written and enqueued. It also says which notification of the outbox somebody waits for. A batch of the *attempt queue* holds deliveries to try: claimed, signed,
//! posted, judged. A *tick* enqueues what is due again.
//!
//! A delivery is told apart by its due time: whoever changes it moves that, so that of several
//! messages about one attempt the first counts. A worker that dies between the request and its record
//! leaves a claim that lapses, and the request goes out once more under the same `webhook-id`.

mod app;
mod attempt;
mod batch;
mod claim;
mod config;
mod fan_out;
mod message;
mod post;
mod redeliver;
mod rules;
mod standing;
mod tick;

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde_json::Value;
use tributary::error::{Error, Kind};

pub use app::App;
pub use config::Config;

/// Handles one event.
pub async fn handle(app: &App, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    let deadline = event.context.deadline;
    let answer = if event.payload["kind"] == "tick" {
        tick::run(app, event.payload).await
    } else if event.payload.get("Records").is_some() {
        match serde_json::from_value::<SqsEvent>(event.payload) {
            Ok(batch) => Ok(batch::run(app, batch, deadline).await),
            Err(error) => Err(unknown_event("the queue batch cannot be read").with_source(error)),
        }
    } else {
        Err(unknown_event("neither a tick nor a queue batch"))
    };
    answer.map_err(|error| {
        tracing::error!(
            error.code = error.code(),
            error.chain = error.chain(),
            "event failed"
        );
        Diagnostic {
            error_type: error.code().to_owned(),
            error_message: error.caller_message().to_owned(),
        }
    })
}

/// What an event is answered with that this function does not know: it goes to the dead-letter queue.
fn unknown_event(log: &str) -> Error {
    Error::new(
        Kind::Malformed,
        "unknown_event",
        "The event is not one of this function's.",
    )
    .with_log(log)
}
