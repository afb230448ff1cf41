//! From a flow as people write it to the request that AppFlow takes. No I/O.
//!
//! [`check()`] applies every rule and answers either a [`CheckedFlow`] or all faults at once; only a
//! checked flow compiles, and compiling cannot fail.
//!
//! And back: [`described`] reads what AppFlow says about a flow as such a request, [`import`](mod@import)
//! makes a definition of a request, and [`drift`](mod@drift) says where AppFlow's flow is another
//! than the one that was asked for.

mod assemble;
pub mod check;
pub mod described;
mod destination;
pub mod drift;
pub mod import;
pub mod known;
pub mod normal;
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
mod references;
#[cfg(test)]
pub(crate) mod samples;
