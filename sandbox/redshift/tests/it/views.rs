//! Views and materialized views.

use serde_json::json;

use super::support::{Fixture, administrator, ethan, frank, ming, person};

const CITIES: &str = "SELECT city FROM app.cities ORDER BY city";

fn cities(names: &[&str]) -> serde_json::Value {
    let row = |name: &&str| json!([{ "stringValue": name }]);
    names.iter().map(row).collect()
}

fn with_view() -> Fixture {
    let fixture = Fixture::new();
    fixture.admin(
        "CREATE VIEW app.cities AS SELECT DISTINCT city, population FROM app.sales_data; \
         GRANT SELECT ON app.cities TO ROLE \"AWSIDC:amer-sales\"; \
         GRANT SELECT ON app.cities TO ROLE \"AWSIDC:apac-sales\"",
    );
    fixture
}

/// Q4: a view lends its owner's privileges and not its owner's rows.
#[tokio::test]
async fn through_a_view_the_policies_of_the_asking_user_hold() {
    let fixture = with_view();
    assert_eq!(
        fixture.rows(&frank(), CITIES).await,
        cities(&["Boston", "Lima"])
    );
    assert_eq!(fixture.rows(&ming(), CITIES).await, cities(&["Osaka"]));
    assert_eq!(
        fixture.rows(&administrator(), CITIES).await,
        cities(&["Boston", "Lima", "Osaka", "Paris"])
    );
    // The view shows a column that the table does not show Frank: that is what it was granted for.
    let sql = "SELECT population FROM app.cities WHERE city = 'Lima'";
    assert_eq!(
        fixture.rows(&frank(), sql).await,
        json!([[{ "longValue": 7_737_002 }]])
    );
    assert_eq!(
        fixture.error(&ethan(), CITIES).await,
        "ERROR: permission denied for relation cities"
    );
    fixture.admin(
        "CREATE VIEW app.outer_cities (name) AS SELECT upper(city) FROM app.cities; \
                   GRANT SELECT (name) ON app.outer_cities TO ROLE \"AWSIDC:amer-sales\"",
    );
    assert_eq!(
        fixture
            .rows(&frank(), "SELECT name FROM app.outer_cities ORDER BY 1")
            .await,
        cities(&["BOSTON", "LIMA"])
    );
    // Nobody without a policy sees a row through it.
    fixture.admin("GRANT USAGE ON SCHEMA app TO PUBLIC; GRANT SELECT ON app.cities TO PUBLIC");
    let nobody = person("olga", &["marketing"]);
    assert_eq!(fixture.rows(&nobody, CITIES).await, json!([]));
}

#[tokio::test]
async fn a_view_is_replaced_with_its_grants_and_dropped_with_its_table() {
    let fixture = with_view();
    fixture.admin("CREATE OR REPLACE VIEW app.cities AS SELECT 'none' AS city");
    assert_eq!(fixture.rows(&frank(), CITIES).await, cities(&["none"]));
    fixture.admin("CREATE OR REPLACE VIEW app.cities AS SELECT city FROM app.sales_data");
    let refused = |sql: &str| {
        let account = sandbox_core::VENDOR_ACCOUNT;
        fixture
            .redshift
            .execute_as_admin(account, "dev", sql)
            .unwrap_err()
    };
    assert_eq!(
        refused("DROP TABLE app.sales_data"),
        "ERROR: cannot drop app.sales_data because other objects depend on it"
    );
    assert_eq!(
        refused("CREATE VIEW app.cities AS SELECT 1 AS one"),
        "ERROR: relation \"app.cities\" already exists"
    );
    assert_eq!(
        refused("CREATE OR REPLACE VIEW app.sales_data AS SELECT 1 AS one"),
        "ERROR: relation \"app.sales_data\" already exists"
    );
    assert_eq!(
        refused("DROP TABLE app.cities"),
        "ERROR: \"cities\" is not a table"
    );
    fixture.admin("DROP VIEW app.cities");
    assert_eq!(
        fixture.error(&frank(), CITIES).await,
        "ERROR: relation \"app.cities\" does not exist"
    );
}

#[tokio::test]
async fn a_view_is_not_written_and_has_no_policies_of_its_own() {
    let fixture = with_view();
    fixture.admin("GRANT ALL ON app.cities TO ROLE \"AWSIDC:amer-sales\"");
    for sql in [
        "INSERT INTO app.cities VALUES ('x', 1)",
        "DELETE FROM app.cities",
        "UPDATE app.cities SET city = 'x'",
    ] {
        let error = fixture.error(&frank(), sql).await;
        assert!(error.contains("view \"app.cities\""), "{sql}: {error}");
    }
    let error = fixture
        .error(
            &administrator(),
            "ALTER TABLE app.cities ROW LEVEL SECURITY ON",
        )
        .await;
    assert!(error.contains("not supported by this stand-in"), "{error}");
}

#[tokio::test]
async fn a_materialized_view_keeps_its_rows_until_it_is_refreshed() {
    let fixture = Fixture::new();
    fixture.admin(
        "CREATE USER loader PASSWORD 'Loader-pass1'; \
         CREATE TABLE app.plain (city VARCHAR(20), amount DECIMAL(10,2)); \
         INSERT INTO app.plain VALUES ('Rome', 1.10), ('Rome', 2.20); \
         CREATE MATERIALIZED VIEW app.totals AS \
            SELECT city, SUM(amount) AS total FROM app.plain GROUP BY city; \
         GRANT SELECT ON app.totals TO ROLE \"AWSIDC:amer-sales\"; \
         INSERT INTO app.plain VALUES ('Oslo', 5)",
    );
    let sql = "SELECT city, total FROM app.totals ORDER BY city";
    let rome = json!([{ "stringValue": "Rome" }, { "stringValue": "3.30" }]);
    assert_eq!(fixture.rows(&frank(), sql).await, json!([rome]));
    assert_eq!(
        fixture
            .error(&frank(), "REFRESH MATERIALIZED VIEW app.totals")
            .await,
        "ERROR: must be owner of relation totals"
    );
    fixture.admin("REFRESH MATERIALIZED VIEW app.totals");
    let oslo = json!([{ "stringValue": "Oslo" }, { "stringValue": "5.00" }]);
    assert_eq!(fixture.rows(&frank(), sql).await, json!([oslo, rome]));
    fixture.admin("DROP MATERIALIZED VIEW app.totals; DROP TABLE app.plain");
}

/// A materialized view would keep rows for everybody that a policy hides from some.
#[tokio::test]
async fn a_materialized_view_and_row_level_security_exclude_each_other() {
    let fixture = Fixture::new();
    let error = fixture
        .error(
            &administrator(),
            "CREATE MATERIALIZED VIEW app.mv AS SELECT city FROM app.sales_data",
        )
        .await;
    assert!(error.contains("row-level security protects"), "{error}");
    fixture.admin(
        "CREATE TABLE app.plain (city VARCHAR(20), timezone VARCHAR(50)); \
         INSERT INTO app.plain VALUES ('Rome', 'Europe/Rome'), ('Lima', 'America/Lima'); \
         CREATE MATERIALIZED VIEW app.mv AS SELECT city, timezone FROM app.plain; \
         GRANT SELECT ON app.mv TO ROLE \"AWSIDC:amer-sales\"",
    );
    for sql in [
        "ALTER TABLE app.plain ROW LEVEL SECURITY ON",
        "ATTACH RLS POLICY sales_all ON app.plain TO ROLE \"AWSIDC:exec-global\"",
    ] {
        let error = fixture.error(&administrator(), sql).await;
        assert!(
            error.contains("base table of a materialized view"),
            "{error}"
        );
    }
    // The view itself can be protected.
    fixture.admin(
        "CREATE RLS POLICY rome WITH (city VARCHAR(20)) USING (city = 'Rome'); \
         ATTACH RLS POLICY rome ON app.mv TO ROLE \"AWSIDC:amer-sales\"; \
         ALTER MATERIALIZED VIEW app.mv ROW LEVEL SECURITY ON",
    );
    assert_eq!(
        fixture.rows(&frank(), "SELECT city FROM app.mv").await,
        cities(&["Rome"])
    );
}

#[tokio::test]
async fn views_are_listed_as_views_for_those_who_may_read_them() {
    let fixture = with_view();
    let body = json!({ "WorkgroupName": "wg", "Database": "dev", "SchemaPattern": "app" });
    let listed = fixture.ok(&ming(), "ListTables", body.clone()).await;
    assert_eq!(
        listed["Tables"],
        json!([
            { "name": "cities", "schema": "app", "type": "VIEW" },
            { "name": "sales_data", "schema": "app", "type": "TABLE" },
        ])
    );
    let listed = fixture.ok(&ethan(), "ListTables", body).await;
    assert_eq!(listed["Tables"].as_array().unwrap().len(), 1);
}
