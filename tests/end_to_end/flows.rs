//! Flows: what a definition becomes in AppFlow, and which records it brings.

mod accounts;
mod alarms;
mod cancel;
mod definition;
mod discovery;
mod drift;
mod failure;
mod kinds;
mod lifecycle;
mod listing;
mod metrics;
mod permissions;
mod quota;
mod records;
mod throttle;
mod unfinished;
mod warehouse;
pub(crate) mod world;
