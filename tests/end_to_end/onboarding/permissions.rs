//! The self-test: what a role lacks is named exactly, and trying has no effect (O7).

use std::collections::BTreeSet;

use bytes::Bytes;
use reqwest::Method;
use sandbox::Sandbox;
use sandbox_aws::Role;
use sandbox_core::{CUSTOMER_ACCOUNT, VENDOR_ACCOUNT};
use serde_json::{Value, json};

use super::{text, verify};
use crate::common;

/// The role without these actions, whatever else it may do.
fn without(role: &Role, taken: &[&str]) -> Role {
    let mut role = role.clone();
    for policy in &mut role.identity_policies {
        for statement in policy["Statement"].as_array_mut().unwrap() {
            let is_taken = |action: &Value| taken.iter().any(|one| action == one);
            match &mut statement["Action"] {
                Value::Array(actions) => actions.retain(|action| !is_taken(action)),
                action if is_taken(action) => *action = json!("none:None"),
                _ => {}
            }
        }
    }
    role
}

/// The names that AppFlow has in an account: flows and connector profiles.
async fn in_appflow(sandbox: &Sandbox, account: &str) -> Vec<Value> {
    let admin = sandbox.aws.admin(account);
    let mut found = Vec::new();
    for path in ["/list-flows", "/describe-connector-profiles"] {
        let body = Bytes::from_static(b"{}");
        let reply = sandbox
            .aws
            .call_rest(&admin, "appflow", Method::POST, path, body)
            .await;
        assert!(reply.status.is_success(), "{path}");
        found.push(serde_json::from_slice(&reply.body).unwrap());
    }
    found
}

/// The role of an account is narrowed, verified and widened again.
async fn narrowed(
    sandbox: &Sandbox,
    api: &sandbox::client::Api,
    account: &Value,
    in_account: &str,
) {
    let arn = text(account, "roleArn");
    let whole = sandbox.aws.role(arn).unwrap();
    let before = in_appflow(sandbox, in_account).await;
    for taken in [
        &["appflow:StartFlow"][..],
        &[
            "appflow:CreateFlow",
            "appflow:CreateConnectorProfile",
            "appflow:TagResource",
            "s3:ListAllMyBuckets",
        ],
        &[
            "appflow:DescribeFlow",
            "appflow:DescribeFlowExecutionRecords",
            "appflow:UpdateFlow",
            "appflow:DeleteFlow",
            "appflow:StopFlow",
            "appflow:CancelFlowExecutions",
            "appflow:UpdateConnectorProfile",
            "appflow:DeleteConnectorProfile",
            "appflow:ListConnectorEntities",
            "appflow:DescribeConnectorEntity",
            "appflow:ResetConnectorMetadataCache",
            "appflow:ListFlows",
            "appflow:ListConnectors",
            "appflow:DescribeConnector",
            "appflow:DescribeConnectors",
            "appflow:DescribeConnectorProfiles",
            "s3:GetBucketLocation",
            "s3:GetBucketPolicy",
            "events:PutEvents",
        ],
    ] {
        sandbox.aws.put_role(without(&whole, taken));
        let found = verify(api, account).await;
        let report = &found["report"];
        assert_eq!(text(report, "reason"), "permissions_missing", "{found}");
        assert_eq!(text(&found, "state"), "degraded");
        let missing: BTreeSet<&str> = report["missing"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert_eq!(missing, taken.iter().copied().collect(), "{found}");
        let added: BTreeSet<&str> = report["statements"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|statement| statement["Action"].as_array().unwrap())
            .filter_map(Value::as_str)
            .collect();
        assert_eq!(added, missing);
        for row in report["permissions"].as_array().unwrap() {
            let is_missing = missing.contains(text(row, "action"));
            assert_eq!(row["outcome"] == "missing", is_missing, "{row}");
            assert_ne!(row["outcome"], "inconclusive", "{row}");
        }

        // With the statements that the report tells, the role does.
        let mut mended = without(&whole, taken);
        mended
            .identity_policies
            .push(json!({ "Version": "2012-10-17", "Statement": report["statements"] }));
        sandbox.aws.put_role(mended);
        let found = verify(api, account).await;
        assert_eq!(text(&found, "state"), "verified", "{found}");
        assert!(found["report"]["warnings"].is_null(), "{found}");
    }
    assert_eq!(
        in_appflow(sandbox, in_account).await,
        before,
        "trying made something"
    );

    // A role that may more than it needs is told of, and no failure.
    let mut broad = whole.clone();
    broad
        .identity_policies
        .push(json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "appflow:*", "Resource": "*" }] }));
    sandbox.aws.put_role(broad);
    let found = verify(api, account).await;
    assert_eq!(text(&found, "state"), "verified", "{found}");
    assert_eq!(found["report"]["warnings"][0]["code"], "role_too_broad");
    sandbox.aws.put_role(whole);
}

/// O7: exactly what is missing is named, with the statement that adds it, and nothing is made.
#[tokio::test(flavor = "multi_thread")]
async fn o7_what_a_customers_role_lacks_is_named_and_nothing_is_made() {
    let sandbox = common::start().await;
    let blue = common::tenant(&sandbox, "Blue", &[("frank", "admin")]).await;
    let person = &blue.people["frank"];
    let id = common::customer_account(&sandbox, &person.api).await;
    common::salesforce(&sandbox, person, &id).await;
    let account = person
        .api
        .get(&format!("/v1/accounts/{id}"))
        .await
        .unwrap()
        .body;
    narrowed(&sandbox, &person.api, &account, CUSTOMER_ACCOUNT).await;
    common::no_leaks(&sandbox).await;
}

/// O7 in the vendor's account.
#[tokio::test(flavor = "multi_thread")]
async fn o7_what_the_vendors_role_lacks_is_named_and_nothing_is_made() {
    let sandbox = common::start().await;
    let blue = common::tenant(&sandbox, "Blue", &[("frank", "admin")]).await;
    let frank = blue.api("frank");
    let request = json!({ "hosting": "vendor", "region": "us-east-1" });
    let account = frank.post("/v1/accounts", &request).await.unwrap();
    let account = account.expect(201).unwrap();
    assert_eq!(text(&verify(frank, &account).await, "state"), "verified");
    narrowed(&sandbox, frank, &account, VENDOR_ACCOUNT).await;
    common::no_leaks(&sandbox).await;
}
