//! Connections: consent in the browser, and tokens that stay fresh whatever goes wrong.

mod callback;
mod catalogue;
mod consent;
mod crash;
mod credentials;
mod minted;
mod outage;
mod own_app;
mod provider_failures;
mod push;
mod queue;
mod reconnect;
mod refresh;
mod start_link;
mod world;
