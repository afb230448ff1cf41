//! Writing under privileges, for users of the database and for people who were given the right to.

use std::collections::BTreeMap;

use bytes::Bytes;
use sandbox_redshift::ObjectsAsked;
use serde_json::{Value, json};

use super::support::{Fixture, administrator, frank, ming};

/// Frank may do these to the sales; he sees those of America.
fn granted(privileges: &str) -> Fixture {
    let fixture = Fixture::new();
    fixture.admin(&format!(
        "GRANT {privileges} ON app.sales_data TO ROLE \"AWSIDC:amer-sales\""
    ));
    fixture
}

async fn changed(fixture: &Fixture, sql: &str) -> Value {
    let described = fixture.run(&frank(), sql).await;
    assert_eq!(described["Status"], "FINISHED", "{described}");
    assert_eq!(described["HasResultSet"], false);
    described["ResultRows"].clone()
}

fn texts(fixture: &Fixture, sql: &str) -> Vec<Vec<String>> {
    let rows = fixture.oracle(sql);
    let row = |row: Vec<Option<String>>| row.into_iter().map(Option::unwrap_or_default).collect();
    rows.into_iter().map(row).collect()
}

#[tokio::test]
async fn insert_takes_values_and_queries_and_coerces_them() {
    let fixture = granted("INSERT");
    let sql = "INSERT INTO app.sales_data (sku, quantity, sales_price, timezone) VALUES \
               ('n1', '4', 12.345, 'Asia/Tokyo'), ('n2', 1 + 1, NULL, 'Asia/Tokyo')";
    assert_eq!(changed(&fixture, sql).await, 2);
    assert_eq!(
        texts(
            &fixture,
            "SELECT sku, quantity, sales_price FROM app.sales_data WHERE sku LIKE 'n%' ORDER BY 1"
        ),
        [["n1", "4", "12.35"], ["n2", "2", ""]]
    );
    // What is read is read with Frank's eyes: three rows of America.
    let sql = "INSERT INTO app.sales_data (sku, city) SELECT 'copy', city FROM app.sales_data";
    assert_eq!(changed(&fixture, sql).await, 3);
    for (sql, error) in [
        (
            "INSERT INTO app.sales_data (nope) VALUES (1)",
            "column \"nope\" does not exist",
        ),
        (
            "INSERT INTO app.sales_data (sku, quantity) VALUES ('x', 'many')",
            "invalid input syntax",
        ),
        (
            "INSERT INTO app.sales_data (city) VALUES ('x')",
            "Cannot insert a NULL value into column sku",
        ),
        (
            "INSERT INTO app.sales_data (sku, city) VALUES ('x')",
            "INSERT has",
        ),
    ] {
        let found = fixture.error(&frank(), sql).await;
        assert!(found.contains(error), "{sql}: {found}");
    }
}

/// Row-level security applies to UPDATE and DELETE, and not to INSERT and TRUNCATE.
#[tokio::test]
async fn update_and_delete_reach_only_rows_that_the_policies_show() {
    let fixture = granted("INSERT, UPDATE, DELETE, TRUNCATE");
    assert_eq!(
        changed(&fixture, "UPDATE app.sales_data SET quantity = 0").await,
        3
    );
    assert_eq!(
        texts(
            &fixture,
            "SELECT sku FROM app.sales_data WHERE quantity <> 0 ORDER BY 1"
        ),
        [["c"], ["d"]]
    );
    let sql = "UPDATE app.sales_data s SET quantity = s.quantity + 5, city = upper(city) WHERE s.sku = 'a'";
    assert_eq!(changed(&fixture, sql).await, 1);
    assert_eq!(
        texts(
            &fixture,
            "SELECT quantity, city FROM app.sales_data WHERE sku = 'a'"
        ),
        [["5", "BOSTON"]]
    );
    assert_eq!(
        changed(
            &fixture,
            "DELETE FROM app.sales_data WHERE sku IN ('b', 'c')"
        )
        .await,
        1
    );
    assert_eq!(
        texts(&fixture, "SELECT sku FROM app.sales_data ORDER BY 1"),
        [["a"], ["c"], ["d"], ["e"]]
    );
    let sql = "INSERT INTO app.sales_data (sku, timezone) VALUES ('hidden', 'Asia/Tokyo')";
    assert_eq!(changed(&fixture, sql).await, 1);
    assert_eq!(
        changed(&fixture, "DELETE FROM app.sales_data WHERE sku = 'hidden'").await,
        0
    );
    changed(&fixture, "TRUNCATE TABLE app.sales_data").await;
    assert_eq!(
        texts(&fixture, "SELECT count(*) FROM app.sales_data"),
        [["0"]]
    );
}

#[tokio::test]
async fn update_and_delete_join_other_tables() {
    let fixture = granted("UPDATE, DELETE");
    fixture.admin("GRANT SELECT ON app.sales_region TO ROLE \"AWSIDC:amer-sales\"");
    let sql = "UPDATE app.sales_data SET region_code = r.region FROM app.sales_region r \
               WHERE r.timezone = sales_data.timezone";
    assert_eq!(changed(&fixture, sql).await, 3);
    let sql = "DELETE FROM app.sales_data USING app.sales_region r \
               WHERE r.timezone = sales_data.timezone AND sales_data.country = 'PE'";
    assert_eq!(changed(&fixture, sql).await, 1);
    assert_eq!(
        texts(
            &fixture,
            "SELECT sku, region_code FROM app.sales_data ORDER BY 1"
        ),
        [["a", "AMER"], ["c", ""], ["d", ""], ["e", "AMER"]]
    );
}

/// Q5
#[tokio::test]
async fn each_verb_needs_its_own_privilege() {
    let verbs = [
        ("INSERT", "INSERT INTO app.sales_data (sku) VALUES ('z')"),
        ("UPDATE", "UPDATE app.sales_data SET sku = 'z'"),
        ("DELETE", "DELETE FROM app.sales_data"),
        ("TRUNCATE", "TRUNCATE app.sales_data"),
    ];
    for (held, _) in verbs {
        for (needed, sql) in verbs {
            let fixture = granted(held);
            let described = fixture.run(&frank(), sql).await;
            if held == needed {
                assert_eq!(described["Status"], "FINISHED", "{held}: {sql}");
            } else {
                let denied = "ERROR: permission denied for relation sales_data";
                assert_eq!(described["Error"], denied, "{held}: {sql}");
            }
        }
    }
    let fixture = granted("INSERT, UPDATE, DELETE");
    fixture.admin("REVOKE USAGE ON SCHEMA app FROM ROLE \"AWSIDC:amer-sales\"");
    let error = fixture.error(&frank(), "DELETE FROM app.sales_data").await;
    assert_eq!(error, "ERROR: permission denied for schema app");
}

#[tokio::test]
async fn update_can_be_granted_on_columns_and_reads_only_readable_ones() {
    let fixture = granted("UPDATE (city)");
    assert_eq!(
        changed(
            &fixture,
            "UPDATE app.sales_data SET city = 'X' WHERE sku = 'a'"
        )
        .await,
        1
    );
    let denied = "ERROR: permission denied for relation sales_data";
    for sql in [
        "UPDATE app.sales_data SET sku = 'X'",
        "UPDATE app.sales_data SET city = 'X', sku = 'X'",
        "UPDATE app.sales_data SET city = population",
        "UPDATE app.sales_data SET city = 'X' WHERE population > 1",
    ] {
        assert_eq!(fixture.error(&frank(), sql).await, denied, "{sql}");
    }
}

#[tokio::test]
async fn a_user_may_write_where_it_may_not_read() {
    let fixture = Fixture::new();
    fixture.admin(
        "CREATE TABLE app.inbox (note VARCHAR(20)); \
         GRANT INSERT, DELETE ON app.inbox TO ROLE \"AWSIDC:amer-sales\"",
    );
    assert_eq!(
        changed(&fixture, "INSERT INTO app.inbox VALUES ('a'), ('b')").await,
        2
    );
    let denied = "ERROR: permission denied for relation inbox";
    assert_eq!(
        fixture.error(&frank(), "SELECT note FROM app.inbox").await,
        denied
    );
    let probe = "DELETE FROM app.inbox WHERE note = 'a'";
    assert_eq!(fixture.error(&frank(), probe).await, denied);
    assert_eq!(changed(&fixture, "DELETE FROM app.inbox").await, 2);
}

#[tokio::test]
async fn a_batch_writes_all_or_nothing() {
    let fixture = granted("INSERT");
    let insert = "INSERT INTO app.sales_data (sku) VALUES ('z')";
    let batch = |sqls: Value| json!({ "WorkgroupName": "wg", "Database": "dev", "Sqls": sqls });
    let made = fixture
        .ok(
            &frank(),
            "BatchExecuteStatement",
            batch(json!([insert, "SELECT nope"])),
        )
        .await;
    let ended = fixture.ended(&frank(), &made["Id"]).await;
    assert_eq!(ended["Status"], "FAILED");
    let count = "SELECT count(*) FROM app.sales_data WHERE sku = 'z'";
    assert_eq!(texts(&fixture, count), [["0"]]);
    let made = fixture
        .ok(
            &frank(),
            "BatchExecuteStatement",
            batch(json!([insert, insert])),
        )
        .await;
    let ended = fixture.ended(&frank(), &made["Id"]).await;
    assert_eq!(ended["Status"], "FINISHED", "{ended}");
    assert_eq!(texts(&fixture, count), [["2"]]);
}

#[tokio::test]
async fn merge_updates_what_is_there_and_appends_the_rest() {
    let fixture = Fixture::new();
    fixture.admin(
        "CREATE TABLE app.stock (sku VARCHAR(5), amount INTEGER); \
         CREATE TABLE app.news (sku VARCHAR(5), amount INTEGER); \
         INSERT INTO app.stock VALUES ('a', 1), ('b', 2); \
         INSERT INTO app.news VALUES ('b', 20), ('c', 30); \
         GRANT SELECT ON app.news TO ROLE \"AWSIDC:amer-sales\"; \
         GRANT SELECT, INSERT ON app.stock TO ROLE \"AWSIDC:amer-sales\"",
    );
    let sql = "MERGE INTO app.stock USING app.news n ON stock.sku = n.sku \
               WHEN MATCHED THEN UPDATE SET amount = n.amount \
               WHEN NOT MATCHED THEN INSERT (sku, amount) VALUES (n.sku, n.amount)";
    let denied = "ERROR: permission denied for relation stock";
    assert_eq!(fixture.error(&frank(), sql).await, denied);
    fixture.admin("GRANT UPDATE ON app.stock TO ROLE \"AWSIDC:amer-sales\"");
    assert_eq!(changed(&fixture, sql).await, 2);
    assert_eq!(
        texts(&fixture, "SELECT sku, amount FROM app.stock ORDER BY 1"),
        [["a", "1"], ["b", "20"], ["c", "30"]]
    );
}

/// Objects of one bucket; only one role may read them.
fn with_objects(fixture: &Fixture) {
    let objects = BTreeMap::from([
        (
            "in/1.csv",
            "sku,quantity,city\nx1,3,\"Rio, Brazil\"\nx2,,Lima\n",
        ),
        ("in/2.csv", "sku,quantity,city\nx3,5,Quito\n"),
        ("bad/1.csv", "x4,many,Quito\n"),
        (
            "json/1.json",
            "{\"sku\": \"j1\", \"quantity\": 2, \"other\": [1]}\n{\"sku\": \"j2\", \"city\": \"Cusco\"}",
        ),
    ]);
    fixture
        .redshift
        .connect_objects(Box::new(move |asked: ObjectsAsked| {
            let found = objects
                .iter()
                .filter(|(key, _)| key.starts_with(&asked.prefix));
            let found: Vec<Bytes> = found
                .map(|(_, text)| Bytes::from_static(text.as_bytes()))
                .collect();
            let trusted = asked.role_arn == "arn:aws:iam::111111111111:role/copy";
            Box::pin(async move {
                if trusted {
                    Ok(found)
                } else {
                    Err("S3ServiceException:Access Denied".to_owned())
                }
            })
        }));
}

const ROLE: &str = "IAM_ROLE 'arn:aws:iam::111111111111:role/copy'";

#[tokio::test(flavor = "multi_thread")]
async fn copy_loads_csv_and_json_past_the_policies() {
    let fixture = granted("INSERT");
    with_objects(&fixture);
    let columns = "app.sales_data (sku, quantity, city)";
    let sql = format!("COPY {columns} FROM 's3://b/in/' {ROLE} FORMAT CSV IGNOREHEADER 1");
    assert_eq!(changed(&fixture, &sql).await, 3);
    let sql = format!("COPY {columns} FROM 's3://b/json/' {ROLE} FORMAT AS JSON 'auto'");
    assert_eq!(changed(&fixture, &sql).await, 2);
    assert_eq!(
        texts(
            &fixture,
            "SELECT sku, quantity, city FROM app.sales_data WHERE sku LIKE 'x%' OR sku LIKE 'j%' ORDER BY 1"
        ),
        [
            ["j1", "2", ""],
            ["j2", "", "Cusco"],
            ["x1", "3", "Rio, Brazil"],
            ["x2", "", "Lima"],
            ["x3", "5", "Quito"],
        ]
    );
    for (sql, error) in [
        (
            format!("COPY {columns} FROM 's3://b/bad/' {ROLE} CSV"),
            "Check 'sys_load_error_detail'",
        ),
        (
            format!("COPY {columns} FROM 's3://b/none/' {ROLE} CSV"),
            "The specified S3 prefix 'none/' does not exist",
        ),
        (
            format!("COPY {columns} FROM 's3://b/in/' IAM_ROLE 'arn:other' CSV"),
            "Access Denied",
        ),
        (
            format!("COPY {columns} FROM 's3://b/in/' IAM_ROLE default CSV"),
            "no default IAM role",
        ),
        (
            format!("COPY {columns} FROM 's3://b/in/' CSV"),
            "CREDENTIALS argument is required",
        ),
        (
            format!("COPY {columns} FROM 's3://b/in/' {ROLE} PARQUET"),
            "not supported by this stand-in",
        ),
    ] {
        let found = fixture.error(&frank(), &sql).await;
        assert!(found.contains(error), "{sql}: {found}");
    }
    let sql = format!("COPY {columns} FROM 's3://b/in/' {ROLE} CSV");
    let denied = "ERROR: permission denied for relation sales_data";
    assert_eq!(fixture.error(&ming(), &sql).await, denied);
}

#[tokio::test]
async fn a_cancelled_write_leaves_nothing_behind() {
    let fixture = granted("INSERT");
    let endless = "INSERT INTO app.sales_data (sku) WITH RECURSIVE n(i) AS \
                   (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
    let body = json!({ "WorkgroupName": "wg", "Database": "dev", "Sql": endless });
    let made = fixture.ok(&frank(), "ExecuteStatement", body).await;
    fixture
        .ok(&frank(), "CancelStatement", json!({ "Id": made["Id"] }))
        .await;
    let ended = fixture.ended(&frank(), &made["Id"]).await;
    assert_eq!(ended["Status"], "ABORTED");
    let rows = fixture
        .rows(&administrator(), "SELECT count(*) FROM app.sales_data")
        .await;
    assert_eq!(rows, json!([[{ "longValue": 5 }]]));
}
