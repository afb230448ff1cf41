//! AppFlow on loopback.

mod error;
mod model;
mod definition;
mod schedule;
mod soql;
mod tasks;
mod window;
mod wire;
