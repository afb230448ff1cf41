//! The refresh protocol, searched exhaustively: two workers, a crash anywhere, a lost answer, a lost
//! request, a request that arrives late, a table that does not take an answer; at providers of each
//! class, those that end the grant when a used token comes again first.
//!
//! [`IMPLEMENTED`] mirrors `refresh.rs`, `settle.rs`, `commit.rs` and `lease.rs` step by step and
//! decides with [`next_step`] itself. The other designs each lack one part, and each must reach an
//! end that the part prevents: they show that the search can fail.

use std::{
    collections::{HashMap, VecDeque},
    sync::LazyLock,
};

use tributary::{connection::Intent, oauth::RotationClass};

use super::{tests::connection, *};

/// How long a provider with a window keeps a used token good, in this model.
const WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// Which parts of the protocol are there.
#[derive(Clone, Copy)]
struct Design {
    lease: bool,
    lease_outlives_caller: bool,
    intent: bool,
    asks: bool,
    settles: bool,
    /// The window of a provider is taken to be shorter than it is.
    margin: bool,
    /// Which token was declared lost is remembered.
    remembers: bool,
    /// What the provider does.
    provider: RotationClass,
    /// What we take it to do, and whether it can be asked.
    practice: Practice,
}

const IMPLEMENTED: Design = Design {
    lease: true,
    lease_outlives_caller: true,
    intent: true,
    asks: true,
    settles: true,
    margin: true,
    remembers: true,
    provider: RotationClass::Strict,
    practice: practice(RotationClass::Strict, true),
};

const fn practice(class: RotationClass, introspects: bool) -> Practice {
    Practice {
        class,
        introspects,
        source: Source::RefreshToken,
    }
}

/// The implemented protocol at a provider of a class.
const fn at_provider(class: RotationClass, introspects: bool) -> Design {
    Design {
        provider: class,
        practice: practice(class, introspects),
        ..IMPLEMENTED
    }
}

/// An end that must not be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bad {
    /// A used refresh token was presented: the provider ended the grant.
    SelfRevocation,
    /// The stored token is dead and nothing in the record says that anything is wrong.
    SilentLoss,
    /// An older token replaced a newer one.
    Backwards,
    /// An answer that waited on the queue was thrown away although nothing had replaced it.
    ThrownAway,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Written {
    token: u8,
    fence: u8,
    settled: bool,
    resent: bool,
    last: bool,
}

/// The record. Tokens are numbers; the provider's newest is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Record {
    generation: u8,
    token: u8,
    intent: Option<Written>,
    reauth: bool,
    /// Fence of the call whose answer was declared lost.
    lost: Option<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    First,
    Again,
    Last,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Phase {
    Idle,
    /// Has a message that names the generation its sender saw.
    Queued(u8),
    /// Has the lease and the record as it was then, and decides.
    Leased(u8, Record),
    /// Asks what became of the token.
    Asking(Record),
    /// Was told that the token is good.
    ToldGood(Record),
    /// Was told that it is not, or was refused.
    Gone(Record),
    /// Writes the intent, of a first call, another, or the last.
    Intending(Record, Kind),
    /// Calls.
    Calling(Record),
    /// Has the answer in hand.
    Answered(Record, u8),
    Releasing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Worker {
    runs: u8,
    fence: u8,
    phase: Phase,
}

/// What may still go wrong, once each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Mishaps {
    crash: bool,
    lost_answer: bool,
    lost_request: bool,
    late_request: bool,
    early_lapse: bool,
    table_down: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct World {
    newest: u8,
    revoked: bool,
    /// The grant was ended while an access token of it was in use.
    harmed: bool,
    /// The window for the token before the newest is over.
    window_over: bool,
    /// The access token has ended, and no answer can be on the queue any more.
    access_over: bool,
    /// A new token that waits on the queue, with the generation that it replaces and the fence of
    /// its call.
    rescue: Option<(u8, u8, u8)>,
    thrown_away: bool,
    /// A token in a request whose caller gave up and that the provider has not seen yet.
    travelling: Option<u8>,
    record: Record,
    fence: u8,
    lease: Option<u8>,
    workers: [Worker; 2],
    left: Mishaps,
    went_backwards: bool,
}

impl World {
    fn new() -> Self {
        let worker = Worker {
            runs: 2,
            fence: 0,
            phase: Phase::Idle,
        };
        Self {
            newest: 1,
            revoked: false,
            harmed: false,
            window_over: false,
            access_over: false,
            rescue: None,
            thrown_away: false,
            travelling: None,
            record: Record {
                generation: 1,
                token: 1,
                intent: None,
                reauth: false,
                lost: None,
            },
            fence: 0,
            lease: None,
            workers: [worker; 2],
            left: Mishaps {
                crash: true,
                lost_answer: true,
                lost_request: true,
                late_request: true,
                early_lapse: true,
                table_down: true,
            },
            went_backwards: false,
        }
    }

    /// The token endpoint works off a refresh.
    fn present(&mut self, design: Design, token: u8) -> Option<u8> {
        if self.revoked {
            return None;
        }
        let good = match design.provider {
            RotationClass::Never | RotationClass::NoRefreshToken => return Some(token),
            RotationClass::KeepsOld => true,
            RotationClass::Grace(_) => {
                token == self.newest || (token + 1 == self.newest && !self.window_over)
            }
            RotationClass::Strict => token == self.newest,
        };
        if !good {
            self.revoked = true;
            self.harmed |= !self.access_over;
            return None;
        }
        // A resend within the window does not open it again.
        self.window_over &= token != self.newest;
        self.newest += 1;
        Some(self.newest)
    }

    /// Whether the stored token is of no use any more.
    fn is_dead(&self, design: Design) -> bool {
        let kept = matches!(design.provider, RotationClass::KeepsOld);
        self.revoked || (self.record.token != self.newest && !kept)
    }

    fn is_idle(&self) -> bool {
        self.travelling.is_none()
            && self.rescue.is_none()
            && self
                .workers
                .iter()
                .all(|worker| worker.phase == Phase::Idle)
    }

    /// The settling time is longer than a caller lives, and its request travels after that. A caller
    /// that nothing bounds outlives this as it outlives its lease.
    fn may_settle(&self, design: Design) -> bool {
        let calls = self
            .workers
            .iter()
            .any(|worker| matches!(worker.phase, Phase::Calling(_)));
        !design.lease_outlives_caller || !calls
    }

    fn bad(&self, design: Design) -> Option<Bad> {
        let says_nothing = !self.record.reauth && self.record.intent.is_none();
        if self.harmed {
            Some(Bad::SelfRevocation)
        } else if self.went_backwards {
            Some(Bad::Backwards)
        } else if self.thrown_away {
            Some(Bad::ThrownAway)
        } else if self.is_idle() && self.is_dead(design) && says_nothing {
            Some(Bad::SilentLoss)
        } else {
            None
        }
    }

    /// Nobody has decided to present a token and has not done it.
    fn nobody_is_about_to_call(&self) -> bool {
        self.travelling.is_none()
            && self
                .workers
                .iter()
                .all(|worker| !matches!(worker.phase, Phase::Intending(..) | Phase::Calling(_)))
    }

    /// The queue brings an answer that the table had not taken.
    fn rescued(mut self, design: Design, (generation, fence, token): (u8, u8, u8)) -> Self {
        self.rescue = None;
        let record = self.record;
        if record.generation != generation {
            return self;
        }
        let waits = record.intent.is_some_and(|intent| intent.fence == fence)
            || (design.remembers && record.lost == Some(fence));
        if waits {
            self.record = Record {
                generation: generation + 1,
                token,
                intent: None,
                reauth: false,
                lost: None,
            };
            self.access_over = false;
        } else {
            // After a resend the answer before it is not the newest.
            self.thrown_away = design.provider == RotationClass::Strict;
        }
        self
    }

    fn with(mut self, who: usize, phase: Phase) -> Self {
        self.workers[who].phase = phase;
        self
    }

    /// Whether a write under the worker's lease still holds.
    fn fenced(&self, design: Design, who: usize, seen: Record) -> bool {
        (!design.lease || self.fence == self.workers[who].fence)
            && self.record.generation == seen.generation
    }

    fn intends(&self, token: u8) -> bool {
        self.record
            .intent
            .is_some_and(|intent| intent.token == token)
    }

    /// Everything that can happen next.
    fn next(self, design: Design) -> Vec<Self> {
        let mut all = Vec::new();
        if let Some(token) = self.travelling {
            let mut arrived = Self {
                travelling: None,
                ..self
            };
            // The answer finds nobody.
            let _ = arrived.present(design, token);
            all.push(arrived);
        } else if let Some(intent) = self
            .record
            .intent
            .filter(|intent| !intent.settled && self.may_settle(design))
        {
            let record = Record {
                intent: Some(Written {
                    settled: true,
                    ..intent
                }),
                ..self.record
            };
            all.push(Self { record, ..self });
        }
        if let Some(rescue) = self.rescue {
            all.push(self.rescued(design, rescue));
        }
        let has_window = matches!(design.provider, RotationClass::Grace(_));
        if has_window && !self.window_over && (!design.margin || self.nobody_is_about_to_call()) {
            all.push(Self {
                window_over: true,
                ..self
            });
        }
        // The last attempt waits as long as the queue may hold an answer.
        let nobody_calls = !self.workers.iter().any(|worker| {
            matches!(
                worker.phase,
                Phase::Intending(..) | Phase::Calling(_) | Phase::Answered(..)
            )
        });
        if !self.access_over
            && self.rescue.is_none()
            && nobody_calls
            && !design.practice.introspects
        {
            all.push(Self {
                access_over: true,
                ..self
            });
        }
        if let Some(holder) = self.lease {
            let lives = self
                .workers
                .iter()
                .any(|worker| worker.fence == holder && worker.phase != Phase::Idle);
            if !lives {
                all.push(Self {
                    lease: None,
                    ..self
                });
            } else if !design.lease_outlives_caller && self.left.early_lapse {
                let left = Mishaps {
                    early_lapse: false,
                    ..self.left
                };
                all.push(Self {
                    lease: None,
                    left,
                    ..self
                });
            }
        }
        for who in 0..2 {
            let phase = self.workers[who].phase;
            if phase != Phase::Idle && self.left.crash {
                let left = Mishaps {
                    crash: false,
                    ..self.left
                };
                all.push(Self { left, ..self }.with(who, Phase::Idle));
            }
            self.step(design, who, phase, &mut all);
        }
        all
    }

    /// What a worker can do next.
    fn step(mut self, design: Design, who: usize, phase: Phase, all: &mut Vec<Self>) {
        let next = match phase {
            Phase::Idle if self.workers[who].runs == 0 => return,
            Phase::Idle => {
                self.workers[who].runs -= 1;
                Phase::Queued(self.record.generation)
            }
            Phase::Queued(_) if design.lease && self.lease.is_some() => Phase::Idle,
            Phase::Queued(seen) => {
                self.fence += 1;
                self.lease = Some(self.fence);
                self.workers[who].fence = self.fence;
                Phase::Leased(seen, self.record)
            }
            Phase::Leased(generation, seen) => match decide(design, &self, seen, generation) {
                Step::Refresh => Phase::Intending(seen, Kind::First),
                Step::Resend => Phase::Intending(seen, Kind::Again),
                Step::Gamble => Phase::Intending(seen, Kind::Last),
                Step::Lost => Phase::Gone(seen),
                Step::Settle if design.asks => Phase::Asking(seen),
                Step::Settle => Phase::Calling(seen),
                Step::Leave(_) | Step::Push | Step::Wait { .. } | Step::Hold { .. } => {
                    Phase::Releasing
                }
            },
            Phase::Asking(seen) if !self.revoked && seen.token == self.newest => {
                Phase::ToldGood(seen)
            }
            Phase::Asking(seen) => Phase::Gone(seen),
            Phase::ToldGood(seen) if self.fenced(design, who, seen) && self.intends(seen.token) => {
                self.record.intent = None;
                Phase::Intending(seen, Kind::First)
            }
            Phase::Gone(seen) => {
                if self.fenced(design, who, seen) && (!design.intent || self.intends(seen.token)) {
                    self.record = Record {
                        reauth: true,
                        intent: None,
                        lost: self.record.intent.map(|intent| intent.fence),
                        ..self.record
                    };
                }
                Phase::Releasing
            }
            Phase::Intending(seen, _) if !design.intent => Phase::Calling(seen),
            Phase::Intending(seen, kind)
                if self.fenced(design, who, seen)
                    && (kind == Kind::First && self.record.intent.is_none()
                        || kind != Kind::First && self.intends(seen.token)) =>
            {
                self.record.intent = Some(Written {
                    token: seen.token,
                    fence: self.workers[who].fence,
                    settled: false,
                    resent: kind == Kind::Again,
                    last: kind == Kind::Last,
                });
                // From here on an answer may come to the queue.
                self.access_over &= kind == Kind::Last;
                Phase::Calling(seen)
            }
            Phase::ToldGood(_) | Phase::Intending(..) => Phase::Idle,
            Phase::Calling(seen) => return self.call(design, who, seen, all),
            Phase::Answered(seen, token) => {
                if self.left.table_down && self.rescue.is_none() && design.intent {
                    let left = Mishaps {
                        table_down: false,
                        ..self.left
                    };
                    let rescue = Some((seen.generation, self.workers[who].fence, token));
                    all.push(
                        Self {
                            rescue,
                            left,
                            ..self
                        }
                        .with(who, Phase::Releasing),
                    );
                }
                // A lost lease does not matter here: the condition is the generation and the intent.
                let waits = self.record.generation == seen.generation
                    && (!design.intent
                        || self
                            .record
                            .intent
                            .is_some_and(|intent| intent.fence == self.workers[who].fence));
                if waits || !design.lease {
                    self.went_backwards |= token < self.record.token;
                    self.record = Record {
                        generation: self.record.generation + 1,
                        token,
                        intent: None,
                        ..self.record
                    };
                    self.access_over = false;
                }
                Phase::Releasing
            }
            Phase::Releasing => {
                if self.fence == self.workers[who].fence {
                    self.lease = None;
                }
                Phase::Idle
            }
        };
        all.push(self.with(who, next));
    }

    /// One call: answered, or one of the ways in which it is not.
    fn call(self, design: Design, who: usize, seen: Record, all: &mut Vec<Self>) {
        let mut worked = self;
        let answer = worked.present(design, seen.token);
        all.push(worked.with(
            who,
            answer.map_or(Phase::Gone(seen), |token| Phase::Answered(seen, token)),
        ));
        if self.left.lost_answer {
            let left = Mishaps {
                lost_answer: false,
                ..self.left
            };
            all.push(Self { left, ..worked }.with(who, Phase::Releasing));
        }
        if self.left.lost_request {
            let left = Mishaps {
                lost_request: false,
                ..self.left
            };
            all.push(Self { left, ..self }.with(who, Phase::Releasing));
        }
        if self.left.late_request && self.travelling.is_none() {
            let left = Mishaps {
                late_request: false,
                ..self.left
            };
            all.push(
                Self {
                    left,
                    travelling: Some(seen.token),
                    ..self
                }
                .with(who, Phase::Releasing),
            );
        }
    }
}

/// What the function itself decides on such a record.
fn decide(design: Design, world: &World, seen: Record, generation: u8) -> Step {
    let settled = !design.settles || seen.intent.is_some_and(|intent| intent.settled);
    // The call before this is new, as old as the settling time, or as old as the window.
    let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1);
    let age = match (settled, world.window_over) {
        (false, _) => SignedDuration::ZERO,
        (true, false) => SETTLING,
        (true, true) => WINDOW,
    };
    let age = if settled && world.access_over {
        RESCUE
    } else {
        age
    };
    let called = now - age;
    let ended = if world.access_over {
        now - WINDOW
    } else {
        now + WINDOW
    };
    let record = Connection {
        state: if seen.reauth {
            ConnectionState::ReauthRequired
        } else {
            ConnectionState::Active
        },
        generation: seen.generation.into(),
        pushed_generation: seen.generation.into(),
        access_expires_at: Some(ended.as_millisecond()),
        intent: seen.intent.map(|intent| Intent {
            fence: 0,
            fingerprint: intent.token.to_string(),
            at: called.as_millisecond(),
            resent: intent.resent,
            last: intent.last,
            rescue_until: None,
        }),
        ..connection()
    };
    next_step(&record, design.practice, generation.into(), now)
}

/// All worlds that a design can reach, each with the number of steps it takes.
fn reachable(design: Design) -> HashMap<World, usize> {
    let start = World::new();
    let mut seen = HashMap::from([(start, 0)]);
    let mut open = VecDeque::from([start]);
    while let Some(world) = open.pop_front() {
        // What follows a bad end adds nothing.
        if world.bad(design).is_some() {
            continue;
        }
        let steps = seen[&world] + 1;
        for next in world.next(design) {
            seen.entry(next).or_insert_with(|| {
                open.push_back(next);
                steps
            });
        }
    }
    seen
}

/// What the implemented protocol can reach, searched once for all tests.
static IMPLEMENTED_WORLDS: LazyLock<HashMap<World, usize>> =
    LazyLock::new(|| reachable(IMPLEMENTED));

/// The bad ends that a design can reach.
fn ends(design: Design) -> Vec<Bad> {
    let worlds = reachable(design);
    [
        Bad::SelfRevocation,
        Bad::SilentLoss,
        Bad::Backwards,
        Bad::ThrownAway,
    ]
    .into_iter()
    .filter(|bad| worlds.keys().any(|world| world.bad(design) == Some(*bad)))
    .collect()
}

mod tests;
