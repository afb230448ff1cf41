//! Entry point of the function.

use flows::{App, Config, router, trigger};
use lambda_http::{LambdaEvent, lambda_runtime, service_fn};
use serde_json::value::RawValue;
use tributary::{aws, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init("flows");
    let config = Config::from_process().inspect_err(
        |error| tracing::error!(error.chain = %error, "configuration is not usable"),
    )?;
    let app = App::start(config, aws::load_config().await)
        .await
        .inspect_err(|error| tracing::error!(error.chain = error.chain(), "start failed"))?;
    let router = router(app.clone());
    lambda_runtime::run(service_fn(|event: LambdaEvent<Box<RawValue>>| {
        trigger::handle(&app, router.clone(), event)
    }))
    .await
}
