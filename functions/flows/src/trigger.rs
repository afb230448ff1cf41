//! What starts the function: a request through the gateway, or a tick of the schedule.

use axum::Router;
use lambda_http::{
    Adapter, Context, LambdaEvent, Service, lambda_runtime::Diagnostic, request::LambdaRequest,
};
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use tributary::telemetry;

use crate::{
    App,
    accounts::recheck,
    flows::watch::{self, Kind, Tick},
};

/// Why an event could not be worked on: its type is stable, for the dead-letter queue and alarms.
#[derive(Debug, thiserror::Error)]
pub enum Unhandled {
    /// Neither a request nor a tick.
    #[error("the event is neither a request of the gateway nor a tick of the schedule")]
    Unknown(#[source] serde_json::Error),
    /// The answer cannot be written.
    #[error("the answer could not be written")]
    Answer(#[source] serde_json::Error),
    /// What a tick depends on failed.
    #[error(transparent)]
    Failed(#[from] tributary::error::Error),
}

impl Unhandled {
    /// The stable error type.
    pub const fn error_type(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "Flows.UnknownEvent",
            Self::Answer(_) => "Flows.AnswerLost",
            Self::Failed(error) => error.code(),
        }
    }
}

impl From<Unhandled> for Diagnostic {
    fn from(unhandled: Unhandled) -> Self {
        Self {
            error_type: unhandled.error_type().to_owned(),
            error_message: unhandled.to_string(),
        }
    }
}

/// What tells a request from a tick.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    request_context: Option<serde::de::IgnoredAny>,
}

/// Works on one event. An error sends a tick to Lambda's retries and then to the dead-letter queue.
pub async fn handle(
    app: &App,
    router: Router,
    event: LambdaEvent<Box<RawValue>>,
) -> Result<Box<RawValue>, Unhandled> {
    let LambdaEvent { payload, context } = event;
    work(app, router, payload.get(), context)
        .await
        .inspect_err(|unhandled| {
            tracing::error!(
                error.code = unhandled.error_type(),
                error.chain = chain(unhandled),
                "event not handled"
            );
        })
}

async fn work(
    app: &App,
    router: Router,
    event: &str,
    context: Context,
) -> Result<Box<RawValue>, Unhandled> {
    let shape: Shape = serde_json::from_str(event).map_err(Unhandled::Unknown)?;
    if shape.request_context.is_none() {
        let tick: Tick = serde_json::from_str(event).map_err(Unhandled::Unknown)?;
        let done = match tick.kind {
            Kind::Watch => {
                let work = watch::run(app, &tick);
                to_raw_value(&telemetry::invocation(&context, None, work).await?)
            }
            Kind::AccountChecks => {
                let work = recheck::run(app, tick.scheduled_time);
                to_raw_value(&telemetry::invocation(&context, None, work).await?)
            }
        };
        return done.map_err(Unhandled::Answer);
    }
    let request: LambdaRequest = serde_json::from_str(event).map_err(Unhandled::Unknown)?;
    let answered = Adapter::from(router)
        .call(LambdaEvent::new(request, context))
        .await;
    match answered {
        Ok(answer) => to_raw_value(&answer).map_err(Unhandled::Answer),
        Err(never) => match never {},
    }
}

/// The message with all causes, for the log.
fn chain(unhandled: &Unhandled) -> String {
    match unhandled {
        Unhandled::Failed(error) => error.chain(),
        Unhandled::Unknown(source) | Unhandled::Answer(source) => format!("{unhandled}: {source}"),
    }
}
