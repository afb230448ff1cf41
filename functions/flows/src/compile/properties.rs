//! What compiling does to whole flows: the reference's requests, and properties of all flows.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    Staging, check, compile, create_flow_input,
    samples::{around, flow, full_flow},
    update_flow_input,
};
use crate::model::FlowDefinition;

fn now() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

fn compiled(definition: &FlowDefinition) -> Value {
    let checked = check(definition, now()).unwrap();
    serde_json::to_value(compile(&checked, &around())).unwrap()
}

fn reference(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Tasks without the members that say nothing when empty.
fn plain(tasks: &Value) -> Vec<Value> {
    let mut tasks = tasks.as_array().unwrap().clone();
    for task in &mut tasks {
        let task = task.as_object_mut().unwrap();
        task.retain(|_, member| member.as_object().is_none_or(|member| !member.is_empty()));
    }
    tasks
}

#[test]
fn an_on_demand_copy_of_everything_is_the_references_request() {
    let expected = reference(include_str!(
        "../../../../events/appflow/create-flow-01-salesforce-to-s3-full.json"
    ));
    let definition = flow(|flow| {
        flow.description = Some("Full copy of the Account object, all fields".to_owned());
        flow.source = serde_json::from_value(json!({
            "connector": "salesforce",
            "connectionId": "con_019364c0a1b27cc3a4d5e6f708192a3b",
            "object": "Account",
            "dataTransferApi": "automatic",
            "addNewFields": true,
            "includeDeletedRecords": false,
        }))
        .unwrap();
        flow.destination = serde_json::from_value(json!({
            "connector": "s3",
            "bucket": "appflow-landing-123456789012",
            "prefix": "salesforce/account",
            "format": { "file": "json", "aggregation": "none" },
        }))
        .unwrap();
    });
    let request = compiled(&definition);
    for member in [
        "description",
        "triggerConfig",
        "sourceFlowConfig",
        "destinationFlowConfigList",
        "tasks",
    ] {
        assert_eq!(request[member], expected[member], "{member}");
    }
    assert_eq!(
        request["flowName"],
        "tributary-ten_00000000000000000000000000000001-flw_00000000000000000000000000000002"
    );
    assert_eq!(
        request["tags"],
        json!({
            "tributary:tenant": "ten_00000000000000000000000000000001",
            "tributary:flow": "flw_00000000000000000000000000000002",
        })
    );
}

#[test]
fn filters_masks_and_validations_are_the_references_tasks() {
    let expected = reference(include_str!(
        "../../../../events/appflow/create-flow-06-salesforce-to-s3-transform.json"
    ));
    let request = compiled(&full_flow());
    assert_eq!(
        request["destinationFlowConfigList"],
        expected["destinationFlowConfigList"]
    );
    let ours = plain(&request["tasks"]);
    // The reference's arithmetic and concatenation, with the maps of their results, are not offered,
    // and its projection names their fields.
    let theirs: Vec<Value> = plain(&expected["tasks"])
        .into_iter()
        .filter(|task| {
            let composed = task["sourceFields"][0]
                .as_str()
                .is_some_and(|field| field.contains(','));
            let kind = task["taskType"].as_str().unwrap();
            !composed && !["Arithmetic", "Merge"].contains(&kind)
        })
        .filter(|task| task["connectorOperator"]["Salesforce"] != "PROJECTION")
        .collect();
    assert_eq!(ours.len(), theirs.len() + 1);
    for task in &theirs {
        assert!(ours.contains(task), "{task}");
    }
    assert_eq!(ours[0]["connectorOperator"]["Salesforce"], "PROJECTION");
    assert_eq!(
        ours[0]["sourceFields"],
        json!([
            "Id",
            "Email",
            "Phone",
            "Description",
            "LeadSource",
            "CreatedDate",
            "LastName"
        ])
    );
}

#[test]
fn tasks_stand_in_the_order_projection_mappings_transforms_filters_validations() {
    let request = compiled(&full_flow());
    let kinds: Vec<&str> = request["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| task["taskType"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "Filter", "Map", "Map", "Map", "Map", "Map", "Map", "Mask", "Mask", "Truncate",
            "Filter", "Filter", "Filter", "Validate", "Validate"
        ]
    );
}

#[test]
fn f2_an_incremental_schedule_is_the_references_request() {
    let expected = reference(include_str!(
        "../../../../events/appflow/create-flow-02-salesforce-to-s3-incremental-parquet-glue.json"
    ));
    let properties = &expected["triggerConfig"]["triggerProperties"]["Scheduled"];
    let instant = |name: &str| {
        properties[name]
            .as_i64()
            .map(|at| Timestamp::from_second(at).unwrap().to_string())
    };
    let definition = flow(|flow| {
        flow.trigger = serde_json::from_value(json!({
            "type": "scheduled",
            "every": "rate(1 hour)",
            "pull": "incremental",
            "timestampField": "LastModifiedDate",
            "start": instant("scheduleStartTime"),
            "end": instant("scheduleEndTime"),
            "offsetSeconds": properties["scheduleOffset"],
            "firstFrom": instant("firstExecutionFrom"),
            "timeZone": properties["timezone"],
            "stopAfterFailures": properties["flowErrorDeactivationThreshold"],
        }))
        .unwrap();
    });
    let request = compiled(&definition);
    assert_eq!(request["triggerConfig"], expected["triggerConfig"]);
    assert_eq!(
        request["sourceFlowConfig"]["incrementalPullConfig"],
        json!({ "datetimeTypeFieldName": "LastModifiedDate" })
    );
}

#[test]
fn a_redshift_destination_takes_its_staging_from_the_connection() {
    let definition = flow(|flow| {
        flow.destination = serde_json::from_value(json!({
            "connector": "redshift",
            "connectionId": "con_019364c0a1b27cc3a4d5e6f708192a3b",
            "table": "city_sales",
            "errorHandling": { "bucket": "appflow-errors", "stopOnFirstError": true },
        }))
        .unwrap();
    });
    let mut around = around();
    around.staging = Some(Staging {
        bucket: "stage-bucket".to_owned(),
        prefix: Some("stage".to_owned()),
        database: None,
    });
    around.destination_profile = Some("redshift-dwh".to_owned());
    let checked = check(&definition, now()).unwrap();
    let request = serde_json::to_value(compile(&checked, &around)).unwrap();
    assert_eq!(
        request["destinationFlowConfigList"],
        json!([{
            "connectorType": "Redshift",
            "connectorProfileName": "redshift-dwh",
            "destinationConnectorProperties": { "Redshift": {
                "object": "public.city_sales",
                "intermediateBucketName": "stage-bucket",
                "bucketPrefix": "stage",
                "errorHandlingConfig": {
                    "failOnFirstDestinationError": true,
                    "bucketName": "appflow-errors",
                },
            } },
        }])
    );
}

#[test]
fn excluded_fields_are_a_json_array_and_lists_are_joined_by_commas() {
    let definition = flow(|flow| {
        flow.mappings =
            serde_json::from_value(json!([{ "type": "all", "exclude": ["a\"b", "c"] }])).unwrap();
        flow.filters = serde_json::from_value(json!([
            { "field": "Amount__c", "fieldType": "double", "operator": "equals", "values": [1.5, 20] },
            { "field": "Big__c", "fieldType": "double", "operator": "greaterThan", "value": 1e21 },
            { "field": "On__c", "fieldType": "boolean", "operator": "equals", "value": false },
        ]))
        .unwrap();
    });
    let request = compiled(&definition);
    let properties = |index: usize| request["tasks"][index]["taskProperties"].clone();
    assert_eq!(
        properties(1),
        json!({ "EXCLUDE_SOURCE_FIELDS_LIST": "[\"a\\\"b\",\"c\"]" })
    );
    assert_eq!(
        properties(2),
        json!({ "DATA_TYPE": "double", "VALUES": "1.5,20" })
    );
    assert_eq!(
        properties(3),
        json!({ "DATA_TYPE": "double", "VALUE": "1000000000000000000000" })
    );
    assert_eq!(
        properties(4),
        json!({ "DATA_TYPE": "boolean", "VALUE": "false" })
    );
}

#[test]
fn a_compiled_flow_fits_the_sdk() {
    let checked = check(&full_flow(), now()).unwrap();
    let request = compile(&checked, &around());
    let created = create_flow_input(&request).unwrap().build().unwrap();
    assert_eq!(created.tasks().len(), request.tasks.len());
    assert_eq!(created.tags().unwrap().len(), 2);
    let updated = update_flow_input(&request).unwrap().build().unwrap();
    assert_eq!(updated.tasks(), created.tasks());
    assert_eq!(updated.source_flow_config(), created.source_flow_config());
}

#[test]
fn a_definition_reads_back_as_it_was_written() {
    let definition = full_flow();
    let text = serde_json::to_string(&definition).unwrap();
    assert_eq!(
        serde_json::from_str::<FlowDefinition>(&text).unwrap(),
        definition
    );
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        "[ -~]{0,6}".prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(json!("2026-01-01T00:00:00Z")),
    ]
}

fn some_filter() -> impl Strategy<Value = Value> {
    (
        "[A-Za-z_]{0,4}",
        prop_oneof![
            Just("string"),
            Just("double"),
            Just("boolean"),
            Just("datetime"),
            Just("")
        ],
        prop_oneof![
            Just("contains"),
            Just("equals"),
            Just("notEquals"),
            Just("lessThan"),
            Just("greaterThanOrEquals"),
            Just("between")
        ],
        proptest::option::of(scalar()),
        proptest::option::of(proptest::collection::vec(scalar(), 0..3)),
        proptest::option::of(scalar()),
        proptest::option::of(scalar()),
    )
        .prop_map(
            |(field, field_type, operator, value, values, lower, upper)| {
                let mut filter =
                    json!({ "field": field, "fieldType": field_type, "operator": operator });
                for (name, member) in [
                    ("value", value),
                    ("values", values.map(Value::from)),
                    ("lower", lower),
                    ("upper", upper),
                ] {
                    if let Some(member) = member.filter(|member| !member.is_null()) {
                        filter[name] = member;
                    }
                }
                filter
            },
        )
}

fn some_trigger() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({ "type": "onDemand" })),
        (
            "(rate|cron)\\([0-9a-z *?]{0,12}\\)|rate\\([0-9]{1,3} (hour|days|month)\\)",
            -4_000_000_000_i64..20_000_000_000,
            -10..40_000_i64,
        )
            .prop_map(|(every, start, offset)| json!({
                "type": "scheduled",
                "every": every,
                "pull": "incremental",
                "start": Timestamp::from_second(start).unwrap().to_string(),
                "offsetSeconds": offset,
            })),
    ]
}

fn some_flow() -> impl Strategy<Value = Value> {
    (
        "\\PC{0,4}",
        some_trigger(),
        proptest::collection::vec(some_filter(), 0..3),
        proptest::collection::vec(("[A-Za-z]{0,3}", "[A-Za-z]{0,3}"), 0..3),
        any::<bool>(),
        0..3_u32,
    )
        .prop_map(|(name, trigger, filters, fields, all, length)| {
            let mut mappings: Vec<Value> = fields
                .iter()
                .map(|(from, to)| json!({ "type": "field", "from": from, "to": to }))
                .collect();
            if all {
                mappings.push(json!({ "type": "all" }));
            }
            let mut flow = serde_json::to_value(super::samples::flow(|_| {})).unwrap();
            flow["name"] = name.into();
            flow["trigger"] = trigger;
            flow["filters"] = filters.into();
            flow["mappings"] = mappings.into();
            flow["transforms"] = json!([
                { "type": "mask", "field": fields.first().map_or("x", |field| &field.0), "part": "last", "length": length },
            ]);
            flow
        })
}

proptest! {
    /// A flow either compiles to a request that AppFlow's model takes, or is refused with pointers
    /// that lead into it. Nothing panics.
    #[test]
    fn f8_every_flow_compiles_soundly_or_is_refused_with_pointers(flow in some_flow()) {
        let definition: FlowDefinition = serde_json::from_value(flow.clone()).unwrap();
        match check(&definition, now()) {
            Ok(checked) => {
                let request = compile(&checked, &around());
                prop_assert!(create_flow_input(&request).is_ok());
                let projected = request.tasks[0].source_fields.clone();
                for task in &request.tasks {
                    for value in task.task_properties.values() {
                        prop_assert!((1..=2048).contains(&value.chars().count()), "{value:?}");
                    }
                    if let Some(target) = &task.destination_field {
                        prop_assert!((1..=256).contains(&target.chars().count()));
                        prop_assert!(projected.contains(&task.source_fields[0]));
                    }
                }
            }
            Err(faults) => {
                prop_assert!(!faults.is_empty());
                for fault in faults {
                    let parent = fault.pointer.rsplit_once('/').unwrap().0;
                    prop_assert!(flow.pointer(parent).is_some(), "{}", fault.pointer);
                }
            }
        }
    }
}
