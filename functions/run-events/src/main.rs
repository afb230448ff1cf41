//! The Lambda binary `run-events`.

use lambda_runtime::{LambdaEvent, run, service_fn};
use run_events::{Config, RunEvents};
use serde_json::Value;
use tributary::{aws, config::Env, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::init("run-events");
    let config = Config::from_env(Env::from_process())
        .inspect_err(|error| tracing::error!(error.chain = %error, "configuration refused"))?;
    let events = RunEvents::new(aws::load_config().await, config);
    run(service_fn(|event: LambdaEvent<Value>| async {
        let LambdaEvent { payload, context } = event;
        let id = payload["id"].as_str().map(str::to_owned);
        telemetry::invocation(&context, id.as_deref(), events.handle(payload)).await
    }))
    .await
}
