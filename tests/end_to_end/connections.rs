//! Connections: consent in the browser, and tokens that stay fresh whatever goes wrong.

mod callback;
mod catalogue;
mod consent;
mod crash;
mod credentials;
mod disconnect;
mod failed_run;
mod gate;
mod invitation;
mod leaks;
mod minted;
mod outage;
mod own_app;
mod processes;
mod provider_failures;
mod push;
mod queue;
mod reconnect;
mod refresh;
mod scale;
mod seed;
mod spa;
mod start_link;
mod vault;
mod world;
