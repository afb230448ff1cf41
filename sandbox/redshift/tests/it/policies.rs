//! Roles, and everything about row-level security besides who sees which rows (`access`).

use serde_json::{Value, json};

use super::account::Account;
use super::support::{Fixture, administrator, ethan, frank, ming, person};

const COUNT: &str = "SELECT count(*) FROM app.sales_data";

fn count(of: i64) -> Value {
    json!([[{ "longValue": of }]])
}

/// The reviewed script, statement by statement as an administrator sends it, then what it shows.
#[tokio::test]
async fn the_reviewed_script_runs_through_the_data_api() {
    let fixture = Fixture::new();
    fixture.admin("DROP SCHEMA app CASCADE; DROP RLS POLICY sales_amer; DROP RLS POLICY sales_emea; \
        DROP RLS POLICY sales_apac; DROP RLS POLICY sales_all; DROP ROLE \"AWSIDC:amer-sales\"; \
        DROP ROLE \"AWSIDC:emea-sales\"; DROP ROLE \"AWSIDC:apac-sales\"; DROP ROLE \"AWSIDC:exec-global\"");
    let provider = "CREATE IDENTITY PROVIDER \"idc\" TYPE AWSIDC NAMESPACE 'AWSIDC' \
        APPLICATION_ARN 'arn:aws:sso::111122223333:application/ssoins-1/apl-1' \
        IAM_ROLE 'arn:aws:iam::111122223333:role/redshift-idc-connection' AUTO_CREATE_ROLES FALSE";
    let script = include_str!("../row_level_security.sql");
    let script = script
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default());
    let script = script.collect::<Vec<_>>().join("\n");
    let statements = script
        .split(';')
        .map(str::trim)
        .filter(|sql| !sql.is_empty());
    for sql in [provider].into_iter().chain(statements) {
        let described = fixture.run(&administrator(), sql).await;
        assert_eq!(described["Status"], "FINISHED", "{sql}: {described}");
    }
    // Ann of the Americas was here once, so her roles are known.
    fixture.run(&frank(), "SELECT 1").await;
    for (sql, rows) in [
        ("SELECT * FROM svv_rls_policy", 4),
        (
            "SELECT * FROM svv_rls_attached_policy WHERE relname = 'sales_data'",
            4,
        ),
        (
            "SELECT * FROM svv_rls_relation        WHERE relname = 'sales_data'",
            1,
        ),
        (
            "SELECT role_name FROM svv_roles       WHERE role_name LIKE 'AWSIDC:%'",
            4,
        ),
        (
            "SELECT user_name, role_name FROM svv_user_grants WHERE role_name LIKE 'AWSIDC:%'",
            1,
        ),
        (
            "SELECT * FROM svv_column_privileges   WHERE relation_name = 'sales_data'",
            36,
        ),
    ] {
        let shown = fixture.rows(&administrator(), sql).await;
        assert_eq!(shown.as_array().unwrap().len(), rows, "{sql}: {shown}");
    }
    let sql = "SELECT is_rls_on, rls_conjunction_type FROM svv_rls_relation";
    assert_eq!(
        fixture.rows(&administrator(), sql).await,
        json!([[{ "booleanValue": true }, { "stringValue": "or" }]])
    );
}

/// The script's assertions, run as its users.
#[tokio::test]
async fn the_scripts_assertions_hold_for_its_users() {
    let fixture = Fixture::new();
    fixture
        .admin("GRANT SELECT ON app.sales_region TO PUBLIC; GRANT USAGE ON SCHEMA app TO PUBLIC");
    let regions = "SELECT r.region, COUNT(*) FROM app.sales_data d \
        JOIN app.sales_region r ON r.timezone = d.timezone GROUP BY r.region ORDER BY 1";
    let region = |name: &str, rows: i64| json!([{ "stringValue": name }, { "longValue": rows }]);
    for (who, seen) in [
        (frank(), json!([region("AMER", 3)])),
        (ming(), json!([region("APAC", 1)])),
        (
            ethan(),
            json!([region("AMER", 3), region("APAC", 1), region("EMEA", 1)]),
        ),
    ] {
        assert_eq!(fixture.rows(&who, regions).await, seen);
    }
    let denied = "ERROR: permission denied for relation sales_data";
    assert_eq!(fixture.error(&person("olga", &[]), COUNT).await, denied);
    let column = "SELECT population FROM app.sales_data LIMIT 1";
    assert_eq!(fixture.error(&frank(), column).await, denied);
}

#[tokio::test]
async fn a_role_that_ignores_row_level_security_does_so_on_every_table() {
    let fixture = Fixture::new();
    fixture.admin("GRANT IGNORE RLS TO ROLE \"AWSIDC:amer-sales\"");
    assert_eq!(fixture.rows(&frank(), COUNT).await, count(5));
    assert_eq!(fixture.rows(&ming(), COUNT).await, count(1));
    fixture.admin("REVOKE IGNORE RLS FROM ROLE \"AWSIDC:amer-sales\"");
    assert_eq!(fixture.rows(&frank(), COUNT).await, count(3));
}

#[tokio::test]
async fn explain_shows_policies_only_to_roles_that_may_see_them() {
    let fixture = Fixture::new();
    let sql = format!("EXPLAIN {COUNT}");
    let plan = fixture.rows(&frank(), &sql).await.to_string();
    assert!(plan.contains("RLS SecureScan"), "{plan}");
    assert!(!plan.contains("AMER"), "{plan}");
    fixture.admin("GRANT EXPLAIN RLS TO ROLE \"AWSIDC:amer-sales\"");
    let plan = fixture.rows(&frank(), &sql).await.to_string();
    assert!(
        plan.contains("sales_amer") && plan.contains("AMER"),
        "{plan}"
    );
    assert!(!plan.contains("APAC"), "{plan}");
    let hidden = "EXPLAIN SELECT region FROM app.sales_region";
    assert_eq!(
        fixture.error(&frank(), hidden).await,
        "ERROR: permission denied for relation sales_region"
    );
}

#[tokio::test]
async fn policies_attach_to_users_and_to_everybody_and_can_be_altered() {
    let fixture = Fixture::new();
    let by_name = "CREATE RLS POLICY own WITH (city VARCHAR(100)) USING (city = 'Paris'); \
         ATTACH RLS POLICY own ON app.sales_data TO \"AWSIDC:frank\"";
    fixture.admin(by_name);
    assert_eq!(fixture.rows(&frank(), COUNT).await, count(4));
    assert_eq!(fixture.rows(&ming(), COUNT).await, count(1));
    fixture.admin("ALTER RLS POLICY own USING (city IN ('Paris', 'Osaka'))");
    assert_eq!(fixture.rows(&frank(), COUNT).await, count(5));
    fixture.admin(
        "DETACH RLS POLICY own ON app.sales_data FROM \"AWSIDC:frank\"; \
         ATTACH RLS POLICY own ON app.sales_data TO PUBLIC",
    );
    assert_eq!(fixture.rows(&ming(), COUNT).await, count(2));
    fixture.admin("ALTER RLS POLICY own USING (city = 'Paris' AND current_user = 'AWSIDC:ming')");
    assert_eq!(fixture.rows(&ming(), COUNT).await, count(2));
    assert_eq!(fixture.rows(&frank(), COUNT).await, count(3));
}

#[tokio::test]
async fn policies_of_one_table_call_it_by_one_name() {
    let fixture = Fixture::new();
    fixture.admin(
        "CREATE RLS POLICY here WITH (city VARCHAR(100)) AS s USING (s.city = 'Paris'); \
         CREATE RLS POLICY there WITH (city VARCHAR(100)) AS t USING (t.city = 'Paris'); \
         ATTACH RLS POLICY here ON app.sales_data TO ROLE \"AWSIDC:apac-sales\"",
    );
    assert_eq!(fixture.rows(&ming(), COUNT).await, count(2));
    let sql = "ATTACH RLS POLICY there ON app.sales_data TO ROLE \"AWSIDC:apac-sales\"";
    let error = fixture.error(&administrator(), sql).await;
    assert!(error.contains("must use the same alias"), "{error}");
}

#[tokio::test]
async fn roles_are_granted_to_users_and_to_roles() {
    let fixture = Fixture::new();
    fixture.admin(
        "CREATE ROLE analyst; CREATE ROLE manager; \
         GRANT USAGE ON SCHEMA app TO ROLE analyst; GRANT SELECT ON app.sales_data TO ROLE analyst; \
         ATTACH RLS POLICY sales_emea ON app.sales_data TO ROLE analyst; \
         GRANT ROLE analyst TO ROLE manager; GRANT ROLE manager TO \"AWSIDC:olga\"",
    );
    let olga = person("olga", &["marketing"]);
    assert_eq!(fixture.rows(&olga, COUNT).await, count(1));
    let error = fixture
        .error(&administrator(), "GRANT ROLE manager TO ROLE analyst")
        .await;
    assert_eq!(error, "ERROR: role cycles are not permitted");
    assert_eq!(
        fixture
            .rows(&administrator(), "SELECT * FROM svv_role_grants")
            .await,
        json!([[{ "stringValue": "manager" }, { "stringValue": "analyst" }]])
    );
    let error = fixture.error(&administrator(), "DROP ROLE analyst").await;
    assert!(error.contains("is granted"), "{error}");
    fixture.admin("REVOKE ROLE manager FROM \"AWSIDC:olga\"");
    let denied = "ERROR: permission denied for schema app";
    assert_eq!(fixture.error(&olga, COUNT).await, denied);
    fixture.admin("GRANT ROLE manager TO \"AWSIDC:olga\"; DROP ROLE analyst FORCE");
    assert_eq!(fixture.error(&olga, COUNT).await, denied);
    let missing = fixture
        .error(&administrator(), "GRANT ROLE analyst TO nobody")
        .await;
    assert_eq!(missing, "ERROR: role \"analyst\" does not exist");
    let missing = fixture
        .error(&administrator(), "GRANT ROLE manager TO nobody")
        .await;
    assert_eq!(missing, "ERROR: user \"nobody\" does not exist");
}

#[tokio::test]
async fn an_identity_provider_makes_the_roles_of_groups_if_it_is_told_to() {
    let fixture = Fixture::new();
    let olga = person("olga", &["marketing"]);
    let roles = "SELECT name FROM pg_get_session_roles() AS roles(name name, roleid integer)";
    assert_eq!(fixture.rows(&olga, roles).await, json!([]));
    fixture.admin(
        "CREATE IDENTITY PROVIDER idc TYPE AWSIDC NAMESPACE 'AWSIDC' AUTO_CREATE_ROLES TRUE",
    );
    let own = json!([[{ "stringValue": "AWSIDC:marketing" }]]);
    assert_eq!(fixture.rows(&olga, roles).await, own);
    let sql = "CREATE IDENTITY PROVIDER other TYPE AWSIDC NAMESPACE 'acme'";
    let error = fixture.error(&administrator(), sql).await;
    assert!(error.contains("a NAMESPACE but 'AWSIDC'"), "{error}");
}

/// Everything a smoke check asks.
#[tokio::test]
async fn a_session_knows_its_user_its_roles_and_its_database() {
    let fixture = Fixture::new();
    let both = person("anna", &["amer-sales", "apac-sales", "marketing"]);
    let sql = "SELECT current_user, session_user, current_database()";
    let text = |text: &str| json!({ "stringValue": text });
    assert_eq!(
        fixture.rows(&both, sql).await,
        json!([[text("AWSIDC:anna"), text("AWSIDC:anna"), text("dev")]])
    );
    for sql in [
        "SELECT name FROM pg_get_session_roles() AS s(name name, roleid integer) ORDER BY name",
        "SELECT r FROM pg_get_session_roles() AS s(r name, i integer) ORDER BY r",
        "SELECT name FROM pg_get_session_roles() ORDER BY 1",
    ] {
        assert_eq!(
            fixture.rows(&both, sql).await,
            json!([[text("AWSIDC:amer-sales")], [text("AWSIDC:apac-sales")]]),
            "{sql}"
        );
    }
}

/// Q4: the catalogue tells a user no more than the data do.
#[tokio::test]
async fn the_catalogues_views_show_what_the_user_may_know_of() {
    let fixture = Fixture::new();
    for name in [
        "svv_rls_policy",
        "svv_rls_attached_policy",
        "svv_rls_relation",
        "svv_roles",
        "svv_role_grants",
    ] {
        let sql = format!("SELECT * FROM {name}");
        assert_eq!(
            fixture.error(&frank(), &sql).await,
            format!("ERROR: permission denied for relation {name}")
        );
    }
    let tables = "SELECT table_name FROM svv_tables WHERE table_schema = 'app' ORDER BY 1";
    assert_eq!(
        fixture.rows(&frank(), tables).await,
        json!([[{ "stringValue": "sales_data" }]])
    );
    let olga = person("olga", &["marketing"]);
    assert_eq!(fixture.rows(&olga, tables).await, json!([]));
    let columns = "SELECT column_name FROM pg_catalog.svv_columns WHERE column_name = 'population'";
    assert_eq!(fixture.rows(&frank(), columns).await, json!([]));
    assert_eq!(
        fixture.rows(&ethan(), columns).await,
        json!([[{ "stringValue": "population" }]])
    );
    fixture.rows(&ming(), "SELECT 1").await;
    let grants = "SELECT user_name, role_name FROM svv_user_grants";
    assert_eq!(
        fixture.rows(&frank(), grants).await,
        json!([[{ "stringValue": "AWSIDC:frank" }, { "stringValue": "AWSIDC:amer-sales" }]])
    );
    let held = "SELECT DISTINCT identity_name FROM svv_column_privileges";
    assert_eq!(
        fixture.rows(&frank(), held).await,
        json!([[{ "stringValue": "AWSIDC:amer-sales" }]])
    );
}

#[tokio::test]
async fn owners_have_every_privilege_on_what_is_theirs_and_obey_the_policies() {
    let fixture = Fixture::new();
    fixture.admin(
        "CREATE USER loader PASSWORD 'Loader-pass1'; \
         CREATE SCHEMA own AUTHORIZATION loader; \
         CREATE TABLE own.t (a INTEGER); \
         CREATE MATERIALIZED VIEW own.sums AS SELECT sum(a) AS total FROM own.t; \
         ALTER TABLE own.t OWNER TO loader; ALTER TABLE own.sums OWNER TO loader; \
         ALTER SYSTEM SET metadata_security = TRUE",
    );
    let secret = json!({ "username": "loader", "password": "Loader-pass1" });
    Account::connect(&fixture, &[("secret", secret)]);
    let mut service = person("loader", &[]);
    service.on_behalf_of = None;
    let run = async |sql: &str| {
        let body = json!({ "WorkgroupName": "wg", "Database": "dev", "Sql": sql,
            "SecretArn": "secret", "WaitTimeSeconds": 30 });
        let made = fixture.ok(&service, "ExecuteStatement", body).await;
        assert_eq!(made["Status"], "FINISHED", "{sql}");
        fixture.ended(&service, &made["Id"]).await["ResultRows"].clone()
    };
    assert_eq!(run("INSERT INTO own.t VALUES (1), (2)").await, 2);
    run("REFRESH MATERIALIZED VIEW own.sums").await;
    run("ANALYZE own.t").await;
    let totals = fixture.oracle("SELECT total FROM own.sums");
    assert_eq!(totals, [[Some("3".to_owned())]]);
    for (sql, error) in [
        ("DROP USER loader", "owns some object"),
        ("DROP TABLE own.t", "other objects depend on it"),
        (
            "ALTER TABLE own.t OWNER TO nobody",
            "user \"nobody\" does not exist",
        ),
    ] {
        let found = fixture.error(&administrator(), sql).await;
        assert!(found.contains(error), "{sql}: {found}");
    }
    fixture.admin("DROP MATERIALIZED VIEW own.sums; ALTER TABLE own.t ROW LEVEL SECURITY ON");
    assert_eq!(run("DELETE FROM own.t").await, 0);
    fixture.admin("DROP SCHEMA own CASCADE; DROP USER loader");
}

#[tokio::test]
async fn what_is_not_played_is_refused_by_name() {
    let fixture = Fixture::new();
    for (sql, what) in [
        (
            "CREATE MASKING POLICY m WITH (a INT) USING (NULL)",
            "dynamic data masking",
        ),
        (
            "CREATE VIEW v AS SELECT 1 AS a WITH NO SCHEMA BINDING",
            "late binding",
        ),
        ("CREATE FUNCTION f() RETURNS INT", "create function"),
        ("GRANT CREATE ON SCHEMA app TO PUBLIC", "CREATE on a schema"),
        ("ALTER SYSTEM SET metadata_security = FALSE", "syntax error"),
        (
            "CREATE MATERIALIZED VIEW v AUTO REFRESH YES AS SELECT 1 AS a",
            "AUTO REFRESH YES",
        ),
    ] {
        let error = fixture.error(&administrator(), sql).await;
        assert!(
            error.to_lowercase().contains(&what.to_lowercase()),
            "{sql}: {error}"
        );
    }
    assert_eq!(
        fixture.error(&frank(), "CALL app.load()").await,
        "ERROR: procedure load() does not exist"
    );
}
