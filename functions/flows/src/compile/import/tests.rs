use serde_json::{Value, json};

use super::*;
use crate::compile::{references::REFERENCES, samples::known};

/// Pointers and codes of the faults of a reference's request after a change.
fn faults(index: usize, pointer: &str, value: Value) -> Vec<String> {
    let reference = &REFERENCES[index];
    let mut request = serde_json::to_value(reference.compiled()).unwrap();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match request.pointer_mut(parent).unwrap() {
        Value::Array(list) => match name.parse::<usize>() {
            Ok(index) => list[index] = value,
            Err(_) => list.push(value),
        },
        parent => parent[name] = value,
    }
    let request = serde_json::from_value(request).unwrap();
    match import(&request, &known(&reference.flow(), &reference.around())) {
        Ok(_) => Vec::new(),
        Err(faults) => faults
            .into_iter()
            .map(|fault| format!("{} {}", fault.pointer, fault.code))
            .collect(),
    }
}

#[test]
fn what_the_model_has_no_words_for_is_told_with_its_place_in_the_request() {
    let source = "/sourceFlowConfig/sourceConnectorProperties";
    let to = "/destinationFlowConfigList/0/destinationConnectorProperties";
    let passthrough = json!({ "taskType": "Passthrough", "sourceFields": [] });
    let lonely = json!({
        "taskType": "Merge", "sourceFields": ["a", "b"], "destinationField": "a,b",
        "connectorOperator": { "Salesforce": "NO_OP" }, "taskProperties": { "CONCAT_FORMAT": "x" },
    });
    let second = json!({
        "connectorType": "S3", "destinationConnectorProperties": { "S3": { "bucketName": "more" } },
    });
    for (index, at, value, expected) in [
        (
            0,
            "/destinationFlowConfigList/-",
            second,
            "/destinationFlowConfigList",
        ),
        (0, "/tasks/-", passthrough, "/tasks/1"),
        (0, "/tasks/-", lonely, "/tasks/1"),
        (
            0,
            "/tasks/0/taskProperties/INCLUDE_NEW_FIELDS",
            json!("true"),
            "/tasks/0/taskProperties/INCLUDE_NEW_FIELDS",
        ),
        (
            0,
            "/tasks/0/taskProperties/EXCLUDE_SOURCE_FIELDS_LIST",
            json!("a,b"),
            "/tasks/0/taskProperties/EXCLUDE_SOURCE_FIELDS_LIST",
        ),
        (
            0,
            "/sourceFlowConfig/connectorType",
            json!("Slack"),
            "/sourceFlowConfig/connectorType",
        ),
        (
            0,
            "/sourceFlowConfig/incrementalPullConfig",
            json!({ "datetimeTypeFieldName": "At" }),
            "/sourceFlowConfig/incrementalPullConfig",
        ),
        (
            1,
            "/triggerConfig/triggerProperties",
            json!(null),
            "/triggerConfig/triggerProperties",
        ),
        (
            1,
            "/triggerConfig/triggerProperties/Scheduled/scheduleExpression",
            json!("at(noon)"),
            "/triggerConfig/triggerProperties/Scheduled/scheduleExpression",
        ),
        (
            1,
            "/tasks/0/sourceFields/-",
            json!("Unmapped"),
            "/tasks/0/sourceFields",
        ),
        (
            1,
            "/tasks/1/sourceFields",
            json!(["Id", "Name"]),
            "/tasks/1/sourceFields",
        ),
        (
            1,
            "/tasks/1/destinationField",
            json!(null),
            "/tasks/1/destinationField",
        ),
        (
            5,
            "/tasks/14/connectorOperator",
            json!({ "S3": "BETWEEN" }),
            "/tasks/14/connectorOperator",
        ),
        (
            5,
            "/tasks/14/taskProperties/LOWER_BOUND",
            json!("yesterday"),
            "/tasks/14/taskProperties/LOWER_BOUND",
        ),
        (
            5,
            "/tasks/12/taskProperties/MASK_LENGTH",
            json!("six"),
            "/tasks/12/taskProperties/MASK_LENGTH",
        ),
        (
            5,
            "/tasks/11/destinationField",
            json!("Elsewhere"),
            "/tasks/11/destinationField",
        ),
        (
            2,
            &format!("{to}/EventBridge/object"),
            json!("aws.partner/appflow/salesforce.com/999999999999/x"),
            &format!("{to}/EventBridge/object"),
        ),
        (
            3,
            &format!("{to}/Redshift/intermediateBucketName"),
            json!("another"),
            &format!("{to}/Redshift/intermediateBucketName"),
        ),
        (
            3,
            &format!("{to}/Redshift/bucketPrefix"),
            json!(null),
            &format!("{to}/Redshift/bucketPrefix"),
        ),
        (
            3,
            &format!("{to}/Redshift/object"),
            json!("incident"),
            &format!("{to}/Redshift/object"),
        ),
        (
            4,
            &format!("{to}/Salesforce/writeOperationType"),
            json!("MERGE"),
            &format!("{to}/Salesforce/writeOperationType"),
        ),
        (
            4,
            &format!("{source}/S3/s3InputFormatConfig/s3InputFileType"),
            json!("XML"),
            &format!("{source}/S3/s3InputFormatConfig/s3InputFileType"),
        ),
        (
            4,
            "/metadataCatalogConfig",
            json!({ "glueDataCatalog": { "roleArn": "r", "databaseName": "d", "tablePrefix": "t" } }),
            "/metadataCatalogConfig",
        ),
        (
            7,
            "/sourceFlowConfig/apiVersion",
            json!("v4"),
            "/sourceFlowConfig/apiVersion",
        ),
    ] {
        assert_eq!(
            faults(index, at, value),
            [format!("{expected} not_covered")],
            "{at}"
        );
    }
}

#[test]
fn a_profile_that_is_nobodys_connection_is_unknown() {
    for (index, at) in [
        (0, "/sourceFlowConfig/connectorProfileName"),
        (8, "/destinationFlowConfigList/0/connectorProfileName"),
    ] {
        assert_eq!(faults(index, at, json!("other")), [format!("{at} unknown")]);
        assert_eq!(faults(index, at, json!(null)), [format!("{at} unknown")]);
    }
}

#[test]
fn all_that_is_not_covered_is_told_at_once() {
    let reference = &REFERENCES[0];
    let mut request = reference.compiled();
    request.destination_flow_config_list.clear();
    request.tasks[0].task_properties =
        [("SUBFIELD_CATEGORY_MAP".to_owned(), "{}".to_owned())].into();
    let known = known(&reference.flow(), &reference.around());
    assert_eq!(import(&request, &known).unwrap_err().len(), 2);
}

#[test]
fn the_anchors_projection_of_joined_names_is_read_too() {
    let mut fields: Vec<String> = REFERENCES[5].compiled().tasks[0].source_fields.clone();
    fields.retain(|field| {
        !["FirstName", "LastName", "Amount__c", "Quantity__c"].contains(&field.as_str())
    });
    fields.extend([
        "FirstName,LastName".to_owned(),
        "Amount__c,Quantity__c".to_owned(),
    ]);
    assert_eq!(faults(5, "/tasks/0/sourceFields", json!(fields)), [""; 0]);
}

#[test]
fn ours_and_awss_tags_are_not_the_flows() {
    let mut request = REFERENCES[0].compiled();
    request.tags.insert(
        "aws:cloudformation:stack-name".to_owned(),
        "stack".to_owned(),
    );
    let reference = &REFERENCES[0];
    let flow = import(&request, &known(&reference.flow(), &reference.around())).unwrap();
    assert_eq!(flow.tags, reference.flow().tags);
}
