use serde_json::json;

use super::*;

/// The reference bodies, each with the shape it must satisfy.
const BODIES: &[(&str, &str)] = &[
    (
        "CreateConnectorProfileRequest",
        include_str!("../../tests-data/create-connector-profile-01-salesforce-authcode.json"),
    ),
    (
        "CreateConnectorProfileRequest",
        include_str!("../../tests-data/create-connector-profile-02-salesforce-tokens.json"),
    ),
    (
        "CreateConnectorProfileRequest",
        include_str!("../../tests-data/create-connector-profile-03-salesforce-jwt.json"),
    ),
    (
        "CreateConnectorProfileRequest",
        include_str!("../../tests-data/create-connector-profile-04-servicenow-basic.json"),
    ),
    (
        "CreateConnectorProfileRequest",
        include_str!("../../tests-data/create-connector-profile-05-servicenow-oauth2.json"),
    ),
    (
        "CreateConnectorProfileRequest",
        include_str!("../../tests-data/create-connector-profile-06-redshift-dataapi.json"),
    ),
    (
        "CreateConnectorProfileRequest",
        include_str!("../../tests-data/create-connector-profile-07-hubspot-oauth2.json"),
    ),
    (
        "CreateConnectorProfileRequest",
        include_str!("../../tests-data/create-connector-profile-08-jdbc-custom-auth.json"),
    ),
    (
        "CreateConnectorProfileRequest",
        include_str!("../../tests-data/create-connector-profile-09-sapodata-basic-private.json"),
    ),
    (
        "CreateConnectorProfileRequest",
        include_str!("../../tests-data/create-connector-profile-10-zendesk-oauth.json"),
    ),
    (
        "CreateFlowRequest",
        include_str!("../../tests-data/create-flow-01-salesforce-to-s3-full.json"),
    ),
    (
        "CreateFlowRequest",
        include_str!(
            "../../tests-data/create-flow-02-salesforce-to-s3-incremental-parquet-glue.json"
        ),
    ),
    (
        "CreateFlowRequest",
        include_str!("../../tests-data/create-flow-03-salesforce-event-to-eventbridge.json"),
    ),
    (
        "CreateFlowRequest",
        include_str!("../../tests-data/create-flow-04-servicenow-to-redshift.json"),
    ),
    (
        "CreateFlowRequest",
        include_str!("../../tests-data/create-flow-05-s3-to-salesforce-upsert.json"),
    ),
    (
        "CreateFlowRequest",
        include_str!("../../tests-data/create-flow-06-salesforce-to-s3-transform.json"),
    ),
    (
        "CreateFlowRequest",
        include_str!("../../tests-data/create-flow-07-hubspot-customconnector-to-s3.json"),
    ),
    (
        "CreateFlowRequest",
        include_str!("../../tests-data/create-flow-08-sapodata-to-s3-parallel.json"),
    ),
    (
        "CreateFlowRequest",
        include_str!("../../tests-data/create-flow-09-s3-to-customconnector.json"),
    ),
    (
        "CreateFlowRequest",
        include_str!("../../tests-data/create-flow-10-zendesk-to-snowflake.json"),
    ),
    (
        "CreateFlowRequest",
        include_str!("../../tests-data/create-flow-11-partition-by-field-UNVERIFIED-ENCODING.json"),
    ),
    (
        "UpdateConnectorProfileRequest",
        include_str!("../../tests-data/update-connector-profile-01-salesforce-reauth.json"),
    ),
    (
        "UpdateFlowRequest",
        include_str!("../../tests-data/update-flow-01-change-mapping.json"),
    ),
    (
        "StartFlowRequest",
        include_str!("../../tests-data/start-flow-01.json"),
    ),
    (
        "CancelFlowExecutionsRequest",
        include_str!("../../tests-data/cancel-flow-executions-01.json"),
    ),
    (
        "RegisterConnectorRequest",
        include_str!("../../tests-data/register-connector-01-lambda.json"),
    ),
];

#[test]
fn every_reference_body_passes() {
    for (shape, body) in BODIES {
        let body: Value = serde_json::from_str(body).expect("JSON");
        let clean = accept(shape, &body).unwrap_or_else(|e| panic!("{shape}: {e}"));
        assert_eq!(clean, body, "{shape} lost members");
    }
}

#[test]
fn every_type_that_a_table_names_is_defined() {
    fn names(of: &Type) -> Vec<&'static str> {
        match of {
            Type::Named(name) => vec![name],
            Type::List(item) => names(item),
            Type::Map(key, item) => [names(key), names(item)].concat(),
            _ => vec![],
        }
    }
    for (shape, definition) in SHAPES.iter() {
        let used = match definition {
            Shape::Structure(members) => members.iter().flat_map(|m| names(&m.of)).collect(),
            Shape::Limited { of, .. } => names(of),
            Shape::Enumeration(_) => vec![],
        };
        for name in used {
            assert!(SHAPES.contains_key(name), "{shape} names {name}");
        }
    }
}

#[test]
fn all_faults_come_at_once_and_name_their_member() {
    let error = accept(
        "CreateFlowRequest",
        &json!({
            "flowName": "x y",
            "triggerConfig": { "triggerType": "Hourly" },
            "sourceFlowConfig": { "connectorType": "Salesforce", "sourceConnectorProperties": { "Salesforce": {} } },
            "destinationFlowConfigList": [],
            "tasks": [{ "taskType": "Map", "sourceFields": ["a"], "taskProperties": { "NOPE": "1" },
                        "connectorOperator": { "Zendesk": "EQUAL_TO" } }],
        }),
    )
    .expect_err("five faults");
    assert_eq!(error.exception, crate::error::Exception::Validation);
    for part in [
        "5 validation errors detected",
        "'flowName'",
        "'triggerConfig.triggerType'",
        "Value null at 'sourceFlowConfig.sourceConnectorProperties.Salesforce.object'",
        "'tasks.1.member.taskProperties.key'",
        "'tasks.1.member.connectorOperator.Zendesk'",
    ] {
        assert!(error.message.contains(part), "{part} in {}", error.message);
    }
}

#[test]
fn limits_of_numbers_lists_and_strings_hold() {
    for (shape, body) in [
        ("ListFlowsRequest", json!({ "maxResults": 0 })),
        ("ListFlowsRequest", json!({ "maxResults": 101 })),
        ("ListFlowsRequest", json!({ "maxResults": "7" })),
        (
            "ListConnectorEntitiesRequest",
            json!({ "maxResults": 10_001 }),
        ),
        ("StartFlowRequest", json!({ "flowName": "a".repeat(257) })),
        (
            "StartFlowRequest",
            json!({ "flowName": "ab", "clientToken": "" }),
        ),
        (
            "CancelFlowExecutionsRequest",
            json!({ "flowName": "ab", "executionIds": vec!["x"; 101] }),
        ),
    ] {
        assert!(accept(shape, &body).is_err(), "{shape} {body}");
    }
    assert!(
        accept(
            "ListFlowsRequest",
            &json!({ "maxResults": 100, "unknown": 1 })
        )
        .is_ok()
    );
}

#[test]
fn a_null_body_is_refused_with_the_services_words() {
    let error = accept("ListFlowsRequest", &Value::Null).expect_err("null");
    assert_eq!(error.message, "The request object must be non-null");
}

#[test]
fn a_refused_credential_is_not_repeated() {
    let secret = "canary secret with blanks";
    let error = accept(
        "CreateConnectorProfileRequest",
        &json!({ "connectorProfileName": "p", "connectorType": "Salesforce", "connectionMode": "Public",
            "connectorProfileConfig": { "connectorProfileProperties": {}, "connectorProfileCredentials":
                { "Salesforce": { "accessToken": secret } } } }),
    )
    .expect_err("blanks");
    assert!(!error.message.contains("canary"), "{}", error.message);
}

#[test]
fn answers_get_explicit_nulls_and_keep_what_they_have() {
    let filled = with_nulls(
        "ExecutionRecord",
        json!({ "executionId": "1", "executionResult": { "recordsProcessed": 3 } }),
    );
    assert_eq!(filled["dataPullStartTime"], Value::Null);
    assert!(
        filled
            .as_object()
            .expect("object")
            .contains_key("dataPullStartTime")
    );
    assert_eq!(filled["executionResult"]["recordsProcessed"], 3);
    assert!(
        filled["executionResult"]
            .as_object()
            .expect("object")
            .contains_key("errorInfo")
    );
}
