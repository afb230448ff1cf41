//! Connections: consent in the browser, and tokens that stay fresh whatever goes wrong.

mod callback;
mod consent;
mod crash;
mod gate;
mod outage;
mod provider_failures;
mod push;
mod queue;
mod reconnect;
mod refresh;
mod start_link;
mod world;
