//! Status events of statements with `WithEvent`.

use std::sync::Arc;

use bytes::Bytes;
use sandbox_core::{AccountServices, BoxFuture, VENDOR_ACCOUNT};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::support::{Fixture, frank};

/// The warehouse's account services: only events are of interest, everything else is refused.
struct Bus(UnboundedSender<(String, Value)>);

fn refused<'a, T: Send + 'a>() -> BoxFuture<'a, Result<T, String>> {
    Box::pin(async { Err("the warehouse only puts events".to_owned()) })
}

impl AccountServices for Bus {
    fn put_object<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: &'a str,
        _: Bytes,
    ) -> BoxFuture<'a, Result<(), String>> {
        refused()
    }

    fn get_object<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Bytes, String>> {
        refused()
    }

    fn list_objects<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, String>> {
        refused()
    }

    fn bucket_policy<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Option<Value>, String>> {
        refused()
    }

    fn put_secret<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: String,
    ) -> BoxFuture<'a, Result<String, String>> {
        refused()
    }

    fn get_secret<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<String, String>> {
        refused()
    }

    fn delete_secret<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<(), String>> {
        refused()
    }

    fn put_event<'a>(&'a self, account: &'a str, event: Value) -> BoxFuture<'a, ()> {
        Box::pin(async move { self.0.send((account.to_owned(), event)).unwrap() })
    }

    fn offer_event_source<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }

    fn event_source_is_active<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(async { false })
    }

    fn put_partner_event<'a>(&'a self, _: &'a str, _: &'a str, _: Value) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }

    fn insert_rows<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: &'a str,
        _: &'a [String],
        _: &'a [Vec<Option<String>>],
    ) -> BoxFuture<'a, Result<u64, String>> {
        refused()
    }
}

#[tokio::test]
async fn the_end_of_a_statement_is_an_event_of_the_account_without_its_text() {
    let fixture = Fixture::new();
    let (sender, mut events) = unbounded_channel();
    fixture.redshift.connect_services(Arc::new(Bus(sender)));
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
