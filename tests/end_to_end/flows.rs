//! Flows: what a definition becomes in AppFlow, and which records it brings.

mod accounts;
mod cancel;
mod definition;
mod drift;
mod failure;
mod lifecycle;
mod listing;
mod quota;
mod records;
mod throttle;
mod unfinished;
pub(crate) mod world;
