//! The Lambda binary `deliveries`.

use deliveries::{App, Config};
use lambda_runtime::{Error, run, service_fn};
use tributary::{aws, config::Env, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let config = Config::from_env(Env::from_process())
        .inspect_err(|error| tracing::error!(error.chain = %error, "cannot start"))?;
    let app = App::new(config, &aws::load_config().await)?;
    run(service_fn(|event| deliveries::handle(&app, event))).await
}
