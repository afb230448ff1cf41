//! The SQS poller.

use std::{sync::Arc, time::Duration};

use sandbox_core::{Functions, Queues, REGION};
use sandbox_gateway::{
    queues::{PollerOptions, QueuePollers},
    runtime::Runtime,
};
use serde_json::json;

use crate::support::{MemoryQueues, resolve, runtime};

const TEMPLATE: &str = r"
Resources:
  Jobs: { Type: AWS::SQS::Queue }
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/worker
      Handler: bootstrap
      Runtime: provided.al2023
      Timeout: 30
      Events:
        Queue:
          Type: SQS
          Properties:
            Queue: !GetAtt Jobs.Arn
            BatchSize: 2
            FunctionResponseTypes: [ReportBatchItemFailures]
            ScalingConfig: { MaximumConcurrency: 2 }
";
const JOBS: &str = "arn:aws:sqs:us-east-1:111111111111:tributary-Jobs";

fn start(queues: &MemoryQueues, answer: Option<serde_json::Value>) -> (QueuePollers, Runtime) {
    start_with(TEMPLATE, queues, answer)
}

fn start_with(
    template: &str,
    queues: &MemoryQueues,
    answer: Option<serde_json::Value>,
) -> (QueuePollers, Runtime) {
    let resolved = resolve(template);
    let runtime = runtime(&resolved, queues);
    let functions: Arc<dyn Functions> = match answer {
        Some(answer) => Arc::new(Answering {
            runtime: runtime.clone(),
            answer,
        }),
        None => Arc::new(runtime.clone()),
    };
    let backend: Arc<dyn Queues> = Arc::new(queues.clone());
    let mut options = PollerOptions::new(REGION);
    options.longest_window = Duration::from_mins(1);
    let pollers = QueuePollers::start(
        resolved.queue_sources(),
        &functions,
        &backend,
        runtime.logs(),
        &options,
    );
    (pollers, runtime)
}

/// Lets the real process answer with a fixed report, whatever the batch.
struct Answering {
    runtime: Runtime,
    answer: serde_json::Value,
}

impl Functions for Answering {
    fn invoke<'a>(
        &'a self,
        logical_id: &'a str,
        _: serde_json::Value,
    ) -> sandbox_core::BoxFuture<'a, Result<serde_json::Value, sandbox_core::InvocationError>> {
        self.runtime.invoke(logical_id, self.answer.clone())
    }

    fn invoke_async<'a>(
        &'a self,
        logical_id: &'a str,
        payload: serde_json::Value,
    ) -> sandbox_core::BoxFuture<'a, ()> {
        self.runtime.invoke_async(logical_id, payload)
    }
}

#[tokio::test]
async fn what_succeeded_is_deleted_in_batches_of_the_templates_size() {
    let queues = MemoryQueues::default();
    queues.put(JOBS, &[("a", "1"), ("b", "2"), ("c", "3")]);
    let (pollers, runtime) = start(&queues, None);
    let queue = queues.when(JOBS, |queue| queue.deleted.len() == 3).await;
    assert!(queue.released.is_empty());
    assert_eq!(runtime.counters("Worker").invocations, 2);
    pollers.stop().await;
}

#[tokio::test]
async fn a_reported_message_is_released_and_the_others_deleted() {
    let queues = MemoryQueues::default();
    queues.put(JOBS, &[("a", "1"), ("b", "2")]);
    let report =
        json!({ "do": "answer", "answer": { "batchItemFailures": [{ "itemIdentifier": "b" }] } });
    let (pollers, _) = start(&queues, Some(report));
    let queue = queues
        .when(JOBS, |queue| {
            queue.deleted.len() + queue.released.len() == 2
        })
        .await;
    assert_eq!(queue.deleted, ["a"]);
    assert_eq!(queue.released[0].0, "b");
    pollers.stop().await;
}

#[tokio::test]
async fn an_unknown_id_or_a_crash_fails_the_whole_batch() {
    let reports = [
        json!({ "do": "answer", "answer": { "batchItemFailures": [{ "itemIdentifier": "zzz" }] } }),
        json!({ "do": "exit" }),
        json!({ "do": "error" }),
    ];
    for report in reports {
        let queues = MemoryQueues::default();
        queues.put(JOBS, &[("a", "1"), ("b", "2")]);
        let (pollers, _) = start(&queues, Some(report));
        let queue = queues.when(JOBS, |queue| queue.released.len() == 2).await;
        assert!(queue.deleted.is_empty());
        pollers.stop().await;
    }
}

#[tokio::test]
async fn without_reports_the_answer_does_not_matter() {
    let queues = MemoryQueues::default();
    queues.put(JOBS, &[("a", "1"), ("b", "2")]);
    let template = TEMPLATE.replace("FunctionResponseTypes: [ReportBatchItemFailures]", "");
    let report =
        json!({ "do": "answer", "answer": { "batchItemFailures": [{ "itemIdentifier": "b" }] } });
    let (pollers, _) = start_with(&template, &queues, Some(report));
    queues.when(JOBS, |queue| queue.deleted == ["a", "b"]).await;
    pollers.stop().await;
}

#[tokio::test]
async fn a_window_gathers_a_batch_over_several_receives() {
    let queues = MemoryQueues::default();
    let batch = "BatchSize: 25\n            MaximumBatchingWindowInSeconds: 60";
    let template = TEMPLATE.replace("BatchSize: 2", batch);
    let ids: Vec<String> = (0..25).map(|number| format!("m{number}")).collect();
    let messages: Vec<(&str, &str)> = ids.iter().map(|id| (id.as_str(), "{}")).collect();
    queues.put(JOBS, &messages);
    let (pollers, runtime) = start_with(&template, &queues, None);
    queues.when(JOBS, |queue| queue.deleted.len() == 25).await;
    assert_eq!(runtime.counters("Worker").invocations, 1);
    pollers.stop().await;
}

#[tokio::test]
async fn a_stopped_poller_takes_nothing_more() {
    let queues = MemoryQueues::default();
    let (pollers, _) = start(&queues, None);
    pollers.stop().await;
    queues.put(JOBS, &[("a", "1")]);
    assert!(queues.now(JOBS).taken.is_empty());
}
