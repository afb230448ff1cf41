//! What every stand-in of the sandbox shares: a movable clock, faults on demand, a journal of
//! requests, the seeded secrets that must appear nowhere, and the boundary types between the parts.

mod aws;
mod canary;
mod clock;
mod fault;
mod functions;
mod journal;
mod queues;
mod roles;
pub mod serve;

pub use aws::{
    AccountServices, AwsCall, AwsReply, AwsService, BoxFuture, DirectoryUser, Principal,
};
pub use canary::Canaries;
pub use clock::Clock;
pub use fault::{Fault, FaultRule, Faults};
pub use functions::{Functions, InvocationError};
pub use journal::{Entry, Journal};
pub use queues::{Queues, Received};
pub use roles::RoleCheck;

/// The vendor's AWS account in the sandbox: the functions, tables, queues and warehouse live here.
pub const VENDOR_ACCOUNT: &str = "111111111111";
/// The first customer's AWS account.
pub const CUSTOMER_ACCOUNT: &str = "222222222222";
/// Another customer's AWS account.
pub const OTHER_CUSTOMER_ACCOUNT: &str = "333333333333";
/// The one Region that the sandbox plays.
pub const REGION: &str = "us-east-1";
