//! `/v1/subscriptions`: who of a tenant is told what, and where.

mod api;
mod confirm;
mod deliveries;
mod ended;
mod endpoints;
mod hooks;
mod interrupted;
mod signatures;
mod targets;
mod world;
