//! Processes and the Runtime API.

use std::{sync::Arc, time::Duration};

use sandbox_core::{Functions, InvocationError};
use sandbox_gateway::runtime::{KillAt, Runtime};
use serde_json::{Value, json};

use crate::support::{MemoryQueues, resolve, runtime, runtime_with};

const TEMPLATE: &str = r"
Resources:
  Failures: { Type: AWS::SQS::Queue }
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/worker/
      Handler: bootstrap
      Runtime: provided.al2023
      MemorySize: 256
      Timeout: 30
      Environment: { Variables: { STAGE: test, QUEUE_URL: !Ref Failures } }
      EventInvokeConfig:
        DestinationConfig: { OnFailure: { Type: SQS, Destination: !GetAtt Failures.Arn } }
";
const FAILURES: &str = "arn:aws:sqs:us-east-1:111111111111:tributary-Failures";

fn start() -> (Runtime, MemoryQueues) {
    let queues = MemoryQueues::default();
    (runtime(&resolve(TEMPLATE), &queues), queues)
}

async fn invoke(runtime: &Runtime, event: Value) -> Result<Value, InvocationError> {
    runtime.invoke("Worker", event).await
}

#[tokio::test]
async fn an_idle_process_is_used_again() {
    let (runtime, _) = start();
    let first = invoke(&runtime, json!({ "do": "pause" })).await.unwrap();
    let second = invoke(&runtime, json!({ "do": "pause" })).await.unwrap();
    assert_eq!(first["pid"], second["pid"]);
    let counters = runtime.counters("Worker");
    assert_eq!((counters.cold_starts, counters.invocations), (1, 2));
    assert_eq!(runtime.init_times("Worker").len(), 1);
    let pids = runtime.process_ids("Worker");
    assert_eq!(json!(pids), json!([first["pid"]]));
}

#[tokio::test]
async fn invocations_at_the_same_time_get_a_process_each() {
    let (runtime, _) = start();
    let event = json!({ "do": "pause", "ms": 500 });
    let (first, second) = tokio::join!(invoke(&runtime, event.clone()), invoke(&runtime, event));
    assert_ne!(first.unwrap()["pid"], second.unwrap()["pid"]);
    assert_eq!(runtime.counters("Worker").cold_starts, 2);
}

#[tokio::test]
async fn beyond_the_concurrency_limit_invocations_wait() {
    let resolved = resolve(TEMPLATE);
    let runtime = runtime_with(&resolved, &MemoryQueues::default(), |spec| {
        spec.max_concurrency = 1;
    });
    let event = json!({ "do": "pause", "ms": 50 });
    let (first, second) = tokio::join!(invoke(&runtime, event.clone()), invoke(&runtime, event));
    assert_eq!(first.unwrap()["pid"], second.unwrap()["pid"]);
}

#[tokio::test]
async fn the_environment_is_lambdas_and_the_templates_and_not_the_hosts() {
    let (runtime, _) = start();
    let said = invoke(&runtime, json!({ "do": "context" })).await.unwrap();
    let variables = said["variables"].as_object().unwrap();
    assert_eq!(variables["STAGE"], "test");
    assert_eq!(
        variables["QUEUE_URL"],
        "http://127.0.0.1:4566/111111111111/tributary-Failures"
    );
    assert_eq!(variables["AWS_REGION"], "us-east-1");
    assert_eq!(variables["AWS_LAMBDA_FUNCTION_NAME"], "tributary-Worker");
    assert_eq!(variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "256");
    assert_eq!(variables["AWS_ACCESS_KEY_ID"], "AKID-tributary-Worker");
    // `cargo test` sets this for the test process; it must not reach the function.
    assert!(std::env::var("CARGO_MANIFEST_DIR").is_ok());
    assert!(
        !variables.contains_key("CARGO_MANIFEST_DIR"),
        "{variables:?}"
    );
    assert!(!variables.contains_key("HOME"), "{variables:?}");
}

#[tokio::test]
async fn each_invocation_has_its_headers() {
    let (runtime, _) = start();
    let context = invoke(&runtime, json!({ "do": "context" })).await.unwrap()["context"].take();
    assert_eq!(
        context["arn"],
        "arn:aws:lambda:us-east-1:111111111111:function:tributary-Worker"
    );
    assert_eq!(context["requestId"].as_str().unwrap().len(), 36);
    assert!(context["traceId"].as_str().unwrap().starts_with("Root=1-"));
    let deadline: i64 = context["deadlineMs"].as_str().unwrap().parse().unwrap();
    let left = deadline - jiff::Timestamp::now().as_millisecond();
    assert!((1..=30_000).contains(&left), "{left}");
}

#[tokio::test]
async fn an_error_of_the_function_is_told_and_the_process_lives_on() {
    let (runtime, _) = start();
    let error = invoke(&runtime, json!({ "do": "error" }))
        .await
        .unwrap_err();
    let expected = InvocationError::Failed {
        error_type: "Refused".to_owned(),
        message: "as asked".to_owned(),
    };
    assert_eq!(error, expected);
    assert_eq!(
        invoke(&runtime, json!({ "n": 1 })).await.unwrap(),
        json!({ "n": 1 })
    );
    assert_eq!(runtime.counters("Worker").cold_starts, 1);
}

#[tokio::test]
async fn after_a_crash_the_next_invocation_gets_a_new_process() {
    let (runtime, _) = start();
    assert_eq!(
        invoke(&runtime, json!({ "do": "exit" })).await,
        Err(InvocationError::Crashed)
    );
    assert!(invoke(&runtime, json!({ "n": 1 })).await.is_ok());
    assert_eq!(runtime.counters("Worker").cold_starts, 2);
    runtime
        .logs()
        .wait_for(|line| line.text.contains("exit status: 3"))
        .await;
}

#[tokio::test]
async fn an_invocation_past_its_timeout_is_ended_with_its_process() {
    let resolved = resolve(TEMPLATE);
    let runtime = runtime_with(&resolved, &MemoryQueues::default(), |spec| {
        spec.timeout = Duration::from_millis(200);
    });
    assert_eq!(
        invoke(&runtime, json!({ "do": "sleep" })).await,
        Err(InvocationError::TimedOut)
    );
    assert_eq!(runtime.kill_now("Worker"), 0);
}

#[tokio::test]
async fn a_process_can_be_killed_at_either_end_of_an_invocation_and_in_between() {
    let (runtime, _) = start();
    for at in [KillAt::Receipt, KillAt::Answer] {
        assert!(runtime.kill_during_next_invocation("Worker", at));
        assert_eq!(
            invoke(&runtime, json!({ "at": format!("{at:?}") })).await,
            Err(InvocationError::Crashed)
        );
    }
    // The answer was lost after the function had done its work.
    runtime.logs().wait_for(|line| line.text == "echoed").await;
    let sleeping = tokio::spawn({
        let runtime = runtime.clone();
        async move { runtime.invoke("Worker", json!({ "do": "sleep" })).await }
    });
    runtime
        .logs()
        .wait_for(|line| line.text == "taken \"sleep\"")
        .await;
    assert_eq!(runtime.kill_now("Worker"), 1);
    assert_eq!(sleeping.await.unwrap(), Err(InvocationError::Crashed));
    assert!(invoke(&runtime, json!({ "n": 1 })).await.is_ok());
    assert!(!runtime.kill_during_next_invocation("Nobody", KillAt::Receipt));
}

#[tokio::test]
async fn a_function_that_cannot_start_says_why() {
    let resolved = resolve(TEMPLATE);
    let refusing = runtime_with(&resolved, &MemoryQueues::default(), |spec| {
        spec.environment
            .insert("TEST_INIT".to_owned(), "error".to_owned());
    });
    let error = invoke(&refusing, json!({})).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the function failed: ConfigInvalid: TABLE_NAME is missing"
    );
    let missing = runtime_with(&resolved, &MemoryQueues::default(), |spec| {
        spec.program = "/nowhere/worker".into();
    });
    let error = invoke(&missing, json!({})).await.unwrap_err();
    assert!(error.to_string().contains("/nowhere/worker"), "{error}");
    let unknown = missing.invoke("Nobody", json!({})).await;
    assert_eq!(unknown, Err(InvocationError::Unknown("Nobody".to_owned())));
}

#[tokio::test]
async fn an_answer_over_six_megabytes_is_an_error() {
    let (runtime, _) = start();
    let error = invoke(&runtime, json!({ "do": "large" }))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("Function.ResponseSizeTooLarge"),
        "{error}"
    );
}

#[tokio::test]
async fn a_failed_asynchronous_invocation_is_tried_three_times_and_then_recorded() {
    let (runtime, queues) = start();
    runtime
        .invoke_async("Worker", json!({ "do": "error", "id": 7 }))
        .await;
    runtime.settled().await;
    assert_eq!(runtime.counters("Worker").invocations, 3);
    let failures = queues.now(FAILURES).visible;
    assert_eq!(failures.len(), 1);
    let record: Value = serde_json::from_str(&failures[0].body).unwrap();
    assert_eq!(record["requestPayload"], json!({ "do": "error", "id": 7 }));
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 3);
    assert_eq!(record["responsePayload"]["errorType"], "Refused");
}

#[tokio::test]
async fn an_asynchronous_invocation_survives_one_crash_without_a_record() {
    let (runtime, queues) = start();
    runtime.kill_during_next_invocation("Worker", KillAt::Answer);
    runtime.invoke_async("Worker", json!({ "n": 1 })).await;
    runtime.settled().await;
    assert_eq!(runtime.counters("Worker").invocations, 2);
    assert!(queues.now(FAILURES).visible.is_empty());
}

#[tokio::test]
async fn an_invocation_goes_on_when_its_caller_has_gone() {
    let (runtime, _) = start();
    let caller = tokio::spawn({
        let runtime = runtime.clone();
        async move {
            runtime
                .invoke("Worker", json!({ "do": "pause", "ms": 200 }))
                .await
        }
    });
    runtime
        .logs()
        .wait_for(|line| line.text == "taken \"pause\"")
        .await;
    caller.abort();
    let logs = runtime.logs();
    let paused = logs.wait_for(|line| line.text == "paused");
    tokio::time::timeout(Duration::from_secs(30), paused)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_stopped_runtime_has_no_process_and_starts_none() {
    let (runtime, queues) = start();
    invoke(&runtime, json!({ "n": 1 })).await.unwrap();
    runtime.stop();
    assert!(runtime.process_ids("Worker").is_empty());
    assert_eq!(
        invoke(&runtime, json!({ "n": 2 })).await,
        Err(InvocationError::Crashed)
    );
    runtime.invoke_async("Worker", json!({ "n": 3 })).await;
    runtime.settled().await;
    assert_eq!(runtime.counters("Worker").cold_starts, 1);
    assert_eq!(queues.now(FAILURES).visible.len(), 1);
}

#[tokio::test]
async fn processes_die_with_the_runtime() {
    let (runtime, _) = start();
    let pid = invoke(&runtime, json!({ "do": "pause" })).await.unwrap()["pid"]
        .as_u64()
        .unwrap();
    let logs = runtime.logs().clone();
    let functions: Arc<dyn Functions> = Arc::new(runtime);
    drop(functions);
    // The supervisor reaps the process; until then it is there as a zombie at most.
    while std::fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
    {
        tokio::task::yield_now().await;
    }
    assert!(
        logs.lines_of("Worker")
            .iter()
            .any(|line| line == "taken \"pause\"")
    );
}
