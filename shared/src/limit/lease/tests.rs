use proptest::prelude::*;

use super::*;

const T0: i64 = 1_700_000_000 * SECOND;

/// The table: does what a draw says, if its conditions hold.
#[derive(Default)]
struct Table(Seen);

impl Table {
    fn draw(&mut self, draw: Draw) -> Result<Seen, Seen> {
        let full_at = self.0.full_at;
        self.0.full_at = match draw {
            Draw::Idle {
                before,
                full_at: new,
                ..
            } if full_at < before => new,
            Draw::Busy { by, from, to, .. } if (from..=to).contains(&full_at) => full_at + by,
            Draw::Idle { .. } | Draw::Busy { .. } => return Err(self.0),
        };
        Ok(self.0)
    }
}

/// A request at an instance; whether it was let in, and how often the table was asked.
fn request(held: &mut Held, table: &mut Table, limit: Limit, now: i64) -> (bool, u32) {
    for asked in 0..2 {
        match held.step(limit, now) {
            Step::Admit => return (true, asked),
            Step::Refuse { until } => {
                assert!(until > now, "a refusal says when");
                return (false, asked);
            }
            Step::Silence => unreachable!("the table always answers here"),
            Step::Ask(draw) => match table.draw(draw) {
                Ok(seen) => {
                    held.drew(draw, seen, now);
                    return (true, asked + 1);
                }
                Err(seen) => held.saw(seen),
            },
        }
    }
    (false, 2)
}

#[test]
fn a_batch_is_drawn_at_once_and_used_up_without_the_table() {
    let (mut held, mut table) = (Held::default(), Table::default());
    let limit = Limit::whole(10, 50);
    let asked: u32 = (0..50)
        .map(|_| request(&mut held, &mut table, limit, T0))
        .inspect(|(admitted, _)| assert!(admitted))
        .map(|(_, asked)| asked)
        .sum();
    assert_eq!(asked, 10, "five at a time");
    assert_eq!(request(&mut held, &mut table, limit, T0), (false, 0));
}

#[test]
fn who_is_refused_is_let_in_when_it_was_said_and_not_before() {
    let (mut held, mut table) = (Held::default(), Table::default());
    let limit = Limit::whole(2, 4);
    while request(&mut held, &mut table, limit, T0).0 {}
    let Step::Refuse { until } = held.step(limit, T0) else {
        panic!("empty");
    };
    assert_eq!(until, T0 + SECOND / 2);
    assert!(!request(&mut held, &mut table, limit, until - 1).0);
    assert!(request(&mut held, &mut table, limit, until).0);
}

#[test]
fn a_lease_ends_and_another_instance_never_had_it() {
    let (mut one, mut other) = (Held::default(), Held::default());
    let mut table = Table::default();
    let limit = Limit::whole(1, 20);
    assert!(request(&mut one, &mut table, limit, T0).0);
    assert_eq!(one.tokens, 1);
    let admitted = (0..40)
        .filter(|_| request(&mut other, &mut table, limit, T0).0)
        .count();
    assert_eq!(admitted, 18, "two were drawn before");
    let later = T0 + LEASE;
    assert_eq!(one.step(limit, T0 + 1), Step::Admit);
    assert!(matches!(one.step(limit, later), Step::Ask(_)));
}

#[test]
fn an_own_limit_takes_the_place_of_the_usual_one() {
    let mut held = Held::default();
    held.saw(Seen {
        full_at: 0,
        own: Some(Limit::whole(1, 1)),
    });
    let mut table = Table(Seen {
        full_at: 0,
        own: Some(Limit::whole(1, 1)),
    });
    let usual = Limit::whole(50, 200);
    assert!(request(&mut held, &mut table, usual, T0).0);
    assert!(!request(&mut held, &mut table, usual, T0).0);
}

#[test]
fn a5_without_the_table_an_instance_lets_a_quarter_in_and_asks_once_a_second() {
    let mut held = Held::default();
    let limit = Limit::whole(50, 200);
    assert!(matches!(held.step(limit, T0), Step::Ask(_)));
    held.heard_nothing(T0);
    assert_eq!(held.step(limit, T0 + 1), Step::Silence);
    let admitted = (0..200)
        .filter(|_| held.step_alone(limit, T0) == Step::Admit)
        .count();
    assert_eq!(admitted, 50);
    assert!(matches!(held.step(limit, T0 + SILENCE), Step::Ask(_)));
}

proptest! {
    /// A1: in any window there is no more than what the bucket holds, what it is filled with
    /// meanwhile, and what instances had drawn before.
    #[test]
    fn no_window_has_more_than_limit_and_burst_and_leases(
        rate in 1i64..30,
        burst in 1i64..60,
        instances in 1usize..5,
        calls in prop::collection::vec((0usize..5, 0i64..400_000), 1..250),
    ) {
        let limit = Limit::whole(rate, burst);
        let mut table = Table::default();
        let mut held = vec![Held::default(); instances];
        let mut now = T0;
        let mut admitted = Vec::new();
        for (instance, pause) in calls {
            now += pause;
            let (let_in, asked) = request(&mut held[instance % instances], &mut table, limit, now);
            prop_assert!(asked <= 2);
            if let_in {
                admitted.push(now);
            }
        }
        let leases = i64::try_from(instances).unwrap() * (limit.batch() - 1);
        for (first, from) in admitted.iter().enumerate() {
            for (last, to) in admitted.iter().enumerate().skip(first) {
                let count = i64::try_from(last - first).unwrap() + 1;
                let most = burst + (to - from) / limit.interval() + 1 + leases;
                prop_assert!(count <= most, "{count} > {most} in {} us", to - from);
            }
        }
    }

    /// A quiet party is not refused: below the limit every request is let in.
    #[test]
    fn who_stays_below_the_limit_is_never_refused(
        rate in 1i64..30,
        burst in 10i64..60,
        pauses in prop::collection::vec(0i64..100, 1..100),
    ) {
        let limit = Limit::whole(rate, burst);
        let (mut held, mut table) = (Held::default(), Table::default());
        let mut now = T0;
        for pause in pauses {
            now += limit.interval() + pause;
            prop_assert!(request(&mut held, &mut table, limit, now).0);
        }
    }
}
