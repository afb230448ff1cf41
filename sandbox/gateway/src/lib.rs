//! What stands between the outside and the functions: API Gateway's HTTP API, Lambda's Runtime
//! API with process supervision, and Lambda's SQS poller, all configured by `template.yaml`.
//!
//! 1. [`template::Template::parse`] reads a SAM or CloudFormation template and
//!    [`template::Template::resolve`] evaluates it for one account: resources, functions, routes,
//!    schedules, event rules and queue sources.
//! 2. [`runtime::Runtime`] runs the functions' real binaries, one process per concurrent invocation.
//! 3. [`http_api::HttpApi`] answers HTTP requests with them.
//! 4. [`queues::QueuePollers`] feeds them from their queues.
//!
//! Deliberate differences from AWS, all for the sake of waiting less: the waits before asynchronous
//! retries ([`runtime::RuntimeOptions::retry_wait`]) and before a failed queue message shows up again
//! ([`queues::PollerOptions::visible_again_after`]) are compressed to fractions of a second, a
//! batching window is at most [`queues::PollerOptions::longest_window`], and a signing key that is
//! not in the cache may be looked up again after one second. The other way round, starts of processes
//! ([`runtime::RuntimeOptions::init_timeout`]) and the issuer's answers get more time than on AWS,
//! because a machine that runs all of this may be busy.

pub mod http_api;
pub mod queues;
pub mod runtime;
pub mod template;
