//! Scenario X3, exhaustively: a consent and two refreshes, in every order of their steps. What is
//! stored in the end is the consent's token, or what a refresh made of it; never the old grant's.

use std::collections::HashSet;

/// A grant (0: the old one, 1: the consent's) and how often its token was refreshed.
type Token = (u8, u8);

/// Which of the real conditions hold in a run of the model.
#[derive(Debug, Clone, Copy)]
struct Design {
    /// `commit::write` names the generation that was read.
    commit_names_generation: bool,
    /// `commit::write` names the intent that was written.
    commit_names_intent: bool,
    /// `Keeper::update` removes a refresh's intent and makes its fence old.
    keep_ends_the_lease: bool,
}

const IMPLEMENTED: Design = Design {
    commit_names_generation: true,
    commit_names_intent: true,
    keep_ends_the_lease: true,
};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct World {
    generation: u8,
    fence: u8,
    leased: bool,
    intent: Option<Token>,
    stored: Token,
    /// Newest token of each grant at the provider: presenting an older one ends the grant.
    newest: [u8; 2],
    ended: [bool; 2],
    workers: [Worker; 2],
    consent: Consent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Worker {
    Idle,
    Leased {
        generation: u8,
        fence: u8,
        token: Token,
    },
    Intended {
        generation: u8,
        token: Token,
    },
    Answered {
        generation: u8,
        token: Token,
        new: Token,
    },
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Consent {
    Exchanged,
    Read { generation: u8 },
    Kept,
}

impl World {
    fn begin() -> Self {
        Self {
            generation: 1,
            fence: 0,
            leased: false,
            intent: None,
            stored: (0, 0),
            newest: [0, 0],
            ended: [false, false],
            workers: [Worker::Idle; 2],
            consent: Consent::Exchanged,
        }
    }

    fn work(&self, index: usize, design: Design) -> Option<Self> {
        let mut next = self.clone();
        next.workers[index] = match self.workers[index] {
            Worker::Idle if self.leased || self.intent.is_some() => return None,
            Worker::Idle => {
                next.leased = true;
                next.fence += 1;
                Worker::Leased {
                    generation: self.generation,
                    fence: next.fence,
                    token: self.stored,
                }
            }
            Worker::Leased { fence, .. } if self.fence != fence => Worker::Done,
            Worker::Leased {
                generation, token, ..
            } => {
                next.intent = Some(token);
                Worker::Intended { generation, token }
            }
            Worker::Intended { generation, token } => {
                let grant = usize::from(token.0);
                if self.newest[grant] == token.1 {
                    next.newest[grant] += 1;
                } else {
                    next.ended[grant] = true;
                }
                let new = (token.0, token.1 + 1);
                Worker::Answered {
                    generation,
                    token,
                    new,
                }
            }
            Worker::Answered {
                generation,
                token,
                new,
            } => {
                // Without the fence: a worker whose lease was lost rescues its answer the same way.
                let generation_fits =
                    !design.commit_names_generation || self.generation == generation;
                let intent_fits = !design.commit_names_intent || self.intent == Some(token);
                if generation_fits && intent_fits {
                    next.stored = new;
                    next.generation += 1;
                    next.intent = None;
                    next.leased = false;
                }
                Worker::Done
            }
            Worker::Done => return None,
        };
        Some(next)
    }

    fn keep(&self, design: Design) -> Option<Self> {
        let mut next = self.clone();
        next.consent = match self.consent {
            Consent::Exchanged => Consent::Read {
                generation: self.generation,
            },
            // The condition does not hold: read and tried again.
            Consent::Read { generation } if self.generation != generation => Consent::Read {
                generation: self.generation,
            },
            Consent::Read { .. } => {
                next.stored = (1, 0);
                next.generation += 1;
                if design.keep_ends_the_lease {
                    next.fence += 1;
                    next.intent = None;
                    next.leased = false;
                }
                Consent::Kept
            }
            Consent::Kept => return None,
        };
        Some(next)
    }

    fn is_bad(&self) -> bool {
        let survives = self.stored.0 == 1 && self.stored.1 == self.newest[1] && !self.ended[1];
        let settled = self
            .workers
            .iter()
            .all(|worker| matches!(worker, Worker::Idle | Worker::Done));
        self.consent == Consent::Kept && settled && !survives
    }
}

fn reached(design: Design) -> HashSet<World> {
    let mut seen = HashSet::from([World::begin()]);
    let mut open = vec![World::begin()];
    while let Some(world) = open.pop() {
        let next = [
            world.work(0, design),
            world.work(1, design),
            world.keep(design),
        ];
        for world in next.into_iter().flatten() {
            if seen.insert(world.clone()) {
                open.push(world);
            }
        }
    }
    seen
}

#[test]
fn x3_the_consent_survives_every_interleaving() {
    let worlds = reached(IMPLEMENTED);
    let bad: Vec<&World> = worlds.iter().filter(|world| world.is_bad()).collect();
    assert!(bad.is_empty(), "{bad:#?}");
    // The search went where it matters: answers of the old grant came after the consent was kept,
    // and tokens of the new one were refreshed.
    assert!(worlds.iter().any(|world| {
        let late = |worker: &Worker| matches!(worker, Worker::Answered { new: (0, _), .. });
        world.consent == Consent::Kept && world.workers.iter().any(late)
    }));
    assert!(worlds.iter().any(|world| world.stored == (1, 1)));
}

#[test]
fn x3_without_its_conditions_a_late_answer_replaces_the_consent() {
    let careless = Design {
        commit_names_generation: false,
        commit_names_intent: false,
        ..IMPLEMENTED
    };
    assert!(reached(careless).iter().any(World::is_bad));
    let stays_leased = Design {
        commit_names_generation: false,
        keep_ends_the_lease: false,
        ..IMPLEMENTED
    };
    assert!(reached(stays_leased).iter().any(World::is_bad));
}
