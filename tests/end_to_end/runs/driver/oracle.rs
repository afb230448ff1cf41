//! What must be true in the end, said without the function's code.

use std::collections::BTreeMap;

use serde_json::Value;
use tributary::run::RunStatus;

use super::history::{Execution, History};

/// What is known of each execution, and what subscribers must have been told.
#[derive(Debug, Default)]
pub(super) struct Oracle {
    known: BTreeMap<usize, RunStatus>,
    told: Vec<(usize, &'static str)>,
}

const fn rank(status: RunStatus) -> u8 {
    match status {
        RunStatus::Queued => 0,
        RunStatus::Running => 1,
        RunStatus::Completed | RunStatus::Failed | RunStatus::Cancelled => 2,
    }
}

impl Oracle {
    /// The API wrote a run down.
    pub(super) fn asked_for(&mut self, of: usize) {
        self.known.entry(of).or_insert(RunStatus::Queued);
    }

    /// News came: whoever hears that a run is further than was known is told once.
    pub(super) fn news(&mut self, of: usize, status: RunStatus) {
        let before = self.known.get(&of).copied();
        if before.is_some_and(|before| rank(before) >= rank(status)) {
            return;
        }
        self.known.insert(of, status);
        self.told.push((of, kind(status)));
    }

    /// The reconciliation asked AppFlow at a moment, which it does while a run has not ended, and of
    /// flows that run by themselves always.
    pub(super) fn looked(&mut self, history: &History, moment: u64) {
        if !history.is_scheduled && self.known.values().all(|status| status.is_final()) {
            return;
        }
        for (of, execution) in history.executions.iter().enumerate() {
            if let Some(status) = execution.at(moment) {
                self.news(of, status);
            }
        }
    }

    /// Judges what the table has and what subscribers got. `doubled` of the messages may have come
    /// twice: so many processes died between publishing and writing that down.
    pub(super) fn judge(
        mut self,
        history: &History,
        runs: &BTreeMap<String, Value>,
        messages: &[Value],
        doubled: usize,
    ) -> Result<(), String> {
        let executions = &history.executions;
        if runs.len() != executions.len() {
            return Err(format!(
                "{} runs of {} executions",
                runs.len(),
                executions.len()
            ));
        }
        let mut of_run = BTreeMap::new();
        for (of, execution) in executions.iter().enumerate() {
            let run = runs
                .get(&execution.id)
                .ok_or_else(|| format!("execution {of} is not recorded"))?;
            is_as_appflow_says(execution, run)
                .map_err(|why| format!("execution {of}: {why}: {run}"))?;
            of_run.insert(run["id"].to_string(), of);
        }
        let mut by_id: BTreeMap<&str, (usize, &str, usize)> = BTreeMap::new();
        for message in messages {
            let of = of_run
                .get(&message["subject"].to_string())
                .ok_or_else(|| format!("told of nobody's run: {message}"))?;
            let (id, kind) = (message["id"].as_str(), message["type"].as_str());
            by_id
                .entry(id.unwrap_or_default())
                .or_insert((*of, kind.unwrap_or_default(), 0))
                .2 += 1;
        }
        let twice: usize = by_id.values().map(|(_, _, times)| times - 1).sum();
        if twice > doubled {
            return Err(format!("{twice} came again, {doubled} may: {by_id:?}"));
        }
        let mut told: Vec<(usize, &str)> =
            by_id.values().map(|(of, kind, _)| (*of, *kind)).collect();
        told.sort_unstable();
        self.told.sort_unstable();
        if told != self.told {
            return Err(format!("told {told:?} instead of {:?}", self.told));
        }
        Ok(())
    }
}

const fn kind(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Queued => "tributary.run.queued",
        RunStatus::Running => "tributary.run.started",
        RunStatus::Completed => "tributary.run.completed",
        RunStatus::Failed => "tributary.run.failed",
        RunStatus::Cancelled => "tributary.run.cancelled",
    }
}

fn is_as_appflow_says(execution: &Execution, run: &Value) -> Result<(), String> {
    let expected = [
        ("status", Value::from(execution.status.as_str())),
        ("started_at", Value::from(execution.started_at.to_string())),
        ("ended_at", Value::from(execution.ended_at.to_string())),
        ("records_processed", execution.records.into()),
        ("records_failed", 0.into()),
        ("bytes_processed", execution.bytes.into()),
    ];
    for (name, value) in expected {
        if run[name] != value {
            return Err(format!("{name} should be {value}"));
        }
    }
    let cause = execution.failure.map(|(cause, _)| cause);
    let cause = serde_json::to_value(cause).map_err(|error| error.to_string())?;
    if run.get("cause").unwrap_or(&Value::Null) != &cause {
        return Err(format!("cause should be {cause}"));
    }
    if run.get("due_shard").is_some_and(|shard| !shard.is_null()) {
        return Err("it is still due".to_owned());
    }
    Ok(())
}
