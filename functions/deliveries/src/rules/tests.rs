use proptest::prelude::*;

use super::*;

fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

const fn status(code: u16) -> Answer {
    Answer::Status {
        code,
        retry_after: None,
    }
}

/// N4: how long an endpoint is waited for that always fails.
#[test]
fn n4_the_schedule_is_tried_for_more_than_27_hours() {
    let mut now = start();
    let mut waits = Vec::new();
    let mut number = 1;
    let verdict = loop {
        match judge(status(500), number, Some(start()), now, 0.0) {
            Verdict::Again { at } => {
                waits.push(at.duration_since(now).as_secs());
                now = at;
                number += 1;
            }
            verdict => break verdict,
        }
    };
    assert_eq!(waits, [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000]);
    assert_eq!(number, 8);
    assert!(now.duration_since(start()) > SignedDuration::from_hours(27));
    assert_eq!(verdict, Verdict::Failing);
}

#[test]
fn what_answers_mean() {
    let hour = start() - SignedDuration::from_hours(1);
    let days = start() - SignedDuration::from_hours(48);
    for (answer, number, failing_since, expected) in [
        (status(200), 1, None, "delivered"),
        (status(204), 8, Some(days), "delivered"),
        (status(299), 1, None, "delivered"),
        (status(301), 1, None, "again"),
        (status(307), 8, Some(days), "failing"),
        (status(400), 1, None, "again"),
        (status(404), 8, None, "dead"),
        (status(410), 1, None, "gone"),
        (status(410), 8, Some(days), "gone"),
        (status(429), 7, Some(days), "again"),
        (status(503), 8, Some(hour), "dead"),
        (status(503), 9, Some(days), "failing"),
        (status(100), 1, None, "again"),
        (Answer::None("timeout"), 1, None, "again"),
        (Answer::None("timeout"), 8, Some(days), "failing"),
    ] {
        let verdict = match judge(answer, number, failing_since, start(), 0.5) {
            Verdict::Delivered => "delivered",
            Verdict::Again { .. } => "again",
            Verdict::Dead => "dead",
            Verdict::Failing => "failing",
            Verdict::Gone => "gone",
        };
        assert_eq!(verdict, expected, "{answer:?}, attempt {number}");
    }
}

#[test]
fn retry_after_holds_up_to_the_next_step() {
    let wait = |number, seconds| {
        let answer = Answer::Status {
            code: 429,
            retry_after: Some(Duration::from_secs(seconds)),
        };
        match judge(answer, number, None, start(), 0.0) {
            Verdict::Again { at } => at.duration_since(start()).as_secs(),
            verdict => panic!("{verdict:?}"),
        }
    };
    assert_eq!(wait(1, 0), 5);
    assert_eq!(wait(1, 60), 60);
    assert_eq!(wait(1, 86_400), 300);
    assert_eq!(wait(2, 60), 300);
    assert_eq!(wait(7, 86_400), 36_000);
    assert_eq!(wait(3, u64::MAX), 7_200);
}

fn answers() -> impl Strategy<Value = Answer> {
    let retry_after = prop::option::of((0u64..200_000).prop_map(Duration::from_secs));
    prop_oneof![
        (100u16..600, retry_after)
            .prop_map(|(code, retry_after)| Answer::Status { code, retry_after }),
        Just(Answer::None("timeout")),
    ]
}

proptest! {
    /// N3, N4: whatever an endpoint answers, a delivery ends: delivered by the first success, or given
    /// up after all attempts and not before; and the endpoint goes only after a day without success.
    #[test]
    fn n3_n4_a_delivery_ends_well_or_after_every_attempt(
        said in prop::collection::vec(answers(), 8),
        chances in prop::collection::vec(0.0f64..1.0, 8),
        failing_for in prop::option::of(0i64..400_000),
    ) {
        let mut now = start();
        let failing_since = failing_for.map(|seconds| start() - SignedDuration::from_secs(seconds));
        let mut tried = 0;
        for (index, (answer, chance)) in said.iter().zip(chances).enumerate() {
            tried = u32::try_from(index).unwrap() + 1;
            let since = failing_since.or((index > 0).then(start));
            match judge(*answer, tried, since, now, chance) {
                Verdict::Delivered => {
                    prop_assert!(matches!(answer.status(), Some(200..=299)));
                    return Ok(());
                }
                Verdict::Gone => {
                    prop_assert_eq!(answer.status(), Some(410));
                    return Ok(());
                }
                Verdict::Again { at } => {
                    let wait = at.duration_since(now);
                    let longest = SCHEDULE.get(index + 1).unwrap_or(&SCHEDULE[index]);
                    prop_assert!(wait >= SCHEDULE[index]);
                    prop_assert!(wait <= (*longest).max(SCHEDULE[index].mul_f64(1.0 + JITTER)));
                    now = at;
                }
                verdict @ (Verdict::Dead | Verdict::Failing) => {
                    prop_assert_eq!(tried, 8);
                    prop_assert!(now.duration_since(start()) > SignedDuration::from_hours(27));
                    let day = since.is_some_and(|since| now.duration_since(since) > PATIENCE);
                    prop_assert_eq!(verdict == Verdict::Failing, day);
                }
            }
        }
        prop_assert_eq!(tried, 8);
    }

    /// N3: what makes way for a failing endpoint's one attempt comes back within about an hour.
    #[test]
    fn n3_what_makes_way_comes_back(failing_for in 0i64..400_000, chance in 0.0f64..1.0) {
        let since = start() - SignedDuration::from_secs(failing_for);
        let wait = aside(since, start(), chance).duration_since(start());
        prop_assert!(wait >= SignedDuration::from_secs(45));
        prop_assert!(wait <= SignedDuration::from_mins(75));
    }
}
