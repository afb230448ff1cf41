//! Notifications of runs, as subscribers get them.

use jiff::Timestamp;
use serde_json::json;
use tributary::{event::CloudEvent, outbox::Entry, run::Run};

use crate::decision::notified_fact;

/// The notification that a run has come to its state.
pub(crate) fn of(stage: &str, run: &Run, at: Timestamp) -> Entry {
    let (subject, fact) = notified_fact(run.id, run.status);
    let data = json!({
        "runId": run.id,
        "flowId": run.flow_id,
        "executionId": run.execution_id,
        "status": run.status,
        "trigger": run.trigger,
        "retryOf": run.retry_of,
        "startedAt": run.started_at,
        "endedAt": run.ended_at,
        "recordsProcessed": run.records_processed,
        "recordsFailed": run.records_failed,
        "bytesProcessed": run.bytes_processed,
        "cause": run.cause,
        "message": run.message,
        "retryable": run.retryable,
    });
    let kind = format!("tributary.run.{fact}");
    let event = CloudEvent::new(stage, run.tenant_id, kind, subject, fact, at, known(data));
    Entry::new(event, run.status.as_str()).with_attribute("flowId", &run.flow_id)
}

/// Without the members that are not known.
fn known(mut data: serde_json::Value) -> serde_json::Value {
    if let Some(members) = data.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    data
}

#[cfg(test)]
mod tests {
    use tributary::{
        id::{FlowId, TenantId},
        run::RunStatus,
    };

    use super::*;
    use crate::{Facts, decision::advanced, failure::classify};

    #[test]
    fn n1_a_notification_has_id_time_tenant_flow_run_and_status() {
        let at: Timestamp = "2026-11-20T10:15:00Z".parse().unwrap();
        let run = Run::queued(TenantId::new(), FlowId::new(), "e-1", at);
        let facts = Facts {
            ended_at: Some(at),
            failure: Some(classify(Some("Error while authenticating to connector"))),
            ..Facts::default()
        };
        let run = advanced(run, RunStatus::Failed, &facts, at);
        let entry = of("test", &run, at);
        let body = serde_json::to_value(&entry.event).unwrap();
        let (tenant, run_id) = (run.tenant_id.to_string(), run.id.to_string());
        assert_eq!(body["type"], "tributary.run.failed");
        assert_eq!(body["subject"], run_id.as_str());
        assert_eq!(body["tenantid"], tenant.as_str());
        assert_eq!(body["time"], "2026-11-20T10:15:00Z");
        assert_eq!(body["data"]["cause"], "credentials");
        assert_eq!(body["data"]["retryable"], false);
        assert_eq!(body["data"].get("startedAt"), None);
        let attributes: Vec<_> = entry.attributes.keys().map(String::as_str).collect();
        assert_eq!(attributes, ["eventType", "flowId", "status", "tenantId"]);
        assert_eq!(entry.attributes["status"], "failed");
    }
}
