//! The gateway with real processes, real HTTP and queues in memory.

mod http_api;
mod queues;
mod runtime;
mod support;
mod template;
