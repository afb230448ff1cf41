//! Flows: what a definition becomes in AppFlow, and which records it brings.

mod accounts;
mod definition;
mod failure;
mod lifecycle;
mod records;
pub(crate) mod world;
