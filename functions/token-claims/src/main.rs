//! The Lambda binary `token-claims`.

use lambda_runtime::{LambdaEvent, run, service_fn};
use serde_json::Value;
use token_claims::TokenClaims;
use tributary::{aws, config::Env, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::init("token-claims");
    let mut env = Env::from_process();
    let table = env.required("TABLE_NAME");
    let table = env
        .finish(Some(table))
        .inspect_err(|error| tracing::error!(error.chain = %error, "configuration refused"))?;
    let claims = TokenClaims::new(&aws::load_config().await, table);
    run(service_fn(|event: LambdaEvent<Value>| async {
        let LambdaEvent { payload, context } = event;
        telemetry::invocation(&context, None, claims.handle(payload)).await
    }))
    .await
}
