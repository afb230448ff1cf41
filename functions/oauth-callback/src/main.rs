//! Entry point of the function.

use oauth_callback::{App, Config, router};
use tributary::{aws, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init("oauth-callback");
    let config = Config::from_process().inspect_err(
        |error| tracing::error!(error.chain = %error, "configuration is not usable"),
    )?;
    let app = App::new(config, &aws::load_config().await)
        .inspect_err(|error| tracing::error!(error.chain = %error, "start failed"))?;
    lambda_http::run(router(app)).await
}
