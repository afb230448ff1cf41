use proptest::prelude::*;
use tributary::{
    connection::Intent,
    oauth::{RotationClass, provider::provider},
};

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

const STRICT: Practice = Practice {
    class: RotationClass::Strict,
    introspects: true,
    source: Source::RefreshToken,
};

pub(super) fn connection() -> Connection {
    serde_json::from_value(serde_json::json!({
        "id": "con_019364c0a1b27cc3a4d5e6f708192a3b",
        "connection_id": "con_019364c0a1b27cc3a4d5e6f708192a3b",
        "tenant_id": "ten_019364c0a1b27cc3a4d5e6f708192a3b",
        "account_id": "acc_019364c0a1b27cc3a4d5e6f708192a3b",
        "connector": "salesforce", "name": "CRM", "state": "active", "token_owner": "tributary",
        "created_by": "sub", "profile_name": "tributary-x", "generation": 3, "pushed_generation": 3,
        "bundle": { "v": 1, "k": "k", "c": "c" },
        "created_at": "2026-11-20T10:00:00Z", "updated_at": "2026-11-20T10:00:00Z", "version": 1
    }))
    .unwrap()
}

fn with_intent(at_ms: i64) -> Connection {
    Connection {
        intent: Some(Intent {
            fence: 1,
            fingerprint: "f".to_owned(),
            at: at_ms,
            resent: false,
            last: false,
            rescue_until: None,
        }),
        ..connection()
    }
}

#[test]
fn a_due_connection_is_refreshed() {
    assert_eq!(next_step(&connection(), STRICT, 3, at(0)), Step::Refresh);
}

#[test]
fn r9_another_partys_token_is_never_used() {
    for owner in [TokenOwner::Appflow, TokenOwner::Nobody] {
        let record = Connection {
            token_owner: owner,
            ..connection()
        };
        assert!(matches!(
            next_step(&record, STRICT, 3, at(0)),
            Step::Leave(_)
        ));
    }
}

#[test]
fn r4_a_connection_that_needs_a_consent_is_left_alone() {
    for state in [
        ConnectionState::ReauthRequired,
        ConnectionState::Pending,
        ConnectionState::Deleted,
    ] {
        let record = Connection {
            state,
            ..connection()
        };
        assert!(
            matches!(next_step(&record, STRICT, 3, at(0)), Step::Leave(_)),
            "{state}"
        );
    }
}

#[test]
fn r12_a_message_of_an_older_generation_does_nothing() {
    assert!(matches!(
        next_step(&connection(), STRICT, 2, at(0)),
        Step::Leave(_)
    ));
}

#[test]
fn r7_what_was_found_due_twice_is_worked_on_once() {
    assert!(!was_worked_on(Some(1_000), Some(1_000)));
    assert!(was_worked_on(Some(1_001), Some(1_000)), "due later by now");
    assert!(was_worked_on(None, Some(1_000)), "due no more");
    assert!(!was_worked_on(Some(1_001), None), "somebody asked");
}

#[test]
fn an_unpushed_generation_is_pushed_before_all_else() {
    let record = Connection {
        pushed_generation: 2,
        ..connection()
    };
    assert_eq!(next_step(&record, STRICT, 3, at(0)), Step::Push);
    assert_eq!(next_step(&record, STRICT, 2, at(0)), Step::Push);
}

#[test]
fn r8_a_push_that_cannot_succeed_does_not_keep_the_refresh_token_idle() {
    let record = Connection {
        pushed_generation: 2,
        access_expires_at: Some(10_000),
        ..connection()
    };
    assert_eq!(next_step(&record, STRICT, 3, at(9)), Step::Push);
    assert_eq!(next_step(&record, STRICT, 3, at(10)), Step::Refresh);
}

#[test]
fn c9_a_push_ends_what_was_limited_for_want_of_a_token_and_nothing_else() {
    let limited = |reason: &str| Connection {
        state: ConnectionState::Limited,
        reason: Some(reason.to_owned()),
        ..connection()
    };
    for reason in ["push_pending", "push_failed", "refresh_unanswered"] {
        assert_eq!(
            state_with_token(&limited(reason)),
            Some((ConnectionState::Active, None)),
            "{reason}"
        );
        assert!(works_again(&limited(reason)), "{reason}");
        let lacking = Connection {
            missing_scopes: vec!["id".to_owned()],
            ..limited(reason)
        };
        assert_eq!(
            state_with_token(&lacking),
            Some((ConnectionState::Limited, Some("missing_scopes")))
        );
        assert!(!works_again(&lacking));
    }
    assert!(!works_again(&limited("missing_scopes")));
    assert!(!works_again(&connection()));
    assert_eq!(state_with_token(&limited("missing_scopes")), None);
    assert_eq!(state_with_token(&connection()), None);
}

#[test]
fn r3_r6_a_found_intent_waits_for_the_settling_time_and_then_asks() {
    let settled = millis(SETTLING);
    assert_eq!(
        next_step(&with_intent(0), STRICT, 3, at(5)),
        Step::Wait { until: settled }
    );
    let after = Timestamp::from_millisecond(settled).unwrap();
    assert!(matches!(
        next_step(&with_intent(0), STRICT, 3, after),
        Step::Settle
    ));
}

#[test]
fn r10_unbelievable_lives_get_the_safe_bound() {
    let now = at(1_000_000);
    let safe = now + UNKNOWN_LIFE;
    for life in [
        SignedDuration::ZERO,
        SignedDuration::from_secs(-5),
        SignedDuration::from_hours(24 * 365 * 20),
    ] {
        assert_eq!(access_end(now, life), safe, "{life:?}");
    }
    assert_eq!(
        access_end(now, SignedDuration::from_secs(7200)),
        at(1_007_200)
    );
}

fn failure(number: u32) -> Failure {
    Failure {
        number,
        calls: 1,
        told: None,
    }
}

#[test]
fn r5_what_the_provider_says_is_waited_for_up_to_a_day() {
    let now = at(0);
    let told = |wait| {
        let failure = Failure {
            told: Some(wait),
            ..failure(1)
        };
        due_after_failure(now, failure, 0.0).duration_since(now)
    };
    for (said, waited) in [(7, 7), (24 * 60, 24 * 60), (48 * 60, 24 * 60)] {
        assert_eq!(
            told(SignedDuration::from_mins(said)),
            SignedDuration::from_mins(waited)
        );
    }
}

#[test]
fn r8_a_token_that_lives_for_ever_is_still_used_well_before_the_idle_limit() {
    let now = at(0);
    let end = now + SignedDuration::from_hours(24 * 3000);
    let due = due_after_success(now, end, None, 0.999);
    assert!(due.duration_since(now) <= KEEP_ALIVE);
    for row in tributary::oauth::provider::PROVIDERS {
        let due = due_after_success(now, end, row.idle_limit, 0.999);
        let limit = row
            .idle_limit
            .unwrap_or(SignedDuration::from_hours(30 * 24));
        assert!(due.duration_since(now) * 2 < limit, "{}", row.key);
    }
}

fn practice_of(key: &str, change: impl FnOnce(&mut Connection)) -> Practice {
    let mut record = connection();
    change(&mut record);
    Practice::of(&record, provider(key).unwrap())
}

#[test]
fn a_provider_that_was_seen_to_rotate_is_taken_to_be_strict() {
    assert_eq!(practice_of("hubspot", |_| {}).class, RotationClass::Never);
    let learned = practice_of("hubspot", |record| record.rotates = true);
    assert_eq!(learned.class, RotationClass::Strict);
    let kept = practice_of("microsoft", |record| record.rotates = true);
    assert_eq!(kept.class, RotationClass::KeepsOld, "its row says so");
}

#[test]
fn connections_with_their_own_credentials_ask_again() {
    for kind in [
        "oauth_jwt_bearer",
        "oauth_client_credentials",
        "oauth_password",
    ] {
        let practice = practice_of("salesforce", |record| {
            record.auth = serde_json::from_value(kind.into()).unwrap();
        });
        assert_eq!(practice.source, Source::Credentials, "{kind}");
        assert!(practice.may_always_resend());
    }
}

fn with(class: RotationClass, introspects: bool) -> Practice {
    Practice {
        class,
        introspects,
        ..STRICT
    }
}

#[test]
fn r6_each_class_has_its_answer_to_a_found_intent() {
    let window = RotationClass::Grace(SignedDuration::from_mins(10));
    let short = RotationClass::Grace(SignedDuration::from_secs(60));
    let end = 7_200_000;
    let record = |intent: Connection| Connection {
        access_expires_at: Some(end),
        ..intent
    };
    let settled = at(250);
    let cases = [
        (RotationClass::Never, false, at(1), Step::Resend),
        (RotationClass::KeepsOld, false, at(1), Step::Resend),
        (RotationClass::NoRefreshToken, false, at(1), Step::Resend),
        (window, false, at(249), Step::Wait { until: 250_000 }),
        (window, false, settled, Step::Resend),
        (window, false, at(289), Step::Resend),
        (window, false, at(290), Step::Hold { until: end }),
        (window, true, at(290), Step::Settle),
        (short, false, settled, Step::Hold { until: end }),
        (RotationClass::Strict, true, settled, Step::Settle),
        (
            RotationClass::Strict,
            false,
            settled,
            Step::Hold { until: end },
        ),
        (
            RotationClass::Strict,
            false,
            at(7_199),
            Step::Hold { until: end },
        ),
        (RotationClass::Strict, false, at(7_200), Step::Gamble),
    ];
    for (class, introspects, now, expected) in cases {
        let step = next_step(&record(with_intent(0)), with(class, introspects), 3, now);
        assert_eq!(step, expected, "{class:?} {introspects} {now}");
    }
}

#[test]
fn a_last_attempt_is_not_made_twice_and_a_waiting_answer_is_waited_for() {
    let strict = with(RotationClass::Strict, false);
    let mut record = with_intent(0);
    record.intent.as_mut().unwrap().last = true;
    assert!(matches!(
        next_step(&record, strict, 3, at(1)),
        Step::Wait { .. }
    ));
    assert_eq!(next_step(&record, strict, 3, at(9_000)), Step::Lost);
    record.intent.as_mut().unwrap().rescue_until = Some(9_500_000);
    let waits = Step::Wait { until: 9_500_000 };
    assert_eq!(next_step(&record, strict, 3, at(9_000)), waits);
    assert_eq!(next_step(&record, strict, 3, at(9_500)), Step::Lost);
}

proptest! {
    #[test]
    fn the_due_time_lies_after_now_and_before_the_end_where_there_is_room(life in 60i64..10_000_000, chance in 0.0f64..1.0) {
        let now = at(1_000_000_000);
        let end = now + SignedDuration::from_secs(life);
        let due = due_after_success(now, end, None, chance);
        prop_assert!(due > now);
        prop_assert!(due <= end);
        if life > 3600 {
            prop_assert!(end.duration_since(due) >= BEFORE_END);
        }
    }

    #[test]
    fn a_failure_never_makes_work_due_at_once(failures in 0u32..50, chance in 0.0f64..1.0) {
        let now = at(0);
        let wait = due_after_failure(now, failure(failures), chance).duration_since(now);
        prop_assert!(wait >= SignedDuration::from_secs(27));
    }

    /// R11: whatever a connection fails with, and whatever it takes to find out, a day of it costs
    /// the provider at most 20 calls.
    #[test]
    fn r11_what_fails_for_ever_costs_at_most_twenty_calls_a_day(
        asks in any::<bool>(),
        chances in prop::collection::vec(0.0f64..1.0, 60),
        mixed in prop::collection::vec(any::<bool>(), 60),
    ) {
        let day = at(0) + SignedDuration::from_hours(24);
        let (mut now, mut number, mut calls_made) = (at(0), 0u32, 0);
        while now < day {
            let step = number as usize % 60;
            // Asking first, then presenting, are two calls; a first call is one.
            let calls = if number > 0 && (asks || mixed[step]) { 2 } else { 1 };
            calls_made += calls;
            number += 1;
            let failure = Failure { number, calls, told: None };
            now = due_after_failure(now, failure, chances[step]);
        }
        prop_assert!(calls_made <= 20, "{calls_made} calls");
    }

    /// R13: clocks that differ by two minutes never make a predecessor's call look settled before its
    /// deadline and two minutes of travel are over.
    #[test]
    fn r13_settling_outlasts_a_call_whatever_the_clocks_say(
        skew in -120_000i64..=120_000, since in 0i64..1_000_000,
        grace in 0i64..3_600,
    ) {
        let began = 1_000_000_000_000;
        let seen = Timestamp::from_millisecond(began + since + skew).unwrap();
        for class in [RotationClass::Strict, RotationClass::Grace(SignedDuration::from_secs(grace))] {
            let step = next_step(&with_intent(began), with(class, true), 3, seen);
            match step {
                Step::Wait { .. } => {}
                // And a resend arrives within the window even if it is two minutes late.
                Step::Resend => prop_assert!(since >= 130_000 && since + 190_000 <= grace * 1000),
                _ => prop_assert!(since >= 130_000, "{since}"),
            }
        }
    }
}
