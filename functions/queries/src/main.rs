//! The Lambda binary `queries`.

use queries::{App, Config, router};
use tributary::{aws, config::Env, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init("queries");
    let config = Config::from_env(Env::from_process())
        .inspect_err(|error| tracing::error!(error.chain = %error, "configuration refused"))?;
    let app = App::start(config, aws::load_config().await)
        .await
        .inspect_err(|error| tracing::error!(error.chain = error.chain(), "start failed"))?;
    lambda_http::run(router(app)).await
}
