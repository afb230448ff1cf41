//! Life of statements: owners, batches, client tokens, cancelling, expiry.

use serde_json::{Value, json};

use super::support::{Fixture, administrator, ethan, frank, ming, through};

const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";

fn execute(sql: &str) -> Value {
    json!({ "WorkgroupName": "wg", "Database": "dev", "Sql": sql })
}

/// Q2
#[tokio::test]
async fn a_statement_exists_for_its_person_and_role_only() {
    let fixture = Fixture::new();
    let id = json!({ "Id": fixture.run(&frank(), "SELECT 1").await["Id"] });
    for who in [
        ming(),
        through("frank", &["amer-sales"], "AnotherRole"),
        administrator(),
    ] {
        for operation in ["DescribeStatement", "GetStatementResult", "CancelStatement"] {
            let refused = fixture.refused(&who, operation, id.clone()).await;
            assert_eq!(refused, "ResourceNotFoundException");
        }
        let body = json!({ "WorkgroupName": "wg" });
        let list = fixture.ok(&who, "ListStatements", body).await;
        assert_eq!(list["Statements"], json!([]));
    }
    // Newer credentials of the same person through the same role.
    let mut later = frank();
    later.access_key_id = "ASIANEWER".to_owned();
    later.arn = later.arn.replace("/frank", "/frank-2");
    fixture.ok(&later, "GetStatementResult", id).await;
    let own = fixture
        .ok(&frank(), "ListStatements", json!({ "WorkgroupName": "wg" }))
        .await;
    assert_eq!(own["Statements"].as_array().unwrap().len(), 1);
    let refused = fixture.refused(&frank(), "ListStatements", json!({})).await;
    assert_eq!(refused, "ValidationException");
}

#[tokio::test]
async fn a_client_token_makes_one_statement_for_eight_hours() {
    let fixture = Fixture::new();
    let mut body = execute("SELECT 1");
    body["ClientToken"] = "same".into();
    let first = fixture.ok(&frank(), "ExecuteStatement", body.clone()).await;
    let again = fixture.ok(&frank(), "ExecuteStatement", body.clone()).await;
    assert_eq!(first["Id"], again["Id"]);
    let other = fixture.ok(&ming(), "ExecuteStatement", body.clone()).await;
    assert_ne!(first["Id"], other["Id"]);
    let mut changed = body.clone();
    changed["Sql"] = "SELECT 2".into();
    let refused = fixture.refused(&frank(), "ExecuteStatement", changed).await;
    assert_eq!(refused, "ValidationException");
    fixture.advance_hours(9);
    let later = fixture.ok(&frank(), "ExecuteStatement", body).await;
    assert_ne!(first["Id"], later["Id"]);
}

#[tokio::test]
async fn a_result_is_gone_after_a_day() {
    let fixture = Fixture::new();
    let id = json!({ "Id": fixture.run(&frank(), "SELECT 1").await["Id"] });
    fixture.advance_hours(23);
    fixture.ok(&frank(), "GetStatementResult", id.clone()).await;
    fixture.advance_hours(2);
    let refused = fixture.refused(&frank(), "GetStatementResult", id).await;
    assert_eq!(refused, "ResourceNotFoundException");
}

#[tokio::test]
async fn a_running_statement_can_be_cancelled_once_at_any_moment() {
    let fixture = Fixture::new();
    let made = fixture
        .ok(&frank(), "ExecuteStatement", execute(ENDLESS))
        .await;
    let id = json!({ "Id": made["Id"] });
    let refused = fixture
        .refused(&frank(), "GetStatementResult", id.clone())
        .await;
    assert_eq!(refused, "ValidationException");
    let cancelled = fixture.ok(&frank(), "CancelStatement", id.clone()).await;
    assert_eq!(cancelled, json!({ "Status": true }));
    assert_eq!(
        fixture.ended(&frank(), &made["Id"]).await["Status"],
        "ABORTED"
    );
    let refused = fixture.refused(&frank(), "CancelStatement", id).await;
    assert_eq!(refused, "ValidationException");
}

#[tokio::test]
async fn waiting_answers_with_the_end_of_the_statement() {
    let fixture = Fixture::new();
    let mut body = execute("SELECT city FROM app.sales_data");
    body["WaitTimeSeconds"] = 30.into();
    let made = fixture.ok(&frank(), "ExecuteStatement", body.clone()).await;
    assert_eq!(
        (&made["Status"], &made["HasResultSet"]),
        (&json!("FINISHED"), &json!(true))
    );
    body["WaitTimeSeconds"] = 31.into();
    let refused = fixture.refused(&frank(), "ExecuteStatement", body).await;
    assert_eq!(refused, "ValidationException");
}

#[tokio::test]
async fn a_batch_is_one_transaction_with_numbered_parts() {
    let fixture = Fixture::new();
    let batch = |sqls: Value| json!({ "WorkgroupName": "wg", "Database": "dev", "Sqls": sqls });
    let good = batch(json!([
        "SELECT 1 AS one",
        "SELECT count(*) FROM app.sales_data"
    ]));
    let made = fixture.ok(&ethan(), "BatchExecuteStatement", good).await;
    let ended = fixture.ended(&ethan(), &made["Id"]).await;
    assert_eq!(ended["Status"], "FINISHED");
    let second = json!({ "Id": ended["SubStatements"][1]["Id"] });
    let result = fixture.ok(&ethan(), "GetStatementResult", second).await;
    assert_eq!(result["Records"], json!([[{ "longValue": 5 }]]));

    let bad = batch(json!([
        "INSERT INTO app.sales_region VALUES ('x', 'y')",
        "SELECT * FROM app.missing",
        "SELECT 3"
    ]));
    let made = fixture
        .ok(&administrator(), "BatchExecuteStatement", bad)
        .await;
    let ended = fixture.ended(&administrator(), &made["Id"]).await;
    assert_eq!(
        ended["Error"],
        "Query #2 failed with ERROR: relation \"app.missing\" does not exist"
    );
    let states: Vec<&Value> = ended["SubStatements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| &s["Status"])
        .collect();
    assert_eq!(states, ["FINISHED", "FAILED", "ABORTED"]);
    assert_eq!(
        fixture.oracle("SELECT count(*) FROM app.sales_region"),
        [[Some("4".to_owned())]]
    );
}

#[tokio::test]
async fn what_the_api_does_not_take_is_refused_before_it_runs() {
    let fixture = Fixture::new();
    let with = |member: &str, value: Value| {
        let mut body = execute("SELECT 1");
        body[member] = value;
        body
    };
    for body in [
        with("ClusterIdentifier", "c".into()),
        with("WorkgroupName", Value::Null),
        with("Database", Value::Null),
        with("DbUser", "root".into()),
        with(
            "SecretArn",
            "arn:aws:secretsmanager:us-east-1:111111111111:secret:x".into(),
        ),
        with("SessionKeepAliveSeconds", 60.into()),
        with("WithEvent", true.into()),
        with("Sql", "x".repeat(101 * 1024).into()),
    ] {
        let refused = fixture.refused(&frank(), "ExecuteStatement", body).await;
        assert_eq!(refused, "ValidationException");
    }
}

/// SQLite has keywords that Redshift has not.
#[tokio::test]
async fn an_alias_may_be_any_word() {
    let fixture = Fixture::new();
    let described = fixture
        .run(
            &frank(),
            "SELECT 1 AS nothing, 2 AS Temp, city AS replace FROM app.sales_data AS glob",
        )
        .await;
    assert_eq!(described["Status"], "FINISHED", "{described}");
}
