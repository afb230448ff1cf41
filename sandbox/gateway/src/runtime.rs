//! Runs the functions' binaries as Lambda does: each process polls the Runtime API for one
//! invocation at a time, so there are as many processes as invocations at the same moment; idle
//! ones are used again, dead ones are replaced by the next invocation.

mod destination;
mod environment;
mod function;
mod log;
mod process;
mod server;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use sandbox_core::{BoxFuture, Functions, InvocationError};
use serde_json::Value;
use tokio::sync::{Semaphore, watch};
use uuid::Uuid;

use destination::Failure;
use process::{Invocation, Process};

pub use function::{ColdStartVariables, FunctionSpec, RuntimeOptions};
pub use log::{LogLine, LogSink};
pub(crate) use server::trace_id;

/// When a process is killed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KillAt {
    /// As soon as it has taken the invocation: nothing has happened yet.
    Receipt,
    /// When it hands over its answer: everything has happened, the answer is lost.
    Answer,
}

/// What a function has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Processes started.
    pub cold_starts: u64,
    /// Invocations, retries included.
    pub invocations: u64,
    /// Invocations without a proper answer.
    pub failures: u64,
}

/// The functions, ready to be invoked. Clones share everything; the processes die with the last.
#[derive(Clone)]
pub struct Runtime(Arc<Inner>);

struct Inner {
    functions: BTreeMap<String, Slot>,
    options: RuntimeOptions,
    pending: watch::Sender<usize>,
}

/// A function and its processes.
struct Slot {
    spec: FunctionSpec,
    permits: Semaphore,
    idle: Mutex<Vec<Arc<Process>>>,
    all: Mutex<Vec<Weak<Process>>>,
    kill_next: Mutex<Option<KillAt>>,
    init_times: Mutex<Vec<Duration>>,
    /// Variables that were changed after the deployment.
    configured: Mutex<BTreeMap<String, String>>,
    /// Grows with each change of the configuration.
    version: AtomicU64,
    cold_starts: AtomicU64,
    invocations: AtomicU64,
    failures: AtomicU64,
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let functions: Vec<_> = self.0.functions.keys().collect();
        f.debug_struct("Runtime")
            .field("functions", &functions)
            .finish_non_exhaustive()
    }
}

impl Runtime {
    /// Takes the functions; nothing starts before the first invocation.
    pub fn new(functions: Vec<FunctionSpec>, options: RuntimeOptions) -> Self {
        let slots = functions
            .into_iter()
            .map(|spec| (spec.id.clone(), Slot::new(spec)));
        Self(Arc::new(Inner {
            functions: slots.collect(),
            options,
            pending: watch::Sender::new(0),
        }))
    }

    /// What the functions have written.
    pub fn logs(&self) -> &LogSink {
        &self.0.options.logs
    }

    /// What a function has done so far; zeros for an unknown one.
    pub fn counters(&self, id: &str) -> Counters {
        let slot = self.0.functions.get(id);
        slot.map_or_else(Counters::default, |slot| Counters {
            cold_starts: slot.cold_starts.load(Ordering::SeqCst),
            invocations: slot.invocations.load(Ordering::SeqCst),
            failures: slot.failures.load(Ordering::SeqCst),
        })
    }

    /// Kills the process that gets the function's next invocation. False for an unknown function.
    pub fn kill_during_next_invocation(&self, id: &str, at: KillAt) -> bool {
        let Some(slot) = self.0.functions.get(id) else {
            return false;
        };
        *lock(&slot.kill_next) = Some(at);
        true
    }

    /// Changes a variable of a function, as an update of its configuration does: invocations under way
    /// end in their processes, all others get new ones. False for an unknown function.
    pub fn configure(&self, id: &str, name: &str, value: &str) -> bool {
        let Some(slot) = self.0.functions.get(id) else {
            return false;
        };
        lock(&slot.configured).insert(name.to_owned(), value.to_owned());
        slot.version.fetch_add(1, Ordering::SeqCst);
        lock(&slot.idle).clear();
        true
    }

    /// Times from the start of each process of a function to its first poll.
    pub fn init_times(&self, id: &str) -> Vec<Duration> {
        let slot = self.0.functions.get(id);
        slot.map_or_else(Vec::new, |slot| lock(&slot.init_times).clone())
    }

    /// Process ids of a function's living processes, to measure them.
    pub fn process_ids(&self, id: &str) -> Vec<u32> {
        let Some(slot) = self.0.functions.get(id) else {
            return Vec::new();
        };
        let alive: Vec<_> = lock(&slot.all).iter().filter_map(Weak::upgrade).collect();
        let running = alive.iter().filter(|process| process.is_alive());
        running.filter_map(|process| process.pid).collect()
    }

    /// Kills every process of a function now and answers how many there were.
    pub fn kill_now(&self, id: &str) -> usize {
        let Some(slot) = self.0.functions.get(id) else {
            return 0;
        };
        let alive: Vec<_> = lock(&slot.all).iter().filter_map(Weak::upgrade).collect();
        let running = alive.iter().filter(|process| process.is_alive());
        running.map(|process| process.kill()).count()
    }

    /// Waits until no asynchronous invocation is waiting, running or to be retried.
    pub async fn settled(&self) {
        let mut pending = self.0.pending.subscribe();
        // An error means that the runtime is gone, and its invocations with it.
        let _ = pending.wait_for(|count| *count == 0).await;
    }

    /// Kills all processes and refuses further invocations, retries among them.
    pub fn stop(&self) {
        for (id, slot) in &self.0.functions {
            slot.permits.close();
            self.kill_now(id);
            lock(&slot.idle).clear();
        }
    }

    /// Invokes with a payload as it goes over the wire.
    pub async fn invoke_raw(&self, id: &str, payload: Bytes) -> Result<Bytes, InvocationError> {
        let runtime = self.clone();
        let id = id.to_owned();
        // A task of its own: as in Lambda, the invocation goes on when the caller has gone away.
        let task = tokio::spawn(async move {
            let slot = runtime.slot(&id)?;
            runtime
                .attempt(slot, &Uuid::new_v4().to_string(), payload)
                .await
        });
        task.await.unwrap_or(Err(InvocationError::Crashed))
    }

    fn slot(&self, id: &str) -> Result<&Slot, InvocationError> {
        let slot = self.0.functions.get(id);
        slot.ok_or_else(|| InvocationError::Unknown(id.to_owned()))
    }

    /// One attempt at an invocation, in an idle process or a new one.
    async fn attempt(
        &self,
        slot: &Slot,
        request_id: &str,
        payload: Bytes,
    ) -> Result<Bytes, InvocationError> {
        let _permit = slot
            .permits
            .acquire()
            .await
            .map_err(|_| InvocationError::Crashed)?;
        slot.invocations.fetch_add(1, Ordering::SeqCst);
        let answer = self.run(slot, request_id, payload).await;
        if let Err(error) = &answer {
            slot.failures.fetch_add(1, Ordering::SeqCst);
            let line = format!("RequestId: {request_id} Error: {error}");
            self.logs().push(&slot.spec.id, &line);
        }
        answer
    }

    async fn run(
        &self,
        slot: &Slot,
        request_id: &str,
        payload: Bytes,
    ) -> Result<Bytes, InvocationError> {
        let version = slot.version.load(Ordering::SeqCst);
        let process = match slot.take_idle() {
            Some(process) => process,
            None => self.cold_start(slot).await?,
        };
        if slot.permits.is_closed() {
            process.kill(); // started while the runtime was being stopped
            return Err(InvocationError::Crashed);
        }
        let kill_at = lock(&slot.kill_next).take();
        let invocation = Invocation {
            request_id: request_id.to_owned(),
            payload,
            arn: slot.spec.arn.clone(),
            timeout: slot.spec.timeout,
            kill_at,
        };
        let answer = process.invoke(invocation).await;
        if process.is_alive() && version == slot.version.load(Ordering::SeqCst) {
            lock(&slot.idle).push(process);
        }
        answer
    }

    async fn cold_start(&self, slot: &Slot) -> Result<Arc<Process>, InvocationError> {
        slot.cold_starts.fetch_add(1, Ordering::SeqCst);
        let options = &self.0.options;
        let mut variables = environment::variables(
            &slot.spec,
            &options.region,
            (options.cold_start)(&slot.spec),
        );
        variables.extend(lock(&slot.configured).clone());
        let started = Instant::now();
        let process = Arc::new(Process::start(&slot.spec, variables, options.logs.clone()).await?);
        {
            let mut all = lock(&slot.all);
            all.retain(|process| process.strong_count() > 0);
            all.push(Arc::downgrade(&process));
        }
        process.ready(options.init_timeout).await?;
        lock(&slot.init_times).push(started.elapsed());
        Ok(process)
    }

    /// An asynchronous invocation with its retries, up to the on-failure destination.
    async fn until_done(&self, id: &str, payload: Value) {
        let Ok(slot) = self.slot(id) else {
            tracing::error!(
                function = id,
                "an event for a function that the template does not have"
            );
            return;
        };
        let request_id = Uuid::new_v4().to_string();
        let bytes = Bytes::from(payload.to_string());
        let mut wait = self.0.options.retry_wait;
        for attempt in 1..=slot.spec.retry_attempts + 1 {
            let Err(error) = self.attempt(slot, &request_id, bytes.clone()).await else {
                return;
            };
            if attempt <= slot.spec.retry_attempts {
                tokio::time::sleep(wait).await;
                wait *= 2;
                continue;
            }
            let failure = Failure {
                request_id: &request_id,
                arn: &slot.spec.arn,
                attempts: attempt,
                payload: &payload,
                error: &error,
            };
            self.give_up(slot, &failure).await;
        }
    }

    async fn give_up(&self, slot: &Slot, failure: &Failure<'_>) {
        let Some(queue) = &slot.spec.on_failure else {
            let line = format!(
                "RequestId: {} dropped: no on-failure destination",
                failure.request_id
            );
            self.logs().push(&slot.spec.id, &line);
            return;
        };
        let record = failure.record().to_string();
        let options = &self.0.options;
        let queues = options.queues_of.get(&slot.spec.id);
        let queues = queues.unwrap_or(&options.queues);
        if let Err(code) = queues.send(queue, record, BTreeMap::new()).await {
            let line = format!(
                "RequestId: {} not sent to {queue}: {code}",
                failure.request_id
            );
            self.logs().push(&slot.spec.id, &line);
        }
    }
}

impl Functions for Runtime {
    fn invoke<'a>(
        &'a self,
        logical_id: &'a str,
        payload: Value,
    ) -> BoxFuture<'a, Result<Value, InvocationError>> {
        Box::pin(async move {
            let answer = self
                .invoke_raw(logical_id, Bytes::from(payload.to_string()))
                .await?;
            if answer.is_empty() {
                return Ok(Value::Null);
            }
            serde_json::from_slice(&answer).map_err(|error| InvocationError::Failed {
                error_type: "Runtime.InvalidResponse".to_owned(),
                message: format!("the answer is not JSON: {error}"),
            })
        })
    }

    /// Returns as soon as the event is accepted, as Lambda does; see [`Runtime::settled`].
    fn invoke_async<'a>(&'a self, logical_id: &'a str, payload: Value) -> BoxFuture<'a, ()> {
        let runtime = self.clone();
        let id = logical_id.to_owned();
        let pending = Pending::new(&self.0.pending);
        tokio::spawn(async move {
            let _pending = pending;
            runtime.until_done(&id, payload).await;
        });
        Box::pin(std::future::ready(()))
    }
}

impl Slot {
    fn new(spec: FunctionSpec) -> Self {
        Self {
            permits: Semaphore::new(spec.max_concurrency.max(1)),
            spec,
            idle: Mutex::default(),
            all: Mutex::default(),
            kill_next: Mutex::default(),
            init_times: Mutex::default(),
            configured: Mutex::default(),
            version: AtomicU64::default(),
            cold_starts: AtomicU64::default(),
            invocations: AtomicU64::default(),
            failures: AtomicU64::default(),
        }
    }

    fn take_idle(&self) -> Option<Arc<Process>> {
        let mut idle = lock(&self.idle);
        while let Some(process) = idle.pop() {
            if process.is_alive() {
                return Some(process);
            }
        }
        None
    }
}

/// Counts an asynchronous invocation for as long as it lives.
struct Pending(watch::Sender<usize>);

impl Pending {
    fn new(count: &watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count.clone())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
