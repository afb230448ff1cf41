//! Limits of the warehouse and of the Data API.

use std::time::Duration;

use serde_json::{Value, json};

use super::support::{Fixture, administrator, ethan, frank, ming};

const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";

fn execute(sql: &str) -> Value {
    json!({ "WorkgroupName": "wg", "Database": "dev", "Sql": sql })
}

/// Q10: the warehouse ends a statement that nobody waits for any more.
#[tokio::test]
async fn a_statement_that_takes_too_long_fails() {
    let fixture = Fixture::new();
    fixture
        .redshift
        .set_statement_timeout(Some(Duration::from_millis(50)));
    for who in [frank(), administrator()] {
        let error = fixture.error(&who, ENDLESS).await;
        assert!(error.contains("max_query_execution_time"), "{error}");
    }
    let sql = format!("INSERT INTO app.sales_data (sku) {ENDLESS}");
    let error = fixture.error(&administrator(), &sql).await;
    assert!(error.contains("max_query_execution_time"), "{error}");
    fixture.redshift.set_statement_timeout(None);
    assert_eq!(
        fixture
            .rows(&frank(), "SELECT count(*) FROM app.sales_data")
            .await,
        json!([[{ "longValue": 3 }]])
    );
}

#[tokio::test]
async fn a_row_and_a_result_can_be_too_large() {
    let fixture = Fixture::new();
    let long = "'".to_owned() + &"x".repeat(33_000) + "'";
    let error = fixture
        .error(&ethan(), &format!("SELECT {long} || {long} AS a"))
        .await;
    assert_eq!(error, "ERROR: Packet for query is too large");
    fixture.redshift.adjust(|limits| limits.result_bytes = 10);
    let error = fixture
        .error(&ethan(), "SELECT city FROM app.sales_data")
        .await;
    assert_eq!(error, "ERROR: Database response exceeded size limit");
    fixture
        .rows(&ethan(), "SELECT count(*) FROM app.sales_data")
        .await;
}

#[tokio::test]
async fn only_so_many_statements_run_at_once() {
    let fixture = Fixture::new();
    fixture
        .redshift
        .adjust(|limits| limits.active_statements = 1);
    let made = fixture
        .ok(&frank(), "ExecuteStatement", execute(ENDLESS))
        .await;
    let refused = fixture
        .refused(&ming(), "ExecuteStatement", execute("SELECT 1"))
        .await;
    assert_eq!(refused, "ActiveStatementsExceededException");
    fixture
        .ok(&frank(), "CancelStatement", json!({ "Id": made["Id"] }))
        .await;
    fixture
        .ok(&ming(), "ExecuteStatement", execute("SELECT 1"))
        .await;
}

#[tokio::test]
async fn only_so_many_requests_wait_for_one_statement() {
    let fixture = Fixture::new();
    fixture
        .redshift
        .adjust(|limits| limits.waiting_requests = 0);
    let made = fixture
        .ok(&frank(), "ExecuteStatement", execute(ENDLESS))
        .await;
    let waiting = json!({ "Id": made["Id"], "WaitTimeSeconds": 5 });
    for operation in ["DescribeStatement", "GetStatementResult"] {
        let refused = fixture.refused(&frank(), operation, waiting.clone()).await;
        assert_eq!(refused, "ActiveWaitingRequestsExceededException");
    }
    // Asking without waiting is always possible.
    fixture
        .ok(&frank(), "DescribeStatement", json!({ "Id": made["Id"] }))
        .await;
    fixture
        .redshift
        .adjust(|limits| limits.waiting_requests = 1);
    fixture
        .ok(&frank(), "CancelStatement", json!({ "Id": made["Id"] }))
        .await;
    fixture.ok(&frank(), "DescribeStatement", waiting).await;
}

/// Q9: each of many rows comes once, in pages that are cut by rows and by size.
#[tokio::test]
async fn a_long_result_comes_in_pages_of_bounded_size() {
    let fixture = Fixture::new();
    fixture.redshift.adjust(|limits| {
        limits.page_rows = usize::MAX;
        limits.page_bytes = 100_000;
    });
    let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) \
               SELECT i, 'row ' || i AS name FROM n";
    let described = fixture.run(&frank(), sql).await;
    assert_eq!(described["ResultRows"], 50_000, "{described}");
    let (mut next, mut seen, mut pages) = (Value::Null, 0_i64, 0);
    loop {
        let mut body = json!({ "Id": described["Id"] });
        if !next.is_null() {
            body["NextToken"] = next.clone();
        }
        let reply = fixture.call(&frank(), "GetStatementResult", body).await;
        assert!(reply.body.len() < 200_000, "{}", reply.body.len());
        let page: Value = serde_json::from_slice(&reply.body).unwrap();
        for row in page["Records"].as_array().unwrap() {
            seen += 1;
            assert_eq!(row[0]["longValue"], seen);
        }
        pages += 1;
        next = page["NextToken"].clone();
        if next.is_null() {
            break;
        }
    }
    assert_eq!(seen, 50_000);
    assert!(pages > 10, "{pages}");
}
