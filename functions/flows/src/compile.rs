//! From a flow as people write it to the request that AppFlow takes. No I/O.
//!
//! [`check()`] applies every rule and answers either a [`CheckedFlow`] or all faults at once; only a
//! checked flow compiles, and compiling cannot fail.

mod assemble;
pub mod check;
mod destination;
pub mod known;
pub mod operators;
pub mod permissions;
pub mod request;
pub mod schedule;
mod sdk;
mod source;
mod tasks;
mod words;

pub use assemble::{Staging, Surroundings, compile, flow_name};
pub use check::{CheckedFlow, check};
pub use request::CreateFlowRequest;
pub use sdk::{SdkError, create_flow_input, update_flow_input};

#[cfg(test)]
mod properties;
#[cfg(test)]
pub(crate) mod samples;
