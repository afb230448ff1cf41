//! Our own operation: metrics, correlation, and what becomes of messages that nobody could work on.

mod correlation;
mod metrics;
mod redrive;
