//! The whole service, driven as the loopback endpoint drives it, against a fake Salesforce and
//! account services in memory.

mod account;
mod applications;
mod catalogue;
mod destinations;
mod faults;
mod flows;
mod live;
mod org;
mod pace;
mod profiles;
mod runs;
mod salesforce;
mod schedules;
mod sdk;
mod streaming;
mod task_runs;
mod world;
