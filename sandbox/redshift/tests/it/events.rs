//! Status events of statements with `WithEvent`.

use sandbox_core::VENDOR_ACCOUNT;
use serde_json::json;

use super::{
    account::Account,
    support::{Fixture, frank},
};

#[tokio::test]
async fn the_end_of_a_statement_is_an_event_of_the_account_without_its_text() {
    let fixture = Fixture::new();
    let mut events = Account::connect(&fixture, &[]);
    for (sql, state) in [
        ("SELECT city FROM app.sales_data", "FINISHED"),
        ("SELECT nope", "FAILED"),
    ] {
        let body = json!({ "WorkgroupName": "wg", "Database": "dev", "Sql": sql,
            "StatementName": "reports/city-totals/v1", "WithEvent": true });
        let made = fixture.ok(&frank(), "ExecuteStatement", body).await;
        let (account, event) = events.recv().await.unwrap();
        assert_eq!(account, VENDOR_ACCOUNT);
        assert_eq!(event["source"], "aws.redshift-data");
        assert_eq!(
            event["detail-type"],
            "Redshift Data Statement Status Change"
        );
        assert_eq!(event["detail"]["statementId"], made["Id"]);
        assert_eq!(event["detail"]["state"], state);
        assert_eq!(
            event["detail"]["rows"],
            if state == "FINISHED" { 3 } else { -1 }
        );
        assert!(!event.to_string().contains("SELECT"));
    }
}
