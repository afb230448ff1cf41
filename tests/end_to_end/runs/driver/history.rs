//! A history: executions of one flow, what AppFlow tells of them, and what happens on the way.

use jiff::{SignedDuration, Timestamp};
use sandbox_core::CUSTOMER_ACCOUNT;
use sandbox_delivery::Dice;
use serde_json::{Value, json};
use tributary::run::{CauseClass, RunStatus};

use crate::runs::lab::{Moment, Trouble};

/// Latest moment at which an execution begins.
const LAST_START: u64 = 6;
/// Longest that one takes, in moments.
const LONGEST: u64 = 4;
/// How late an event may come, in moments.
const LATEST: u64 = 7;
/// Most calls that a process makes before it dies on purpose.
const DEATHS: u64 = 10;

/// One execution, as AppFlow knows it.
#[derive(Debug, Clone)]
pub(super) struct Execution {
    pub(super) id: String,
    /// The moments at which it begins and ends.
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) started_at: Timestamp,
    pub(super) ended_at: Timestamp,
    pub(super) status: RunStatus,
    pub(super) records: u64,
    pub(super) bytes: u64,
    /// What it failed on, and the words for that.
    pub(super) failure: Option<(CauseClass, &'static str)>,
    /// Whether the API asked for it and lived to write that down.
    pub(super) is_asked_for: bool,
}

/// One step of a history.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// The API writes down that it asked for this execution.
    AskFor(usize),
    /// An event of this execution comes.
    Event {
        of: usize,
        is_end: bool,
        /// It has waited in the queue of its tenant, beside a message that nobody can read.
        has_waited: bool,
        trouble: Option<Trouble>,
        topic_fails: bool,
    },
    /// The reconciliation looks, when AppFlow has come to this moment.
    Tick {
        moment: u64,
        is_throttled: bool,
        trouble: Option<Trouble>,
        topic_fails: bool,
    },
}

#[derive(Debug)]
pub(super) struct History {
    /// Whether the flow's runs begin by themselves: then nobody asks for them, and the sweep looks.
    pub(super) is_scheduled: bool,
    pub(super) executions: Vec<Execution>,
    pub(super) steps: Vec<Step>,
    pub(super) lost: u64,
}

impl Execution {
    fn new(dice: &mut Dice, seed: u64, number: u64, base: Timestamp) -> Self {
        let start = dice.below(LAST_START);
        let end = start + 1 + dice.below(LONGEST);
        let at = |moment: u64| {
            let seconds = i64::try_from(moment * 7 + number).unwrap_or_default();
            base + SignedDuration::from_secs(seconds)
        };
        let (status, failure) = match dice.below(10) {
            0..6 => (RunStatus::Completed, None),
            6 => (RunStatus::Cancelled, None),
            7 => (
                RunStatus::Failed,
                Some((
                    CauseClass::Credentials,
                    "Error while authenticating to connector",
                )),
            ),
            8 => (
                RunStatus::Failed,
                Some((CauseClass::Quota, "Rate exceeded")),
            ),
            _ => (
                RunStatus::Failed,
                Some((CauseClass::Internal, "It did not work.")),
            ),
        };
        Self {
            id: format!(
                "00000000-0000-4000-8000-{:06x}{number:06x}",
                seed & 0xff_ffff
            ),
            start,
            end,
            started_at: at(start),
            ended_at: at(end),
            status,
            records: dice.below(100_000),
            bytes: dice.below(10_000_000),
            failure,
            is_asked_for: dice.percent(60),
        }
    }

    /// The event of its start or its end, as AppFlow sends it.
    pub(super) fn event(&self, flow: &str, is_end: bool) -> Value {
        let java = |at: Timestamp| format!("{at:.3}[UTC]");
        let mut detail = json!({
            "flow-name": flow, "source": "SALESFORCE", "destination": "S3", "trigger-type": "ONDEMAND",
            "execution-id": self.id, "start-time": java(self.started_at),
        });
        let (kind, time) = if is_end {
            ("End", self.ended_at)
        } else {
            ("Start", self.started_at)
        };
        if is_end {
            detail["status"] = json!(match self.status {
                RunStatus::Completed => "Execution Successful",
                RunStatus::Cancelled => "Execution Cancelled",
                _ => "Execution Failed",
            });
            detail["end-time"] = json!(java(self.ended_at));
            detail["num-of-records-processed"] = json!(self.records.to_string());
            detail["num-of-record-failures"] = json!("0");
            detail["data-processed"] = json!(self.bytes.to_string());
            if let Some((_, words)) = self.failure {
                detail["error"] = json!(words);
            }
        }
        json!({
            "version": "0", "id": format!("{}-{kind}", self.id), "time": time, "region": "us-east-1",
            "source": "aws.appflow", "account": CUSTOMER_ACCOUNT,
            "detail-type": format!("AppFlow {kind} Flow Run Report"), "resources": [], "detail": detail,
        })
    }

    /// How far it is at a moment, if it has begun.
    pub(super) fn at(&self, moment: u64) -> Option<RunStatus> {
        if moment < self.start {
            return None;
        }
        Some(if moment < self.end {
            RunStatus::Running
        } else {
            self.status
        })
    }

    /// AppFlow's record of it at a moment.
    pub(super) fn record(&self, moment: u64) -> Option<Value> {
        let status = self.at(moment)?;
        let word = match status {
            RunStatus::Completed => "Successful",
            RunStatus::Cancelled => "Canceled",
            RunStatus::Failed => "Error",
            RunStatus::Queued | RunStatus::Running => "InProgress",
        };
        let mut record = json!({
            "executionId": self.id, "executionStatus": word,
            "startedAt": self.started_at.as_second(), "lastUpdatedAt": self.started_at.as_second(),
        });
        if status.is_final() {
            record["lastUpdatedAt"] = json!(self.ended_at.as_second());
            let mut result =
                json!({ "recordsProcessed": self.records, "bytesProcessed": self.bytes });
            if let Some((_, words)) = self.failure {
                result["errorInfo"] = json!({ "putFailuresCount": 0, "executionMessage": words });
            }
            record["executionResult"] = result;
        }
        Some(record)
    }
}

impl History {
    /// The history of a seed.
    pub(super) fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        // Whole seconds: AppFlow's records are read from floating point.
        let now = Timestamp::now().as_second() - 120;
        let base = Timestamp::from_second(now).unwrap_or_default();
        let number = 1 + dice.below(3);
        let mut executions: Vec<Execution> = (0..number)
            .map(|number| Execution::new(&mut dice, seed, number, base))
            .collect();
        let loss = dice.below(31);
        let is_scheduled = dice.percent(40);
        for execution in &mut executions {
            execution.is_asked_for &= !is_scheduled;
        }
        let mut script = Script::default();
        for (of, execution) in executions.iter_mut().enumerate() {
            let mut is_known = execution.is_asked_for;
            if is_known {
                script.push(&mut dice, execution.start, Step::AskFor(of));
            }
            for (is_end, moment) in [(false, execution.start), (true, execution.end)] {
                if dice.percent(loss) {
                    script.lost += 1;
                    continue;
                }
                is_known = true;
                let copies = 1 + u64::from(dice.percent(20)) + u64::from(dice.percent(10));
                for _ in 0..copies {
                    let late = if dice.percent(40) {
                        dice.below(LATEST)
                    } else {
                        0
                    };
                    let step = Step::Event {
                        of,
                        is_end,
                        has_waited: dice.percent(15),
                        trouble: trouble(&mut dice),
                        topic_fails: dice.percent(4),
                    };
                    script.push(&mut dice, moment + late, step);
                }
            }
            // A run on demand is asked for by the API, which writes it down; others the sweep finds.
            if !is_known && !is_scheduled {
                execution.is_asked_for = true;
                script.push(&mut dice, execution.start, Step::AskFor(of));
            }
        }
        let last = LAST_START + LONGEST + LATEST;
        for moment in 0..last {
            if dice.percent(10) {
                let step = Step::Tick {
                    moment,
                    is_throttled: dice.percent(25),
                    trouble: trouble(&mut dice),
                    topic_fails: dice.percent(10),
                };
                script.push(&mut dice, moment, step);
            }
        }
        Self {
            is_scheduled,
            steps: script.steps(),
            lost: script.lost,
            executions,
        }
    }
}

/// Now and then something happens at a call: death mostly.
fn trouble(dice: &mut Dice) -> Option<Trouble> {
    dice.percent(15).then(|| Trouble {
        call: usize::try_from(dice.below(DEATHS)).unwrap_or_default(),
        moment: if dice.percent(50) {
            Moment::Before
        } else {
            Moment::After
        },
        is_death: dice.percent(70),
    })
}

/// Steps with their moments; those of one moment are in any order.
#[derive(Debug, Default)]
struct Script {
    steps: Vec<(u64, u64, Step)>,
    lost: u64,
}

impl Script {
    fn push(&mut self, dice: &mut Dice, moment: u64, step: Step) {
        self.steps.push((moment, dice.roll(), step));
    }

    fn steps(&mut self) -> Vec<Step> {
        self.steps
            .sort_by_key(|(moment, chance, _)| (*moment, *chance));
        self.steps.drain(..).map(|(_, _, step)| step).collect()
    }
}
