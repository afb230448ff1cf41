//! Entry point of the function.

use flows::{App, Config, router};
use tributary::{aws, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init();
    let config = Config::from_process().inspect_err(
        |error| tracing::error!(error.chain = %error, "configuration is not usable"),
    )?;
    let app = App::start(config, aws::load_config().await)
        .await
        .inspect_err(|error| tracing::error!(error.chain = error.chain(), "start failed"))?;
    lambda_http::run(router(app)).await
}
