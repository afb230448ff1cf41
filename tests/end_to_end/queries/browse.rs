//! What a person sees of the warehouse's schemas and tables, and who the person is there.

use sandbox::{client::Api, warehouse::DATABASE};
use sandbox_core::{Fault, FaultRule, VENDOR_ACCOUNT};
use serde_json::{Value, json};

use super::world::{World, directory_id};
use crate::common;

/// Tables beside that of the example: one that Frank's group may read, one that nobody may.
const MORE: &str = r#"
CREATE SCHEMA sports_gear;
CREATE SCHEMA secret_plans;
CREATE TABLE sports_gear.stock (id INTEGER NOT NULL, name VARCHAR(40));
CREATE TABLE sports_gear.stock_old (id INTEGER);
CREATE TABLE public.salaries (id INTEGER);
GRANT USAGE ON SCHEMA sports_gear TO ROLE "AWSIDC:amer-sales";
GRANT SELECT ON TABLE sports_gear.stock TO ROLE "AWSIDC:amer-sales";
"#;

async fn get(api: &Api, path: &str) -> Value {
    let answer = api.get(&format!("/v1/warehouse{path}")).await.unwrap();
    answer.expect(200).unwrap()
}

async fn refused(api: &Api, path: &str) -> (u16, String) {
    let answer = api.get(&format!("/v1/warehouse{path}")).await.unwrap();
    (answer.status.as_u16(), answer.code().to_owned())
}

fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap().iter();
    items.map(|item| item["name"].as_str().unwrap()).collect()
}

async fn world() -> World {
    let world = World::new().await;
    let redshift = &world.sandbox.redshift;
    redshift
        .execute_as_admin(VENDOR_ACCOUNT, DATABASE, MORE)
        .unwrap();
    world
}

/// Q3: who asks arrives as the person, with the person's roles.
#[tokio::test(flavor = "multi_thread")]
async fn q3_the_warehouse_knows_the_person_and_not_the_role() {
    let world = World::new().await;
    let frank = world.session("frank").await;
    let ethan = world.session("ethan").await;
    for (api, name, role) in [
        (&frank, "frank", "AWSIDC:amer-sales"),
        (&ethan, "ethan", "AWSIDC:exec-global"),
    ] {
        let user = get(api, "/whoami").await;
        assert_eq!(
            user,
            json!({ "databaseUser": format!("AWSIDC:{name}"), "isPerson": true, "roles": [role] })
        );
    }
    let nobody = world.tenant.api("alex");
    assert_eq!(
        refused(nobody, "/whoami").await,
        is(401, "identity_required")
    );
    common::no_leaks(&world.sandbox).await;
}

/// Q3: a database user without the namespace of people is never taken for a person.
#[tokio::test(flavor = "multi_thread")]
async fn q3_a_user_that_is_no_person_is_an_error_and_not_an_answer() {
    let world = World::new().await;
    world.sandbox.runtime.configure(
        "QueriesFunction",
        "WAREHOUSE_NAMESPACE",
        "another-directory",
    );
    let frank = world.session("frank").await;
    assert_eq!(refused(&frank, "/whoami").await, is(500, "identity_lost"));
    common::no_leaks(&world.sandbox).await;
}

/// What a person may not see is not there: not listed, not counted, not found.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_sees_what_the_own_roles_may_read_and_nothing_else() {
    let world = world().await;
    world.directory(|_| true);
    let frank = world.session("frank").await;
    let ethan = world.session("ethan").await;
    let schemas = get(&frank, "/schemas").await;
    assert_eq!(names(&schemas), ["app", "public", "sports_gear"]);
    assert!(schemas.get("nextCursor").is_none(), "{schemas}");
    assert_eq!(names(&get(&ethan, "/schemas").await), ["app", "public"]);
    let tables = get(&frank, "/schemas/sports_gear/tables").await;
    assert_eq!(
        tables,
        json!({ "items": [{ "schema": "sports_gear", "name": "stock", "type": "table" }] })
    );
    assert_eq!(
        names(&get(&frank, "/schemas/public/tables").await),
        ["city_sales"]
    );

    let table = get(&frank, "/schemas/sports_gear/tables/stock").await;
    assert_eq!(
        (&table["schema"], &table["name"]),
        (&json!("sports_gear"), &json!("stock"))
    );
    let columns = table["columns"].as_array().unwrap();
    assert_eq!(
        (&columns[0]["name"], &columns[0]["nullable"]),
        (&json!("id"), &json!(false))
    );
    assert_eq!(
        (&columns[1]["name"], &columns[1]["nullable"]),
        (&json!("name"), &json!(true))
    );
    let sales = get(&frank, "/schemas/public/tables/city_sales").await;
    let amount = &sales["columns"][4];
    assert_eq!(
        (&amount["name"], &amount["precision"], &amount["scale"]),
        (&json!("amount"), &json!(12), &json!(2))
    );

    // What is there for somebody else answers like what never was.
    for (api, path) in [
        (&frank, "/schemas/secret_plans/tables"),
        (&frank, "/schemas/nowhere/tables"),
        (&frank, "/schemas/public/tables/salaries"),
        (&frank, "/schemas/public/tables/nothing"),
        (&frank, "/schemas/sports_gear/tables/stock_old"),
        (&frank, "/schemas/public/tables/city%20sales%00"),
        (&ethan, "/schemas/sports_gear/tables"),
        (&ethan, "/schemas/sports_gear/tables/stock"),
    ] {
        assert_eq!(refused(api, path).await, is(404, "not_found"), "{path}");
    }
    // Every question was the person's own.
    let people = [directory_id("frank"), directory_id("ethan")];
    for call in world.calls(&["redshift-data"]) {
        assert!(
            people
                .iter()
                .any(|id| call.on_behalf_of.as_ref() == Some(id)),
            "{call:?}"
        );
    }
    common::no_leaks(&world.sandbox).await;
}

/// A search is a text and no pattern, and pages lead through everything once.
#[tokio::test(flavor = "multi_thread")]
async fn lists_are_searched_by_text_and_read_in_pages() {
    let world = world().await;
    let frank = world.session("frank").await;
    for (search, expected) in [
        ("GEAR", vec!["sports_gear"]),
        ("s_g", vec!["sports_gear"]),
        ("s%25g", vec![]),
        ("_", vec!["sports_gear"]),
        ("%25", vec![]),
        ("p", vec!["app", "public", "sports_gear"]),
    ] {
        let found = get(&frank, &format!("/schemas?search={search}")).await;
        assert_eq!(names(&found), expected, "{search}");
    }
    let found = get(&frank, "/schemas/public/tables?search=y_s").await;
    assert_eq!(names(&found), ["city_sales"]);

    let first = get(&frank, "/schemas?limit=2").await;
    assert_eq!(names(&first), ["app", "public"]);
    let cursor = first["nextCursor"].as_str().unwrap();
    let second = get(&frank, &format!("/schemas?limit=2&cursor={cursor}")).await;
    assert_eq!(names(&second), ["sports_gear"]);
    assert!(second.get("nextCursor").is_none(), "{second}");
    // I6: a cursor is one person's, for one list.
    let ethan = world.session("ethan").await;
    for (api, path) in [
        (&ethan, format!("/schemas?cursor={cursor}")),
        (&frank, format!("/schemas?search=p&cursor={cursor}")),
        (&frank, format!("/schemas/public/tables?cursor={cursor}")),
        (&frank, "/schemas?limit=1001".to_owned()),
        (&frank, "/schemas?search=".to_owned()),
        (&frank, "/schemas?order=up".to_owned()),
    ] {
        assert_eq!(
            refused(api, &path).await,
            is(400, "malformed_query"),
            "{path}"
        );
    }
    common::no_leaks(&world.sandbox).await;
}

/// A9: what the warehouse refuses has an answer of its own, without the warehouse's words.
#[tokio::test(flavor = "multi_thread")]
async fn a9_trouble_of_the_catalogue_has_its_answer() {
    let world = World::new().await;
    let frank = world.session("frank").await;
    for (operation, code, answer) in [
        (
            "ListSchemas",
            "QueryTimeoutException",
            is(504, "warehouse_timeout"),
        ),
        (
            "ListSchemas",
            "DatabaseConnectionException",
            is(503, "warehouse_connection"),
        ),
        (
            "ListSchemas",
            "ThrottlingException",
            is(503, "warehouse_busy"),
        ),
        (
            "ListTables",
            "QueryTimeoutException",
            is(504, "warehouse_timeout"),
        ),
        (
            "ListTables",
            "ActiveStatementsExceededException",
            is(429, "too_many_queries"),
        ),
        (
            "DescribeTable",
            "DatabaseConnectionException",
            is(503, "warehouse_connection"),
        ),
        (
            "DescribeTable",
            "ResourceNotFoundException",
            is(404, "not_found"),
        ),
    ] {
        let body = json!({ "__type": code, "Message": "relation payroll" });
        world.sandbox.faults.add(FaultRule {
            service: "redshift-data".to_owned(),
            operation: operation.to_owned(),
            fault: Fault::Status {
                status: 400,
                retry_after: None,
                body: body.to_string(),
            },
            times: 2,
        });
        let path = match operation {
            "ListSchemas" => "/schemas",
            "ListTables" => "/schemas/public/tables",
            _ => "/schemas/public/tables/city_sales",
        };
        assert_eq!(refused(&frank, path).await, answer, "{operation} {code}");
        world.sandbox.faults.clear();
    }
    common::no_leaks(&world.sandbox).await;
}
