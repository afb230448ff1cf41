//! AppFlow on loopback: the API of 2020-08-23 with all 25 operations, and runs that really move
//! records.
//!
//! [`AppFlow`] keeps the state of every account apart, reads Salesforce over its REST API and S3,
//! applies the tasks, writes S3 objects and Redshift rows, follows the sandbox's movable clock, and
//! sends the events that AppFlow sends. Other connectors are known to the catalogue and validated;
//! a run or metadata call that needs one of them ends in an error that says so.
//!
//! Where it differs from the service, on purpose:
//!
//! * Parquet output is refused when a flow is created, because it cannot be written.
//! * Bulk API 2.0 reads go over the REST API.
//! * Glue tables are not registered; the configuration is kept and given back.
//! * Incremental reads of S3 read everything: objects carry no times here.
//! * A registered Lambda connector is kept and shown, never called.
//! * Where the service's behaviour is not documented (wording of some errors, formats of merged and
//!   partitioned fields, the status of a failed run's event), the assumption stands at the code.

mod bucket_policy;
mod cache;
mod catalogue;
mod definition;
mod error;
mod event;
mod gate;
mod idempotency;
mod model;
mod operations;
mod page;
mod run;
mod salesforce;
mod schedule;
mod scheduler;
mod service;
mod soql;
mod state;
mod streaming;
mod tasks;
mod window;
mod wire;

#[cfg(test)]
mod tests;

pub use service::{AppFlow, Options};
pub use state::FlowMetrics;
