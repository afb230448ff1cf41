//! Queries that a tenant registered itself.

use http::Method;
use sandbox::client::{Answer, Api};
use sandbox_core::{Fault, FaultRule, VENDOR_ACCOUNT};
use serde_json::{Value, json};

use super::world::{World, ask, rows, session};
use crate::{common, flows::world::faults};

const ALL: &str = "/v1/registered-queries";

/// Sales of some cities from a number of units on.
fn by_city() -> Value {
    json!({
        "name": "sales-of-cities",
        "purpose": "query",
        "title": "Sales of cities",
        "sql": "SELECT id FROM public.city_sales WHERE city IN (:cities) AND units >= :least",
        "parameters": [
            { "name": "cities", "type": "text", "many": 3, "description": "Cities" },
            { "name": "least", "type": "integer", "default": 0, "allowed": [0, 1, 100_000] },
        ],
    })
}

async fn register(api: &Api, definition: &Value) -> Answer {
    api.post(ALL, definition).await.unwrap()
}

async fn change(api: &Api, method: Method, name: &str, body: Option<&Value>, tag: &str) -> Answer {
    let headers = [("if-match", tag)];
    let headers = if tag.is_empty() { &[][..] } else { &headers };
    let body = body.map(Value::to_string);
    api.call(method, &format!("{ALL}/{name}"), body, headers)
        .await
        .unwrap()
}

fn without_name(definition: &Value) -> Value {
    let mut definition = definition.clone();
    definition.as_object_mut().unwrap().remove("name");
    definition
}

/// The answer's status and code.
fn is(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.code())
}

/// Puts an item of the tenant's into the table.
async fn put(world: &World, sk: &str, attributes: &Value) {
    let mut item = attributes.clone();
    item["pk"] = json!({ "S": format!("TENANT#{}", world.tenant.id) });
    item["sk"] = json!({ "S": sk });
    let table = world.sandbox.stack.resources["Table"].physical_id();
    let put = json!({ "TableName": table, "Item": item });
    let admin = world.sandbox.aws.admin(VENDOR_ACCOUNT);
    let reply = world
        .sandbox
        .aws
        .call(&admin, "dynamodb", "PutItem", &put)
        .await;
    assert!(reply.status.is_success(), "{reply:?}");
}

/// Issue 6: an admin registers a query, a viewer runs it by name with typed values, and the rows are
/// the person's own.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_admin_registers_everybody_of_the_tenant_runs_as_themselves() {
    let world = World::new().await;
    let frank = world.session("frank").await;
    let made = register(&frank, &by_city()).await;
    assert_eq!(made.status.as_u16(), 201, "{}", made.body);
    assert_eq!(
        made.headers["location"],
        "/v1/registered-queries/sales-of-cities"
    );
    assert_eq!(made.headers["etag"], "\"1\"");
    assert_eq!(made.body["required"], json!(["cities"]));

    let sales = world.sandbox.salesforce.sales();
    let expected = |zone: &str| {
        let of_city = |city: &str| city == "Lima" || city == "Berlin";
        sales
            .iter()
            .filter(|sale| of_city(&sale.city) && sale.timezone.starts_with(zone))
            .count()
    };
    let request =
        json!({ "query": "sales-of-cities", "parameters": { "cities": ["Lima", "Berlin"] } });
    // Q1: the same name and values, and each sees the rows of their own region.
    let mut seen = Vec::new();
    for (name, zone) in [("frank", "America/"), ("alex", "Europe/"), ("ethan", "")] {
        let api = world.session(name).await;
        assert_eq!(rows(&api, &request).await.len(), expected(zone), "{name}");
        seen.push(expected(zone));
    }
    assert!(seen[0] > 0 && seen[1] > 0 && seen[2] > seen[0], "{seen:?}");
    let none = json!({ "query": "sales-of-cities", "parameters": { "cities": ["Lima"], "least": "100000" } });
    assert!(rows(&frank, &none).await.is_empty());
    // Q4: nothing in a value is SQL.
    for hostile in ["x' OR '1'='1", "Lima'); DELETE FROM public.city_sales; --"] {
        let request =
            json!({ "query": "sales-of-cities", "parameters": { "cities": [hostile, ":least"] } });
        assert!(rows(&frank, &request).await.is_empty(), "{hostile}");
    }
    common::no_leaks(&world.sandbox).await;
}

/// Who may see what: viewers what to give, editors and admins the SQL too, and only admins write.
#[tokio::test(flavor = "multi_thread")]
async fn viewers_see_no_sql_and_only_admins_write() {
    let world = World::new().await;
    let (frank, ethan, alex) = (
        &world.person("frank").api,
        &world.person("ethan").api,
        &world.person("alex").api,
    );
    for api in [ethan, alex] {
        assert_eq!(is(&register(api, &by_city()).await), (403, "role_required"));
    }
    register(frank, &by_city()).await.expect(201).unwrap();
    for (api, is_shown) in [(frank, true), (ethan, true), (alex, false)] {
        for name in ["sales-of-cities", "total-sales-by-city"] {
            let shown = api.get(&format!("{ALL}/{name}")).await.unwrap();
            let shown = shown.expect(200).unwrap();
            assert_eq!(shown["sql"].is_string(), is_shown, "{shown}");
            assert!(shown["parameters"].is_array(), "{shown}");
            assert_eq!(shown["builtIn"], name == "total-sales-by-city");
        }
        let list = api.get(ALL).await.unwrap().expect(200).unwrap();
        assert!(!list.to_string().contains("city_sales"), "{list}");
        let names: Vec<&Value> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|query| &query["name"])
            .collect();
        assert_eq!(names, ["sales-of-cities", "total-sales-by-city"]);
    }
    for api in [ethan, alex] {
        let body = without_name(&by_city());
        let changed = change(api, Method::PUT, "sales-of-cities", Some(&body), "*").await;
        assert_eq!(is(&changed), (403, "role_required"));
        let deleted = change(api, Method::DELETE, "sales-of-cities", None, "*").await;
        assert_eq!(is(&deleted), (403, "role_required"));
    }
    common::no_leaks(&world.sandbox).await;
}

/// Changes need the current version, and what is gone is unknown.
#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_replaced_and_deleted_by_its_version() {
    let world = World::new().await;
    let frank = world.session("frank").await;
    let post = async || {
        let headers = [("idempotency-key", "once")];
        let body = Some(by_city().to_string());
        frank.call(Method::POST, ALL, body, &headers).await.unwrap()
    };
    let first = post().await;
    let again = post().await;
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.headers["etag"], "\"1\"");
    assert_eq!(is(&register(&frank, &by_city()).await), (409, "name_taken"));
    let mut ours = by_city();
    ours["name"] = json!("total-sales-by-city");
    assert_eq!(is(&register(&frank, &ours).await), (409, "name_taken"));

    let new = json!({ "purpose": "query", "sql": "SELECT 7 AS seven" });
    let put = |tag: &'static str| change(&frank, Method::PUT, "sales-of-cities", Some(&new), tag);
    assert_eq!(is(&put("").await), (428, "if_match_required"));
    assert_eq!(is(&put("\"7\"").await), (412, "stale_version"));
    let replaced = put("\"1\"").await;
    assert_eq!(replaced.status.as_u16(), 200, "{}", replaced.body);
    assert_eq!(replaced.headers["etag"], "\"2\"");
    assert_eq!(is(&put("\"1\"").await), (412, "stale_version"));
    let seven = rows(&frank, &json!({ "query": "sales-of-cities" })).await;
    assert_eq!(seven, [[json!(7)]]);

    let ours = "total-sales-by-city";
    let changed = change(&frank, Method::PUT, ours, Some(&new), "*").await;
    assert_eq!(is(&changed), (409, "built_in"));
    let deleted = change(&frank, Method::DELETE, ours, None, "*").await;
    assert_eq!(is(&deleted), (409, "built_in"));
    let delete = |tag: &'static str| change(&frank, Method::DELETE, "sales-of-cities", None, tag);
    assert_eq!(is(&delete("").await), (428, "if_match_required"));
    assert_eq!(is(&delete("\"1\"").await), (412, "stale_version"));
    assert_eq!(delete("\"2\"").await.status.as_u16(), 204);
    assert_eq!(is(&delete("*").await), (404, "not_found"));
    assert_eq!(is(&put("*").await), (404, "not_found"));
    let gone = ask(&frank, &json!({ "query": "sales-of-cities" })).await;
    assert_eq!(is(&gone), (422, "invalid_query"));
    assert_eq!(gone.body["errors"][0]["code"], "unknown_query");
    common::no_leaks(&world.sandbox).await;
}

/// Every broken rule of a definition and of values at once, each with its pointer.
#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_told_at_once_with_its_pointer() {
    let world = World::new().await;
    let frank = world.session("frank").await;
    let broken = json!({
        "name": "Not A Name", "purpose": "query", "title": "",
        "sql": "SELECT :a; DROP TABLE public.city_sales",
        "parameters": [
            { "name": "A", "type": "text" },
            { "name": "b", "type": "integer", "default": "x", "allowed": ["y"], "many": 101 },
        ],
    });
    let refused = register(&frank, &broken).await;
    assert_eq!(is(&refused), (422, "invalid_query"));
    let expected = [
        "/name invalid_name",
        "/parameters/0/name invalid_name",
        "/parameters/1/allowed/0 wrong_type",
        "/parameters/1/default wrong_count",
        "/parameters/1/many out_of_range",
        "/sql second_statement",
        "/title out_of_range",
    ];
    assert_eq!(
        faults(&refused.body).into_iter().collect::<Vec<_>>(),
        expected
    );
    for (sql, code) in [
        ("DELETE FROM public.city_sales", "wrong_statement"),
        ("SELECT :city", "undeclared_parameter"),
        (" ", "empty_statement"),
    ] {
        let definition = json!({ "name": "q", "purpose": "query", "sql": sql });
        let refused = register(&frank, &definition).await;
        let told = faults(&refused.body);
        assert!(told.contains(&format!("/sql {code}")), "{sql}: {told:?}");
    }
    let long = format!("SELECT '{}'", "x".repeat(100_000));
    let definition = json!({ "name": "q", "purpose": "query", "sql": long });
    let told = faults(&register(&frank, &definition).await.body);
    assert!(told.contains("/sql statement_too_long"), "{told:?}");
    let ran = ask(&frank, &json!({ "sql": long })).await;
    assert!(faults(&ran.body).contains("/sql statement_too_long"));

    register(&frank, &by_city()).await.expect(201).unwrap();
    let before = world.calls(&["redshift-data"]).len();
    let cases: [(Value, &[&str]); 4] = [
        (json!({}), &["/parameters/cities missing_parameter"]),
        (
            json!({ "cities": "Lima", "least": 2, "most": 1 }),
            &[
                "/parameters/cities wrong_count",
                "/parameters/least not_allowed",
                "/parameters/most unused_parameter",
            ],
        ),
        (
            json!({ "cities": ["a", "b", "c", "d"], "least": "many" }),
            &[
                "/parameters/cities wrong_count",
                "/parameters/least wrong_type",
            ],
        ),
        (
            json!({ "cities": [""], "least": null }),
            &[
                "/parameters/cities wrong_type",
                "/parameters/least wrong_type",
            ],
        ),
    ];
    for (parameters, expected) in cases {
        let request = json!({ "query": "sales-of-cities", "parameters": parameters });
        let refused = ask(&frank, &request).await;
        assert_eq!(is(&refused), (422, "invalid_query"), "{request}");
        let told: Vec<String> = faults(&refused.body).into_iter().collect();
        assert_eq!(told, expected, "{request}");
    }
    assert_eq!(world.calls(&["redshift-data"]).len(), before);
    common::no_leaks(&world.sandbox).await;
}

/// I1: another tenant's query is a name like any other; and what runs after a run is no query of
/// people's.
#[tokio::test(flavor = "multi_thread")]
async fn i1_another_tenants_query_and_one_that_runs_after_a_run_are_unknown() {
    let world = World::new().await;
    let others = common::tenant(&world.sandbox, "Others", &[("ming", "admin")]).await;
    let ming = session(&world.sandbox, &others.people["ming"]).await;
    let frank = world.session("frank").await;
    register(&frank, &by_city()).await.expect(201).unwrap();
    let load = json!({
        "name": "load", "purpose": "afterRun",
        "sql": "INSERT INTO public.city_sales SELECT * FROM public.city_sales WHERE id = :run_id",
    });
    register(&frank, &load).await.expect(201).unwrap();

    let unknown = ask(&frank, &json!({ "query": "nothing" })).await;
    for (api, name) in [(&ming, "sales-of-cities"), (&frank, "load")] {
        let refused = ask(api, &json!({ "query": name, "parameters": {} })).await;
        assert_eq!(refused.body["errors"], unknown.body["errors"], "{name}");
    }
    let path = format!("{ALL}/sales-of-cities");
    assert_eq!(is(&ming.get(&path).await.unwrap()), (404, "not_found"));
    let body = without_name(&by_city());
    let changed = change(&ming, Method::PUT, "sales-of-cities", Some(&body), "*").await;
    assert_eq!(is(&changed), (404, "not_found"));
    let deleted = change(&ming, Method::DELETE, "sales-of-cities", None, "*").await;
    assert_eq!(is(&deleted), (404, "not_found"));
    // The same name is free there.
    register(&ming, &by_city()).await.expect(201).unwrap();

    let after = frank
        .get(&format!("{ALL}?purpose=afterRun"))
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    let names: Vec<&Value> = after["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|query| &query["name"])
        .collect();
    assert_eq!(names, ["load"]);
    let wrong = frank.get(&format!("{ALL}?purpose=none")).await.unwrap();
    assert_eq!(is(&wrong), (400, "malformed_query"));
    common::no_leaks(&world.sandbox).await;
}

/// What a flow runs after its runs stays until no flow does.
#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_a_flow_runs_after_its_runs_is_not_taken_away() {
    let world = World::new().await;
    let frank = &world.person("frank").api;
    let load = json!({ "name": "load", "purpose": "afterRun", "sql": "CALL sales.load(:run_id)" });
    register(frank, &load).await.expect(201).unwrap();
    let flow = "flw_019364c0a1b27cc3a4d5e6f708192a3c";
    let sk = format!("FLOW#{flow}");
    let named = json!({ "S": r#"{"query":"load"}"# });
    put(
        &world,
        &sk,
        &json!({ "id": { "S": flow }, "after_run": named }),
    )
    .await;
    let refused = change(frank, Method::DELETE, "load", None, "*").await;
    assert_eq!(is(&refused), (409, "in_use"));
    let pointer = &refused.body["errors"][0]["pointer"];
    assert_eq!(*pointer, format!("/flows/{flow}"));
    let query = json!({ "purpose": "query", "sql": "SELECT 1" });
    let refused = change(frank, Method::PUT, "load", Some(&query), "*").await;
    assert_eq!(is(&refused), (409, "in_use"));
    let other = json!({ "purpose": "afterRun", "sql": "CALL sales.load_all(:run_id)" });
    let replaced = change(frank, Method::PUT, "load", Some(&other), "*").await;
    assert_eq!(replaced.status.as_u16(), 200, "{}", replaced.body);

    put(&world, &sk, &json!({ "id": { "S": flow } })).await;
    let deleted = change(frank, Method::DELETE, "load", None, "*").await;
    assert_eq!(deleted.status.as_u16(), 204, "{}", deleted.body);
    common::no_leaks(&world.sandbox).await;
}

/// A tenant has two hundred at most.
#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_has_two_hundred_queries_at_most() {
    let world = World::new().await;
    let frank = &world.person("frank").api;
    for number in 0..199 {
        let name = format!("q-{number:03}");
        let attributes = json!({ "name": { "S": name } });
        put(&world, &format!("RQUERY#{name}"), &attributes).await;
    }
    let query = |name: &str| json!({ "name": name, "purpose": "query", "sql": "SELECT 1" });
    register(frank, &query("last")).await.expect(201).unwrap();
    let refused = register(frank, &query("one-more")).await;
    assert_eq!(is(&refused), (409, "too_many_registered_queries"));
    common::no_leaks(&world.sandbox).await;
}

/// A statement that the warehouse rejects as such is its author's mistake: the tenant's, or ours.
#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_query_is_the_mistake_of_who_registered_it() {
    let world = World::new().await;
    let frank = world.session("frank").await;
    register(&frank, &by_city()).await.expect(201).unwrap();
    let body = json!({ "__type": "ValidationException", "message": "relation payroll" });
    let request = json!({ "query": "sales-of-cities", "parameters": { "cities": ["Lima"] } });
    for (request, expected) in [
        (request, (400, "query_rejected")),
        (
            json!({ "query": "total-sales-by-city" }),
            (500, "internal_error"),
        ),
    ] {
        world.sandbox.faults.add(FaultRule {
            service: "redshift-data".to_owned(),
            operation: "ExecuteStatement".to_owned(),
            fault: Fault::Status {
                status: 400,
                retry_after: None,
                body: body.to_string(),
            },
            times: 1,
        });
        let refused = ask(&frank, &request).await;
        assert_eq!(refused.status.as_u16(), expected.0, "{}", refused.body);
        if expected.0 == 400 {
            assert_eq!(refused.code(), expected.1);
        }
        assert!(!refused.body.to_string().contains("payroll"));
        world.sandbox.faults.clear();
    }
    common::no_leaks(&world.sandbox).await;
}
