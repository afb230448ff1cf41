//! What becomes of records that S3 does not take.

use sandbox_core::{Fault, FaultRule};
use serde_json::{Value, json};

use crate::common;

fn refuse(sandbox: &sandbox::Sandbox, times: u32) {
    sandbox.faults.add(FaultRule {
        service: "s3".to_owned(),
        operation: String::new(),
        fault: Fault::Status {
            status: 503,
            retry_after: None,
            body: "<Error><Code>SlowDown</Code></Error>".to_owned(),
        },
        times,
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a8_a_record_that_s3_takes_late_is_there_once() {
    let sandbox = common::start().await;
    let tenant = common::tenant(&sandbox, "Blue", &[("frank", "admin")]).await;
    refuse(&sandbox, 2);
    let answer = tenant.api("frank").post("/v1/flows", &json!({})).await;
    let id = answer.unwrap().headers["x-request-id"].clone();
    let trail = sandbox.audit_trail().await;
    let records = trail
        .iter()
        .filter(|kept| kept.record["requestId"] == id.to_str().unwrap());
    assert_eq!(records.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a8_a_record_that_s3_does_not_take_is_in_the_log_and_raises_the_alarm() {
    let sandbox = common::start().await;
    let tenant = common::tenant(&sandbox, "Blue", &[("frank", "admin")]).await;
    refuse(&sandbox, 3);
    let answer = tenant.api("frank").post("/v1/flows", &json!({})).await;
    let answer = answer.unwrap();
    assert_eq!(answer.status, 400, "the caller is answered all the same");
    let id = answer.headers["x-request-id"].to_str().unwrap();
    let line = sandbox
        .logs
        .wait_for(|line| line.text.contains("audit record not stored"))
        .await;
    let line: Value = serde_json::from_str(&line.text).unwrap();
    assert_eq!(line["level"], "ERROR");
    let record: Value = serde_json::from_str(line["audit.record"].as_str().unwrap()).unwrap();
    assert_eq!(record["requestId"], id);
    assert_eq!(record["tenantId"], tenant.id.as_str());
    let counted =
        |line: &sandbox_gateway::runtime::LogLine| line.text.contains("AuditRecordsNotStored");
    sandbox.logs.wait_for(counted).await;
    let trail = sandbox.audit_trail().await;
    assert!(trail.iter().all(|kept| kept.record["requestId"] != id));
}
