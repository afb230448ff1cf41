//! Connections: consent in the browser, and tokens that stay fresh whatever goes wrong.

mod callback;
mod consent;
mod crash;
mod disconnect;
mod failed_run;
mod gate;
mod invitation;
mod leaks;
mod outage;
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
