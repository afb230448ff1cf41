//! Flows: what a definition becomes in AppFlow, and which records it brings.

mod accounts;
mod definition;
mod discovery;
mod failure;
mod lifecycle;
mod permissions;
mod records;
pub(crate) mod world;
