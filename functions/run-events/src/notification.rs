//! Notifications of runs, as subscribers get them.

use jiff::Timestamp;
use serde_json::json;
use tributary::{
    event::{CloudEvent, Fact, Sequence},
    outbox::Entry,
    run::{Run, RunStatus},
    subscription::EventType,
};

use crate::decision::notified_fact;

/// The notification that a run has come to its state.
pub(crate) fn of(stage: &str, run: &Run, at: Timestamp) -> Entry {
    let (subject, name) = notified_fact(run.id, run.status);
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
    let fact = Fact {
        kind: kind(run.status),
        subject,
        name,
        // A status goes forward only, and a run has one end.
        sequence: Sequence::of_version(run.status.rank().into(), 0),
        time: at,
        data: known(data),
    };
    let event =
        CloudEvent::new(stage, run.tenant_id, fact).begun_with(run.correlation_id.as_deref());
    Entry::new(event, run.status.as_str()).with_attribute("flowId", &run.flow_id)
}

const fn kind(status: RunStatus) -> EventType {
    match status {
        RunStatus::Queued => EventType::RunQueued,
        RunStatus::Running => EventType::RunStarted,
        RunStatus::Completed => EventType::RunCompleted,
        RunStatus::Failed => EventType::RunFailed,
        RunStatus::Cancelled => EventType::RunCancelled,
    }
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
    fn n1_sequences_of_a_run_grow_with_its_status() {
        let at = Timestamp::UNIX_EPOCH;
        let sequence = |status| {
            let run = Run::queued(TenantId::new(), FlowId::new(), "e-1", at);
            let run = advanced(run, status, &Facts::default(), at);
            of("test", &run, at).event.sequence
        };
        let queued = sequence(RunStatus::Queued);
        let started = sequence(RunStatus::Running);
        assert!(queued < started);
        for end in [
            RunStatus::Completed,
            RunStatus::Failed,
            RunStatus::Cancelled,
        ] {
            assert!(started < sequence(end));
        }
    }

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
        assert_eq!(
            attributes,
            ["deliverTo", "eventType", "flowId", "status", "tenantId"]
        );
        assert_eq!(entry.attributes["deliverTo"], "all");
        assert_eq!(entry.attributes["status"], "failed");
    }
}
