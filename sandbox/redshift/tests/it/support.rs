//! A warehouse with the sales of four cities, and callers.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use sandbox_core::{
    AwsCall, AwsReply, AwsService as _, Clock, DirectoryUser, Principal, VENDOR_ACCOUNT,
};
use sandbox_redshift::Redshift;
use serde_json::{Value, json};

/// The administrator's script, as reviewed for the real warehouse.
const SCRIPT: &str = include_str!("../row_level_security.sql");

pub(crate) struct Fixture {
    pub(crate) redshift: Redshift,
    pub(crate) clock: Clock,
}

/// sku, quantity, price, city, country, timezone, population
const SALES: [[&str; 7]; 5] = [
    [
        "a",
        "3",
        "10.10",
        "Boston",
        "US",
        "America/New_York",
        "675647",
    ],
    ["b", "1", "0.20", "Lima", "PE", "America/Lima", "7737002"],
    ["c", "2", "99.99", "Paris", "FR", "Europe/Paris", "2138551"],
    ["d", "7", "5.55", "Osaka", "JP", "Asia/Tokyo", "2592413"],
    [
        "e",
        "1",
        "0.10",
        "Boston",
        "US",
        "America/New_York",
        "675647",
    ],
];

impl Fixture {
    pub(crate) fn new() -> Self {
        let clock = Clock::default();
        let redshift = Redshift::new(clock.clone());
        redshift
            .execute_as_admin(VENDOR_ACCOUNT, "dev", SCRIPT)
            .unwrap();
        let names = [
            "sku",
            "quantity",
            "sales_price",
            "city",
            "country",
            "timezone",
            "population",
        ];
        let rows: Vec<Vec<Option<String>>> = SALES
            .iter()
            .map(|row| row.iter().map(|value| Some((*value).to_owned())).collect())
            .collect();
        let columns = names.map(str::to_owned);
        redshift
            .insert_rows(VENDOR_ACCOUNT, "dev", "app.sales_data", &columns, &rows)
            .unwrap();
        redshift
            .execute_as_admin(
                VENDOR_ACCOUNT,
                "dev",
                "INSERT INTO app.sales_region VALUES ('America/New_York', 'AMER'), \
                 ('America/Lima', 'AMER'), ('Europe/Paris', 'EMEA'), ('Asia/Tokyo', 'APAC')",
            )
            .unwrap();
        Self { redshift, clock }
    }

    pub(crate) fn admin(&self, sql: &str) {
        self.redshift
            .execute_as_admin(VENDOR_ACCOUNT, "dev", sql)
            .unwrap();
    }

    /// Rows as the superuser sees them.
    pub(crate) fn oracle(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        self.redshift
            .query_as_admin(VENDOR_ACCOUNT, "dev", sql)
            .unwrap()
    }

    pub(crate) async fn call(&self, who: &Principal, operation: &str, body: Value) -> AwsReply {
        let mut headers = HeaderMap::new();
        let target = format!("RedshiftData.{operation}");
        headers.insert("x-amz-target", HeaderValue::from_str(&target).unwrap());
        let call = AwsCall {
            principal: who.clone(),
            region: "us-east-1".to_owned(),
            service: "redshift-data".to_owned(),
            method: Method::POST,
            path: "/".to_owned(),
            query: String::new(),
            headers,
            body: Bytes::from(body.to_string()),
        };
        self.redshift.handle(call).await
    }

    /// A call that succeeds.
    pub(crate) async fn ok(&self, who: &Principal, operation: &str, body: Value) -> Value {
        let reply = self.call(who, operation, body).await;
        assert_eq!(reply.status, 200, "{:?}", reply.body);
        serde_json::from_slice(&reply.body).unwrap()
    }

    /// The error code of a call that fails.
    pub(crate) async fn refused(&self, who: &Principal, operation: &str, body: Value) -> String {
        let reply = self.call(who, operation, body).await;
        assert!(!reply.status.is_success(), "{:?}", reply.body);
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        body["__type"].as_str().unwrap().to_owned()
    }

    /// Runs a statement to its end and describes it.
    pub(crate) async fn run(&self, who: &Principal, sql: &str) -> Value {
        let body = json!({ "WorkgroupName": "wg", "Database": "dev", "Sql": sql });
        let made = self.ok(who, "ExecuteStatement", body).await;
        self.ended(who, &made["Id"]).await
    }

    pub(crate) async fn ended(&self, who: &Principal, id: &Value) -> Value {
        let body = json!({ "Id": id, "WaitTimeSeconds": 30 });
        let described = self.ok(who, "DescribeStatement", body).await;
        assert_ne!(described["Status"], "STARTED");
        described
    }

    /// Records of a statement that finishes.
    pub(crate) async fn rows(&self, who: &Principal, sql: &str) -> Value {
        let described = self.run(who, sql).await;
        assert_eq!(described["Status"], "FINISHED", "{described}");
        let result = self
            .ok(who, "GetStatementResult", json!({ "Id": described["Id"] }))
            .await;
        result["Records"].clone()
    }

    /// Error text of a statement that fails.
    pub(crate) async fn error(&self, who: &Principal, sql: &str) -> String {
        let described = self.run(who, sql).await;
        assert_eq!(described["Status"], "FAILED", "{described}");
        described["Error"].as_str().unwrap().to_owned()
    }

    pub(crate) fn advance_hours(&self, hours: u64) {
        self.clock.advance(Duration::from_secs(hours * 3600));
    }
}

/// A person with groups, through the warehouse role of the vendor's account.
pub(crate) fn person(name: &str, groups: &[&str]) -> Principal {
    through(name, groups, "WarehouseUserRole")
}

pub(crate) fn through(name: &str, groups: &[&str], role: &str) -> Principal {
    Principal {
        access_key_id: format!("ASIA{}", name.to_uppercase()),
        account: VENDOR_ACCOUNT.to_owned(),
        arn: format!("arn:aws:sts::{VENDOR_ACCOUNT}:assumed-role/{role}/{name}"),
        role_arn: Some(format!("arn:aws:iam::{VENDOR_ACCOUNT}:role/{role}")),
        tags: [].into(),
        on_behalf_of: Some(DirectoryUser {
            user_id: format!("id-{name}"),
            user_name: name.to_owned(),
            groups: groups.iter().map(|g| (*g).to_owned()).collect(),
        }),
    }
}

pub(crate) fn frank() -> Principal {
    person("frank", &["amer-sales"])
}

pub(crate) fn ming() -> Principal {
    person("ming", &["apac-sales"])
}

pub(crate) fn ethan() -> Principal {
    person("ethan", &["exec-global"])
}

pub(crate) fn administrator() -> Principal {
    Principal {
        arn: format!("arn:aws:iam::{VENDOR_ACCOUNT}:user/admin"),
        role_arn: None,
        on_behalf_of: None,
        ..person("admin", &[])
    }
}
