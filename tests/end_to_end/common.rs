//! What tests share: a sandbox, a tenant with its people, a connected account.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use http::Method;
use sandbox::{
    Options, Sandbox,
    client::{Answer, Api, Person, until},
};
use sandbox_core::{CUSTOMER_ACCOUNT, REGION};
use serde_json::{Value, json};

/// Starts a sandbox with the template as it is.
pub(crate) async fn start() -> Arc<Sandbox> {
    start_with(Options::default()).await
}

/// Starts a sandbox with options. What its roles use of their permissions is recorded for the target
/// `permissions`.
pub(crate) async fn start_with(options: Options) -> Arc<Sandbox> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("permissions");
    sandbox_aws::record_permissions(&folder).unwrap();
    Sandbox::start(options)
        .await
        .unwrap_or_else(|error| panic!("the sandbox did not start: {error}"))
}

/// A tenant and who is in it.
pub(crate) struct Tenant {
    pub(crate) id: String,
    pub(crate) people: BTreeMap<String, Person>,
}

impl Tenant {
    pub(crate) fn api(&self, name: &str) -> &Api {
        &self.people[name].api
    }
}

/// Makes a tenant with these members (name and roles) and signs them in.
pub(crate) async fn tenant(sandbox: &Sandbox, name: &str, members: &[(&str, &str)]) -> Tenant {
    let operator = sandbox.operator().await.unwrap();
    let list: Vec<Value> = members
        .iter()
        .map(|(name, role)| json!({ "subject": sandbox.oidc.user(name).unwrap().sub, "roles": [role] }))
        .collect();
    let made = operator
        .post("/v1/tenants", &json!({ "name": name, "members": list }))
        .await
        .unwrap()
        .expect(201)
        .unwrap();
    let mut people = BTreeMap::new();
    for (name, _) in members {
        people.insert((*name).to_owned(), sandbox.sign_in(name).await.unwrap());
    }
    Tenant {
        id: made["id"].as_str().unwrap().to_owned(),
        people,
    }
}

/// Sends a body with `PUT`.
pub(crate) async fn put(api: &Api, path: &str, body: &Value) -> Answer {
    let body = Some(body.to_string());
    api.call(Method::PUT, path, body, &[]).await.unwrap()
}

/// The operator opens these schemas of the vendor's warehouse to a tenant.
pub(crate) async fn open_schemas(sandbox: &Sandbox, tenant: &str, schemas: &[&str]) -> Value {
    let operator = sandbox.operator().await.unwrap();
    let path = format!("/v1/tenants/{tenant}/warehouse");
    let answer = put(&operator, &path, &json!({ "schemas": schemas })).await;
    answer.expect(200).unwrap()
}

/// Makes a database with tables in an account's Glue Data Catalog, as the account's administrator.
pub(crate) async fn database(sandbox: &Sandbox, account: &str, name: &str, tables: &[String]) {
    let admin = sandbox.aws.admin(account);
    let call = async |operation: &str, body: Value| {
        let reply = sandbox.aws.call(&admin, "glue", operation, &body).await;
        assert!(reply.status.is_success(), "{operation}: {:?}", reply.body);
    };
    call(
        "CreateDatabase",
        json!({ "DatabaseInput": { "Name": name } }),
    )
    .await;
    for table in tables {
        let input = json!({
            "Name": table, "TableType": "EXTERNAL_TABLE", "Parameters": { "classification": "csv", "owner": "canary" },
            "StorageDescriptor": {
                "Columns": [{ "Name": "id", "Type": "bigint" }], "Location": "s3://canary-bucket/orders/",
            },
        });
        let body = json!({ "DatabaseName": name, "TableInput": input });
        call("CreateTable", body).await;
    }
}

/// Onboards an AWS account of the customer: created, launched, verified.
pub(crate) async fn customer_account(sandbox: &Sandbox, api: &Api) -> String {
    customer_account_in(sandbox, api, CUSTOMER_ACCOUNT).await
}

/// Onboards this AWS account.
pub(crate) async fn customer_account_in(sandbox: &Sandbox, api: &Api, aws_account: &str) -> String {
    let request = json!({ "hosting": "customer", "awsAccountId": aws_account, "region": REGION });
    let account = api
        .post("/v1/accounts", &request)
        .await
        .unwrap()
        .expect(201)
        .unwrap();
    let parameters = Sandbox::launch_parameters(account["launchUrl"].as_str().unwrap()).unwrap();
    sandbox
        .launch_customer_stack(aws_account, parameters)
        .await
        .unwrap();
    let id = account["id"].as_str().unwrap().to_owned();
    let verified = api
        .post(&format!("/v1/accounts/{id}/verify"), &json!({}))
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    assert_eq!(verified["state"], "verified", "{verified}");
    id
}

/// Connects Salesforce in an account and answers the connection's id.
pub(crate) async fn salesforce(sandbox: &Sandbox, person: &Person, account: &str) -> String {
    let request = json!({
        "name": "CRM", "connector": "salesforce", "accountId": account,
        "returnTo": format!("{}/connected", sandbox.app_origin),
    });
    let connection = person
        .api
        .post("/v1/connections", &request)
        .await
        .unwrap()
        .expect(201)
        .unwrap();
    sandbox
        .consent(
            &person.browser,
            connection["startUrl"].as_str().unwrap(),
            "allow",
        )
        .await
        .unwrap();
    let id = connection["id"].as_str().unwrap().to_owned();
    let seen = person
        .api
        .get(&format!("/v1/connections/{id}"))
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    assert_eq!(seen["state"], "active", "{seen}");
    id
}

/// A flow from Salesforce to the customer's landing bucket, on demand, everything mapped.
pub(crate) fn s3_flow(account: &str, connection: &str) -> Value {
    json!({
        "name": "City sales to S3", "accountId": account,
        "source": { "connector": "salesforce", "connectionId": connection, "object": "City_Sales__c" },
        "destination": {
            "connector": "s3", "bucket": format!("tributary-landing-{CUSTOMER_ACCOUNT}-{REGION}"), "prefix": "crm",
            "format": { "file": "json" },
        },
        "trigger": { "type": "onDemand" },
        "mappings": [{ "type": "all" }],
    })
}

/// Waits for something that happens by itself.
pub(crate) async fn eventually<T, F, Fut>(what: &str, look: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    until(look)
        .await
        .unwrap_or_else(|| panic!("{what} did not happen"))
}

/// Ends a test: no seeded secret may have appeared anywhere (scenario I5), and what subscribers were
/// told is as documented (N1).
pub(crate) async fn no_leaks(sandbox: &Sandbox) {
    crate::notifications::schemas::assert_told_as_documented(&sandbox.notifications().await);
    let leaks = sandbox.sweep_for_leaks().await;
    assert!(leaks.is_empty(), "secrets leaked: {leaks:?}");
}
