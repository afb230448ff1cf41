//! What can happen to an event on its way: EventBridge promises at least once, in no order, and
//! AppFlow's events not even that.

use serde_json::Value;

/// What happens to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mischief {
    /// It is never delivered.
    Lose,
    /// It is delivered twice.
    Duplicate,
    /// It is held back until the next event was delivered.
    Reorder,
}

impl Mischief {
    /// The name of the mischief as an operation of the fault service `events`.
    pub(super) const NAMES: [(&'static str, Self); 4] = [
        ("deliver", Self::Lose),
        ("lose", Self::Lose),
        ("duplicate", Self::Duplicate),
        ("reorder", Self::Reorder),
    ];
}

/// An event that waits for its successor.
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
    pub(super) held: Vec<Held>,
}

impl Plan {
    pub(super) fn set(&mut self, mischief: Mischief, times: u32) {
        self.next = (times > 0).then_some((mischief, times));
    }

    pub(super) fn take(&mut self) -> Option<Mischief> {
        let (mischief, times) = self.next?;
        self.set(mischief, times - 1);
        Some(mischief)
    }
}
