//! Connections: consent in the browser, and tokens that stay fresh whatever goes wrong.

mod callback;
mod consent;
mod crash;
mod invitation;
mod outage;
mod provider_failures;
mod push;
mod queue;
mod reconnect;
mod refresh;
mod spa;
mod start_link;
mod world;
