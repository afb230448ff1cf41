//! Statements under a secret: a service identity, which is a user of the database.

use sandbox_core::Principal;
use serde_json::{Value, json};

use super::{
    account::Account,
    support::{Fixture, frank, through},
};

const SECRET: &str = "tributary/tenants/t1/warehouse";

/// A role session without a person.
fn service() -> Principal {
    Principal {
        on_behalf_of: None,
        ..through("run-events", &[], "WarehouseServiceRole")
    }
}

/// A warehouse with the user `loader`, whose name and password are in a secret.
fn with_loader() -> Fixture {
    let fixture = Fixture::new();
    fixture.admin(
        "CREATE USER loader PASSWORD 'Loader-pass1'; \
         CREATE USER closed PASSWORD DISABLE; \
         GRANT USAGE ON SCHEMA app TO loader; \
         GRANT SELECT ON app.sales_region TO loader",
    );
    let secret = |name: &str, password: &str| json!({ "username": name, "password": password });
    Account::connect(
        &fixture,
        &[
            (SECRET, secret("loader", "Loader-pass1")),
            ("stale", secret("loader", "Loader-pass2")),
            ("nobody", secret("nobody", "Loader-pass1")),
            ("closed", secret("closed", "Loader-pass1")),
            ("broken", json!("no object")),
        ],
    );
    fixture
}

fn under(secret: &str, sql: &str) -> Value {
    json!({ "WorkgroupName": "wg", "Database": "dev", "Sql": sql, "SecretArn": secret,
        "WaitTimeSeconds": 30 })
}

#[tokio::test]
async fn a_secret_makes_a_role_session_the_user_in_it_and_nothing_more() {
    let fixture = with_loader();
    let made = fixture
        .ok(
            &service(),
            "ExecuteStatement",
            under(SECRET, "SELECT current_user, session_user"),
        )
        .await;
    assert_eq!(made["Status"], "FINISHED");
    assert_eq!(made["DbUser"], "loader");
    assert_eq!(made["SecretArn"], SECRET);
    let id = json!({ "Id": made["Id"] });
    let result = fixture.ok(&service(), "GetStatementResult", id).await;
    let name = json!({ "stringValue": "loader" });
    assert_eq!(result["Records"], json!([[name, name]]));
    let denied = fixture
        .ok(
            &service(),
            "ExecuteStatement",
            under(SECRET, "SELECT sku FROM app.sales_data"),
        )
        .await;
    assert_eq!(denied["Status"], "FAILED");
    let described = fixture
        .ok(
            &service(),
            "DescribeStatement",
            json!({ "Id": denied["Id"] }),
        )
        .await;
    assert_eq!(
        described["Error"],
        "ERROR: permission denied for relation sales_data"
    );
}

#[tokio::test]
async fn a_wrong_password_an_unknown_user_and_a_disabled_one_fail_the_same_way() {
    let fixture = with_loader();
    for secret in ["stale", "nobody", "closed"] {
        let reply = fixture
            .call(&service(), "ExecuteStatement", under(secret, "SELECT 1"))
            .await;
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(body["__type"], "ExecuteStatementException", "{secret}");
        let message = body["Message"].as_str().unwrap();
        assert!(
            message.contains("password authentication failed"),
            "{message}"
        );
        assert!(!message.contains("Loader-pass"), "{message}");
    }
    for (secret, code) in [
        ("missing", "ResourceNotFoundException"),
        ("broken", "ValidationException"),
    ] {
        let refused = fixture
            .refused(&service(), "ExecuteStatement", under(secret, "SELECT 1"))
            .await;
        assert_eq!(refused, code);
    }
    let lists = json!({ "WorkgroupName": "wg", "Database": "dev", "SecretArn": "stale" });
    let refused = fixture.refused(&service(), "ListTables", lists).await;
    assert_eq!(refused, "DatabaseConnectionException");
}

#[tokio::test]
async fn a_changed_password_and_a_dropped_user_close_the_door() {
    let fixture = with_loader();
    fixture.admin("ALTER USER loader PASSWORD 'Loader-pass2'");
    fixture
        .ok(&service(), "ExecuteStatement", under("stale", "SELECT 1"))
        .await;
    let refused = fixture
        .refused(&service(), "ExecuteStatement", under(SECRET, "SELECT 1"))
        .await;
    assert_eq!(refused, "ExecuteStatementException");
    fixture.admin("DROP USER loader");
    let refused = fixture
        .refused(&service(), "ExecuteStatement", under("stale", "SELECT 1"))
        .await;
    assert_eq!(refused, "ExecuteStatementException");
}

/// Q6: a person's session stays that person, whatever secret it names.
#[tokio::test]
async fn a_session_with_a_person_takes_no_secret_and_a_role_without_one_is_nobody() {
    let fixture = with_loader();
    let refused = fixture
        .refused(&frank(), "ExecuteStatement", under(SECRET, "SELECT 1"))
        .await;
    assert_eq!(refused, "ValidationException");
    let plain = json!({ "WorkgroupName": "wg", "Database": "dev", "Sql": "SELECT 1" });
    let refused = fixture
        .refused(&service(), "ExecuteStatement", plain.clone())
        .await;
    assert_eq!(refused, "ExecuteStatementException");
    let mut named = plain;
    named["DbUser"] = "loader".into();
    let refused = fixture.refused(&service(), "ExecuteStatement", named).await;
    assert_eq!(refused, "ValidationException");
}

/// Q2: the statement is the role's, without a person.
#[tokio::test]
async fn a_services_statement_is_its_roles_and_no_persons() {
    let fixture = with_loader();
    let made = fixture
        .ok(&service(), "ExecuteStatement", under(SECRET, "SELECT 1"))
        .await;
    let id = json!({ "Id": made["Id"] });
    fixture
        .ok(&service(), "DescribeStatement", id.clone())
        .await;
    let person = through("frank", &[], "WarehouseServiceRole");
    let other = Principal {
        on_behalf_of: None,
        ..through("run-events", &[], "AnotherRole")
    };
    for who in [person, other] {
        let refused = fixture.refused(&who, "DescribeStatement", id.clone()).await;
        assert_eq!(refused, "ResourceNotFoundException");
    }
}

#[tokio::test]
async fn lists_under_a_secret_show_what_its_user_may_read() {
    let fixture = with_loader();
    let body = json!({ "WorkgroupName": "wg", "Database": "dev", "SecretArn": SECRET,
        "SchemaPattern": "app" });
    let tables = fixture.ok(&service(), "ListTables", body).await;
    assert_eq!(
        tables["Tables"],
        json!([{ "name": "sales_region", "schema": "app", "type": "TABLE" }])
    );
}

#[tokio::test]
async fn passwords_are_strong_and_are_not_shown_again() {
    let fixture = Fixture::new();
    for sql in [
        "CREATE USER a PASSWORD 'short1A'",
        "CREATE USER a PASSWORD 'nouppercase1'",
        "CREATE USER a PASSWORD 'NoDigitsHere'",
        "CREATE USER a PASSWORD 'Not@allowed1'",
        "CREATE USER a",
    ] {
        let made = fixture
            .redshift
            .execute_as_admin(sandbox_core::VENDOR_ACCOUNT, "dev", sql);
        assert!(made.is_err(), "{sql}");
    }
    let administrator = super::support::administrator();
    let described = fixture
        .run(
            &administrator,
            "CREATE USER a PASSWORD 'Secret-pass1' NOCREATEUSER",
        )
        .await;
    assert_eq!(described["Status"], "FINISHED", "{described}");
    assert_eq!(
        described["QueryString"],
        "CREATE USER a PASSWORD '***' NOCREATEUSER"
    );
}
