//! Who sees which rows and columns.

use serde_json::json;

use super::support::{Fixture, administrator, ethan, frank, ming, person};

const TOTALS: &str =
    "SELECT city, SUM(sales_price) AS total FROM app.sales_data GROUP BY city ORDER BY city";

fn texts(rows: &serde_json::Value) -> Vec<Vec<Option<String>>> {
    let row = |row: &serde_json::Value| {
        let fields = row.as_array().unwrap().iter();
        fields
            .map(|f| f["stringValue"].as_str().map(str::to_owned))
            .collect()
    };
    rows.as_array().unwrap().iter().map(row).collect()
}

/// Q1
#[tokio::test]
async fn each_user_sees_the_rows_of_its_region_as_the_oracle_computes_them() {
    let fixture = Fixture::new();
    for (who, condition) in [
        (frank(), "timezone LIKE 'America/%'"),
        (ming(), "timezone LIKE 'Asia/%'"),
        (ethan(), "TRUE"),
    ] {
        let oracle = fixture.oracle(&TOTALS.replace("GROUP", &format!("WHERE {condition} GROUP")));
        assert_eq!(texts(&fixture.rows(&who, TOTALS).await), oracle);
        assert!(!oracle.is_empty());
    }
    assert_eq!(
        texts(&fixture.rows(&frank(), TOTALS).await),
        [
            [Some("Boston".to_owned()), Some("10.20".to_owned())],
            [Some("Lima".to_owned()), Some("0.20".to_owned())],
        ]
    );
}

#[tokio::test]
async fn with_or_two_groups_see_both_regions_and_with_and_none() {
    let fixture = Fixture::new();
    let both = person("anna", &["amer-sales", "apac-sales"]);
    let count = "SELECT count(*) FROM app.sales_data";
    assert_eq!(
        fixture.rows(&both, count).await,
        json!([[{ "longValue": 4 }]])
    );
    fixture.admin("ALTER TABLE app.sales_data ROW LEVEL SECURITY ON");
    assert_eq!(
        fixture.rows(&both, count).await,
        json!([[{ "longValue": 0 }]])
    );
}

#[tokio::test]
async fn security_without_a_policy_for_the_user_means_no_rows_and_off_means_all() {
    let fixture = Fixture::new();
    fixture.admin("DETACH RLS POLICY sales_amer ON app.sales_data FROM ROLE \"AWSIDC:amer-sales\"");
    let count = "SELECT count(*) FROM app.sales_data";
    assert_eq!(
        fixture.rows(&frank(), count).await,
        json!([[{ "longValue": 0 }]])
    );
    fixture.admin("ALTER TABLE app.sales_data ROW LEVEL SECURITY OFF");
    assert_eq!(
        fixture.rows(&frank(), count).await,
        json!([[{ "longValue": 5 }]])
    );
}

#[tokio::test]
async fn privileges_are_needed_on_schema_table_and_column() {
    let fixture = Fixture::new();
    let nobody = person("olga", &["marketing"]);
    let count = "SELECT COUNT(*) FROM app.sales_data";
    assert_eq!(
        fixture.error(&nobody, count).await,
        "ERROR: permission denied for schema app"
    );
    fixture.admin("GRANT USAGE ON SCHEMA app TO PUBLIC");
    let denied = "ERROR: permission denied for relation sales_data";
    assert_eq!(fixture.error(&nobody, count).await, denied);
    let hidden = "SELECT population FROM app.sales_data LIMIT 1";
    assert_eq!(fixture.error(&frank(), hidden).await, denied);
    assert_eq!(
        fixture
            .rows(&ethan(), "SELECT max(population) FROM app.sales_data")
            .await,
        json!([[{ "longValue": 7_737_002 }]])
    );
    let star = fixture
        .rows(&frank(), "SELECT * FROM app.sales_data LIMIT 1")
        .await;
    assert_eq!(star[0].as_array().unwrap().len(), 12);
    assert_eq!(
        fixture
            .error(&frank(), "SELECT region FROM app.sales_region")
            .await,
        "ERROR: permission denied for relation sales_region"
    );
}

/// Q4
#[tokio::test]
async fn no_trick_reaches_a_hidden_row() {
    let fixture = Fixture::new();
    for sql in [
        "SELECT set_config('role', 'superuser', false)",
        "SET SESSION AUTHORIZATION 'root'",
        "SET ROLE \"AWSIDC:exec-global\"",
        "CREATE VIEW app.v AS SELECT * FROM app.sales_data",
        "CREATE TEMP TABLE t AS SELECT * FROM app.sales_data",
        "SELECT * INTO t FROM app.sales_data",
        "ATTACH 'x' AS y",
        "PRAGMA database_list",
        "SELECT * FROM sqlite_master",
        "SELECT * FROM app.sqlite_master",
        "SELECT * FROM main.sales_data",
        "SELECT load_extension('x')",
        "EXPLAIN UPDATE app.sales_data SET sku = 'x'",
        "ALTER TABLE app.sales_data ROW LEVEL SECURITY OFF",
        "DETACH RLS POLICY sales_amer ON app.sales_data FROM ROLE \"AWSIDC:amer-sales\"",
    ] {
        fixture.error(&frank(), sql).await;
    }
    for sql in [
        "SELECT city FROM app.sales_data /* ; */ WHERE 1=1 -- AND FALSE",
        "SELECT city FROM \"app\".\"sales_data\" WHERE TRUE OR 1=1",
        "SELECT city FROM APP . /**/ Sales_Data",
        "WITH sales_data AS (SELECT city FROM app.sales_data) SELECT city FROM sales_data",
        "SELECT x.city FROM app.sales_data x JOIN app.sales_data y ON 1=1",
        "SELECT city FROM app.sales_data UNION ALL SELECT city FROM app.sales_data",
    ] {
        let rows = fixture.rows(&frank(), sql).await.to_string();
        assert!(rows.contains("Boston"), "{sql}: {rows}");
        assert!(
            !rows.contains("Paris") && !rows.contains("Osaka"),
            "{sql}: {rows}"
        );
    }
    assert_eq!(
        fixture
            .refused(
                &frank(),
                "ExecuteStatement",
                json!({ "WorkgroupName": "wg", "Database": "dev", "Sql": "SELECT 1; SELECT 2" }),
            )
            .await,
        "ValidationException"
    );
}

/// Q5
#[tokio::test]
async fn an_end_user_can_only_read() {
    let fixture = Fixture::new();
    let before = fixture.oracle("SELECT count(*) FROM app.sales_data");
    for sql in [
        "INSERT INTO app.sales_data (sku) VALUES ('z')",
        "UPDATE app.sales_data SET sku = 'z'",
        "DELETE FROM app.sales_data",
        "TRUNCATE app.sales_data",
        "COPY app.sales_data FROM 's3://b/k' IAM_ROLE default",
        "UNLOAD ('SELECT * FROM app.sales_data') TO 's3://b/k' IAM_ROLE default",
        "CREATE TABLE app.mine (a int)",
        "DROP TABLE app.sales_data",
        "GRANT SELECT ON app.sales_data TO PUBLIC",
        "WITH x AS (SELECT 1) DELETE FROM app.sales_data",
    ] {
        let error = fixture.error(&ethan(), sql).await;
        assert!(
            error.contains("permission denied") || sql.starts_with("WITH"),
            "{sql}: {error}"
        );
    }
    assert_eq!(
        fixture.oracle("SELECT count(*) FROM app.sales_data"),
        before
    );
}

#[tokio::test]
async fn the_database_user_is_the_person() {
    let fixture = Fixture::new();
    assert_eq!(
        fixture.rows(&frank(), "SELECT current_user").await,
        json!([[{ "stringValue": "AWSIDC:frank" }]])
    );
}

#[tokio::test]
async fn a_policy_reads_a_lookup_table_only_if_it_was_granted() {
    let fixture = Fixture::new();
    fixture.admin("REVOKE SELECT ON TABLE app.sales_region FROM RLS POLICY sales_amer");
    assert_eq!(
        fixture.error(&frank(), TOTALS).await,
        "ERROR: permission denied for relation sales_region"
    );
}

/// Q6: no identity, no query, and no shared role instead.
#[tokio::test]
async fn a_role_session_without_a_person_is_refused() {
    let fixture = Fixture::new();
    let mut function = frank();
    function.on_behalf_of = None;
    let body = json!({ "WorkgroupName": "wg", "Database": "dev", "Sql": "SELECT 1" });
    assert_eq!(
        fixture.refused(&function, "ExecuteStatement", body).await,
        "ExecuteStatementException"
    );
    let body = json!({ "WorkgroupName": "wg", "Database": "dev" });
    assert_eq!(
        fixture.refused(&function, "ListTables", body).await,
        "DatabaseConnectionException"
    );
}

#[tokio::test]
async fn an_administrator_ignores_row_level_security() {
    let fixture = Fixture::new();
    assert_eq!(
        fixture
            .rows(&administrator(), "SELECT count(*) FROM app.sales_data")
            .await,
        json!([[{ "longValue": 5 }]])
    );
}

#[tokio::test]
async fn another_account_has_another_database() {
    let fixture = Fixture::new();
    let mut stranger = ethan();
    stranger.account = sandbox_core::CUSTOMER_ACCOUNT.to_owned();
    assert_eq!(
        fixture.error(&stranger, TOTALS).await,
        "FATAL: database \"dev\" does not exist"
    );
}

#[tokio::test]
async fn the_catalogue_shows_what_the_user_may_read() {
    let fixture = Fixture::new();
    let body = json!({ "WorkgroupName": "wg", "Database": "dev", "SchemaPattern": "app" });
    let tables = fixture.ok(&frank(), "ListTables", body.clone()).await;
    assert_eq!(
        tables["Tables"],
        json!([{ "name": "sales_data", "schema": "app", "type": "TABLE" }])
    );
    let all = fixture
        .ok(&administrator(), "ListTables", body.clone())
        .await;
    assert_eq!(all["Tables"].as_array().unwrap().len(), 2);
    let schemas = fixture.ok(&person("olga", &[]), "ListSchemas", body).await;
    assert_eq!(schemas["Schemas"], json!([]));
    let body =
        json!({ "WorkgroupName": "wg", "Database": "dev", "Schema": "app", "Table": "sales_data" });
    let columns = fixture.ok(&frank(), "DescribeTable", body).await;
    let columns = columns["ColumnList"].as_array().unwrap().clone();
    assert_eq!(columns.len(), 12);
    assert!(columns.iter().all(|column| column["name"] != "population"));
}
