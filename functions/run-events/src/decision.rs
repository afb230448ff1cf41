//! What news of a run does to it: pure, so that every order of events can be tried.

use jiff::Timestamp;
use tributary::{
    id::RunId,
    run::{AfterRunProgress, CauseClass, RUN_SHARD, Run, RunStatus, RunTrigger},
};

use crate::{after_run::machine, failure::Failure, owner::RunOwner};

/// News of a run, from an event or from AppFlow's records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// Where the run is.
    pub status: RunStatus,
    /// When the fact happened, as far as is told.
    pub at: Timestamp,
    /// What else is told.
    pub facts: Facts,
}

/// What is known of a run besides its status; absent is unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// What made it begin.
    pub trigger: Option<RunTrigger>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Records that were processed.
    pub records_processed: Option<u64>,
    /// Records that could not be written.
    pub records_failed: Option<u64>,
    /// Bytes that were processed.
    pub bytes_processed: Option<u64>,
    /// Why it failed.
    pub failure: Option<Failure>,
}

/// What a piece of news does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// We did not know the run: write it in this state, and notify.
    Open {
        /// Its first state.
        status: RunStatus,
        /// What to write.
        facts: Facts,
    },
    /// The run goes forward: change it if it is still behind, and notify.
    Advance {
        /// The new state.
        to: RunStatus,
        /// What to write.
        facts: Facts,
    },
    /// The state stands; something about it was not known yet. No notification.
    Enrich {
        /// What to write.
        facts: Facts,
    },
    /// The news is old.
    Nothing,
}

/// Decides what news does to a run as it is.
///
/// A status only goes forward, and the first end is the end. An end that comes before its start
/// makes the run in its final state; the start then adds when it began and nothing else.
pub fn decide(current: Option<&Run>, news: &News) -> Decision {
    let Some(run) = current else {
        return Decision::Open {
            status: news.status,
            facts: news.facts.clone(),
        };
    };
    if run.status.may_become(news.status) {
        return Decision::Advance {
            to: news.status,
            facts: news.facts.clone(),
        };
    }
    let facts = news.facts.missing_in(run, news.status);
    if facts == Facts::default() {
        return Decision::Nothing;
    }
    Decision::Enrich { facts }
}

impl Decision {
    /// Whether it makes the run one that has completed.
    pub(crate) const fn completes(&self) -> bool {
        matches!(
            self,
            Self::Open {
                status: RunStatus::Completed,
                ..
            } | Self::Advance {
                to: RunStatus::Completed,
                ..
            }
        )
    }
}

impl Facts {
    /// What these add to a run that stays where it is. News of another end than the run's adds
    /// nothing: its counts are not this end's.
    fn missing_in(&self, run: &Run, status: RunStatus) -> Self {
        let trigger = self.trigger.filter(|_| run.trigger.is_none());
        let started_at = self.started_at.filter(|_| run.started_at.is_none());
        if run.status != status {
            return Self {
                trigger,
                started_at: started_at.filter(|_| !status.is_final()),
                ..Self::default()
            };
        }
        Self {
            trigger,
            started_at,
            ended_at: self.ended_at.filter(|_| run.ended_at.is_none()),
            records_processed: self
                .records_processed
                .filter(|_| run.records_processed.is_none()),
            records_failed: self.records_failed.filter(|_| run.records_failed.is_none()),
            bytes_processed: self
                .bytes_processed
                .filter(|_| run.bytes_processed.is_none()),
            failure: self.failure.clone().filter(|_| run.cause.is_none()),
        }
    }

    /// Why it failed, as the run has it.
    pub(crate) fn cause(&self) -> Option<CauseClass> {
        self.failure.as_ref().map(|failure| failure.cause)
    }

    /// Adds these to a run; what is not told stays.
    fn add_to(&self, run: &mut Run) {
        run.trigger = self.trigger.or(run.trigger);
        run.started_at = self.started_at.or(run.started_at);
        run.ended_at = self.ended_at.or(run.ended_at);
        run.records_processed = self.records_processed.or(run.records_processed);
        run.records_failed = self.records_failed.or(run.records_failed);
        run.bytes_processed = self.bytes_processed.or(run.bytes_processed);
        if let Some(failure) = &self.failure {
            run.cause = Some(failure.cause);
            run.message.clone_from(&failure.message);
            run.retryable = Some(failure.retryable);
        }
    }
}

/// The run that [`Decision::Open`] writes.
pub(crate) fn opened(
    owner: RunOwner,
    execution_id: &str,
    status: RunStatus,
    facts: &Facts,
    now: Timestamp,
) -> Run {
    let run = Run {
        id: Run::id_since(facts.started_at.unwrap_or(now), now),
        ..Run::queued(owner.tenant_id, owner.flow_id, execution_id, now)
    };
    advanced(run, status, facts, now)
}

/// The run as [`Decision::Advance`] leaves it.
pub(crate) fn advanced(mut run: Run, to: RunStatus, facts: &Facts, now: Timestamp) -> Run {
    facts.add_to(&mut run);
    run.status = to;
    run.updated_at = now;
    run.due_shard = (!to.is_final()).then(|| RUN_SHARD.to_owned());
    run.due_at = (!to.is_final()).then(|| Run::next_check(now));
    run
}

/// The run with what it is to do in the warehouse now that it has completed.
pub(crate) fn with_after_run(mut run: Run, begun: AfterRunProgress, now: Timestamp) -> Run {
    run.due_at = machine::due_at(&begun.state, now);
    run.due_shard = run.due_at.map(|_| RUN_SHARD.to_owned());
    run.after_run = Some(begun);
    run
}

/// What tells one notification of a run from another: the subject and the fact of its event id.
pub(crate) fn notified_fact(run: RunId, status: RunStatus) -> (String, &'static str) {
    let fact = match status {
        RunStatus::Queued => "queued",
        RunStatus::Running => "started",
        RunStatus::Completed => "completed",
        RunStatus::Failed => "failed",
        RunStatus::Cancelled => "cancelled",
    };
    (run.to_string(), fact)
}

#[cfg(test)]
mod tests;
