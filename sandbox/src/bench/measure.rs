//! Measures one function.

use std::time::{Duration, Instant};

use bytes::Bytes;
use sandbox_gateway::runtime::Runtime;
use serde::Serialize;

use super::{Error, case::Case, percentile::Times, process};

/// Cold starts of each function.
pub(super) const COLD_STARTS: usize = 10;
/// Warm invocations before the measured ones: connections, caches and the allocator settle.
const WARM_UP: usize = 50;

/// What one function takes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Measured {
    /// Logical id in the template.
    pub function: &'static str,
    /// The event it got.
    pub event: &'static str,
    /// From the start of the process to its first poll for work.
    pub first_poll_ms: f64,
    /// The first invocation of a process, from hand-over to answer.
    pub first_invocation_ms: f64,
    /// Half of the warm invocations are not slower.
    pub warm_p50_ms: f64,
    /// 99 of 100 warm invocations are not slower.
    pub warm_p99_ms: f64,
    /// CPU time of the process per warm invocation, in steps of 10 ms over all of them.
    pub warm_cpu_us: Option<f64>,
    /// Peak resident memory after all invocations.
    pub peak_memory_bytes: Option<u64>,
    /// Size of the binary.
    pub binary_bytes: Option<u64>,
}

pub(super) async fn measure(
    runtime: &Runtime,
    case: &Case,
    invocations: usize,
) -> Result<Measured, Error> {
    let id = case.function;
    let mut number = 0;
    let (mut polls, mut firsts) = (Vec::new(), Vec::new());
    for _ in 0..COLD_STARTS {
        runtime.kill_now(id);
        let whole = invoke(runtime, case, &mut number).await?;
        // The invocation that starts a process waits for its first poll.
        let poll = runtime.init_times(id).pop().unwrap_or_default();
        polls.push(poll);
        firsts.push(whole.saturating_sub(poll));
    }
    for _ in 0..WARM_UP {
        invoke(runtime, case, &mut number).await?;
    }
    let pid = runtime.process_ids(id).first().copied();
    let before = pid.and_then(process::cpu_time);
    let mut warm = Vec::with_capacity(invocations);
    for _ in 0..invocations {
        warm.push(invoke(runtime, case, &mut number).await?);
    }
    let after = pid.and_then(process::cpu_time);
    let cpu = before
        .zip(after)
        .map(|(before, after)| after.saturating_sub(before));
    let peak_memory_bytes = pid.and_then(process::peak_memory);
    let binary_bytes = pid.and_then(process::binary_size);
    // The next function has the machine for itself.
    runtime.kill_now(id);
    let warm = Times::new(warm);
    Ok(Measured {
        function: id,
        event: case.event,
        first_poll_ms: millis(Times::new(polls).median()),
        first_invocation_ms: millis(Times::new(firsts).median()),
        warm_p50_ms: millis(warm.median()),
        warm_p99_ms: millis(warm.percentile(99)),
        warm_cpu_us: cpu.map(|cpu| per_invocation(cpu, invocations)),
        peak_memory_bytes,
        binary_bytes,
    })
}

/// One invocation, checked: a function that refuses its event is quick for the wrong reason.
async fn invoke(runtime: &Runtime, case: &Case, number: &mut u64) -> Result<Duration, Error> {
    *number += 1;
    let payload = Bytes::from((case.payload)(*number).to_string());
    let started = Instant::now();
    let answer = runtime.invoke_raw(case.function, payload).await;
    let taken = started.elapsed();
    let answer = answer.map_err(|source| Error::Failed {
        function: case.function,
        source,
    })?;
    if case.answer.fits(&answer) {
        Ok(taken)
    } else {
        Err(Error::Answer {
            function: case.function,
            answer: String::from_utf8_lossy(&answer).into_owned(),
        })
    }
}

fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}

#[expect(clippy::cast_precision_loss, reason = "nobody counts 2^52 invocations")]
fn per_invocation(cpu: Duration, invocations: usize) -> f64 {
    (cpu.as_secs_f64() * 1_000_000.0 / invocations as f64).round()
}
