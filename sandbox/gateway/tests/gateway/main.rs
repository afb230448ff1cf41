//! The gateway with real processes, real HTTP and queues in memory.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do, by panicking"
)]

mod dead_letters;
mod http_api;
mod issuer;
mod queues;
mod runtime;
mod support;
mod template;
