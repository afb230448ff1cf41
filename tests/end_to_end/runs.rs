//! Runs: history and notifications, whatever happens to events and processes on the way.

mod after_run;
mod driver;
pub(crate) mod events;
mod failed;
mod history;
mod killed;
mod kills;
mod lab;
mod lost;
mod mischief;
mod notified;
mod retry;
mod start;
mod status;
mod sums;
