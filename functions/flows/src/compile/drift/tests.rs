use serde_json::json;

use super::*;
use crate::compile::{
    operators::Operator,
    references::{REFERENCES, Reference, now},
    request::{ConnectorOperator, DestinationProperties, Task, TaskType},
    samples::known,
};

/// The drift of a reference's flow after something was done to it in AppFlow.
fn after(reference: &Reference, change: impl FnOnce(&mut CreateFlowRequest)) -> Drift {
    let (flow, asked) = (reference.flow(), reference.compiled());
    let mut found = asked.clone();
    change(&mut found);
    drift(&flow, &asked, &found, &known(&flow, &reference.around()))
}

/// A change in JSON, which reaches every member.
fn changed(reference: &Reference, pointer: &str, value: Value) -> Vec<Difference> {
    after(reference, |found| {
        let mut json = serde_json::to_value(&*found).unwrap();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = json.pointer_mut(parent).unwrap();
        match parent {
            Value::Array(list) => list[name.parse::<usize>().unwrap()] = value,
            parent => parent[name] = value,
        }
        *found = serde_json::from_value(json).unwrap();
    })
    .differences
}

#[test]
fn what_appflow_adds_by_itself_is_no_drift() {
    let scheduled = "/triggerConfig/triggerProperties/Scheduled";
    let salesforce = "/sourceFlowConfig/sourceConnectorProperties/Salesforce";
    let s3 = "/destinationFlowConfigList/0/destinationConnectorProperties/S3";
    for (index, pointer, value) in [
        (1, "/kmsArn".to_owned(), json!(null)),
        (1, "/tags".to_owned(), json!({ "somebodys": "own" })),
        (
            0,
            "/description".to_owned(),
            json!("Full copy of the Account object, all fields"),
        ),
        (1, format!("{scheduled}/firstExecutionFrom"), json!(null)),
        (
            1,
            format!("{scheduled}/scheduleExpression"),
            json!("rate(1 hour)"),
        ),
        (6, format!("{scheduled}/scheduleOffset"), json!(0)),
        (
            2,
            format!("{salesforce}/enableDynamicFieldUpdate"),
            json!(null),
        ),
        (
            2,
            format!("{salesforce}/dataTransferApi"),
            json!("AUTOMATIC"),
        ),
        (0, "/sourceFlowConfig/apiVersion".to_owned(), json!("v60.0")),
        (
            6,
            format!("{s3}/s3OutputFormatConfig/aggregationConfig"),
            json!(null),
        ),
        (
            6,
            format!("{s3}/s3OutputFormatConfig/prefixConfig"),
            json!({ "pathPrefixHierarchy": ["EXECUTION_ID"] }),
        ),
        (1, "/tasks/0/destinationField".to_owned(), json!("")),
        (
            1,
            "/tasks/0/sourceFields".to_owned(),
            json!([
                "LastModifiedDate",
                "AnnualRevenue",
                "Industry",
                "Name",
                "Id"
            ]),
        ),
    ] {
        let differences = changed(&REFERENCES[index], &pointer, value);
        assert_eq!(differences, [], "{pointer}");
    }
}

#[test]
fn a_start_that_moved_along_its_grid_is_no_drift_and_another_is() {
    let reference = &REFERENCES[1];
    let (mut flow, names) = (reference.flow(), reference.around());
    let Trigger::Scheduled(scheduled) = &mut flow.trigger else {
        panic!("not scheduled");
    };
    scheduled.start = Some("2026-01-01T00:30:00Z".parse().unwrap());
    let checked = crate::compile::check(&flow, now()).unwrap();
    let asked = crate::compile::compile(&checked, &names);
    for (start, expected) in [
        ("2026-01-01T00:30:00Z", 0),
        ("2026-03-01T17:30:00Z", 0),
        ("2026-03-01T17:31:00Z", 1),
        ("2026-06-01T12:30:00Z", 0),
        ("2026-06-01T13:30:00Z", 1),
        ("2025-12-31T23:30:00Z", 1),
    ] {
        let mut found = asked.clone();
        let at: jiff::Timestamp = start.parse().unwrap();
        if let Some(TriggerProperties::Scheduled(schedule)) =
            &mut found.trigger_config.trigger_properties
        {
            schedule.schedule_start_time = Some(at.as_second());
        }
        let differences = drift(&flow, &asked, &found, &known(&flow, &names)).differences;
        assert_eq!(differences.len(), expected, "{start}");
        assert!(
            differences
                .iter()
                .all(|one| one.pointer == "/trigger/start")
        );
    }
}

#[test]
fn a_change_is_told_where_the_definition_says_it() {
    let scheduled = "/triggerConfig/triggerProperties/Scheduled";
    let s3 = "/destinationFlowConfigList/0/destinationConnectorProperties/S3";
    for (index, at, value, pointer, asked, found) in [
        (
            1,
            format!("{scheduled}/scheduleExpression"),
            json!("rate(2hours)"),
            "/trigger/every",
            json!("rate(1 hour)"),
            json!("rate(2 hours)"),
        ),
        (
            1,
            format!("{scheduled}/dataPullMode"),
            json!("Complete"),
            "/trigger/pull",
            json!("incremental"),
            json!("complete"),
        ),
        (
            0,
            format!("{s3}/bucketPrefix"),
            json!("elsewhere"),
            "/destination/prefix",
            json!("salesforce/account"),
            json!("elsewhere"),
        ),
        (
            0,
            "/description".to_owned(),
            json!("Other"),
            "/description",
            json!("Full copy of the Account object, all fields"),
            json!("Other"),
        ),
        (
            1,
            "/tasks/2/taskProperties/DESTINATION_DATA_TYPE".to_owned(),
            json!("text"),
            "/mappings/1/toType",
            json!("string"),
            json!("text"),
        ),
        (
            5,
            "/tasks/16/taskProperties/VALUE".to_owned(),
            json!("sen"),
            "/filters/2/value",
            json!("son"),
            json!("sen"),
        ),
        (
            5,
            "/tasks/18/taskProperties/VALIDATION_ACTION".to_owned(),
            json!("DropDataset"),
            "/validations/1/otherwise",
            json!("dropRecord"),
            json!("stopRun"),
        ),
    ] {
        let expected = Difference {
            pointer: pointer.to_owned(),
            asked: Some(asked),
            found: Some(found),
        };
        assert_eq!(changed(&REFERENCES[index], &at, value), [expected], "{at}");
    }
}

#[test]
fn what_was_added_or_taken_away_is_told_as_such() {
    let drift = after(&REFERENCES[5], |found| {
        found
            .tasks
            .retain(|task| task.task_type != TaskType::Truncate);
        found.tasks.push(Task {
            task_type: TaskType::Validate,
            source_fields: vec!["Phone".to_owned()],
            connector_operator: Some(ConnectorOperator::Salesforce(Operator::ValidateNumeric)),
            destination_field: None,
            task_properties: [("VALIDATION_ACTION".to_owned(), "DropRecord".to_owned())].into(),
        });
    });
    let told: Vec<_> = drift
        .differences
        .iter()
        .map(|one| {
            (
                one.pointer.as_str(),
                one.asked.is_some(),
                one.found.is_some(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("/transforms/2", true, false),
            ("/validations/-", false, true)
        ]
    );
    assert_eq!(drift.found.unwrap().validations.len(), 3);
}

#[test]
fn a_flow_that_the_model_has_no_words_for_is_compared_as_requests() {
    let drift = after(&REFERENCES[0], |found| {
        found.tasks[0]
            .task_properties
            .insert("INCLUDE_NEW_FIELDS".to_owned(), "true".to_owned());
        let to = &mut found.destination_flow_config_list[0].destination_connector_properties;
        if let DestinationProperties::S3 {
            s3_output_format_config,
            ..
        } = to
        {
            *s3_output_format_config = None;
        }
        found.tags.clear();
    });
    assert_eq!(drift.found, None);
    let pointers: Vec<_> = drift
        .differences
        .iter()
        .map(|one| one.pointer.as_str())
        .collect();
    assert_eq!(
        pointers,
        [
            "/appflow/destinationFlowConfigList/0/destinationConnectorProperties/S3/s3OutputFormatConfig",
            "/appflow/tasks/0/taskProperties/INCLUDE_NEW_FIELDS",
        ]
    );
}

#[test]
fn what_appflow_adds_is_no_drift_between_requests_either() {
    // The model has no words for the property, but the request that was asked for has it too.
    let reference = &REFERENCES[6];
    let flow = reference.flow();
    let mut asked = reference.compiled();
    asked.tasks[1]
        .task_properties
        .insert("SUBFIELD_CATEGORY_MAP".to_owned(), "{}".to_owned());
    let mut found = asked.clone();
    found.tasks.rotate_left(2);
    let to = &mut found.destination_flow_config_list[0].destination_connector_properties;
    let DestinationProperties::S3 {
        s3_output_format_config: Some(format),
        ..
    } = to
    else {
        panic!("no format");
    };
    format.aggregation_config = None;
    format.prefix_config = Some(crate::compile::request::PrefixConfig {
        prefix_type: None,
        prefix_format: None,
        path_prefix_hierarchy: vec!["EXECUTION_ID".to_owned()],
    });
    let drift = drift(&flow, &asked, &found, &known(&flow, &reference.around()));
    assert_eq!((drift.differences, drift.found), (Vec::new(), None));
}

#[test]
fn a_profile_of_nobody_is_drift_in_appflows_request() {
    let differences = changed(
        &REFERENCES[3],
        "/sourceFlowConfig/connectorProfileName",
        json!("other"),
    );
    assert_eq!(differences.len(), 1);
    assert_eq!(
        differences[0].pointer,
        "/appflow/sourceFlowConfig/connectorProfileName"
    );
}

#[test]
fn an_unreadable_flow_drifts_where_it_cannot_be_read() {
    let fault = tributary::error::Fault::new("/tasks/0/taskType", "not_covered", "No word.");
    let drift = unreadable(&Unreadable(vec![fault]));
    assert_eq!(drift.differences[0].pointer, "/appflow/tasks/0/taskType");
    assert_eq!(drift.found, None);
}
