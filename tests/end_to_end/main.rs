//! End to end: every test starts what it needs on ports that the system chooses, against the real
//! function binaries. The folders mirror what a user would call the parts of the product.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on stops where it is"
)]

mod audit;
mod catalog;
mod common;
mod connections;
mod edge;
mod events;
mod flows;
mod independent_client;
mod limits;
mod notifications;
mod onboarding;
mod queries;
mod runs;
mod scopes;
mod subscriptions;
mod tenants;
mod tour;
mod warehouse_guide;
