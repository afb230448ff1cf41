//! What can happen to an event on its way: EventBridge promises at least once, in no order, and
//! AppFlow's events not even that.

mod dice;

use serde_json::Value;

pub use dice::Dice;

/// How many later events a delayed one waits for.
const DELAYED_BY: u32 = 5;

/// What happens to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mischief {
    /// It is never delivered.
    Lose,
    /// It is delivered twice.
    Duplicate,
    /// It is held back until the next event was delivered.
    Reorder,
    /// It is held back until several later ones were delivered.
    Delay,
}

impl Mischief {
    /// The name of the mischief as an operation of the fault service `events`.
    pub(super) const NAMES: [(&'static str, Self); 5] = [
        ("deliver", Self::Lose),
        ("lose", Self::Lose),
        ("duplicate", Self::Duplicate),
        ("reorder", Self::Reorder),
        ("delay", Self::Delay),
    ];

    /// How many events go before one to which this happens.
    const fn waits_for(self) -> u32 {
        match self {
            Self::Reorder => 1,
            Self::Delay => DELAYED_BY,
            Self::Lose | Self::Duplicate => 0,
        }
    }
}

/// How many of a hundred of AppFlow's events something happens to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Chances {
    /// Never delivered.
    pub lost: u8,
    /// Delivered twice.
    pub duplicated: u8,
    /// Delivered after the next one.
    pub reordered: u8,
    /// Delivered after several later ones.
    pub delayed: u8,
}

impl Chances {
    /// What happens to the next event.
    fn next(self, dice: &mut Dice) -> Option<Mischief> {
        let mut rolled = dice.below(100);
        let fates = [
            (self.lost, Mischief::Lose),
            (self.duplicated, Mischief::Duplicate),
            (self.reordered, Mischief::Reorder),
            (self.delayed, Mischief::Delay),
        ];
        fates.into_iter().find_map(|(chance, mischief)| {
            let happens = rolled < u64::from(chance);
            rolled = rolled.saturating_sub(u64::from(chance));
            happens.then_some(mischief)
        })
    }
}

/// An event on its way.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) account: String,
    pub(super) bus: String,
    pub(super) event: Value,
}

/// What is to happen next.
#[derive(Debug, Default)]
pub(super) struct Plan {
    next: Option<(Mischief, u32)>,
    chances: Option<(Chances, Dice)>,
    /// Events that wait, and for how many others.
    held: Vec<(u32, Held)>,
}

impl Plan {
    pub(super) fn set(&mut self, mischief: Mischief, times: u32) {
        self.next = (times > 0).then_some((mischief, times));
    }

    pub(super) fn set_chances(&mut self, chances: Chances, seed: u64) {
        let is_any = chances != Chances::default();
        self.chances = is_any.then(|| (chances, Dice::new(seed)));
    }

    /// What happens to this event: what was ordered first, then what the dice say.
    pub(super) fn take(&mut self, event: &Value) -> Option<Mischief> {
        if let Some((mischief, times)) = self.next {
            self.set(mischief, times - 1);
            return Some(mischief);
        }
        let (chances, dice) = self.chances.as_mut()?;
        if event["source"] == "aws.appflow" {
            return chances.next(dice);
        }
        None
    }

    /// The events that go now that this one was put and something happens to it.
    pub(super) fn pass(&mut self, event: Held, mischief: Option<Mischief>) -> Vec<Held> {
        let mut going = match mischief {
            Some(Mischief::Lose) => return Vec::new(),
            Some(mischief @ (Mischief::Reorder | Mischief::Delay)) => {
                self.held.push((mischief.waits_for(), event));
                return Vec::new();
            }
            Some(Mischief::Duplicate) => vec![event.clone(), event],
            None => vec![event],
        };
        for (waits_for, _) in &mut self.held {
            *waits_for = waits_for.saturating_sub(1);
        }
        let ripe = self.held.extract_if(.., |(waits_for, _)| *waits_for == 0);
        going.extend(ripe.map(|(_, event)| event));
        going
    }

    /// Everything that was held back.
    pub(super) fn release(&mut self) -> Vec<Held> {
        self.held.drain(..).map(|(_, event)| event).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn held(number: u32) -> Held {
        Held {
            account: "1".to_owned(),
            bus: "default".to_owned(),
            event: json!(number),
        }
    }

    fn pass(plan: &mut Plan, number: u32, mischief: Option<Mischief>) -> Vec<Value> {
        let going = plan.pass(held(number), mischief).into_iter();
        going.map(|held| held.event).collect()
    }

    #[test]
    fn a_reordered_event_lets_one_pass_and_a_delayed_one_several() {
        let mut plan = Plan::default();
        assert!(pass(&mut plan, 0, Some(Mischief::Delay)).is_empty());
        assert!(pass(&mut plan, 1, Some(Mischief::Reorder)).is_empty());
        assert_eq!(pass(&mut plan, 2, None), [2, 1]);
        for number in 3..6 {
            assert_eq!(pass(&mut plan, number, None), [number]);
        }
        assert_eq!(pass(&mut plan, 6, Some(Mischief::Duplicate)), [6, 6, 0]);
        assert!(pass(&mut plan, 7, Some(Mischief::Delay)).is_empty());
        assert_eq!(plan.release().len(), 1);
    }

    #[test]
    fn a_seed_gives_the_same_fates_again_and_each_as_often_as_it_should() {
        let chances = Chances {
            lost: 30,
            duplicated: 20,
            reordered: 10,
            delayed: 5,
        };
        let fates = |seed| {
            let mut dice = Dice::new(seed);
            (0..10_000)
                .map(|_| chances.next(&mut dice))
                .collect::<Vec<_>>()
        };
        assert_eq!(fates(7), fates(7));
        assert_ne!(fates(7), fates(8));
        for (mischief, percent) in [
            (Some(Mischief::Lose), 30_usize),
            (Some(Mischief::Duplicate), 20),
            (Some(Mischief::Reorder), 10),
            (Some(Mischief::Delay), 5),
            (None, 35),
        ] {
            let times = fates(7).iter().filter(|fate| **fate == mischief).count();
            assert!(times.abs_diff(percent * 100) < 200, "{mischief:?}: {times}");
        }
    }

    #[test]
    fn the_dice_are_for_appflows_events() {
        let mut plan = Plan::default();
        let all = Chances {
            lost: 100,
            ..Chances::default()
        };
        plan.set_chances(all, 1);
        assert_eq!(
            plan.take(&json!({ "source": "tributary.verification" })),
            None
        );
        let event = json!({ "source": "aws.appflow" });
        assert_eq!(plan.take(&event), Some(Mischief::Lose));
        plan.set(Mischief::Duplicate, 1);
        assert_eq!(plan.take(&event), Some(Mischief::Duplicate));
        plan.set_chances(Chances::default(), 1);
        assert_eq!(plan.take(&event), None);
    }
}
