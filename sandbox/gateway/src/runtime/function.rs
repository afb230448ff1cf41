//! What is run, and how.

use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc, time::Duration};

use sandbox_core::Queues;

use crate::template;

use super::LogSink;

/// A function as the runtime needs it.
#[derive(Debug, Clone)]
pub struct FunctionSpec {
    /// Logical id in the template; invocations name it.
    pub id: String,
    /// Function name.
    pub name: String,
    /// ARN.
    pub arn: String,
    /// `Handler`.
    pub handler: String,
    /// The binary.
    pub program: PathBuf,
    /// Environment variables of the template.
    pub environment: BTreeMap<String, String>,
    /// Longest time of one invocation.
    pub timeout: Duration,
    /// Memory in MB, told to the function but not enforced.
    pub memory_mb: u32,
    /// Most processes at a time; further invocations wait.
    pub max_concurrency: usize,
    /// Retries of a failed asynchronous invocation.
    pub retry_attempts: u32,
    /// ARN of the queue for failed asynchronous invocations.
    pub on_failure: Option<String>,
}

/// Processes at a time of a function without reserved concurrency. A machine has fewer cores than
/// Lambda has; more processes would only make all of them slower.
const DEFAULT_CONCURRENCY: usize = 16;

impl FunctionSpec {
    /// A function of the template and its binary.
    pub fn from_template(function: &template::Function, program: PathBuf) -> Self {
        let reserved = function.reserved_concurrency.map(|most| most as usize);
        Self {
            id: function.id.clone(),
            name: function.name.clone(),
            arn: function.arn.clone(),
            handler: function.handler.clone(),
            program,
            environment: function.environment.clone(),
            timeout: function.timeout,
            memory_mb: function.memory_mb,
            max_concurrency: reserved.unwrap_or(DEFAULT_CONCURRENCY),
            retry_attempts: function.retry_attempts,
            on_failure: function.on_failure.clone(),
        }
    }
}

/// Variables that are made anew at each cold start: endpoints, the role's credentials.
pub type ColdStartVariables = Arc<dyn Fn(&FunctionSpec) -> BTreeMap<String, String> + Send + Sync>;

/// How functions are run.
#[derive(Clone)]
pub struct RuntimeOptions {
    /// Region told to the functions.
    pub region: String,
    /// Where the functions' output goes.
    pub logs: LogSink,
    /// Queues of on-failure destinations.
    pub queues: Arc<dyn Queues>,
    /// The same as a function's own role sees them, by logical id, where that makes a difference.
    pub queues_of: BTreeMap<String, Arc<dyn Queues>>,
    /// Variables besides those of the template and of Lambda.
    pub cold_start: ColdStartVariables,
    /// Wait before the first asynchronous retry, twice as long before the second. Lambda waits one
    /// and two minutes; the default here is 100 ms.
    pub retry_wait: Duration,
    /// Longest time from the start of a process to its first poll. Lambda allows 10 s; the default
    /// here is 30 s, because unoptimised binaries start on a machine that is busy with building.
    pub init_timeout: Duration,
}

impl RuntimeOptions {
    /// The defaults, for this Region, without extra variables.
    pub fn new(region: &str, logs: LogSink, queues: Arc<dyn Queues>) -> Self {
        Self {
            region: region.to_owned(),
            logs,
            queues,
            queues_of: BTreeMap::new(),
            cold_start: Arc::new(|_| BTreeMap::new()),
            retry_wait: Duration::from_millis(100),
            init_timeout: Duration::from_secs(30),
        }
    }
}

impl fmt::Debug for RuntimeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeOptions")
            .field("region", &self.region)
            .field("retry_wait", &self.retry_wait)
            .field("init_timeout", &self.init_timeout)
            .finish_non_exhaustive()
    }
}
