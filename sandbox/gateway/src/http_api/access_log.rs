//! One line per request. Query values and headers may hold secrets and are not in it.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::json;

use crate::runtime::LogSink;

/// The source of access log lines in the [`LogSink`].
const SOURCE: &str = "gateway";

/// What is logged of one request.
pub(crate) struct AccessLine<'a> {
    pub(crate) request_id: &'a str,
    pub(crate) route_key: Option<&'a str>,
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) status: StatusCode,
    pub(crate) took: Duration,
    /// Why the gateway itself refused, if it did.
    pub(crate) reason: Option<&'a str>,
}

impl AccessLine<'_> {
    pub(crate) fn write(&self, logs: &LogSink) {
        let line = json!({
            "requestId": self.request_id,
            "routeKey": self.route_key,
            "method": self.method.as_str(),
            "path": self.path,
            "status": self.status.as_u16(),
            "latencyMs": self.took.as_millis(),
            "error": self.reason,
        });
        logs.push(SOURCE, &line.to_string());
    }
}
