//! The state machine under every order of answers, crashes and repeats, against a Data API that keeps
//! client tokens for eight hours.

use proptest::prelude::*;
use tributary::run::Prepared;

use super::*;

const HOUR: i64 = 60;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(minute * 60).unwrap()
}

fn pending() -> AfterRunState {
    AfterRunState::Pending {
        prepared: Prepared {
            sql: "CALL load()".to_owned(),
            parameters: std::collections::BTreeMap::new(),
        },
    }
}

fn sending(minute: i64) -> AfterRunState {
    claimed(&pending(), at(minute)).unwrap()
}

fn running() -> AfterRunState {
    AfterRunState::Running {
        statement: "s-1".to_owned(),
        started_at: at(0),
    }
}

fn ends() -> [AfterRunState; 3] {
    [
        AfterRunState::Finished {
            statement: "s-1".to_owned(),
            rows: None,
            started_at: at(0),
            ended_at: at(1),
        },
        AfterRunState::Failed {
            code: AfterRunCode::QueryError,
            statement: None,
            started_at: None,
            ended_at: at(1),
        },
        AfterRunState::Skipped {
            reason: tributary::run::SkipReason::TenantSuspended,
            ended_at: at(1),
        },
    ]
}

fn code_of(state: &AfterRunState) -> Option<AfterRunCode> {
    match state {
        AfterRunState::Failed { code, .. } => Some(*code),
        _ => None,
    }
}

const BUSY: Sent = Sent::NotNow {
    code: AfterRunCode::WarehouseBusy,
};

#[test]
fn what_is_next_in_each_state() {
    assert_eq!(next(&pending(), at(0)), Next::Send);
    assert_eq!(next(&pending(), at(100 * HOUR)), Next::Send);
    assert_eq!(next(&sending(0), at(7 * HOUR)), Next::Send);
    assert_eq!(next(&sending(0), at(8 * HOUR - 15)), Next::GiveUp);
    let statement = "s-1".to_owned();
    assert_eq!(next(&running(), at(0)), Next::Ask { statement });
    for end in ends() {
        assert_eq!(next(&end, at(0)), Next::Nothing);
    }
}

#[test]
fn only_what_has_not_been_taken_is_claimed_and_each_claim_is_counted() {
    let mut state = pending();
    for attempt in 1..4 {
        state = claimed(&state, at(attempt)).unwrap();
        let AfterRunState::Sending {
            started_at,
            attempts,
            refused,
            ..
        } = &state
        else {
            panic!("{state:?}");
        };
        assert_eq!(
            (*started_at, i64::from(*attempts), *refused),
            (at(1), attempt, 0)
        );
    }
    assert_eq!(claimed(&running(), at(0)), None);
    for end in ends() {
        assert_eq!(claimed(&end, at(0)), None);
    }
}

#[test]
fn a_statement_that_is_taken_runs_whenever_that_is_told() {
    let taken = Sent::Taken {
        statement: "s-1".to_owned(),
    };
    for minute in [0, 2 * HOUR, 9 * HOUR] {
        assert_eq!(sent(sending(0), &taken, at(minute)), running());
    }
}

#[test]
fn a_busy_warehouse_is_tried_for_an_hour_and_then_the_run_says_so() {
    let mut state = sending(0);
    for minute in [1, 3, 7, 15, 30, 45, 59] {
        state = sent(state, &BUSY, at(minute));
        assert!(state.is_open(), "{minute}: {state:?}");
        state = claimed(&state, at(minute)).unwrap();
    }
    let end = sent(state, &BUSY, at(HOUR));
    assert_eq!(code_of(&end), Some(AfterRunCode::WarehouseBusy));
}

#[test]
fn an_attempt_without_an_answer_leaves_the_outcome_unknown_whatever_is_refused_later() {
    let refused = Sent::Refused {
        code: AfterRunCode::ServiceIdentityMissing,
    };
    let sure = sent(sending(0), &refused, at(0));
    assert_eq!(code_of(&sure), Some(AfterRunCode::ServiceIdentityMissing));

    let doubtful = sent(sending(0), &Sent::InDoubt, at(0));
    let again = claimed(&doubtful, at(1)).unwrap();
    let end = sent(again, &refused, at(1));
    assert_eq!(code_of(&end), Some(AfterRunCode::OutcomeUnknown));

    // A process that died after its claim said nothing at all, which is the same.
    let after_a_crash = claimed(&sending(0), at(1)).unwrap();
    let end = sent(after_a_crash, &refused, at(1));
    assert_eq!(code_of(&end), Some(AfterRunCode::OutcomeUnknown));
    let after_a_crash = claimed(&sending(0), at(HOUR)).unwrap();
    let end = sent(after_a_crash, &BUSY, at(HOUR));
    assert_eq!(code_of(&end), Some(AfterRunCode::OutcomeUnknown));
    let end = sent(sending(0), &Sent::InDoubt, at(HOUR));
    assert_eq!(code_of(&end), Some(AfterRunCode::OutcomeUnknown));
}

#[test]
fn a_claim_older_than_its_token_is_given_up_and_not_sent_again() {
    let end = given_up(sending(0), at(8 * HOUR));
    assert_eq!(code_of(&end), Some(AfterRunCode::OutcomeUnknown));
    assert_eq!(given_up(running(), at(8 * HOUR)), running());
}

#[test]
fn for_a_suspended_tenant_nothing_is_sent_and_nothing_is_said_that_is_not_known() {
    let skipped = stopped(pending(), at(1));
    assert!(
        matches!(skipped, AfterRunState::Skipped { .. }),
        "{skipped:?}"
    );
    let refused = sent(sending(0), &BUSY, at(1));
    let skipped = stopped(refused, at(1));
    assert!(
        matches!(skipped, AfterRunState::Skipped { .. }),
        "{skipped:?}"
    );
    let doubtful = stopped(sending(0), at(1));
    assert_eq!(code_of(&doubtful), Some(AfterRunCode::OutcomeUnknown));
    assert_eq!(stopped(running(), at(1)), running());
}

#[test]
fn the_data_api_has_the_last_word_on_a_statement() {
    let finished = looked(
        running(),
        Seen::Finished {
            rows: Some(3),
            at: at(5),
        },
        at(6),
    );
    assert_eq!(
        finished,
        AfterRunState::Finished {
            statement: "s-1".to_owned(),
            rows: Some(3),
            started_at: at(0),
            ended_at: at(5)
        }
    );
    let failed = looked(
        running(),
        Seen::Failed {
            code: AfterRunCode::ForbiddenData,
            at: at(5),
        },
        at(6),
    );
    assert_eq!(code_of(&failed), Some(AfterRunCode::ForbiddenData));
    assert_eq!(failed.statement(), Some("s-1"));
    let gone = looked(running(), Seen::Gone, at(6));
    assert_eq!(code_of(&gone), Some(AfterRunCode::OutcomeUnknown));
    assert_eq!(looked(running(), Seen::Running, at(24 * HOUR)), running());
    let endless = looked(running(), Seen::Running, at(25 * HOUR));
    assert_eq!(code_of(&endless), Some(AfterRunCode::OutcomeUnknown));
}

#[test]
fn open_states_are_due_again_and_ends_are_not() {
    let minutes = |state: &AfterRunState| due_at(state, at(0)).map(|due| due / 60_000);
    assert_eq!(minutes(&pending()), Some(1));
    let mut state = sending(0);
    for wait in [1, 2, 4, 8, 15, 15] {
        assert_eq!(minutes(&state), Some(wait));
        state = claimed(&state, at(0)).unwrap();
    }
    assert_eq!(minutes(&running()), Some(4));
    for end in ends() {
        assert_eq!(minutes(&end), None);
    }
}

/// What the Data API does with one sending.
#[derive(Debug, Clone, Copy)]
enum Sending {
    /// Takes it, and the answer comes.
    Answers,
    /// Takes it, and the answer is lost.
    LosesAnswer,
    /// Takes nothing, and no answer comes.
    Dies,
    Throttles,
    Refuses,
    /// Our process dies before it sends.
    WeDieBefore,
    /// The statement is taken, and our process dies before it writes that down.
    WeDieAfter,
}

/// The Data API with its memory of client tokens, and how often a statement was run.
#[derive(Debug, Default)]
struct DataApi {
    token: Option<Timestamp>,
    executions: u32,
}

impl DataApi {
    fn take(&mut self, now: Timestamp) -> Sent {
        let is_known = self
            .token
            .is_some_and(|at| now.duration_since(at) < SignedDuration::from_hours(8));
        if !is_known {
            self.token = Some(now);
            self.executions += 1;
        }
        Sent::Taken {
            statement: "s-1".to_owned(),
        }
    }

    /// How the sending ended for us; nothing if we died.
    fn ask(&mut self, how: Sending, now: Timestamp) -> Option<Sent> {
        match how {
            Sending::Answers => Some(self.take(now)),
            Sending::LosesAnswer => {
                self.take(now);
                Some(Sent::InDoubt)
            }
            Sending::Dies => Some(Sent::InDoubt),
            Sending::Throttles => Some(BUSY),
            Sending::Refuses => Some(Sent::Refused {
                code: AfterRunCode::QueryRejected,
            }),
            Sending::WeDieBefore => None,
            Sending::WeDieAfter => {
                self.take(now);
                None
            }
        }
    }
}

const fn rank(state: &AfterRunState) -> u8 {
    match state {
        AfterRunState::Pending { .. } => 0,
        AfterRunState::Sending { .. } => 1,
        AfterRunState::Running { .. } => 2,
        AfterRunState::Finished { .. }
        | AfterRunState::Failed { .. }
        | AfterRunState::Skipped { .. } => 3,
    }
}

fn sendings() -> impl Strategy<Value = Vec<(i64, Sending)>> {
    let how = prop_oneof![
        Just(Sending::Answers),
        Just(Sending::LosesAnswer),
        Just(Sending::Dies),
        Just(Sending::Throttles),
        Just(Sending::Refuses),
        Just(Sending::WeDieBefore),
        Just(Sending::WeDieAfter),
    ];
    proptest::collection::vec((1_i64..5 * HOUR, how), 1..12)
}

proptest! {
    /// U3: whatever is lost, repeated or refused, and however long it takes, the statement runs at
    /// most once, the state only goes forward, and an end tells nothing that is not so.
    #[test]
    fn u3_no_order_of_answers_and_crashes_runs_a_statement_twice(sendings in sendings()) {
        let (mut api, mut state, mut minute) = (DataApi::default(), pending(), 0);
        for (wait, how) in sendings {
            minute += wait;
            let now = at(minute);
            let before = rank(&state);
            state = match next(&state, now) {
                Next::Send => {
                    let claim = claimed(&state, now).unwrap();
                    match api.ask(how, now) {
                        Some(outcome) => sent(claim, &outcome, now),
                        None => claim,
                    }
                }
                Next::GiveUp => given_up(state, now),
                Next::Ask { .. } | Next::Nothing => state,
            };
            prop_assert!(rank(&state) >= before);
            prop_assert!(api.executions <= 1, "run {} times", api.executions);
            prop_assert_eq!(due_at(&state, now).is_some(), state.is_open());
        }
        match &state {
            AfterRunState::Running { .. } => prop_assert_eq!(api.executions, 1),
            AfterRunState::Failed { code, .. } if *code != AfterRunCode::OutcomeUnknown => {
                prop_assert_eq!(api.executions, 0, "{:?} of a statement that ran", code);
            }
            _ => {}
        }
    }

    /// An end is the end: nothing that is told later changes it.
    #[test]
    fn an_end_is_the_end(end in 0_usize..3, minute in 0_i64..2000) {
        let end = ends()[end].clone();
        for outcome in [BUSY, Sent::InDoubt, Sent::Taken { statement: "s-2".to_owned() }] {
            prop_assert_eq!(sent(end.clone(), &outcome, at(minute)), end.clone());
        }
        for seen in [Seen::Running, Seen::Gone, Seen::Finished { rows: None, at: at(0) }] {
            prop_assert_eq!(looked(end.clone(), seen, at(minute)), end.clone());
        }
        prop_assert_eq!(given_up(end.clone(), at(minute)), end.clone());
    }
}
