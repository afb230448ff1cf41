//! Two tenants: Blue with everything that the API can make, and Red with an admin who is curious.

use std::sync::Arc;

use sandbox::{Options, Sandbox, client::Api};
use sandbox_core::CUSTOMER_ACCOUNT;
use serde_json::{Value, json};

use super::routes::Ids;
use crate::common::{self, Tenant};

/// The sandbox with both tenants.
pub(crate) struct World {
    pub(crate) sandbox: Arc<Sandbox>,
    /// Frank (admin), Ming (editor) and Ethan (viewer).
    pub(crate) blue: Tenant,
    /// Alex (admin).
    pub(crate) red: Tenant,
    /// What Blue has.
    pub(crate) blues: Ids,
}

/// Builds both. Schedules stand still, so that only callers change anything.
pub(crate) async fn build() -> World {
    let options = Options {
        run_schedules: false,
        ..Options::default()
    };
    let sandbox = common::start_with(options).await;
    let members = [("frank", "admin"), ("ming", "editor"), ("ethan", "viewer")];
    let blue = common::tenant(&sandbox, "Blue", &members).await;
    let red = common::tenant(&sandbox, "Red", &[("alex", "admin")]).await;
    let frank = &blue.people["frank"];
    let account = common::customer_account(&sandbox, &frank.api).await;
    let connection = common::salesforce(&sandbox, frank, &account).await;
    let definition = common::s3_flow(&account, &connection);
    let flow = flow(&frank.api, &definition).await;
    let run = run(&frank.api, &flow).await;
    let query = query(&sandbox, &blue, "frank").await;
    let blues = Ids {
        tenant: blue.id.clone(),
        subject: sandbox.oidc.user("ming").unwrap().sub.clone(),
        account,
        connection,
        flow,
        run,
        query,
        connector: "salesforce".to_owned(),
        entity: "City_Sales__c".to_owned(),
        definition,
    };
    World {
        sandbox,
        blue,
        red,
        blues,
    }
}

/// Makes a flow.
pub(crate) async fn flow(api: &Api, definition: &Value) -> String {
    let flow = api.post("/v1/flows", definition).await.unwrap();
    id(&flow.expect(201).unwrap(), "id")
}

/// Runs a flow to its end.
pub(crate) async fn run(api: &Api, flow: &str) -> String {
    let started = api
        .post(&format!("/v1/flows/{flow}/start"), &json!({}))
        .await
        .unwrap();
    let run = id(&started.expect(202).unwrap(), "runId");
    let path = format!("/v1/flows/{flow}/runs/{run}");
    common::eventually("the end of the run", || async {
        let run = api.get(&path).await.ok()?.expect(200).ok()?;
        (run["status"] == "completed").then_some(())
    })
    .await;
    run
}

/// Runs a query of somebody's with more rows than a page has, and answers its id.
pub(crate) async fn query(sandbox: &Sandbox, tenant: &Tenant, name: &str) -> String {
    let tokens = sandbox
        .tokens(&tenant.people[name].browser, true)
        .await
        .unwrap();
    let api = Api::new(&sandbox.api_url, tokens["accessToken"].as_str());
    let identity = json!({ "idToken": tokens["idToken"] });
    let answer = api.post("/v1/identity", &identity).await.unwrap();
    answer.expect(200).unwrap();
    sandbox.redshift.set_page_rows(1);
    let sql = json!({ "sql": "SELECT 1 AS one UNION ALL SELECT 2 UNION ALL SELECT 3" });
    let query = api.post("/v1/queries", &sql).await.unwrap();
    id(&query.expect(200).unwrap(), "id")
}

/// Another registered account of Blue's kind, without anything launched.
pub(crate) async fn registered(api: &Api, aws_account: &str) -> String {
    let request = json!({ "awsAccountId": aws_account, "region": "us-east-1" });
    let account = api.post("/v1/accounts", &request).await.unwrap();
    id(&account.expect(201).unwrap(), "id")
}

/// A connection that nobody has consented to yet.
pub(crate) async fn pending(api: &Api, account: &str) -> String {
    let request = json!({ "name": "Later", "connector": "salesforce", "accountId": account });
    let connection = api.post("/v1/connections", &request).await.unwrap();
    id(&connection.expect(201).unwrap(), "id")
}

/// The flow of [`common::s3_flow`] with the landing bucket of another account.
pub(crate) fn s3_flow_in(aws_account: &str, account: &str, connection: &str) -> Value {
    let mut flow = common::s3_flow(account, connection);
    let bucket = flow["destination"]["bucket"].as_str().unwrap();
    flow["destination"]["bucket"] = json!(bucket.replace(CUSTOMER_ACCOUNT, aws_account));
    flow
}

fn id(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap().to_owned()
}
