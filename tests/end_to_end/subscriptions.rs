//! `/v1/subscriptions`: who of a tenant is told what, and where.

mod api;
mod confirm;
mod ended;
mod interrupted;
mod targets;
mod world;
