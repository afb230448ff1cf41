use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::{compile::samples::flow, model::FlowDefinition};

const CONNECTION: &str = "con_019364c0a1b27cc3a4d5e6f708192a3b";
const FLOW: &str = "arn:aws:appflow:us-east-1:123456789012:flow/tributary-ten_00000000000000000000000000000001-flw_00000000000000000000000000000002";
const ANY: &str = "arn:aws:appflow:us-east-1:123456789012:*";

fn around() -> Around {
    Around {
        tenant_id: TenantId::from_uuid(Uuid::from_u128(1)),
        flow_id: Some(FlowId::from_uuid(Uuid::from_u128(2))),
        aws_account_id: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        staging: None,
        redshift: None,
        client_secret_arn: None,
    }
}

fn changed(change: &Value) -> FlowDefinition {
    let mut whole = serde_json::to_value(flow(|_| ())).unwrap();
    for (member, value) in change.as_object().unwrap() {
        whole[member] = value.clone();
    }
    serde_json::from_value(whole).unwrap()
}

/// Place, resource and purposes of each grant.
fn rows(grants: &[Grant]) -> Vec<(Value, String, Value)> {
    let row = |grant: &Grant| {
        (
            json!(grant.place),
            grant.resource.clone(),
            json!(grant.purposes),
        )
    };
    grants.iter().map(row).collect()
}

fn row(place: &str, resource: &str, purposes: &[&str]) -> (Value, String, Value) {
    (json!(place), resource.to_owned(), json!(purposes))
}

/// flow-model section 11: written by an S3 destination.
#[test]
fn a_destination_bucket_has_the_references_statement_for_the_exact_flow() {
    let grants = permissions(&flow(|_| ()), &around());
    assert_eq!(
        rows(&grants),
        [row(
            "bucketPolicy",
            "appflow-landing-123456789012",
            &["destination"]
        )]
    );
    let reference: Value = serde_json::from_str(include_str!(
        "../../../../../events/appflow/policy-s3-bucket-destination.json"
    ))
    .unwrap();
    let (ours, theirs) = (
        &grants[0].policy["Statement"][0],
        &reference["Statement"][0],
    );
    for member in ["Effect", "Principal", "Resource"] {
        assert_eq!(ours[member], theirs[member], "{member}");
    }
    let sorted = |actions: &Value| {
        let mut actions: Vec<String> = serde_json::from_value(actions.clone()).unwrap();
        actions.sort();
        actions
    };
    assert_eq!(sorted(&ours["Action"]), sorted(&theirs["Action"]));
    assert_eq!(sorted(&ours["Action"]), grants[0].actions);
    assert_eq!(
        ours["Condition"]["StringEquals"],
        theirs["Condition"]["StringEquals"]
    );
    assert_eq!(ours["Condition"]["ArnLike"]["aws:SourceArn"], json!([FLOW]));
    let key = &grants[0].key_policy.as_ref().unwrap()["Statement"][0];
    assert_eq!(key["Action"], json!(["kms:Encrypt", "kms:GenerateDataKey"]));
}

/// flow-model section 11: read by a source; its columns are read for no flow.
#[test]
fn a_source_bucket_is_read_for_the_flow_and_for_its_columns() {
    let definition = changed(&json!({
        "source": { "connector": "s3", "bucket": "appflow-outbound-123456789012", "prefix": "in" },
    }));
    let grants = permissions(&definition, &around());
    assert_eq!(grants.len(), 2);
    let statement = &grants[1].policy["Statement"][0];
    assert_eq!(grants[1].resource, "appflow-outbound-123456789012");
    assert_eq!(
        statement["Action"],
        json!(["s3:GetObject", "s3:ListBucket"])
    );
    assert_eq!(
        statement["Condition"]["ArnLike"]["aws:SourceArn"],
        json!([ANY, FLOW])
    );
}

/// One statement per resource, however often it is used.
#[test]
fn the_uses_of_a_bucket_are_united() {
    let definition = changed(&json!({
        "source": { "connector": "s3", "bucket": "shared-bucket", "prefix": "in" },
        "destination": { "connector": "redshift", "connectionId": CONNECTION, "table": "t",
            "errorHandling": { "bucket": "shared-bucket", "prefix": "errors" } },
    }));
    let staging = Staging {
        bucket: "shared-bucket".to_owned(),
        prefix: Some("staging/".to_owned()),
        database: None,
    };
    let grants = permissions(
        &definition,
        &Around {
            staging: Some(staging),
            ..around()
        },
    );
    assert_eq!(
        rows(&grants),
        [row(
            "bucketPolicy",
            "shared-bucket",
            &["source", "errors", "staging"]
        )]
    );
    let actions = &grants[0].actions;
    assert_eq!(actions.len(), 8);
    assert!(actions.is_sorted(), "{actions:?}");
    assert_eq!(grants[0].policy["Statement"].as_array().unwrap().len(), 1);
    assert_eq!(grants[0].policy["Statement"][0]["Action"], json!(actions));
}

/// flow-model section 11: error and success locations, large events, key, secret.
#[test]
fn every_other_place_of_a_flow_has_its_row() {
    let sap = changed(&json!({
        "destination": { "connector": "sapOData", "connectionId": CONNECTION, "objectPath": "/a", "write": "insert",
            "successResponses": { "bucket": "answers-bucket" }, "errorHandling": { "bucket": "errors-bucket" } },
        "kmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/one",
    }));
    let secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:app";
    let around = Around {
        client_secret_arn: Some(secret.to_owned()),
        ..around()
    };
    let grants = permissions(&sap, &around);
    assert_eq!(
        rows(&grants),
        [
            row("bucketPolicy", "answers-bucket", &["successResponses"]),
            row("bucketPolicy", "errors-bucket", &["errors"]),
            row(
                "keyPolicy",
                "arn:aws:kms:us-east-1:123456789012:key/one",
                &["encryption"]
            ),
            row("secretPolicy", secret, &["clientSecret"]),
        ]
    );
    let arns = |grant: &Grant| {
        grant.policy["Statement"][0]["Condition"]["ArnLike"]["aws:SourceArn"].clone()
    };
    assert_eq!(
        (arns(&grants[2]), arns(&grants[3])),
        (json!([FLOW]), json!([ANY]))
    );
    let events = changed(&json!({ "trigger": { "type": "event" },
        "destination": { "connector": "eventBridge", "errorHandling": { "bucket": "large-bucket" } } }));
    let grants = permissions(&events, &around);
    assert_eq!(
        rows(&grants)[0],
        row("bucketPolicy", "large-bucket", &["largeEvents"])
    );
}

/// flow-model section 11: the catalogue's role.
#[test]
fn the_catalogues_role_is_bound_to_its_database_and_prefix() {
    let definition = changed(
        &json!({ "destination": { "connector": "s3", "bucket": "landing-bucket",
        "catalog": { "roleArn": "arn:aws:iam::123456789012:role/glue", "databaseName": "crm", "tablePrefix": "sf" } } }),
    );
    let grants = permissions(&definition, &around());
    let role = &grants[1];
    let reference: Value = serde_json::from_str(include_str!(
        "../../../../../events/appflow/policy-role-glue-catalog.json"
    ))
    .unwrap();
    let mut theirs: Vec<String> =
        serde_json::from_value(reference["Statement"][0]["Action"].clone()).unwrap();
    theirs.sort();
    assert_eq!(role.actions, theirs);
    assert_eq!(
        role.policy["Statement"][0]["Resource"],
        json!([
            "arn:aws:glue:us-east-1:123456789012:catalog",
            "arn:aws:glue:us-east-1:123456789012:database/crm",
            "arn:aws:glue:us-east-1:123456789012:table/crm/sf*"
        ])
    );
    assert_eq!(
        role.trust_policy.as_ref().unwrap()["Statement"][0]["Principal"]["Service"],
        APPFLOW
    );
}

/// flow-model section 11: Redshift's two roles.
#[test]
fn redshifts_roles_are_shown_with_who_trusts_them() {
    let definition = changed(
        &json!({ "destination": { "connector": "redshift", "connectionId": CONNECTION, "table": "t" } }),
    );
    let staging = Staging {
        bucket: "stage-bucket".to_owned(),
        prefix: Some("staging".to_owned()),
        database: None,
    };
    let roles = RedshiftRoles {
        load: "arn:load".to_owned(),
        data_api: Some("arn:data".to_owned()),
    };
    let grants = permissions(
        &definition,
        &Around {
            staging: Some(staging),
            redshift: Some(roles),
            ..around()
        },
    );
    assert_eq!(
        rows(&grants),
        [
            row("bucketPolicy", "stage-bucket", &["staging"]),
            row("role", "arn:load", &["warehouseLoad"]),
            row("role", "arn:data", &["warehouseStatements"]),
        ]
    );
    assert_eq!(
        (grants[1].principal, grants[2].principal),
        ("redshift.amazonaws.com", APPFLOW)
    );
    assert_eq!(
        grants[1].policy["Statement"][1]["Resource"],
        "arn:aws:s3:::stage-bucket/staging/*"
    );
}

#[test]
fn before_a_flow_is_made_the_tenants_flows_are_meant() {
    let grants = permissions(
        &flow(|_| ()),
        &Around {
            flow_id: None,
            ..around()
        },
    );
    assert_eq!(
        grants[0].policy["Statement"][0]["Condition"]["ArnLike"]["aws:SourceArn"],
        json!([
            "arn:aws:appflow:us-east-1:123456789012:flow/tributary-ten_00000000000000000000000000000001-*"
        ])
    );
}
