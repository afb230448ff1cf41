//! One process of a function, with a Runtime API of its own, so that it is always known which
//! process has which invocation.

use std::{
    collections::BTreeMap,
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use sandbox_core::{InvocationError, serve};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, Command},
    sync::{Mutex as AsyncMutex, mpsc, oneshot, watch},
    task::AbortHandle,
};

use super::{
    FunctionSpec, KillAt, LogSink,
    server::{self, Answer, Init, RuntimeApi, Work},
};

/// One invocation.
pub(crate) struct Invocation {
    pub(crate) request_id: String,
    pub(crate) payload: Bytes,
    pub(crate) arn: String,
    pub(crate) timeout: Duration,
    pub(crate) kill_at: Option<KillAt>,
}

/// A running process. Dropping it kills it.
pub(crate) struct Process {
    pub(crate) pid: Option<u32>,
    work: mpsc::Sender<Work>,
    init: watch::Receiver<Init>,
    exited: watch::Receiver<bool>,
    kill: watch::Sender<bool>,
    server: AbortHandle,
}

impl Process {
    /// Starts the binary and its Runtime API.
    pub(crate) async fn start(
        spec: &FunctionSpec,
        variables: BTreeMap<String, String>,
        logs: LogSink,
    ) -> Result<Self, InvocationError> {
        let (listener, address) = serve::bind(0)
            .await
            .map_err(|error| failed("Sandbox.Port", &error))?;
        let mut child = Command::new(&spec.program)
            .env_clear()
            .envs(variables)
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                let program = spec.program.display();
                failed("Runtime.InvalidEntrypoint", &format!("{program}: {error}"))
            })?;
        let pid = child.id();
        let (work, queue) = mpsc::channel(1);
        let init = watch::Sender::new(Init::Running);
        let started = init.subscribe();
        let api = Arc::new(RuntimeApi {
            work: AsyncMutex::new(queue),
            init,
            current: Mutex::default(),
        });
        let server = tokio::spawn(async move {
            // Serving ends only with the task.
            let _ = axum::serve(listener, server::router(api)).await;
        });
        if let Some(output) = child.stdout.take() {
            tokio::spawn(capture(output, spec.id.clone(), logs.clone()));
        }
        if let Some(output) = child.stderr.take() {
            tokio::spawn(capture(output, spec.id.clone(), logs.clone()));
        }
        let (kill, killed) = watch::channel(false);
        let (exit, exited) = watch::channel(false);
        tokio::spawn(supervise(child, killed, exit, spec.id.clone(), logs));
        Ok(Self {
            pid,
            work,
            init: started,
            exited,
            kill,
            server: server.abort_handle(),
        })
    }

    /// Waits for the first poll.
    pub(crate) async fn ready(&self, longest: Duration) -> Result<(), InvocationError> {
        let mut init = self.init.clone();
        let mut exited = self.exited.clone();
        let state = tokio::select! {
            biased;
            state = init.wait_for(|state| *state != Init::Running) => state.map(|state| state.clone()).ok(),
            _ = exited.wait_for(|exited| *exited) => None,
            () = tokio::time::sleep(longest) => {
                self.kill();
                return Err(InvocationError::TimedOut);
            }
        };
        match state {
            Some(Init::Failed {
                error_type,
                message,
            }) => {
                self.kill();
                Err(InvocationError::Failed {
                    error_type,
                    message,
                })
            }
            Some(Init::Done) => Ok(()),
            Some(Init::Running) | None => Err(InvocationError::Crashed),
        }
    }

    /// Hands over one invocation and waits for its end.
    pub(crate) async fn invoke(&self, invocation: Invocation) -> Result<Bytes, InvocationError> {
        let longest = invocation.timeout;
        let kill_at = invocation.kill_at;
        let (taken, when_taken) = oneshot::channel();
        let (answer, mut when_answered) = oneshot::channel();
        let work = Work {
            invocation,
            taken,
            answer,
        };
        if self.work.send(work).await.is_err() {
            return Err(InvocationError::Crashed);
        }
        let mut exited = self.exited.clone();
        if kill_at == Some(KillAt::Receipt) {
            tokio::select! {
                _ = when_taken => self.kill(),
                // It died before it took anything: that is the same to the caller.
                _ = exited.wait_for(|exited| *exited) => {}
            }
        }
        // What is selected must not be held across an await, hence the two steps.
        let ended = tokio::select! {
            biased;
            answer = &mut when_answered => answer.unwrap_or(Answer::Lost),
            // The answer may have come with the end.
            _ = exited.wait_for(|exited| *exited) => when_answered.try_recv().unwrap_or(Answer::Lost),
            () = tokio::time::sleep(longest) => Answer::Done(Err(InvocationError::TimedOut)),
        };
        match ended {
            Answer::Done(Err(InvocationError::TimedOut)) => {
                self.kill_and_wait().await;
                Err(InvocationError::TimedOut)
            }
            Answer::Done(outcome) => outcome,
            Answer::Lost => {
                self.kill_and_wait().await;
                Err(InvocationError::Crashed)
            }
        }
    }

    pub(crate) fn is_alive(&self) -> bool {
        !*self.exited.borrow() && !*self.kill.borrow()
    }

    pub(crate) fn kill(&self) {
        self.kill.send_replace(true);
    }

    async fn kill_and_wait(&self) {
        self.kill();
        let mut exited = self.exited.clone();
        // An error means that the supervisor is gone, and the process with it.
        let _ = exited.wait_for(|exited| *exited).await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        self.server.abort();
    }
}

async fn supervise(
    mut child: Child,
    mut killed: watch::Receiver<bool>,
    exit: watch::Sender<bool>,
    function: String,
    logs: LogSink,
) {
    let on_its_own = tokio::select! {
        status = child.wait() => Some(status),
        // Also when the sender is gone: then nobody can use the process any more.
        _ = killed.wait_for(|kill| *kill) => None,
    };
    match on_its_own {
        Some(Ok(status)) => logs.push(&function, &format!("the process ended by itself: {status}")),
        Some(Err(error)) => logs.push(
            &function,
            &format!("the process cannot be watched: {error}"),
        ),
        None => {
            if let Err(error) = child.kill().await {
                logs.push(&function, &format!("the process cannot be killed: {error}"));
            }
        }
    }
    exit.send_replace(true);
}

async fn capture(output: impl AsyncRead + Unpin, function: String, logs: LogSink) {
    let mut reader = BufReader::new(output);
    let mut line = Vec::new();
    while let Ok(1..) = reader.read_until(b'\n', &mut line).await {
        let text = String::from_utf8_lossy(&line);
        logs.push(&function, text.trim_end_matches(['\n', '\r']));
        line.clear();
    }
}

fn failed(kind: &str, message: &impl ToString) -> InvocationError {
    InvocationError::Failed {
        error_type: kind.to_owned(),
        message: message.to_string(),
    }
}
