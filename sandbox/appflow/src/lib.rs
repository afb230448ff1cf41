//! AppFlow on loopback: the API of 2020-08-23 with all 25 operations, and runs that really move
//! records.
//!
//! [`AppFlow`] keeps the state of every account apart, reads and writes Salesforce over its REST API,
//! reads and writes S3, applies the tasks, writes Redshift rows, follows the sandbox's movable clock,
//! and sends the events that AppFlow sends. Every other application, custom connectors too, is one
//! shared set of entities and records in memory: names, types and operators are the connector's, the
//! data is not. Its credentials are taken on trust, save [`WRONG_CREDENTIAL`] and those of applications
//! below [`Options::applications_url`], where they are presented.
//!
//! Where it differs from the service, on purpose:
//!
//! * Parquet output is refused when a flow is created, because it cannot be written.
//! * Bulk API 2.0 reads go over the REST API.
//! * Salesforce is written over record collections, never Bulk API 2.0. With
//!   `failOnFirstDestinationError` the good records of the refused record's call stay written.
//! * The files of refused records are JSON Lines with `errorMessage`; the service's format is unknown.
//! * Events over 256 KB go to EventBridge whole, not as a pointer into a bucket.
//! * Metadata of Redshift and of the connectors without a profile is not described.
//! * Tasks of an application with a shared set of records are all applied here, none at the source.
//! * A run without records registers no Glue table. Partitions are not registered, and records of runs
//!   do not say what was.
//! * Incremental reads of S3 read everything: objects carry no times here.
//! * A registered Lambda connector is kept and shown, never called.
//! * Where the service's behaviour is not documented (wording of some errors, formats of merged and
//!   partitioned fields, the status of a failed run's event), the assumption stands at the code.

mod applications;
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

pub use applications::WRONG_CREDENTIAL;
pub use service::{AppFlow, Options};
pub use state::FlowMetrics;
