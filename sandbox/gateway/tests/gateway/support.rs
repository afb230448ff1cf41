//! What the tests share: the test function, queues in memory, keys and tokens.

use std::{
    collections::{BTreeMap, VecDeque},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sandbox_core::{BoxFuture, Queues, Received};
use sandbox_gateway::{
    runtime::{FunctionSpec, LogSink, Runtime, RuntimeOptions},
    template::{Context, Resolved, Template},
};
use tokio::sync::watch;

/// The binary behind every function of these tests.
pub(crate) fn test_function() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_gateway-test-function"))
}

/// Evaluates a template for the vendor's account.
pub(crate) fn resolve(template: &str) -> Resolved {
    let context = context();
    Template::parse(template)
        .unwrap()
        .resolve(&context)
        .unwrap()
}

/// The vendor's stack, without parameters.
pub(crate) fn context() -> Context {
    Context {
        account: sandbox_core::VENDOR_ACCOUNT.to_owned(),
        region: sandbox_core::REGION.to_owned(),
        stack_name: "tributary".to_owned(),
        endpoint: "http://127.0.0.1:4566".to_owned(),
        ..Context::default()
    }
}

/// A runtime whose functions are all the test function.
pub(crate) fn runtime(resolved: &Resolved, queues: &MemoryQueues) -> Runtime {
    runtime_with(resolved, queues, |_| ())
}

/// As [`runtime`], after a change to each function.
pub(crate) fn runtime_with(
    resolved: &Resolved,
    queues: &MemoryQueues,
    change: impl Fn(&mut FunctionSpec),
) -> Runtime {
    let specs = resolved.functions().iter().map(|function| {
        let mut spec = FunctionSpec::from_template(function, test_function());
        change(&mut spec);
        spec
    });
    let mut options = RuntimeOptions::new(
        sandbox_core::REGION,
        LogSink::default(),
        Arc::new(queues.clone()),
    );
    options.retry_wait = Duration::from_millis(1);
    options.cold_start = Arc::new(|spec| {
        BTreeMap::from([(
            "AWS_ACCESS_KEY_ID".to_owned(),
            format!("AKID-{}", spec.name),
        )])
    });
    Runtime::new(specs.collect(), options)
}

/// A file of the repository.
pub(crate) fn repository(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(file);
    std::fs::read_to_string(path).unwrap()
}

/// One queue's messages.
#[derive(Debug, Default, Clone)]
pub(crate) struct Queue {
    pub(crate) visible: VecDeque<Received>,
    pub(crate) taken: Vec<Received>,
    pub(crate) deleted: Vec<String>,
    pub(crate) released: Vec<(String, Duration)>,
}

/// Queues in memory. What is released is only noted, so that nothing comes back by time.
#[derive(Debug, Clone, Default)]
pub(crate) struct MemoryQueues(Arc<watch::Sender<BTreeMap<String, Queue>>>);

impl MemoryQueues {
    /// Puts messages with these ids and bodies on a queue.
    pub(crate) fn put(&self, queue: &str, messages: &[(&str, &str)]) {
        self.0.send_modify(|queues| {
            let queue = queues.entry(queue.to_owned()).or_default();
            queue
                .visible
                .extend(messages.iter().map(|(id, body)| Received {
                    message_id: (*id).to_owned(),
                    receipt_handle: (*id).to_owned(),
                    body: (*body).to_owned(),
                    attributes: BTreeMap::from([(
                        "ApproximateReceiveCount".to_owned(),
                        "1".to_owned(),
                    )]),
                    message_attributes: BTreeMap::new(),
                }));
        });
    }

    /// Waits until a queue is as wanted.
    pub(crate) async fn when(&self, queue: &str, wanted: impl Fn(&Queue) -> bool) -> Queue {
        let mut changes = self.0.subscribe();
        let found = changes.wait_for(|queues| queues.get(queue).is_some_and(&wanted));
        found.await.unwrap()[queue].clone()
    }

    /// A queue as it is now.
    pub(crate) fn now(&self, queue: &str) -> Queue {
        self.0.borrow().get(queue).cloned().unwrap_or_default()
    }

    fn change<T>(&self, queue: &str, change: impl FnOnce(&mut Queue) -> T) -> T {
        let result = Mutex::new(None);
        self.0.send_modify(|queues| {
            let changed = change(queues.entry(queue.to_owned()).or_default());
            *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(changed);
        });
        result
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .unwrap()
    }
}

impl Queues for MemoryQueues {
    fn send<'a>(
        &'a self,
        queue_arn: &'a str,
        body: String,
        _: BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<(), String>> {
        let id = uuid::Uuid::new_v4().to_string();
        self.put(queue_arn, &[(&id, &body)]);
        Box::pin(std::future::ready(Ok(())))
    }

    fn receive<'a>(
        &'a self,
        queue_arn: &'a str,
        most: usize,
    ) -> BoxFuture<'a, Result<Vec<Received>, String>> {
        let messages = self.change(queue_arn, |queue| {
            let count = most.min(queue.visible.len());
            let messages: Vec<Received> = queue.visible.drain(..count).collect();
            queue.taken.extend(messages.clone());
            messages
        });
        Box::pin(std::future::ready(Ok(messages)))
    }

    fn delete<'a>(
        &'a self,
        queue_arn: &'a str,
        receipt_handle: &'a str,
    ) -> BoxFuture<'a, Result<(), String>> {
        self.change(queue_arn, |queue| {
            queue.deleted.push(receipt_handle.to_owned());
        });
        Box::pin(std::future::ready(Ok(())))
    }

    fn release<'a>(
        &'a self,
        queue_arn: &'a str,
        receipt_handle: &'a str,
        after: Duration,
    ) -> BoxFuture<'a, Result<(), String>> {
        self.change(queue_arn, |queue| {
            queue.released.push((receipt_handle.to_owned(), after));
        });
        Box::pin(std::future::ready(Ok(())))
    }
}
