mod every_flow;

use super::*;
use crate::{
    compile::samples::{flow, full_flow},
    model::*,
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-06-01T12:00:00Z")
}

/// Codes and pointers of a flow's faults, in order.
fn faults(definition: &FlowDefinition) -> Vec<String> {
    match check(definition, now()) {
        Ok(_) => Vec::new(),
        Err(faults) => faults
            .into_iter()
            .map(|fault| format!("{} {}", fault.pointer, fault.code))
            .collect(),
    }
}

fn filter(text: &str) -> Filter {
    serde_json::from_str(text).unwrap()
}

fn scheduled(text: &str) -> FlowDefinition {
    flow(|flow| flow.trigger = Trigger::Scheduled(serde_json::from_str(text).unwrap()))
}

#[test]
fn sound_flows_pass() {
    assert_eq!(faults(&flow(|_| {})), [""; 0]);
    assert_eq!(faults(&full_flow()), [""; 0]);
}

#[test]
fn f8_all_faults_of_all_parts_are_told_at_once() {
    let definition = flow(|flow| {
        flow.name = " ".to_owned();
        flow.description = Some("brackets (no)".to_owned());
        flow.source = serde_json::from_str(
            r#"{"connector":"salesforce","connectionId":"con_019364c0a1b27cc3a4d5e6f708192a3b","object":"two words"}"#,
        )
        .unwrap();
        flow.destination = serde_json::from_str(r#"{"connector":"s3","bucket":"No"}"#).unwrap();
        flow.trigger =
            serde_json::from_str(r#"{"type":"scheduled","every":"hourly","pull":"complete"}"#)
                .unwrap();
        flow.mappings.clear();
        flow.filters = vec![filter(
            r#"{"field":"a","fieldType":"double","operator":"contains","value":"x"}"#,
        )];
        flow.transforms =
            serde_json::from_str(r#"[{"type":"truncate","field":"a","length":0}]"#).unwrap();
        flow.validations =
            serde_json::from_str(r#"[{"field":"b","must":"notBeNull","otherwise":"dropRecord"}]"#)
                .unwrap();
    });
    assert_eq!(
        faults(&definition),
        [
            "/name invalid_name",
            "/description invalid_description",
            "/source/object invalid_object",
            "/destination/bucket invalid_bucket",
            "/trigger/every invalid_schedule",
            "/mappings required",
            "/filters/0/operator operator_not_for_type",
            "/transforms/0/field not_mapped",
            "/transforms/0/length out_of_range",
            "/validations/0/field not_mapped",
        ]
    );
}

#[test]
fn f8_filters_need_an_operator_of_their_type_and_fitting_values() {
    for (text, expected) in [
        (
            r#"{"field":"a","fieldType":"string","operator":"equals","value":"x"}"#,
            vec![],
        ),
        (
            r#"{"field":"a","fieldType":"string","operator":"notEquals","values":["x","y"]}"#,
            vec![],
        ),
        (
            r#"{"field":"a","fieldType":"boolean","operator":"equals","value":true}"#,
            vec![],
        ),
        (
            r#"{"field":"a","fieldType":"double","operator":"greaterThan","value":10}"#,
            vec![],
        ),
        (
            r#"{"field":"a","fieldType":"datetime","operator":"lessThan","value":"2026-01-01T00:00:00Z"}"#,
            vec![],
        ),
        (
            r#"{"field":"a","fieldType":"date","operator":"equals","value":"2026-01-01"}"#,
            vec![],
        ),
        (
            r#"{"field":"a","fieldType":"string","operator":"greaterThan","value":"x"}"#,
            vec!["/filters/0/operator operator_not_for_type"],
        ),
        (
            r#"{"field":"a","fieldType":"double","operator":"between","lower":1,"upper":2}"#,
            vec!["/filters/0/operator operator_not_for_type"],
        ),
        (
            r#"{"field":"a","fieldType":"double","operator":"equals","value":"10"}"#,
            vec!["/filters/0/value wrong_type"],
        ),
        (
            r#"{"field":"a","fieldType":"boolean","operator":"equals","value":"true"}"#,
            vec!["/filters/0/value wrong_type"],
        ),
        (
            r#"{"field":"a","fieldType":"datetime","operator":"equals","value":"yesterday"}"#,
            vec!["/filters/0/value wrong_type"],
        ),
        (
            r#"{"field":"a","fieldType":"string","operator":"equals","value":""}"#,
            vec!["/filters/0/value empty"],
        ),
        (
            r#"{"field":"a","fieldType":"string","operator":"equals"}"#,
            vec!["/filters/0/value required"],
        ),
        (
            r#"{"field":"a","fieldType":"string","operator":"equals","values":[]}"#,
            vec!["/filters/0/values required"],
        ),
        (
            r#"{"field":"a","fieldType":"string","operator":"equals","value":"x","values":["y"]}"#,
            vec!["/filters/0/values one_of_both"],
        ),
        (
            r#"{"field":"a","fieldType":"string","operator":"equals","values":["x,y"]}"#,
            vec!["/filters/0/values/0 comma_in_list"],
        ),
        (
            r#"{"field":"a","fieldType":"double","operator":"greaterThan","values":[1,2]}"#,
            vec!["/filters/0/values not_for_operator"],
        ),
        (
            r#"{"field":"a","fieldType":"datetime","operator":"between","value":"2026-01-01T00:00:00Z","lower":"2026-01-01T00:00:00Z"}"#,
            vec![
                "/filters/0/value not_for_operator",
                "/filters/0/upper required",
            ],
        ),
        (
            r#"{"field":"a","fieldType":"datetime","operator":"between","lower":"2026-01-02T00:00:00Z","upper":"2026-01-01T00:00:00Z"}"#,
            vec!["/filters/0/upper bounds_reversed"],
        ),
    ] {
        let definition = flow(|flow| flow.filters = vec![filter(text)]);
        assert_eq!(faults(&definition), expected, "{text}");
    }
}

#[test]
fn f8_a_source_that_does_not_compare_so_is_named() {
    let definition = flow(|flow| {
        flow.source = serde_json::from_str(
            r#"{"connector":"s3","bucket":"landing","prefix":"in","file":"csv"}"#,
        )
        .unwrap();
        flow.filters = vec![filter(
            r#"{"field":"a","fieldType":"string","operator":"contains","value":"x"}"#,
        )];
    });
    assert_eq!(
        faults(&definition),
        ["/filters/0/operator operator_not_offered"]
    );
}

#[test]
fn f8_schedules_keep_appflows_limits() {
    for (text, expected) in [
        (
            r#"{"every":"rate(1 hour)","pull":"incremental","timestampField":"LastModifiedDate","offsetSeconds":0,"stopAfterFailures":1}"#,
            vec![],
        ),
        (
            r#"{"every":"cron(0 3 ? * MON-FRI *)","pull":"complete","start":"2020-01-01T00:00:00Z"}"#,
            vec![],
        ),
        (
            r#"{"every":"rate(1 month)","pull":"complete","start":"2020-01-01T00:00:00Z"}"#,
            vec!["/trigger/start start_in_the_past"],
        ),
        (
            r#"{"every":"rate(1 hour)","pull":"complete","end":"2026-06-01T12:00:00Z"}"#,
            vec!["/trigger/end end_in_the_past"],
        ),
        (
            r#"{"every":"rate(1 hour)","pull":"complete","start":"2026-07-01T00:00:00Z","end":"2026-07-01T00:00:00Z"}"#,
            vec!["/trigger/end end_before_start"],
        ),
        (
            r#"{"every":"rate(1 day)","pull":"complete","start":"2026-05-31T18:00:00Z","end":"2026-06-01T17:00:00Z"}"#,
            vec!["/trigger/end end_before_start"],
        ),
        (
            r#"{"every":"rate(1 hour)","pull":"complete","timestampField":"x","firstFrom":"2026-01-01T00:00:00Z","offsetSeconds":36001,"stopAfterFailures":101,"timeZone":""}"#,
            vec![
                "/trigger/offsetSeconds out_of_range",
                "/trigger/stopAfterFailures out_of_range",
                "/trigger/timeZone invalid_name",
                "/trigger/timestampField only_incremental",
                "/trigger/firstFrom only_incremental",
            ],
        ),
    ] {
        assert_eq!(faults(&scheduled(text)), expected, "{text}");
    }
}

#[test]
fn a_start_in_the_past_moves_with_a_margin_for_the_request() {
    let start = |text: &str| {
        let definition = scheduled(&format!(
            r#"{{"every":"rate(5 minutes)","pull":"complete","start":"{text}"}}"#
        ));
        check(&definition, now()).unwrap().schedule.unwrap().start
    };
    assert_eq!(
        start("2026-06-01T11:55:00Z"),
        Some(at("2026-06-01T12:05:00Z"))
    );
    assert_eq!(
        start("2026-06-01T12:00:00Z"),
        Some(at("2026-06-01T12:00:00Z"))
    );
    assert_eq!(
        start("2026-06-02T00:00:00Z"),
        Some(at("2026-06-02T00:00:00Z"))
    );
}

#[test]
fn f8_masks_say_how_much_and_with_one_character() {
    for (text, expected) in [
        (r#"{"type":"mask","field":"a","part":"all"}"#, vec![]),
        (
            r#"{"type":"mask","field":"a","part":"last","length":4,"with":"x"}"#,
            vec![],
        ),
        (
            r#"{"type":"mask","field":"a","part":"all","length":4}"#,
            vec!["/transforms/0/length not_for_all"],
        ),
        (
            r#"{"type":"mask","field":"a","part":"first"}"#,
            vec!["/transforms/0/length required"],
        ),
        (
            r#"{"type":"mask","field":"a","part":"first","length":0}"#,
            vec!["/transforms/0/length out_of_range"],
        ),
        (
            r#"{"type":"mask","field":"a","part":"all","with":""}"#,
            vec!["/transforms/0/with one_character"],
        ),
        (
            r#"{"type":"mask","field":"a","part":"all","with":"😀"}"#,
            vec!["/transforms/0/with one_character"],
        ),
    ] {
        let definition = flow(|flow| flow.transforms = vec![serde_json::from_str(text).unwrap()]);
        assert_eq!(faults(&definition), expected, "{text}");
    }
}

#[test]
fn a_mask_on_a_field_that_is_not_brought_is_a_mistake() {
    let definition = flow(|flow| {
        flow.mappings = serde_json::from_str(r#"[{"type":"all","exclude":["Email__c"]}]"#).unwrap();
        flow.transforms =
            serde_json::from_str(r#"[{"type":"mask","field":"Email__c","part":"all"}]"#).unwrap();
    });
    assert_eq!(faults(&definition), ["/transforms/0/field not_mapped"]);
}

#[test]
fn f8_destinations_keep_appflows_limits() {
    for (text, expected) in [
        (
            r#"{"connector":"s3","bucket":"landing","format":{"file":"parquet","preserveSourceTypes":true}}"#,
            vec![],
        ),
        (
            r#"{"connector":"s3","bucket":"landing","format":{"file":"parquet","aggregation":"singleFile"}}"#,
            vec!["/destination/format/aggregation not_with_parquet"],
        ),
        (
            r#"{"connector":"s3","bucket":"landing","format":{"file":"csv","preserveSourceTypes":true,"targetFileSizeMb":0,"prefix":{"place":"path","folders":["executionId","executionId"]}}}"#,
            vec![
                "/destination/format/preserveSourceTypes only_with_parquet",
                "/destination/format/targetFileSizeMb out_of_range",
                "/destination/format/prefix incomplete",
                "/destination/format/prefix/folders repeated",
            ],
        ),
        (
            r#"{"connector":"s3","bucket":"landing","catalog":{"roleArn":"x","databaseName":"","tablePrefix":"t"}}"#,
            vec![
                "/destination/catalog/roleArn invalid_role_arn",
                "/destination/catalog/databaseName invalid_name",
            ],
        ),
        (
            r#"{"connector":"redshift","connectionId":"con_019364c0a1b27cc3a4d5e6f708192a3b","schema":"a.b","table":"","errorHandling":{"prefix":"errors"}}"#,
            vec![
                "/destination/table invalid_object",
                "/destination/schema invalid_object",
                "/destination/errorHandling/bucket required",
            ],
        ),
    ] {
        let definition = flow(|flow| flow.destination = serde_json::from_str(text).unwrap());
        assert_eq!(faults(&definition), expected, "{text}");
    }
}

#[test]
fn f8_mappings_fill_each_field_once() {
    let definition = flow(|flow| {
        flow.mappings = serde_json::from_str(
            r#"[{"type":"all"},{"type":"all"},{"type":"field","from":"a","to":"b","toType":"two words"},{"type":"field","from":"","to":"b"}]"#,
        )
        .unwrap();
    });
    assert_eq!(
        faults(&definition),
        [
            "/mappings/1 repeated",
            "/mappings/2/toType invalid_type",
            "/mappings/3/from invalid_field",
            "/mappings/3/to repeated",
        ]
    );
}

#[test]
fn a4_unknown_words_and_members_do_not_read_as_a_flow() {
    for text in [
        r#"{"type":"onDemand","every":"rate(1 hour)"}"#,
        r#"{"type":"scheduled","every":"rate(1 hour)","pull":"complete","cron":"x"}"#,
        r#"{"type":"sometimes"}"#,
        "{}",
    ] {
        assert!(serde_json::from_str::<Trigger>(text).is_err(), "{text}");
    }
    assert!(serde_json::from_str::<Mapping>(r#"{"type":"all","except":["a"]}"#).is_err());
    assert!(
        serde_json::from_str::<Destination>(r#"{"connector":"s3","bucket":"abc","acl":"x"}"#)
            .is_err()
    );
}
