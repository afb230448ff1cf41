use proptest::prelude::*;

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

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
        }),
        ..connection()
    }
}

#[test]
fn a_due_connection_is_refreshed() {
    assert_eq!(next_step(&connection(), 3, at(0)), Step::Refresh);
}

#[test]
fn r9_another_partys_token_is_never_used() {
    for owner in [TokenOwner::Appflow, TokenOwner::Nobody] {
        let record = Connection {
            token_owner: owner,
            ..connection()
        };
        assert!(matches!(next_step(&record, 3, at(0)), Step::Leave(_)));
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
            matches!(next_step(&record, 3, at(0)), Step::Leave(_)),
            "{state}"
        );
    }
}

#[test]
fn r12_a_message_of_an_older_generation_does_nothing() {
    assert!(matches!(next_step(&connection(), 2, at(0)), Step::Leave(_)));
}

#[test]
fn an_unpushed_generation_is_pushed_before_all_else() {
    let record = Connection {
        pushed_generation: 2,
        ..connection()
    };
    assert_eq!(next_step(&record, 3, at(0)), Step::Push);
    assert_eq!(next_step(&record, 2, at(0)), Step::Push);
}

#[test]
fn r8_a_push_that_cannot_succeed_does_not_keep_the_refresh_token_idle() {
    let record = Connection {
        pushed_generation: 2,
        access_expires_at: Some(10_000),
        ..connection()
    };
    assert_eq!(next_step(&record, 3, at(9)), Step::Push);
    assert_eq!(next_step(&record, 3, at(10)), Step::Refresh);
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
        let lacking = Connection {
            missing_scopes: vec!["id".to_owned()],
            ..limited(reason)
        };
        assert_eq!(
            state_with_token(&lacking),
            Some((ConnectionState::Limited, Some("missing_scopes")))
        );
    }
    assert_eq!(state_with_token(&limited("missing_scopes")), None);
    assert_eq!(state_with_token(&connection()), None);
}

#[test]
fn r3_r6_a_found_intent_waits_for_the_settling_time_and_then_asks() {
    let settled = millis(SETTLING);
    assert_eq!(
        next_step(&with_intent(0), 3, at(5)),
        Step::Wait { until: settled }
    );
    let after = Timestamp::from_millisecond(settled).unwrap();
    assert!(matches!(
        next_step(&with_intent(0), 3, after),
        Step::Settle(_)
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

#[test]
fn r5_retry_after_is_obeyed_up_to_an_hour() {
    let now = at(0);
    let told = |wait| due_after_failure(now, 1, None, Some(wait), 0.0).duration_since(now);
    assert_eq!(
        told(SignedDuration::from_mins(7)),
        SignedDuration::from_mins(7)
    );
    assert_eq!(
        told(SignedDuration::from_hours(48)),
        SignedDuration::from_hours(1)
    );
}

#[test]
fn r11_what_fails_for_ever_is_tried_at_most_twenty_times_a_day() {
    let (mut now, mut tries) = (at(0), 0u32);
    let day = now + SignedDuration::from_hours(24);
    while now < day {
        tries += 1;
        now = due_after_failure(now, tries, None, None, 0.0);
    }
    assert!(tries <= 20, "{tries} tries");
}

#[test]
fn r8_a_token_that_lives_for_ever_is_still_used_every_week() {
    let now = at(0);
    let due = due_after_success(now, now + SignedDuration::from_hours(24 * 3000), 0.999);
    assert!(due.duration_since(now) <= KEEP_ALIVE);
}

proptest! {
    #[test]
    fn the_due_time_lies_after_now_and_before_the_end_where_there_is_room(life in 60i64..10_000_000, chance in 0.0f64..1.0) {
        let now = at(1_000_000_000);
        let end = now + SignedDuration::from_secs(life);
        let due = due_after_success(now, end, chance);
        prop_assert!(due > now);
        prop_assert!(due <= end);
        if life > 3600 {
            prop_assert!(end.duration_since(due) >= BEFORE_END);
        }
    }

    #[test]
    fn a_failure_never_makes_work_due_at_once(failures in 0u32..50, chance in 0.0f64..1.0) {
        let now = at(0);
        let wait = due_after_failure(now, failures, None, None, chance).duration_since(now);
        prop_assert!(wait >= SignedDuration::from_secs(27));
    }
}
