//! Lambda's SQS poller: takes messages, invokes the function with a batch, deletes what succeeded.
//!
//! On AWS a failed message stays invisible until its visibility timeout ends. Here it is released
//! with a short wait ([`PollerOptions::visible_again_after`]); the receive count rises all the same,
//! so redrive to a dead-letter queue works as configured.

mod batch;

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sandbox_core::{Functions, Queues, Received};
use tokio::{
    sync::{Semaphore, watch},
    task::{JoinHandle, JoinSet},
    time::Instant,
};

use crate::{runtime::LogSink, template::QueueSource};

/// How the poller waits.
#[derive(Debug, Clone)]
pub struct PollerOptions {
    /// Region told in the events.
    pub region: String,
    /// Wait after an empty receive; 25 ms by default.
    pub idle_wait: Duration,
    /// When a failed message shows up again; 100 ms by default.
    pub visible_again_after: Duration,
    /// Longest batching window, whatever the template says; 200 ms by default.
    pub longest_window: Duration,
}

impl PollerOptions {
    /// The defaults, for this Region.
    pub fn new(region: &str) -> Self {
        Self {
            region: region.to_owned(),
            idle_wait: Duration::from_millis(25),
            visible_again_after: Duration::from_millis(100),
            longest_window: Duration::from_millis(200),
        }
    }
}

/// Batches at a time of a queue without `MaximumConcurrency`.
const DEFAULT_CONCURRENCY: usize = 5;
/// Most messages of one receive.
const RECEIVE_LIMIT: usize = 10;

/// The running pollers, one per queue source. Dropping them stops them at once.
pub struct QueuePollers {
    stop: watch::Sender<bool>,
    held: Held,
    tasks: Vec<JoinHandle<()>>,
}

impl fmt::Debug for QueuePollers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueuePollers")
            .field("queues", &self.tasks.len())
            .finish_non_exhaustive()
    }
}

impl QueuePollers {
    /// Starts a poller for each source.
    pub fn start(
        sources: &[QueueSource],
        functions: &Arc<dyn Functions>,
        queues: &Arc<dyn Queues>,
        logs: &LogSink,
        options: &PollerOptions,
    ) -> Self {
        let (stop, stopped) = watch::channel(false);
        let held = Held::default();
        let tasks = sources.iter().map(|source| {
            let poller = Poller {
                source: source.clone(),
                functions: Arc::clone(functions),
                queues: Arc::clone(queues),
                logs: logs.clone(),
                held: held.clone(),
                options: options.clone(),
            };
            tokio::spawn(poll(Arc::new(poller), stopped.clone()))
        });
        let tasks = tasks.collect();
        Self { stop, held, tasks }
    }

    /// Takes no messages of a queue (its ARN) until [`QueuePollers::go_on`], as when an event source
    /// mapping is disabled.
    pub fn hold(&self, queue: &str) {
        self.held.lock().insert(queue.to_owned());
    }

    /// Takes messages of a queue again.
    pub fn go_on(&self, queue: &str) {
        self.held.lock().remove(queue);
    }

    /// Takes no more messages and waits for the batches under way.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        for task in std::mem::take(&mut self.tasks) {
            // A poller that panicked has stopped as well.
            let _ = task.await;
        }
    }
}

impl Drop for QueuePollers {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Queues of which nothing is taken.
#[derive(Clone, Default)]
struct Held(Arc<Mutex<BTreeSet<String>>>);

impl Held {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One queue source with what it needs.
struct Poller {
    source: QueueSource,
    held: Held,
    functions: Arc<dyn Functions>,
    queues: Arc<dyn Queues>,
    logs: LogSink,
    options: PollerOptions,
}

async fn poll(poller: Arc<Poller>, mut stopped: watch::Receiver<bool>) {
    let most = poller.source.max_concurrency.unwrap_or(DEFAULT_CONCURRENCY);
    let permits = Arc::new(Semaphore::new(most));
    let mut batches = JoinSet::new();
    let mut last_error = None;
    loop {
        let permit = tokio::select! {
            biased;
            _ = stopped.wait_for(|stopped| *stopped) => break,
            permit = Arc::clone(&permits).acquire_owned() => permit,
        };
        let Ok(permit) = permit else { break };
        while batches.try_join_next().is_some() {}
        let (batch, error) = poller.fill(&stopped).await;
        if error != last_error {
            // Once, and not after every wait, as long as the queue says the same.
            if let Some(code) = &error {
                poller.log(&format!("cannot receive: {code}"));
            }
            last_error = error;
        }
        if batch.is_empty() {
            drop(permit);
            tokio::select! {
                _ = stopped.wait_for(|stopped| *stopped) => break,
                () = tokio::time::sleep(poller.options.idle_wait) => {}
            }
            continue;
        }
        let poller = Arc::clone(&poller);
        batches.spawn(async move {
            poller.work(batch).await;
            drop(permit);
        });
    }
    while batches.join_next().await.is_some() {}
}

impl Poller {
    /// Receives until the batch is full, the window has passed or nothing is there; and the error
    /// that ended it early.
    async fn fill(&self, stopped: &watch::Receiver<bool>) -> (Vec<Received>, Option<String>) {
        let window = self.source.window.min(self.options.longest_window);
        let mut batch = Vec::new();
        if self.held.lock().contains(&self.source.queue) {
            return (batch, None);
        }
        let mut closes = None;
        while batch.len() < self.source.batch_size && !*stopped.borrow() {
            let most = (self.source.batch_size - batch.len()).min(RECEIVE_LIMIT);
            match self.queues.receive(&self.source.queue, most).await {
                Ok(messages) => batch.extend(messages),
                Err(code) => return (batch, Some(code)),
            }
            if batch.is_empty() {
                break;
            }
            let closes = *closes.get_or_insert_with(|| Instant::now() + window);
            if Instant::now() >= closes {
                break;
            }
            tokio::time::sleep(self.options.idle_wait.min(window)).await;
        }
        (batch, None)
    }

    async fn work(&self, batch: Vec<Received>) {
        let event = batch::event(&batch, &self.source.queue, &self.options.region);
        let ids: Vec<&str> = batch
            .iter()
            .map(|message| message.message_id.as_str())
            .collect();
        let failed = match self.functions.invoke(&self.source.function, event).await {
            Err(error) => {
                self.log(&format!("a batch of {} failed: {error}", batch.len()));
                batch::all(&ids)
            }
            Ok(answer) if self.source.report_failures => batch::failed(&answer, &ids)
                .unwrap_or_else(|why| {
                    self.log(&format!(
                        "a batch of {} counts as failed: {why}",
                        batch.len()
                    ));
                    batch::all(&ids)
                }),
            Ok(_) => batch::none(),
        };
        for message in &batch {
            let queue = &self.source.queue;
            let handle = &message.receipt_handle;
            let done = if failed.contains(&message.message_id) {
                self.queues
                    .release(queue, handle, self.options.visible_again_after)
                    .await
            } else {
                self.queues.delete(queue, handle).await
            };
            if let Err(code) = done {
                self.log(&format!(
                    "message {} not settled: {code}",
                    message.message_id
                ));
            }
        }
    }

    fn log(&self, what: &str) {
        let queue = self.source.queue.rsplit(':').next().unwrap_or_default();
        self.logs
            .push(&self.source.function, &format!("queue {queue}: {what}"));
    }
}
