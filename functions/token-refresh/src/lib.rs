//! The token-refresh function.
//!
//! Three events reach it. A *tick* of one shard's schedule asks the due index what is due at the tick's
//! own time and enqueues it. A *batch* of the queue refreshes connections: lease with a fencing
//! number, intent before the call, compare-and-set after it, then the push into AppFlow. The model
//! behind this order is in `docs/ARCHITECTURE.md`, "Refreshing a token". A *rewrap* of one shard's
//! schedule seals anew what is sealed under an old key.

mod app;
mod batch;
#[doc(hidden)]
pub mod bench;
mod commit;
mod fair;
mod gate;
mod lease;
mod message;
mod push;
mod refresh;
mod revocation;
mod rewrap;
mod rules;
mod settle;
mod tick;

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde_json::Value;

pub(crate) use app::TenantApp;
pub use app::{App, Config};

/// Handles one event.
pub async fn handle(app: &App, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    let deadline = event.context.deadline;
    let kind = event.payload.get("kind").and_then(Value::as_str);
    let answer = if kind == Some("tick") {
        tick::run(app, event.payload).await
    } else if kind == Some("rewrap") {
        rewrap::run(app, event.payload, deadline).await
    } else if event.payload.get("Records").is_some() {
        match serde_json::from_value::<SqsEvent>(event.payload) {
            Ok(batch) => batch::run(app, batch, deadline).await,
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
fn unknown_event(log: &str) -> tributary::error::Error {
    tributary::error::Error::new(
        tributary::error::Kind::Malformed,
        "unknown_event",
        "The event is not one of this function's.",
    )
    .with_log(log)
}
