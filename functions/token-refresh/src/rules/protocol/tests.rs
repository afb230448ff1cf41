//! What each design reaches.

use super::*;

#[test]
fn r2_r3_r6_t3_the_implemented_protocol_reaches_no_bad_end() {
    let worlds = &*IMPLEMENTED_WORLDS;
    let bad: Vec<_> = worlds
        .iter()
        .filter_map(|(world, steps)| Some((world.bad()?, steps, world)))
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
        let answer_lost = !world.left.crash || !world.left.lost_answer || !world.left.late_request;
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
