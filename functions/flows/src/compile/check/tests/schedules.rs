//! flow-model section 4 and the shortest schedules of appflow 12.

use tributary::connector::CONNECTORS;

use super::*;
use arbitrary::SOURCES;

fn every(every: &str) -> Value {
    json!({ "type": "scheduled", "every": every, "pull": "complete" })
}

/// appflow 12, "Shortest schedule per source"
#[test]
fn f8_no_source_is_read_more_often_than_its_row_says() {
    for row in CONNECTORS.iter().filter(|row| row.source) {
        let (_, members) = SOURCES.iter().find(|(key, _)| *key == row.key).unwrap();
        let flow = |text: &str| {
            faults_with(
                json!({ "source": arbitrary::end(row.key, members), "trigger": every(text) }),
            )
        };
        let least = row.shortest_schedule_minutes.unwrap();
        assert_eq!(flow(&format!("rate({least} minutes)")), NONE, "{}", row.key);
        assert_eq!(flow("rate(1 month)"), NONE, "{}", row.key);
        assert_eq!(flow("cron(* * * * ? *)"), NONE, "{}", row.key);
        if least > 1 {
            let less = format!("rate({} minutes)", least - 1);
            assert_eq!(flow(&less), ["/trigger/every too_often"], "{}", row.key);
        }
    }
}

/// flow-model 4: weeks and months; months cannot be moved and are refused
#[test]
fn f8_weeks_move_their_start_and_months_do_not() {
    let starting = |text: &str| {
        let mut trigger = every(text);
        trigger["start"] = "2026-05-20T12:00:00Z".into();
        faults_with(json!({ "trigger": trigger }))
    };
    assert_eq!(starting("rate(1 week)"), NONE);
    assert_eq!(
        starting("rate(1 month)"),
        ["/trigger/start start_in_the_past"]
    );
    let definition =
        scheduled(r#"{"every":"rate(1 week)","pull":"complete","start":"2026-05-20T12:00:00Z"}"#);
    let start = check(&definition, now()).unwrap().schedule.unwrap().start;
    assert_eq!(start, Some(at("2026-06-03T12:00:00Z")));
}

/// flow-model 4: firstExecutionFrom, scheduleOffset, flowErrorDeactivationThreshold
#[test]
fn f8_numbers_and_instants_of_a_schedule_keep_their_limits() {
    let with = |member: &str, value: Value| {
        let mut trigger = every("rate(1 hour)");
        trigger["pull"] = "incremental".into();
        trigger["end"] = "2027-01-01T00:00:00Z".into();
        trigger[member] = value;
        faults_with(json!({ "trigger": trigger }))
    };
    for (member, value) in [
        ("offsetSeconds", json!(36_000)),
        ("stopAfterFailures", json!(100)),
        ("firstFrom", json!("2026-12-31T23:59:59Z")),
        ("timeZone", json!("x".repeat(256))),
        ("timestampField", json!("x".repeat(256))),
    ] {
        assert_eq!(with(member, value), NONE, "{member}");
    }
    for (member, value, code) in [
        ("offsetSeconds", json!(-1), "out_of_range"),
        ("stopAfterFailures", json!(0), "out_of_range"),
        (
            "firstFrom",
            json!("2027-01-01T00:00:00Z"),
            "first_after_end",
        ),
        ("timeZone", json!("x".repeat(257)), "invalid_name"),
        ("timestampField", json!("x".repeat(257)), "invalid_field"),
    ] {
        assert_eq!(with(member, value), [format!("/trigger/{member} {code}")]);
    }
}

/// appflow 7.1, rows Datadog ("date range mandatory") and Dynatrace ("date filter ≤30 days mandatory")
#[test]
fn f8_sources_that_answer_for_a_range_of_dates_are_asked_for_one() {
    let between = |upper: &str| json!([{ "field": "t", "fieldType": "date", "operator": "between", "lower": "2026-01-01", "upper": upper }]);
    let flow = |key: &str, filters: Value, trigger: Value| {
        faults_with(json!({
            "source": end(key, json!({ "object": "o" })), "filters": filters, "trigger": trigger,
        }))
    };
    for key in ["datadog", "dynatrace"] {
        assert_eq!(
            flow(key, json!([]), on_demand()),
            ["/filters date_range_required"]
        );
        assert_eq!(flow(key, json!([]), every_day()), NONE);
        assert_eq!(flow(key, between("2026-01-31"), on_demand()), NONE);
    }
    assert_eq!(
        flow("dynatrace", between("2026-02-01"), on_demand()),
        ["/filters/0/upper range_too_long"]
    );
    assert_eq!(flow("datadog", between("2026-02-01"), on_demand()), NONE);
}
