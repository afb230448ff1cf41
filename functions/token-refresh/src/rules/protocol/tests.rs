//! What each design reaches.

use super::*;

#[test]
fn r2_r3_r6_t3_the_implemented_protocol_reaches_no_bad_end() {
    let worlds = &*IMPLEMENTED_WORLDS;
    let bad: Vec<_> = worlds
        .iter()
        .filter_map(|(world, steps)| Some((world.bad(IMPLEMENTED)?, steps, world)))
        .collect();
    assert!(
        bad.is_empty(),
        "{:#?}",
        bad.iter().min_by_key(|(_, steps, _)| *steps)
    );
    // The search went somewhere: tokens were rotated twice and more, and lost answers were noticed.
    assert!(worlds.len() > 10_000, "{} worlds", worlds.len());
    assert!(
        worlds
            .keys()
            .any(|world| world.record.generation >= 3 && world.is_idle())
    );
    assert!(worlds.keys().any(|world| world.record.reauth));
}

#[test]
fn a_person_is_asked_only_when_an_answer_was_lost() {
    for world in IMPLEMENTED_WORLDS
        .keys()
        .filter(|world| world.record.reauth)
    {
        assert_ne!(world.record.token, world.newest, "{world:?}");
        let answer_lost = !world.left.crash
            || !world.left.lost_answer
            || !world.left.late_request
            || !world.left.table_down;
        assert!(answer_lost, "{world:?}");
    }
}

#[test]
fn without_a_lease_two_workers_present_the_same_token() {
    let design = Design {
        lease: false,
        intent: false,
        ..IMPLEMENTED
    };
    assert!(ends(design).contains(&Bad::SelfRevocation));
}

#[test]
fn a_lease_without_an_intent_presents_a_token_whose_answer_was_lost() {
    let ends = ends(Design {
        intent: false,
        ..IMPLEMENTED
    });
    assert!(ends.contains(&Bad::SelfRevocation), "{ends:?}");
    assert!(ends.contains(&Bad::SilentLoss), "{ends:?}");
}

#[test]
fn an_intent_that_is_answered_with_another_call_revokes_the_grant() {
    assert!(
        ends(Design {
            asks: false,
            ..IMPLEMENTED
        })
        .contains(&Bad::SelfRevocation)
    );
}

#[test]
fn without_the_settling_time_a_late_request_overtakes_the_question() {
    assert!(
        ends(Design {
            settles: false,
            ..IMPLEMENTED
        })
        .contains(&Bad::SelfRevocation)
    );
}

#[test]
fn a_lease_that_lapses_under_its_caller_revokes_the_grant() {
    assert!(
        ends(Design {
            lease_outlives_caller: false,
            ..IMPLEMENTED
        })
        .contains(&Bad::SelfRevocation)
    );
}

#[test]
fn r3_each_class_of_provider_reaches_no_bad_end() {
    for design in [
        at_provider(RotationClass::Never, false),
        at_provider(RotationClass::KeepsOld, false),
        at_provider(RotationClass::Grace(WINDOW), true),
        at_provider(RotationClass::Grace(WINDOW), false),
        at_provider(RotationClass::Strict, false),
        at_provider(RotationClass::NoRefreshToken, false),
    ] {
        assert_eq!(ends(design), [], "{:?}", design.practice);
    }
}

#[test]
fn r3_within_its_window_a_provider_answers_again_and_nobody_is_asked() {
    let worlds = reachable(at_provider(RotationClass::Grace(WINDOW), false));
    let recovered = |world: &World| {
        !world.left.lost_answer && world.record.token == world.newest && world.newest >= 3
    };
    assert!(
        worlds
            .keys()
            .any(|world| world.is_idle() && recovered(world))
    );
}

#[test]
fn a_window_that_is_used_to_its_end_is_overrun_by_a_late_request() {
    let design = Design {
        margin: false,
        ..at_provider(RotationClass::Grace(WINDOW), false)
    };
    assert!(ends(design).contains(&Bad::SelfRevocation));
}

#[test]
fn a_strict_provider_that_is_taken_for_a_lenient_one_ends_the_grant() {
    for class in [RotationClass::Never, RotationClass::KeepsOld] {
        let design = Design {
            practice: practice(class, false),
            ..IMPLEMENTED
        };
        assert!(ends(design).contains(&Bad::SelfRevocation), "{class:?}");
    }
}

#[test]
fn an_answer_on_the_queue_is_thrown_away_unless_the_lost_token_is_remembered() {
    let design = Design {
        remembers: false,
        ..IMPLEMENTED
    };
    assert!(ends(design).contains(&Bad::ThrownAway));
}

#[test]
fn where_nobody_can_be_asked_the_last_attempt_comes_after_the_access_tokens_end() {
    let design = at_provider(RotationClass::Strict, false);
    let worlds = reachable(design);
    let gambled = |world: &World| world.record.intent.is_some_and(|intent| intent.last);
    assert!(worlds.keys().any(gambled));
    assert!(
        worlds
            .keys()
            .filter(|world| gambled(world))
            .all(|world| world.access_over)
    );
    assert!(worlds.keys().any(|world| world.revoked && !world.harmed));
}
