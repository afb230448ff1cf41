//! The warehouse from outside: its record of calls, its limits, and trouble with its API.
//!
//! ```text
//! curl "$CONTROL/cloudtrail?statementId=..."
//! curl -X POST "$CONTROL/warehouse/trouble" -H 'content-type: application/json' \
//!      -d '{"operation":"DescribeStatement","code":"ThrottlingException","times":2}'
//! curl -X POST "$CONTROL/warehouse/limits"  -H 'content-type: application/json' \
//!      -d '{"statementMillis":5000,"activeStatements":1}'
//! ```

use std::{sync::Weak, time::Duration};

use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use sandbox_core::{Fault, FaultRule};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Held, gone};
use crate::Sandbox;

pub(super) fn routes() -> Router<Weak<Sandbox>> {
    Router::new()
        .route("/cloudtrail", get(trail))
        .route("/warehouse/trouble", post(trouble))
        .route("/warehouse/limits", post(limits))
}

/// Which records are wanted; all of them if nothing is said.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wanted {
    statement_id: Option<String>,
    event_name: Option<String>,
    user_id: Option<String>,
}

impl Wanted {
    fn matches(&self, record: &Value) -> bool {
        let is = |wanted: &Option<String>, found: &Value| {
            wanted
                .as_ref()
                .is_none_or(|wanted| found == wanted.as_str())
        };
        let ids = ["responseElements", "requestParameters"].map(|part| &record[part]["id"]);
        ids.iter().any(|id| is(&self.statement_id, id))
            && is(&self.event_name, &record["eventName"])
            && is(
                &self.user_id,
                &record["userIdentity"]["onBehalfOf"]["userId"],
            )
    }
}

async fn trail(State(sandbox): Held, Query(wanted): Query<Wanted>) -> Response {
    let Some(sandbox) = sandbox.upgrade() else {
        return gone();
    };
    let records = sandbox.redshift.trail().into_iter();
    let records: Vec<Value> = records.filter(|record| wanted.matches(record)).collect();
    Json(json!({ "Records": records })).into_response()
}

/// What goes wrong with the next calls of an operation (or of all, if it is empty) before they have
/// an effect.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Trouble {
    #[serde(default)]
    operation: String,
    code: String,
    status: Option<u16>,
    times: Option<u32>,
}

async fn trouble(State(sandbox): Held, Json(trouble): Json<Trouble>) -> Response {
    let Some(sandbox) = sandbox.upgrade() else {
        return gone();
    };
    let Trouble {
        operation,
        code,
        status,
        times,
    } = trouble;
    let status = status.unwrap_or(400);
    if StatusCode::from_u16(status).map_or(true, |status| status.is_success()) {
        let error = json!({ "error": "status is not one of a failure" });
        return (StatusCode::BAD_REQUEST, Json(error)).into_response();
    }
    sandbox.faults.add(FaultRule {
        service: "redshift-data".to_owned(),
        operation,
        fault: Fault::Status {
            status,
            retry_after: None,
            body: json!({ "__type": code, "message": "Trouble on demand." }).to_string(),
        },
        times: times.unwrap_or(1),
    });
    Json(json!({ "inForce": true })).into_response()
}

/// New limits; what is not named stays as it is. `statementMillis` of 0 takes the limit away.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewLimits {
    statement_millis: Option<u64>,
    active_statements: Option<usize>,
    waiting_requests: Option<usize>,
    result_bytes: Option<usize>,
    page_rows: Option<usize>,
    page_bytes: Option<usize>,
}

async fn limits(State(sandbox): Held, Json(new): Json<NewLimits>) -> Response {
    let Some(sandbox) = sandbox.upgrade() else {
        return gone();
    };
    sandbox.redshift.adjust(|limits| {
        if let Some(millis) = new.statement_millis {
            limits.statement_time = (millis > 0).then(|| Duration::from_millis(millis));
        }
        for (wanted, limit) in [
            (new.active_statements, &mut limits.active_statements),
            (new.waiting_requests, &mut limits.waiting_requests),
            (new.result_bytes, &mut limits.result_bytes),
            (new.page_rows, &mut limits.page_rows),
            (new.page_bytes, &mut limits.page_bytes),
        ] {
            *limit = wanted.unwrap_or(*limit);
        }
    });
    Json(json!({ "inForce": true })).into_response()
}
