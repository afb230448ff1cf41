use std::time::Duration;

use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_800_000_000_000;

fn refusal(tenant: &str) -> Report {
    Report {
        refused_for: Some(tenant.to_owned()),
        answered: 1,
        ..Report::default()
    }
}

fn failure() -> Report {
    Report {
        failed: 1,
        ..Report::default()
    }
}

fn answered(began: i64) -> Report {
    Report {
        began,
        answered: 1,
        ..Report::default()
    }
}

#[test]
fn r7_slots_are_as_far_apart_as_the_rate_says() {
    let mut gate = Gate::default();
    assert_eq!(
        gate.admit(NOW, 10, 3),
        Admission::Slots(vec![NOW, NOW + 100, NOW + 200])
    );
    assert_eq!(gate.admit(NOW, 10, 1), Admission::Slots(vec![NOW + 300]));
    assert_eq!(
        gate.admit(NOW + 5_000, 10, 1),
        Admission::Slots(vec![NOW + 5_000])
    );
}

#[test]
fn a_cool_down_holds_for_everybody_and_not_for_ever() {
    let mut gate = Gate::default();
    let told = Report {
        failed: 1,
        cool_down: Some(3_600_000),
        ..Report::default()
    };
    assert_eq!(gate.report(told, Users::Many, NOW), None);
    let until = NOW + LONGEST_COOL_DOWN;
    assert_eq!(gate.admit(NOW, 10, 1), Admission::Closed { until });
    assert!(matches!(gate.admit(until, 10, 1), Admission::Slots(_)));
}

#[test]
fn three_refusals_of_two_tenants_open_the_gate_of_a_vendors_app() {
    let mut gate = Gate::default();
    for _ in 0..5 {
        assert_eq!(
            gate.report(refusal("a"), Users::Many, NOW),
            None,
            "one tenant alone"
        );
    }
    let turn = gate.report(refusal("b"), Users::Many, NOW);
    assert_eq!(turn, Some(Turn::Opened("app_refused")));
    assert_eq!(
        gate.report(refusal("b"), Users::Many, NOW),
        None,
        "said once"
    );
}

#[test]
fn a_tenants_own_app_needs_that_tenant_only() {
    let mut gate = Gate::default();
    assert_eq!(gate.report(refusal("a"), Users::One, NOW), None);
    assert_eq!(gate.report(refusal("a"), Users::One, NOW), None);
    assert_eq!(
        gate.report(refusal("a"), Users::One, NOW),
        Some(Turn::Opened("app_refused"))
    );
}

#[test]
fn an_organisation_that_blocks_our_app_opens_nothing_while_others_accept_it() {
    let mut gate = Gate::default();
    for number in 0..50 {
        let tenant = if number % 2 == 0 { "a" } else { "b" };
        assert_eq!(gate.report(refusal(tenant), Users::Many, NOW), None);
        assert_eq!(gate.report(answered(NOW), Users::Many, NOW), None);
    }
}

#[test]
fn half_of_twenty_calls_failing_within_a_minute_opens_the_gate() {
    let mut gate = Gate::default();
    for _ in 0..10 {
        assert_eq!(gate.report(answered(NOW), Users::Many, NOW), None);
    }
    for _ in 0..9 {
        assert_eq!(gate.report(failure(), Users::Many, NOW), None);
    }
    let mut later = gate.clone();
    assert_eq!(
        gate.report(failure(), Users::Many, NOW + 1),
        Some(Turn::Opened("host_failing"))
    );
    assert_eq!(
        later.report(failure(), Users::Many, NOW + WINDOW),
        None,
        "counted anew"
    );
}

#[test]
fn an_open_gate_lets_one_probe_pass_every_thirty_seconds_and_closes_when_it_is_answered() {
    let mut gate = Gate::default();
    for _ in 0..20 {
        gate.report(failure(), Users::Many, NOW);
    }
    let until = NOW + PROBE_EVERY;
    assert_eq!(gate.admit(NOW, 10, 1), Admission::Closed { until });
    assert_eq!(gate.admit(until, 10, 1), Admission::Probe);
    assert!(matches!(gate.admit(until, 10, 1), Admission::Closed { .. }));
    assert_eq!(
        gate.report(failure(), Users::Many, until),
        None,
        "still open"
    );
    let old = answered(NOW - 1);
    assert_eq!(
        gate.report(old, Users::Many, until),
        None,
        "began before it opened"
    );
    assert_eq!(
        gate.report(answered(until), Users::Many, until),
        Some(Turn::Closed)
    );
    assert!(matches!(gate.admit(until, 10, 1), Admission::Slots(_)));
}

#[test]
fn what_concerns_one_user_does_not_count_against_the_host() {
    for reason in [
        "inactive_user",
        "ip_restricted",
        "rate_limit_exceeded",
        "org_policy",
    ] {
        let outcome = TokenOutcome::Refused(TokenFailure::Retryable {
            reason,
            after: Some(Duration::from_hours(1)),
        });
        let report = Report::of(&outcome, NOW, "a");
        assert!(!report.is_urgent(), "{reason}: {report:?}");
    }
    let busy = TokenOutcome::Refused(TokenFailure::Retryable {
        reason: "rate_limited",
        after: None,
    });
    assert_eq!(
        Report::of(&busy, NOW, "a").cool_down,
        Some(UNTOLD_COOL_DOWN)
    );
}

proptest! {
    /// Over any second no more calls begin than the rate allows, whoever asks when and for how many.
    #[test]
    fn r7_no_host_gets_more_than_its_rate(
        rate in 1u32..100,
        asks in prop::collection::vec((0i64..3_000, 1u32..8), 1..60),
    ) {
        let (mut gate, mut now, mut slots) = (Gate::default(), NOW, Vec::new());
        for (pause, wanted) in asks {
            now += pause;
            if let Admission::Slots(given) = gate.admit(now, rate, wanted) {
                prop_assert!(given.iter().all(|slot| *slot >= now));
                slots.extend(given);
            }
        }
        slots.sort_unstable();
        let apart = 1000 / i64::from(rate);
        prop_assert!(slots.windows(2).all(|pair| pair[1] - pair[0] >= apart));
    }

    /// An open gate passes at most one call in 30 seconds until one is answered.
    #[test]
    fn an_open_gate_passes_probes_only(pauses in prop::collection::vec(0i64..20_000, 1..80)) {
        let mut gate = Gate { opened_at: Some(NOW), probe_at: NOW + PROBE_EVERY, ..Gate::default() };
        let (mut now, mut last) = (NOW, None);
        for pause in pauses {
            now += pause;
            match gate.admit(now, 50, 5) {
                Admission::Probe => {
                    prop_assert!(last.is_none_or(|last| now - last >= PROBE_EVERY));
                    last = Some(now);
                    gate.report(failure(), Users::Many, now);
                }
                Admission::Closed { until } => prop_assert!(until > now),
                Admission::Slots(_) => prop_assert!(false, "open"),
            }
        }
    }

    #[test]
    fn r13_clocks_that_differ_by_two_minutes_neither_block_nor_flood(skews in prop::collection::vec(-120_000i64..120_000, 2..40)) {
        let mut gate = Gate::default();
        let mut slots = Vec::new();
        for skew in skews {
            match gate.admit(NOW + skew, 50, 1) {
                Admission::Slots(given) => slots.extend(given),
                other => prop_assert!(false, "{other:?}"),
            }
        }
        slots.sort_unstable();
        prop_assert!(slots.windows(2).all(|pair| pair[1] - pair[0] >= 20));
        prop_assert!(slots.iter().all(|slot| *slot <= NOW + 125_000));
    }
}
