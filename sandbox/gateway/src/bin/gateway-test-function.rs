//! A function for this package's tests: does what the event's `do` says, over the plain Runtime API.
//! An HTTP event says it as JSON in the header `x-do`.

use std::{env, process, time::Duration};

use serde_json::{Value, json};

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let base = format!(
        "http://{}/2018-06-01/runtime",
        env::var("AWS_LAMBDA_RUNTIME_API")?
    );
    let client = reqwest::Client::builder().no_proxy().build()?;
    if env::var("TEST_INIT").is_ok_and(|init| init == "error") {
        let error =
            json!({ "errorType": "ConfigInvalid", "errorMessage": "TABLE_NAME is missing" });
        client
            .post(format!("{base}/init/error"))
            .json(&error)
            .send()
            .await?;
        process::exit(1);
    }
    loop {
        let next = client.get(format!("{base}/invocation/next")).send().await?;
        let header = |name: &str| {
            let value = next
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let id = header("lambda-runtime-aws-request-id");
        let context = json!({
            "requestId": id,
            "deadlineMs": header("lambda-runtime-deadline-ms"),
            "arn": header("lambda-runtime-invoked-function-arn"),
            "traceId": header("lambda-runtime-trace-id"),
        });
        let event: Value = next.json().await?;
        let told = event["headers"]["x-do"].as_str();
        let told: Value = told.map_or(Ok(event.clone()), serde_json::from_str)?;
        println!("taken {}", told["do"]);
        let invocation = format!("{base}/invocation/{id}");
        match told["do"].as_str() {
            Some("error") => {
                let error = json!({ "errorType": "Refused", "errorMessage": "as asked" });
                client
                    .post(format!("{invocation}/error"))
                    .json(&error)
                    .send()
                    .await?;
            }
            Some("exit") => process::exit(3),
            Some("sleep") => std::future::pending().await,
            Some("pause") => {
                tokio::time::sleep(Duration::from_millis(told["ms"].as_u64().unwrap_or(0))).await;
                println!("paused");
                answer(&client, &invocation, &json!({ "pid": process::id() })).await?;
            }
            Some("context") => {
                let variables: serde_json::Map<String, Value> = env::vars()
                    .map(|(name, value)| (name, value.into()))
                    .collect();
                let said = json!({ "context": context, "variables": variables });
                answer(&client, &invocation, &said).await?;
            }
            Some("large") => {
                let text = "x".repeat(7 * 1024 * 1024);
                answer(&client, &invocation, &text.into()).await?;
            }
            Some("answer") => answer(&client, &invocation, &told["answer"]).await?,
            _ => {
                eprintln!("echoed");
                answer(&client, &invocation, &event).await?;
            }
        }
    }
}

async fn answer(client: &reqwest::Client, invocation: &str, said: &Value) -> Result<(), Failure> {
    client
        .post(format!("{invocation}/response"))
        .json(said)
        .send()
        .await?;
    Ok(())
}
