//! What compiling does to whole flows, there and back.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    CreateFlowRequest, Staging, check,
    check::arbitrary::{any_flow, around as names_around, sound_flow},
    compile, create_flow_input,
    described::{self, tests::as_described},
    drift::drift,
    import::import,
    normal::normal,
    request::{Task, TaskType, TriggerProperties},
    samples::{around, flow, full_flow, known},
    update_flow_input,
};
use crate::model::{FlowDefinition, Trigger};

fn now() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

fn compiled(definition: &FlowDefinition) -> Value {
    let checked = check(definition, now()).unwrap();
    serde_json::to_value(compile(&checked, &around())).unwrap()
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
            "Filter",
            "Map",
            "Merge",
            "Map",
            "Map",
            "Map",
            "Map",
            "Map",
            "Arithmetic",
            "Map",
            "Map",
            "Mask",
            "Mask",
            "Truncate",
            "Filter",
            "Filter",
            "Filter",
            "Validate",
            "Validate"
        ]
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

/// The definition with its start where the request has it.
fn as_moved(definition: &FlowDefinition, request: &CreateFlowRequest) -> FlowDefinition {
    let mut moved = definition.clone();
    if let (Trigger::Scheduled(scheduled), Some(TriggerProperties::Scheduled(properties))) = (
        &mut moved.trigger,
        &request.trigger_config.trigger_properties,
    ) {
        scheduled.start = properties
            .schedule_start_time
            .map(|at| Timestamp::from_second(at).unwrap());
    }
    moved
}

proptest! {
    /// That no refused flow compiles needs no test: [`compile`] takes a [`CheckedFlow`], which only
    /// [`check`] makes.
    #[test]
    fn compiling_is_a_function_and_the_way_back_its_inverse(definition in sound_flow()) {
        let names = names_around(&definition);
        let checked = check(&definition, now()).map_err(|faults| {
            TestCaseError::fail(format!("{faults:?}"))
        })?;
        let request = compile(&checked, &names);
        prop_assert_eq!(&request, &compile(&check(&definition, now()).unwrap(), &names));

        let around = known(&definition, &names);
        let back = import(&request, &around);
        let back = back.map_err(|faults| TestCaseError::fail(format!("{faults:?}")))?;
        let meant = normal(&as_moved(&definition, &request));
        prop_assert_eq!(&normal(&back), &meant);
        prop_assert_eq!(normal(&meant), meant.clone(), "the normal form of a normal form");

        let described = described::request(&as_described(&request));
        let described = described.map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
        prop_assert_eq!(normal(&import(&described, &around).unwrap()), meant);
    }

    /// Tasks in any order, with what AppFlow adds, mean the same; a changed field does not.
    #[test]
    fn appflows_own_additions_are_no_drift_and_a_changed_field_is(
        definition in sound_flow(),
        turn in 0..8_usize,
    ) {
        let names = names_around(&definition);
        let request = compile(&check(&definition, now()).unwrap(), &names);
        let around = known(&definition, &names);
        let mut found = described::request(&as_described(&request)).unwrap();
        let length = found.tasks.len();
        let composed = |task: &Task| [TaskType::Merge, TaskType::Arithmetic].contains(&task.task_type);
        found.tasks.rotate_left(turn % length);
        for task in &mut found.tasks {
            if task.task_type == TaskType::Filter {
                task.source_fields.reverse();
            }
        }
        found.tags.clear();
        found.kms_arn = None;
        let same = drift(&definition, &request, &found, &around);
        prop_assert_eq!(same.differences, vec![]);
        prop_assert!(same.found.is_some());

        let mapped = found.tasks.iter().position(|task| task.task_type == TaskType::Map);
        let composes = found.tasks.iter().any(composed);
        if let Some(position) = mapped.filter(|_| !composes) {
            found.tasks[position].destination_field = Some("Elsewhere".to_owned());
            let differences = drift(&definition, &request, &found, &around).differences;
            prop_assert_eq!(differences.len(), 2);
            prop_assert!(differences[0].pointer.starts_with("/mappings/"));
            prop_assert_eq!(&differences[1].pointer, "/mappings/-");
        }
    }

    /// The limits of the service model; `.ci/check_requests.py` asks the model itself. What was broken
    /// and still keeps every rule reads back as well.
    #[test]
    fn no_accepted_flow_breaks_a_limit_of_the_service_model_or_is_lost(definition in any_flow()) {
        let Ok(checked) = check(&definition, now()) else {
            return Ok(());
        };
        let request = compile(&checked, &names_around(&definition));
        let created = create_flow_input(&request).unwrap().build();
        prop_assert!(created.is_ok());
        let length = |text: &str| text.chars().count();
        prop_assert!(length(&request.flow_name) <= 256);
        prop_assert!(request.description.as_deref().is_none_or(|text| length(text) <= 2048));
        prop_assert!(request.tags.len() <= 50);
        for (name, value) in &request.tags {
            prop_assert!((1..=128).contains(&length(name)) && length(value) <= 256);
        }
        for task in &request.tasks {
            for value in task.task_properties.values() {
                prop_assert!((1..=2048).contains(&length(value)), "{value:?}");
            }
            for field in &task.source_fields {
                prop_assert!(length(field) <= 2048);
            }
            let target = task.destination_field.as_deref();
            prop_assert!(target.is_none_or(|field| length(field) <= 256), "{target:?}");
        }
        let wire = serde_json::to_string(&request).unwrap();
        prop_assert_eq!(serde_json::from_str::<CreateFlowRequest>(&wire).unwrap(), request.clone());
        let back = import(&request, &known(&definition, &names_around(&definition)));
        let back = back.map_err(|faults| TestCaseError::fail(format!("{faults:?}")))?;
        prop_assert_eq!(normal(&back), normal(&as_moved(&definition, &request)));
    }
}
