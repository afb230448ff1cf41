use serde_json::json;
use tributary::run::CauseClass;

use super::*;

macro_rules! fixture {
    ($name:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!(
            "../../../../events/run-events/",
            $name,
            ".json"
        )))
        .unwrap()
    };
}

fn news(event: &Value) -> News {
    match parse(event).unwrap() {
        Input::Run { news, .. } => news,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_start_tells_the_flow_the_execution_and_when() {
    let event = fixture!("start");
    let Input::Run {
        flow,
        execution_id,
        news,
    } = parse(&event).unwrap()
    else {
        panic!("not news of a run")
    };
    assert_eq!(flow.unverified_account, "222222222222");
    assert!(flow.unverified_name.starts_with("tributary-ten_"));
    assert_eq!(execution_id, "1ae9b0f4-3c1c-4b0e-9a53-2a6f6c6f0b11");
    assert_eq!(news.status, RunStatus::Running);
    assert_eq!(
        news.facts.started_at,
        "2023-08-29T12:55:23.835Z".parse().ok()
    );
}

#[test]
fn an_end_tells_counts_that_are_texts() {
    let news = news(&fixture!("end-successful"));
    assert_eq!(news.status, RunStatus::Completed);
    assert_eq!(news.facts.records_processed, Some(63_000));
    assert_eq!(news.facts.bytes_processed, Some(10_226_699));
    assert_eq!(news.facts.records_failed, Some(0));
    assert_eq!(news.facts.ended_at, Some(news.at));
    assert_eq!(news.facts.failure, None);
}

#[test]
fn u5_a_failed_end_is_classified_and_cleaned() {
    let news = news(&fixture!("end-failed"));
    let failure = news.facts.failure.unwrap();
    assert_eq!(news.status, RunStatus::Failed);
    assert_eq!(
        (failure.cause, failure.retryable),
        (CauseClass::Credentials, false)
    );
    let message = failure.message.unwrap();
    assert!(
        message.contains("INVALID_SESSION_ID") && !message.contains("00D"),
        "{message}"
    );
}

#[test]
fn whatever_is_neither_success_nor_cancellation_is_a_failure() {
    for (words, status) in [
        ("Execution Successful", RunStatus::Completed),
        ("Execution Canceled", RunStatus::Cancelled),
        ("Execution Cancelled", RunStatus::Cancelled),
        ("Execution Failed", RunStatus::Failed),
        ("Something New", RunStatus::Failed),
    ] {
        let mut event = fixture!("end-successful");
        event["detail"]["status"] = json!(words);
        assert_eq!(news(&event).status, status, "{words}");
    }
}

#[test]
fn unreadable_counts_and_times_are_unknown_and_the_status_still_counts() {
    let mut event = fixture!("end-successful");
    event["detail"]["num-of-records-processed"] = json!("many");
    event["detail"]["end-time"] = json!("soon");
    event["detail"]["start-time"] = json!(17);
    let news = news(&event);
    assert_eq!(news.facts.records_processed, None);
    assert_eq!(news.facts.started_at, None);
    assert_eq!(news.facts.ended_at, "2023-08-29T12:55:32Z".parse().ok());
}

#[test]
fn a_deactivation_tells_when_and_why() {
    let Input::Deactivated(deactivated) = parse(&fixture!("scheduled-flow-deactivated")).unwrap()
    else {
        panic!("not a deactivation")
    };
    assert_eq!(deactivated.at, "2023-08-29T13:00:00Z".parse().unwrap());
    assert!(deactivated.reason.unwrap().contains("repeated failures"));
}

#[test]
fn a_report_is_kept_news_of_fields_is_ignored_and_the_tick_is_read() {
    let mut report = fixture!("event-flow-report");
    let Input::Report(kept) = parse(&report).unwrap() else {
        panic!("not a report")
    };
    assert_eq!(
        kept.message.as_deref(),
        report["detail"]["status-report"].as_str()
    );
    report["detail-type"] = json!("AppFlow Automatic Field Import Report");
    assert!(matches!(parse(&report), Ok(Input::Ignored { .. })));
    let tick = parse(&fixture!("reconcile")).unwrap();
    let scheduled_time = "2026-11-20T10:15:00Z".parse().unwrap();
    assert_eq!(tick, Input::Reconcile { scheduled_time });
}

#[test]
fn what_cannot_be_read_is_rejected_with_a_stable_type() {
    let without = |pointer: &str| {
        let mut event = fixture!("end-successful");
        *event.pointer_mut(pointer).unwrap() = Value::Null;
        event
    };
    let with = |pointer: &str, value: Value| {
        let mut event = fixture!("end-successful");
        *event.pointer_mut(pointer).unwrap() = value;
        event
    };
    let cases = [
        (without("/source"), "RunEvents.Malformed"),
        (
            with("/source", json!("aws.appflow.evil")),
            "RunEvents.Malformed",
        ),
        (without("/detail-type"), "RunEvents.Malformed"),
        (without("/account"), "RunEvents.Malformed"),
        (
            with("/account", json!("22222222222#")),
            "RunEvents.Malformed",
        ),
        (without("/time"), "RunEvents.Malformed"),
        (without("/detail"), "RunEvents.Malformed"),
        (without("/detail/flow-name"), "RunEvents.Malformed"),
        (without("/detail/execution-id"), "RunEvents.Malformed"),
        (
            with("/detail/execution-id", json!("x".repeat(257))),
            "RunEvents.Malformed",
        ),
        (
            with("/detail/execution-id", json!("a b")),
            "RunEvents.Malformed",
        ),
        (without("/detail/status"), "RunEvents.Malformed"),
        (
            with("/detail-type", json!("AppFlow Something New")),
            "RunEvents.UnknownDetailType",
        ),
        (json!({ "kind": "tick", "shard": 1 }), "RunEvents.Malformed"),
        (json!({ "kind": "reconcile" }), "RunEvents.Malformed"),
        (Value::Null, "RunEvents.Malformed"),
        (json!([]), "RunEvents.Malformed"),
    ];
    for (event, error_type) in cases {
        assert_eq!(
            parse(&event).unwrap_err().error_type(),
            error_type,
            "{event}"
        );
    }
}

#[test]
fn fixtures_for_the_dead_letter_queue_are_rejected_and_a_forged_account_is_only_a_claim() {
    let rejected = |event: Value| parse(&event).unwrap_err().error_type();
    assert_eq!(
        rejected(fixture!("unknown-type")),
        "RunEvents.UnknownDetailType"
    );
    assert_eq!(
        rejected(fixture!("malformed-without-execution")),
        "RunEvents.Malformed"
    );
    let Input::Run { flow, .. } = parse(&fixture!("end-from-a-forged-account")).unwrap() else {
        panic!("not news of a run")
    };
    // Whose flow this names is looked up under this account, where nobody registered it.
    assert_eq!(flow.unverified_account, "999999999999");
}
