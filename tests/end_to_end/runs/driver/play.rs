//! Plays a history on the lab, beside the oracle.

use serde_json::{Value, json};

use super::{
    history::{History, Step},
    oracle::Oracle,
};
use crate::runs::lab::{Lab, LabFlow, Moment, Outcome, Trouble};

/// How often Lambda tries an event again.
const RETRIES: usize = 2;
/// Calls between which a message has gone out and that is not yet written down.
const PUBLISH: &str = "Publish";
const WRITE_DOWN: &str = "DeleteItem";

/// What was done to the function.
#[derive(Debug, Default)]
pub(super) struct Played {
    histories: u64,
    events: u64,
    lost: u64,
    ticks: u64,
    throttled: u64,
    troubles: u64,
    doubled: usize,
    notifications: usize,
}

impl Played {
    pub(super) fn add(&mut self, other: &Self) {
        self.histories += 1;
        self.events += other.events;
        self.lost += other.lost;
        self.ticks += other.ticks;
        self.throttled += other.throttled;
        self.troubles += other.troubles;
        self.doubled += other.doubled;
        self.notifications += other.notifications;
    }

    /// Every kind of harm was done, and often.
    pub(super) fn assert_harm(&self) {
        let tenth = self.histories / 10;
        assert!(
            self.events > self.histories && self.notifications as u64 > self.histories,
            "{self:?}"
        );
        assert!(
            self.lost > tenth && self.throttled > tenth && self.troubles > tenth,
            "{self:?}"
        );
    }
}

/// Plays the history of a seed and judges its end.
pub(super) async fn play(lab: &Lab, seed: u64) -> Played {
    let history = History::of(seed);
    let mut game = Game {
        flow: if history.is_scheduled {
            lab.scheduled_flow().await
        } else {
            lab.flow().await
        },
        lab,
        oracle: Oracle::default(),
        played: Played {
            lost: history.lost,
            ..Played::default()
        },
        history: &history,
    };
    lab.records.set(&game.flow.name, Vec::new());
    for step in &history.steps {
        game.step(step).await;
    }
    // Whatever was left is found: AppFlow is asked again, claims have lapsed, the topic takes all.
    for _ in 0..2 {
        game.tick(u64::MAX, false, None, false).await;
    }
    let (runs, outbox) = (lab.runs(&game.flow).await, lab.outbox().await);
    let messages = lab.topic.take();
    game.played.notifications = messages.len();
    let Game {
        oracle,
        played,
        flow,
        ..
    } = game;
    let judged = oracle.judge(&history, &runs, &messages, played.doubled);
    assert_eq!(judged, Ok(()), "seed {seed}: {:#?}", history.steps);
    assert!(outbox.is_empty(), "seed {seed} left {outbox:?}");
    lab.forget(&flow).await;
    played
}

struct Game<'a> {
    lab: &'a Lab,
    flow: LabFlow,
    oracle: Oracle,
    played: Played,
    history: &'a History,
}

impl Game<'_> {
    async fn step(&mut self, step: &Step) {
        match *step {
            Step::AskFor(of) => {
                let execution = &self.history.executions[of];
                self.lab.ask_for(&self.flow, &execution.id).await;
                self.oracle.asked_for(of);
            }
            Step::Event {
                of,
                is_end,
                has_waited,
                trouble,
                topic_fails,
            } => {
                let execution = &self.history.executions[of];
                let event = execution.event(&self.flow.name, is_end);
                let event = if has_waited { waited(&event) } else { event };
                let moment = if is_end {
                    execution.end
                } else {
                    execution.start
                };
                if let Some(status) = execution.at(moment) {
                    self.oracle.news(of, status);
                }
                self.played.events += 1;
                self.lab.topic.fail(u32::from(topic_fails));
                self.deliver(&event, trouble).await;
            }
            Step::Tick {
                moment,
                is_throttled,
                trouble,
                topic_fails,
            } => {
                self.tick(moment, is_throttled, trouble, topic_fails).await;
            }
        }
    }

    async fn tick(
        &mut self,
        moment: u64,
        is_throttled: bool,
        trouble: Option<Trouble>,
        topic_fails: bool,
    ) {
        self.later().await;
        let executions = &self.history.executions;
        let mut records: Vec<_> = executions
            .iter()
            .filter_map(|one| one.record(moment))
            .collect();
        records.sort_by_key(|record| std::cmp::Reverse(record["startedAt"].as_i64()));
        self.lab.records.set(&self.flow.name, records);
        // Once for its open runs, and once for the sweep.
        self.lab.records.throttle(if is_throttled { 2 } else { 0 });
        self.lab.topic.fail(u32::from(topic_fails));
        self.played.ticks += 1;
        self.played.throttled += u64::from(is_throttled);
        self.deliver(&Lab::tick(), trouble).await;
        self.lab.records.throttle(0);
        self.lab.topic.fail(0);
        if is_throttled && trouble.is_none() && !topic_fails {
            return;
        }
        if is_throttled || trouble.is_some() {
            // Whether AppFlow was asked is not certain: it is asked now.
            self.later().await;
            self.deliver(&Lab::tick(), None).await;
        }
        self.oracle.looked(self.history, moment);
    }

    /// Minutes pass, as between ticks: claims lapse, and everything is due again.
    async fn later(&self) {
        self.lab.time_passes().await;
        if self.history.is_scheduled {
            self.lab.sweep_is_due(&self.flow).await;
        }
    }

    /// Gives an event to the function as often as Lambda would.
    async fn deliver(&mut self, event: &Value, trouble: Option<Trouble>) {
        let mut trouble = trouble;
        for _ in 0..=RETRIES {
            let planned = trouble.take();
            let outcome = self.lab.invoke(event, planned).await;
            if let (Some(planned), Some(call)) = (planned, self.lab.wire.hit()) {
                self.played.troubles += 1;
                let is_between = match planned.moment {
                    Moment::Before => call == WRITE_DOWN,
                    Moment::After => call == PUBLISH,
                };
                self.played.doubled += usize::from(is_between);
            }
            match outcome {
                Outcome::Answered(answer) if is_done(&answer) => return,
                // Lambda waits a minute and more before it tries again.
                _ => self.lab.time_passes().await,
            }
        }
        panic!("{event} failed again and again");
    }
}

/// An event in a batch of the queue, beside a message that is no JSON.
fn waited(event: &Value) -> Value {
    let record =
        |id: &str, body: String| json!({ "messageId": id, "eventSource": "aws:sqs", "body": body });
    json!({ "Records": [record("poison", "{\"detail\":".to_owned()), record("event", event.to_string())] })
}

/// Whether nothing must come again but what nobody can read.
fn is_done(answer: &Value) -> bool {
    let Some(failures) = answer["batchItemFailures"].as_array() else {
        return true;
    };
    assert!(
        failures.iter().any(|one| one["itemIdentifier"] == "poison"),
        "poison went down: {answer}"
    );
    failures.len() == 1
}
