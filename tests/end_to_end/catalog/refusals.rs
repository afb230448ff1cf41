//! What is not there, may not be seen, or is asked for wrongly.

use sandbox_aws::ExpectedDenial;
use sandbox_core::{CUSTOMER_ACCOUNT, Fault, FaultRule};
use serde_json::{Value, json};

use super::{DATABASE, get, make_database, shown};
use crate::{
    common,
    flows::world::{Hosting, World, faults},
};

fn refusal(answer: &sandbox::client::Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.code())
}

/// What is not there, what can be no name and what is another's are one answer.
#[tokio::test(flavor = "multi_thread")]
async fn i1_unknown_foreign_and_odd_names_are_one_answer() {
    let world = World::new().await;
    make_database(
        &world,
        DATABASE,
        &["orders".to_owned(), "odd name".to_owned()],
    )
    .await;
    shown(&world, &format!("databases/{DATABASE}/tables/orders")).await;
    shown(&world, &format!("databases/{DATABASE}/tables/odd%20name")).await;
    shown(
        &world,
        &format!("databases/{}/tables/ORDERS", DATABASE.to_uppercase()),
    )
    .await;
    let long = "a".repeat(256);
    for odd in [
        "nothing",
        "*",
        "%25",
        "a%0Ab",
        "%20",
        "%00",
        "..%2F..",
        long.as_str(),
    ] {
        for path in [
            format!("databases/{odd}/tables"),
            format!("databases/{odd}/tables/orders"),
            format!("databases/{DATABASE}/tables/{odd}"),
        ] {
            let answer = get(&world, &path).await;
            assert_eq!(
                refusal(&answer),
                (404, "not_found"),
                "{path}: {}",
                answer.body
            );
        }
    }
    for foreign in ["acc_0193d3f0aaaa7bbb8cccdddddddddddd", "x", ""] {
        let path = format!("/v1/catalog/databases?accountId={foreign}");
        let answer = world.api().get(&path).await.unwrap();
        assert_eq!(refusal(&answer), (404, "not_found"), "{foreign}");
    }
    let answer = world.api().get("/v1/catalog/databases").await.unwrap();
    assert_eq!(answer.status, 400);
    assert!(faults(&answer.body).contains("query:accountId required"));
    let answer = get(&world, "databases?search=&limit=101").await;
    assert_eq!(
        faults(&answer.body),
        ["query:limit out_of_range", "query:search malformed"]
            .map(str::to_owned)
            .into()
    );
}

/// A stack from before the catalogue: the answer says what to do, and so does the self-test.
#[tokio::test(flavor = "multi_thread")]
async fn o7_a_role_without_the_catalogue_is_told_and_named_by_the_self_test() {
    let world = World::new().await;
    make_database(&world, DATABASE, &[]).await;
    let arn = format!("arn:aws:iam::{CUSTOMER_ACCOUNT}:role/TributaryAccess");
    let mut role = world.sandbox.aws.role(&arn).unwrap();
    for policy in &mut role.identity_policies {
        let statements = policy["Statement"].as_array_mut().unwrap();
        statements.retain(|statement| !statement["Action"].to_string().contains("glue:"));
    }
    world.sandbox.aws.put_role(role);
    for action in ["glue:GetDatabases", "glue:GetTables", "glue:GetTable"] {
        world.sandbox.aws.expect_denial(ExpectedDenial {
            role: "AccessRole".to_owned(),
            action: action.to_owned(),
        });
    }
    for path in [
        "databases",
        "databases/crm/tables",
        "databases/crm/tables/orders",
    ] {
        let answer = get(&world, path).await;
        assert_eq!(refusal(&answer), (409, "catalog_not_allowed"), "{path}");
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(detail.contains("Update the account's stack"), "{detail}");
    }
    let verify = format!("/v1/accounts/{}/verify", world.account);
    let found = world.api().post(&verify, &json!({})).await.unwrap();
    let found = found.expect(200).unwrap();
    assert_eq!(
        found["report"]["missing"],
        json!(["glue:GetDatabases", "glue:GetTable", "glue:GetTables"])
    );
    let resources = &found["report"]["statements"][0]["Resource"];
    assert_eq!(resources.as_array().map(Vec::len), Some(3), "{found}");
}

/// A catalogue that is busy, away or behind Lake Formation: each has its answer, and none quotes Glue's.
#[tokio::test(flavor = "multi_thread")]
async fn glues_refusals_have_their_own_answers() {
    let world = World::new().await;
    make_database(&world, DATABASE, &[]).await;
    let lake = "Insufficient Lake Formation permission(s): Required Describe on canary";
    for (code, status, message, expected, comes_back) in [
        (
            "ThrottlingException",
            400,
            "Rate exceeded",
            (503, "catalog_busy"),
            true,
        ),
        (
            "InternalServiceException",
            500,
            "canary",
            (503, "catalog_unavailable"),
            true,
        ),
        (
            "OperationTimeoutException",
            400,
            "canary",
            (503, "catalog_slow"),
            true,
        ),
        (
            "AccessDeniedException",
            400,
            lake,
            (409, "lake_formation_denies"),
            false,
        ),
        (
            "FederationSourceException",
            400,
            "canary",
            (502, "federation_failed"),
            false,
        ),
        (
            "GlueEncryptionException",
            400,
            "canary",
            (500, "catalog_encrypted"),
            false,
        ),
    ] {
        let body: Value = json!({ "__type": code, "Message": message });
        world.sandbox.faults.add(FaultRule {
            service: "glue".to_owned(),
            operation: "GetDatabases".to_owned(),
            fault: Fault::Status {
                status,
                retry_after: None,
                body: body.to_string(),
            },
            times: 10,
        });
        let answer = get(&world, "databases").await;
        world.sandbox.faults.clear();
        assert_eq!(refusal(&answer), expected, "{code}: {}", answer.body);
        assert!(!answer.body.to_string().contains("canary"), "{code}");
        let header = answer.headers.get("retry-after");
        assert_eq!(header.is_some(), comes_back, "{code}");
    }
    // What passes by itself is not the caller's business.
    world.sandbox.faults.add(FaultRule {
        service: "glue".to_owned(),
        operation: "GetDatabases".to_owned(),
        fault: Fault::DropBefore,
        times: 1,
    });
    shown(&world, "databases").await;
    common::no_leaks(&world.sandbox).await;
}

/// The vendor's account has no catalogue that tenants see: they would see each other's.
#[tokio::test(flavor = "multi_thread")]
async fn the_vendors_account_has_no_catalogue() {
    let world = World::hosted(Hosting::Vendor).await;
    let asked = || world.sandbox.journal.count("glue", "");
    let before = asked();
    for path in [
        "databases",
        "databases/crm/tables",
        "databases/crm/tables/orders",
    ] {
        let answer = get(&world, path).await;
        assert_eq!(refusal(&answer), (409, "no_catalog"), "{path}");
    }
    assert_eq!(asked(), before, "the vendor's catalogue was asked");
}
