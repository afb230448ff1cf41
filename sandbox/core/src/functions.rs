//! How the delivery services reach the functions.

use serde_json::Value;

use crate::BoxFuture;

/// Why an invocation has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvocationError {
    /// The template has no such function.
    #[error("no function {0} in the template")]
    Unknown(String),
    /// The function answered with an error (its own `errorType` and `errorMessage`).
    #[error("the function failed: {error_type}: {message}")]
    Failed {
        /// `errorType` as the runtime reported it.
        error_type: String,
        /// `errorMessage` as the runtime reported it.
        message: String,
    },
    /// The process ended in the middle of the invocation.
    #[error("the function's process ended during the invocation")]
    Crashed,
    /// The invocation went past the function's timeout.
    #[error("the function timed out")]
    TimedOut,
}

/// The functions of `template.yaml`, invoked through the Lambda Runtime API.
pub trait Functions: Send + Sync + 'static {
    /// Invokes a function by its logical id in the template and waits for the answer.
    fn invoke<'a>(
        &'a self,
        logical_id: &'a str,
        payload: Value,
    ) -> BoxFuture<'a, Result<Value, InvocationError>>;

    /// Invokes asynchronously: retried as Lambda does, then sent to the on-failure destination.
    fn invoke_async<'a>(&'a self, logical_id: &'a str, payload: Value) -> BoxFuture<'a, ()>;
}
