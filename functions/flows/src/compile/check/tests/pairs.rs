//! flow-model sections 4 to 6 and appflow 7.1: which source, destination and trigger go together.

use tributary::connector::{CONNECTORS, connector};

use super::*;
use arbitrary::{DESTINATIONS, SOURCES};

fn members(table: &[(&str, &str)], key: &str) -> Value {
    let (_, members) = table.iter().find(|(of, _)| *of == key).unwrap();
    arbitrary::end(key, members)
}

/// appflow 7.1, allowed pairs: each one of 28 × 17 is taken or refused as the catalogue says.
#[test]
fn f8_a_destination_that_the_source_does_not_offer_is_named() {
    for from in CONNECTORS.iter().filter(|row| row.source) {
        for to in CONNECTORS.iter().filter(|row| row.destination) {
            let mut destination = members(DESTINATIONS, to.key);
            if to.writes.len() > 1 || ["jdbc", "rdsPostgreSql"].contains(&to.key) {
                destination["write"] = "insert".into();
            }
            let found = faults_with(json!({
                "source": members(SOURCES, from.key),
                "destination": destination,
                "trigger": every_day(),
                "kmsKeyArn": "arn:aws:kms:us-east-1:123456789012:alias/a",
            }));
            let refused =
                found.contains(&"/destination/connector destination_not_offered".to_owned());
            assert_eq!(
                refused,
                !from.destinations.contains(&to.key),
                "{} to {}: {found:?}",
                from.key,
                to.key
            );
            // Google Analytics writes JSON alone, and EventBridge wants events.
            let expected = usize::from(refused)
                + usize::from(to.key == "eventBridge")
                + usize::from(from.key == "googleAnalytics" && to.key == "upsolver");
            assert_eq!(
                found.len(),
                expected,
                "{} to {}: {found:?}",
                from.key,
                to.key
            );
        }
    }
}

/// flow-model 5: "Only Salesforce sends events, so an event flow needs a Salesforce source with an
/// event object"
#[test]
fn f8_events_start_flows_of_salesforces_event_objects_alone() {
    let event = || json!({ "type": "event" });
    let salesforce = |object: &str| end("salesforce", json!({ "object": object }));
    for object in ["AccountChangeEvent", "Order_Event__e"] {
        assert_eq!(
            faults_with(json!({ "source": salesforce(object), "trigger": event() })),
            NONE
        );
        for trigger in [on_demand(), every_day()] {
            assert_eq!(
                faults_with(json!({ "source": salesforce(object), "trigger": trigger })),
                ["/trigger/type event_trigger_required"]
            );
        }
    }
    assert_eq!(
        faults_with(json!({ "source": salesforce("Account"), "trigger": event() })),
        ["/source/object not_an_event"]
    );
    for (key, from) in SOURCES.iter().filter(|(key, _)| *key != "salesforce") {
        let found = faults_with(json!({ "source": arbitrary::end(key, from), "trigger": event() }));
        assert_eq!(found, ["/trigger/type trigger_not_offered"], "{key}");
    }
}

/// flow-model 6, row EventBridge: "event only"
#[test]
fn f8_event_bridge_takes_events_alone() {
    let flow = |object: &str, trigger: Value| {
        faults_with(json!({
            "source": end("salesforce", json!({ "object": object })),
            "destination": end("eventBridge", json!({})),
            "trigger": trigger,
        }))
    };
    assert_eq!(flow("AccountChangeEvent", json!({ "type": "event" })), NONE);
    assert_eq!(
        flow("AccountChangeEvent", every_day()),
        ["/trigger/type event_trigger_required"]
    );
    assert_eq!(
        flow("Account", on_demand()),
        ["/trigger/type event_trigger_required"]
    );
    assert_eq!(
        flow("Account", json!({ "type": "event" })),
        ["/source/object not_an_event"]
    );
}

/// appflow 4.4 against flow-model 6, row S3 ("never event"): decided in ADR 7.
#[test]
fn events_may_be_written_to_s3_and_elsewhere() {
    for (key, to) in [
        ("s3", json!({ "bucket": "landing" })),
        ("redshift", json!({ "table": "t" })),
        ("snowflake", json!({ "table": "T" })),
    ] {
        let found = faults_with(json!({
            "source": end("salesforce", json!({ "object": "AccountChangeEvent" })),
            "destination": end(key, to),
            "trigger": { "type": "event" },
        }));
        assert_eq!(found, NONE, "{key}");
    }
}

/// appflow 7.1, row LookoutMetrics: scheduled only, a key of one's own, four intervals
#[test]
fn f8_lookout_for_metrics_wants_a_schedule_and_a_key() {
    let flow = |trigger: Value, key: Option<&str>| {
        let mut members =
            json!({ "destination": end("lookoutMetrics", json!({})), "trigger": trigger });
        if let Some(key) = key {
            members["kmsKeyArn"] = key.into();
        }
        faults_with(members)
    };
    let key = Some("arn:aws:kms:us-east-1:123456789012:alias/a");
    let every = |every: &str| json!({ "type": "scheduled", "every": every, "pull": "complete" });
    for taken in [
        "rate(5 minutes)",
        "rate(10 minutes)",
        "rate(1 hour)",
        "rate(24 hours)",
        "cron(0 3 ? * MON-FRI *)",
    ] {
        assert_eq!(flow(every(taken), key), NONE, "{taken}");
    }
    assert_eq!(
        flow(every("rate(15 minutes)"), key),
        ["/trigger/every interval_not_offered"]
    );
    assert_eq!(flow(on_demand(), key), ["/trigger/type schedule_required"]);
    assert_eq!(flow(every_day(), None), ["/kmsKeyArn required"]);
}

#[test]
fn what_is_offered_stands_in_the_detail() {
    let mut value = serde_json::to_value(flow(|_| {})).unwrap();
    value["source"] = end("amplitude", json!({ "object": "events" }));
    value["destination"] = end("redshift", json!({ "table": "t" }));
    value["trigger"] = json!({ "type": "event" });
    let faults = check(&serde_json::from_value(value).unwrap(), now()).unwrap_err();
    assert_eq!(
        faults[0].detail,
        "Flows from Amplitude go to s3, lookoutMetrics."
    );
    assert_eq!(
        faults[1].detail,
        r#"Amplitude starts flows only so: ["onDemand","scheduled"]."#
    );
    assert_eq!(
        connector("amplitude").unwrap().destinations,
        ["s3", "lookoutMetrics"]
    );
}
