//! Keeps every token fresh: schedule ticks find what is due, queue batches refresh it.

use lambda_runtime::{Error, run, service_fn};
use token_refresh::{App, Config};
use tributary::{aws, config::Env, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let config = Config::from_env(Env::from_process())
        .inspect_err(|error| tracing::error!(error.chain = %error, "cannot start"))?;
    let app = App::new(config, &aws::load_config().await)?;
    run(service_fn(|event| token_refresh::handle(&app, event))).await
}
