//! Requests and their rules.

use http::Method;
use sandbox::client::{Answer, Api};
use sandbox_core::{DirectoryUser, Principal, VENDOR_ACCOUNT};
use serde_json::{Value, json};

use super::world::{World, ask, directory_id, rows, totals};
use crate::{common, flows::world::faults};

/// How many statements the warehouse has of a person, asked in the person's name.
async fn statements_of(world: &World, name: &str) -> usize {
    let environment = &world
        .sandbox
        .stack
        .function("QueriesFunction")
        .unwrap()
        .environment;
    let aws = &world.sandbox.aws;
    let person = Principal {
        role_arn: Some(environment["WAREHOUSE_ROLE_ARN"].clone()),
        on_behalf_of: Some(DirectoryUser {
            user_id: directory_id(name),
            user_name: name.to_owned(),
            groups: Vec::new(),
        }),
        ..aws.admin(VENDOR_ACCOUNT)
    };
    let request = json!({
        "WorkgroupName": environment["WAREHOUSE_WORKGROUP"], "Database": environment["WAREHOUSE_DATABASE"], "Status": "ALL",
    });
    let reply = aws
        .call(&person, "redshift-data", "ListStatements", &request)
        .await;
    assert!(reply.status.is_success(), "{reply:?}");
    let listed: Value = serde_json::from_slice(&reply.body).unwrap();
    listed["Statements"].as_array().unwrap().len()
}

async fn cancel(api: &Api, id: &str) -> Answer {
    api.call(Method::POST, &format!("/v1/queries/{id}/cancel"), None, &[])
        .await
        .unwrap()
}

/// F8 for queries: every rule of parameters, with its pointer, all at once, before the warehouse.
#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_parameters_is_told_at_once_with_its_pointer() {
    let world = World::new().await;
    let frank = world.session("frank").await;
    let before = world.calls(&["redshift-data"]).len();
    let cases: [(Value, &[&str]); 6] = [
        (
            json!({ "sql": "SELECT :a, :b", "parameters": { "b": "", "c": null, "d e": 1, "f": [1] } }),
            &[
                "/parameters/a missing_parameter",
                "/parameters/b empty_value",
                "/parameters/c unsupported_value",
                "/parameters/c unused_parameter",
                "/parameters/d e invalid_name",
                "/parameters/d e unused_parameter",
                "/parameters/f unsupported_value",
                "/parameters/f unused_parameter",
            ],
        ),
        (
            json!({ "query": "total-sales-by-city", "parameters": { "minimum": "a lot" } }),
            &["/parameters/minimum wrong_type"],
        ),
        (
            json!({ "query": "total-sales-by-city", "parameters": { "most": 1 } }),
            &["/parameters/most unused_parameter"],
        ),
        (json!({ "query": "nothing" }), &["/query unknown_query"]),
        (
            json!({ "query": "total-sales-by-city", "sql": "SELECT 1" }),
            &["/query conflicting"],
        ),
        (json!({}), &["/query required"]),
    ];
    for (request, expected) in cases {
        let refused = ask(&frank, &request).await;
        assert_eq!(refused.status.as_u16(), 422, "{request}: {}", refused.body);
        let told = faults(&refused.body);
        assert_eq!(told.len(), expected.len(), "{request}: {told:?}");
        for (told, expected) in told.iter().zip(expected) {
            assert!(
                told.starts_with(expected),
                "{request}: {told} is not {expected}"
            );
        }
    }
    let beyond = ask(
        &frank,
        &json!({ "query": "total-sales-by-city", "waitSeconds": 21, "parameters": { "city": "Lima" } }),
    )
    .await;
    assert_eq!(beyond.status.as_u16(), 422, "{}", beyond.body);
    let pointers: Vec<&str> = beyond.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|fault| fault["pointer"].as_str())
        .collect();
    assert_eq!(pointers, ["/parameters/city", "/waitSeconds"]);
    assert_eq!(
        world.calls(&["redshift-data"]).len(),
        before,
        "the warehouse was asked"
    );
    common::no_leaks(&world.sandbox).await;
}

/// Values are values: nothing in them becomes SQL.
#[tokio::test(flavor = "multi_thread")]
async fn q4_parameters_are_values_and_never_sql() {
    let world = World::new().await;
    let frank = world.session("frank").await;
    let by_city = |city: &str| json!({ "sql": "SELECT city FROM public.city_sales WHERE city = :city", "parameters": { "city": city } });
    let sales = world.sandbox.salesforce.sales();
    let lima = sales
        .iter()
        .filter(|sale| sale.city == "Lima" && sale.timezone.starts_with("America/"))
        .count();
    assert!(lima > 0);
    assert_eq!(rows(&frank, &by_city("Lima")).await.len(), lima);
    for hostile in [
        "x' OR '1'='1",
        "Lima'; DROP TABLE public.city_sales; --",
        ":city",
        "$1",
    ] {
        assert!(
            rows(&frank, &by_city(hostile)).await.is_empty(),
            "{hostile}"
        );
    }
    let minimum = json!({ "query": "total-sales-by-city", "parameters": { "minimum": 250_000 } });
    let expected = world
        .oracle("America/")
        .values()
        .flatten()
        .filter(|cents| **cents >= 25_000_000)
        .count();
    assert!(expected > 0);
    assert_eq!(rows(&frank, &minimum).await.len(), expected);
    common::no_leaks(&world.sandbox).await;
}

/// One key runs the statement once; with another body it is refused.
#[tokio::test(flavor = "multi_thread")]
async fn one_idempotency_key_runs_one_statement() {
    let world = World::new().await;
    world.directory(|_| true);
    let frank = world.session("frank").await;
    let post = async |body: &Value| {
        let headers = [("idempotency-key", "once")];
        frank
            .call(
                Method::POST,
                "/v1/queries",
                Some(body.to_string()),
                &headers,
            )
            .await
            .unwrap()
    };
    let first = post(&totals()).await;
    let again = post(&totals()).await;
    assert!(
        first.status.is_success() && again.status.is_success(),
        "{first:?} {again:?}"
    );
    assert_eq!(
        statements_of(&world, "frank").await,
        1,
        "the statement ran twice"
    );
    rows(&frank, &totals()).await;
    assert_eq!(
        statements_of(&world, "frank").await,
        2,
        "without a key each request is new"
    );
    let mut other = totals();
    other["parameters"] = json!({ "minimum": 1 });
    let reused = post(&other).await;
    assert_eq!(
        (reused.status.as_u16(), reused.code()),
        (422, "idempotency_key_reused")
    );
    common::no_leaks(&world.sandbox).await;
}

/// Cancelling is harmless, also twice, also after the end.
#[tokio::test(flavor = "multi_thread")]
async fn q10_cancelling_twice_is_harmless() {
    let world = World::new().await;
    let frank = world.session("frank").await;
    let query = ask(&frank, &totals()).await.expect(200).unwrap();
    let id = query["id"].as_str().unwrap();
    for _ in 0..2 {
        let cancelled = cancel(&frank, id).await.expect(202).unwrap();
        assert_eq!(
            (&cancelled["id"], &cancelled["state"]),
            (&json!(id), &json!("finished"))
        );
    }
    let still = frank
        .get(&format!("/v1/queries/{id}/results"))
        .await
        .unwrap();
    assert_eq!(still.status.as_u16(), 200);
    common::no_leaks(&world.sandbox).await;
}

/// Q10: a long query goes on without its caller, is found again by its id, and ends when told to.
#[tokio::test(flavor = "multi_thread")]
async fn q10_a_long_query_is_found_again_and_can_be_cancelled() {
    let world = World::new().await;
    let ethan = world.session("ethan").await;
    let long = "SELECT COUNT(*) FROM public.city_sales a, public.city_sales b, public.city_sales c, public.city_sales d \
                WHERE a.units + b.units + c.units > d.units";
    let running = ethan
        .post("/v1/queries", &json!({ "sql": long, "waitSeconds": 0 }))
        .await
        .unwrap();
    assert_eq!(running.status.as_u16(), 202, "{}", running.body);
    let id = running.body["id"].as_str().unwrap();
    assert_eq!(
        running.headers["location"].to_str().unwrap(),
        format!("/v1/queries/{id}")
    );
    assert!(running.body["retryAfterMs"].is_number(), "{}", running.body);
    let shown = ethan
        .get(&format!("/v1/queries/{id}"))
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    assert_eq!(shown["state"], "running");
    let early = ethan
        .get(&format!("/v1/queries/{id}/results"))
        .await
        .unwrap();
    assert_eq!(
        (early.status.as_u16(), early.code()),
        (409, "query_not_ready")
    );
    for _ in 0..2 {
        assert_eq!(cancel(&ethan, id).await.status.as_u16(), 202);
    }
    let ended = common::eventually("the cancelled query's end", || async {
        let query = ethan
            .get(&format!("/v1/queries/{id}"))
            .await
            .unwrap()
            .expect(200)
            .unwrap();
        (query["state"] != "running").then_some(query)
    })
    .await;
    assert_eq!(ended["state"], "cancelled", "{ended}");
    let none = ethan
        .get(&format!("/v1/queries/{id}/results"))
        .await
        .unwrap();
    assert_eq!(
        (none.status.as_u16(), none.code()),
        (409, "query_not_ready")
    );
    common::no_leaks(&world.sandbox).await;
}
