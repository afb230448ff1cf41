//! Verification: what each probe finds out about the customer's role.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sandbox::Sandbox;
use sandbox_core::{CUSTOMER_ACCOUNT, OTHER_CUSTOMER_ACCOUNT, VENDOR_ACCOUNT};
use serde_json::{Value, json};

use super::{outcomes, register, role, text, trust, verify};
use crate::{
    common,
    edge::wire::{self, Moment, assert_problem},
};

const NOT_ASSUMABLE: [(&str, &str); 3] = [
    ("with_external_id", "failed"),
    ("without_external_id", "inconclusive"),
    ("with_wrong_external_id", "inconclusive"),
];

/// O3, O4, O6: a role is proven by what STS refuses as much as by what it allows.
#[tokio::test(flavor = "multi_thread")]
async fn o3_o4_o6_a_role_is_proven_by_what_sts_refuses() {
    let sandbox = common::start().await;
    let blue = common::tenant(&sandbox, "Blue", &[("frank", "admin")]).await;
    let red = common::tenant(&sandbox, "Red", &[("alex", "admin")]).await;
    let (frank, alex) = (blue.api("frank"), red.api("alex"));
    let account = register(frank, CUSTOMER_ACCOUNT).await;
    let (arn, external_id) = (text(&account, "roleArn"), text(&account, "externalId"));

    // Nothing launched yet.
    let found = verify(frank, &account).await;
    assert_refused(&found, "role_not_assumable", &NOT_ASSUMABLE);

    // O4: everybody in the vendor's account may assume it, whatever they say.
    sandbox.aws.put_role(role(arn, trust(&Value::Null)));
    let found = verify(frank, &account).await;
    let expected = [
        ("with_external_id", "passed"),
        ("account", "passed"),
        ("without_external_id", "failed"),
        ("with_wrong_external_id", "failed"),
    ];
    assert_refused(&found, "role_assumable_without_external_id", &expected);

    // Asks for an id, and takes any.
    sandbox.aws.put_role(role(
        arn,
        trust(&json!({ "StringLike": { "sts:ExternalId": "*" } })),
    ));
    let found = verify(frank, &account).await;
    let expected = [
        ("with_external_id", "passed"),
        ("account", "passed"),
        ("without_external_id", "passed"),
        ("with_wrong_external_id", "failed"),
    ];
    assert_refused(&found, "role_assumable_with_wrong_external_id", &expected);

    // Takes the right id or none at all.
    let mut lenient = trust(&json!({ "StringEquals": { "sts:ExternalId": external_id } }));
    let without = trust(&json!({ "Null": { "sts:ExternalId": "true" } }));
    let statements = lenient["Statement"].as_array_mut().unwrap();
    statements.push(without["Statement"][0].clone());
    sandbox.aws.put_role(role(arn, lenient));
    let found = verify(frank, &account).await;
    let expected = [
        ("with_external_id", "passed"),
        ("account", "passed"),
        ("without_external_id", "failed"),
        ("with_wrong_external_id", "passed"),
    ];
    assert_refused(&found, "role_assumable_without_external_id", &expected);

    // Trusts somebody else's account, or asks for another id.
    for policy in [
        json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::999999999999:root" }, "Action": "sts:AssumeRole" }] }),
        trust(&json!({ "StringEquals": { "sts:ExternalId": "another-external-id-of-somebody" } })),
    ] {
        sandbox.aws.put_role(role(arn, policy));
        let found = verify(frank, &account).await;
        assert_refused(&found, "role_not_assumable", &NOT_ASSUMABLE);
    }
    let stays = frank
        .get(&format!("/v1/accounts/{}", text(&account, "id")))
        .await
        .unwrap();
    assert_eq!(
        stays.body["state"], "pending",
        "never proven, never degraded"
    );

    // O3: as the template makes it.
    sandbox.aws.delete_role(arn);
    let parameters = Sandbox::launch_parameters(text(&account, "launchUrl")).unwrap();
    sandbox
        .launch_customer_stack(CUSTOMER_ACCOUNT, parameters)
        .await
        .unwrap();
    let (before, begun) = (Moment::of(&sandbox).await, Timestamp::now());
    let found = verify(frank, &account).await;
    assert_eq!(text(&found, "state"), "verified", "{found}");
    let asked = [
        "sts AssumeRole",
        "sts GetCallerIdentity",
        "sts AssumeRole",
        "sts AssumeRole",
    ];
    assert_eq!(before.asked_since(&sandbox, &["sts"]), asked);
    assert_eq!(found["report"]["passed"], true);
    assert!(found["report"]["reason"].is_null());
    let expected = [
        "with_external_id",
        "account",
        "without_external_id",
        "with_wrong_external_id",
        "event_forwarding",
    ];
    assert_eq!(outcomes(&found), expected.map(|name| (name, "passed")));
    let probes = found["report"]["probes"].as_array().unwrap();
    let mut request_ids = BTreeSet::new();
    for probe in probes {
        let at: Timestamp = text(probe, "at").parse().unwrap();
        assert!(begun <= at && at <= Timestamp::now(), "{probe}");
        assert!(!text(probe, "detail").is_empty());
        request_ids.insert(text(probe, "requestId"));
    }
    assert_eq!(
        request_ids.len(),
        probes.len(),
        "each probe has AWS's own request id"
    );
    let stored = frank
        .get(&format!("/v1/accounts/{}", text(&account, "id")))
        .await
        .unwrap();
    assert_eq!(
        stored.body["report"], found["report"],
        "the report is stored"
    );
    assert_eq!(stored.body["state"], "verified");

    // O6: Red names the account whose role trusts Blue's id.
    let reds = register(alex, CUSTOMER_ACCOUNT).await;
    let found = verify(alex, &reds).await;
    assert_refused(&found, "role_not_assumable", &NOT_ASSUMABLE);
    let nobodys = register(alex, "999999999999").await;
    let about_nobody = verify(alex, &nobodys).await;
    assert_eq!(
        told(&found),
        told(&about_nobody),
        "the answer tells whether the role is known"
    );
    let text_of = found.to_string();
    assert!(
        !text_of.contains(external_id) && !text_of.contains(&blue.id),
        "{text_of}"
    );
    let used = flow_in_pending(alex, &reds).await;
    assert_eq!(used, 422, "a role that was never proven is not used");
    wire::assert_no_failures(&sandbox);
    common::no_leaks(&sandbox).await;
}

/// O5: the credentials lead to another account than the one that was declared. The API makes the
/// ARN from the declared account, so the record is changed behind its back.
#[tokio::test(flavor = "multi_thread")]
async fn o5_a_role_in_another_account_names_both_accounts() {
    let sandbox = common::start().await;
    let blue = common::tenant(&sandbox, "Blue", &[("frank", "admin")]).await;
    let frank = blue.api("frank");
    let account = register(frank, CUSTOMER_ACCOUNT).await;
    let elsewhere = format!("arn:aws:iam::{OTHER_CUSTOMER_ACCOUNT}:role/TributaryAccess");
    let condition = json!({ "StringEquals": { "sts:ExternalId": account["externalId"] } });
    sandbox.aws.put_role(role(&elsewhere, trust(&condition)));

    // As declared: the role of the same name in the other account is not asked.
    let found = verify(frank, &account).await;
    assert_refused(&found, "role_not_assumable", &NOT_ASSUMABLE);

    let key = json!({
        "pk": { "S": format!("TENANT#{}", blue.id) },
        "sk": { "S": format!("ACCOUNT#{}", text(&account, "id")) },
    });
    let table = sandbox.stack.resources["Table"].physical_id();
    let update = json!({
        "TableName": table, "Key": key,
        "UpdateExpression": "SET role_arn = :arn",
        "ConditionExpression": "attribute_exists(pk)",
        "ExpressionAttributeValues": { ":arn": { "S": elsewhere } },
    });
    let admin = sandbox.aws.admin(VENDOR_ACCOUNT);
    let reply = sandbox
        .aws
        .call(&admin, "dynamodb", "UpdateItem", &update)
        .await;
    assert!(
        reply.status.is_success(),
        "{}",
        String::from_utf8_lossy(&reply.body)
    );

    let found = verify(frank, &account).await;
    let expected = [
        ("with_external_id", "passed"),
        ("account", "failed"),
        ("without_external_id", "passed"),
        ("with_wrong_external_id", "passed"),
    ];
    assert_refused(&found, "wrong_account", &expected);
    let detail = text(&found["report"]["probes"][1], "detail");
    assert!(
        detail.contains(CUSTOMER_ACCOUNT) && detail.contains(OTHER_CUSTOMER_ACCOUNT),
        "{detail}"
    );
    wire::assert_no_failures(&sandbox);
    common::no_leaks(&sandbox).await;
}

#[track_caller]
fn assert_refused(found: &Value, reason: &str, expected: &[(&str, &str)]) {
    assert_eq!(found["report"]["passed"], false, "{found}");
    assert_eq!(text(&found["report"], "reason"), reason, "{found}");
    assert_eq!(outcomes(found), expected, "{found}");
    assert_eq!(text(found, "state"), "pending", "{found}");
}

/// What a report says, without ids and times.
fn told(found: &Value) -> Value {
    let mut report = found["report"].clone();
    for probe in report["probes"].as_array_mut().unwrap() {
        for name in ["requestId", "at"] {
            probe.as_object_mut().unwrap().remove(name);
        }
    }
    report
}

/// The status that a flow in an account gets which was never proven.
async fn flow_in_pending(api: &sandbox::client::Api, account: &Value) -> u16 {
    let id = text(account, "id");
    let flow = common::s3_flow(id, "con_0193d3f0aaaa7bbb8cccdddddddddddd");
    let answer = api.post("/v1/flows", &flow).await.unwrap();
    assert_problem(&answer, 422, "invalid_flow", "an account that is pending");
    let faults = answer.body["errors"].as_array().unwrap();
    assert!(
        faults
            .iter()
            .any(|f| f["pointer"] == "/accountId" && f["code"] == "not_verified"),
        "{}",
        answer.body
    );
    answer.status.as_u16()
}
