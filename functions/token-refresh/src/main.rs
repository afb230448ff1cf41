//! Keeps every token fresh: schedule ticks find what is due, queue batches refresh it.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;
use token_refresh::{App, Config};
use tributary::{aws, config::Env, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init("token-refresh");
    let config = Config::from_env(Env::from_process())
        .inspect_err(|error| tracing::error!(error.chain = %error, "cannot start"))?;
    let app = App::new(config, &aws::load_config().await)?;
    run(service_fn(|event: LambdaEvent<Value>| async {
        let context = event.context.clone();
        telemetry::invocation(&context, None, token_refresh::handle(&app, event)).await
    }))
    .await
}
