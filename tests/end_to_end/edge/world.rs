//! Two tenants: Blue with everything that the API can make, and Red with the same and an admin who is
//! curious.

use std::{collections::BTreeMap, sync::Arc};

use http::StatusCode;
use sandbox::{
    Options, Sandbox,
    browser::Browser,
    client::{Api, Person},
};
use sandbox_core::{
    CUSTOMER_ACCOUNT, Fault, FaultRule, OTHER_CUSTOMER_ACCOUNT, REGION, VENDOR_ACCOUNT,
};
use serde_json::{Value, json};
use url::Url;

use super::contract::Ids;
use crate::{
    common::{self, Tenant},
    flows::world::{Hosting, landing_bucket},
};

/// The sandbox with both tenants.
pub(crate) struct World {
    pub(crate) sandbox: Arc<Sandbox>,
    /// Frank (admin), Ming (editor) and Ethan (viewer).
    pub(crate) blue: Tenant,
    /// Alex (admin).
    pub(crate) red: Tenant,
    /// What Blue has.
    pub(crate) blues: Ids,
    /// What Red has.
    pub(crate) reds: Ids,
    /// What neither has.
    pub(crate) nobodys: Ids,
    /// The AWS account of Blue's flows.
    pub(crate) aws_account: &'static str,
}

/// Builds both. Schedules stand still, so that only callers change anything. In the customers' mode
/// each has an AWS account of its own; in the vendor's both are in the vendor's.
pub(crate) async fn build(hosting: Hosting) -> World {
    let options = Options {
        run_schedules: false,
        environment: without_limits(),
        ..Options::default()
    };
    let sandbox = common::start_with(options).await;
    let members = [("frank", "admin"), ("ming", "editor"), ("ethan", "viewer")];
    let blue = common::tenant(&sandbox, "Blue", &members).await;
    let red = common::tenant(&sandbox, "Red", &[("alex", "admin")]).await;
    let (aws_account, reds_account) = match hosting {
        Hosting::Customer => (CUSTOMER_ACCOUNT, OTHER_CUSTOMER_ACCOUNT),
        Hosting::Vendor => (VENDOR_ACCOUNT, VENDOR_ACCOUNT),
    };
    let mut blues = things(&sandbox, &blue, "frank", aws_account).await;
    blues.set("Subject", &sandbox.oidc.user("ming").unwrap().sub);
    let mut reds = things(&sandbox, &red, "alex", reds_account).await;
    reds.set("Subject", &sandbox.oidc.user("alex").unwrap().sub);
    for (person, ids, provider) in [
        (&blue.people["frank"], &mut blues, "hubspot"),
        (&red.people["alex"], &mut reds, "microsoft"),
    ] {
        let app = json!({ "clientId": "own-app", "clientSecret": "own-secret" }).to_string();
        let path = format!("/v1/oauth-apps/{provider}");
        let put = person.api.call(http::Method::PUT, &path, Some(app), &[]);
        put.await.unwrap().expect(200).unwrap();
        ids.set("Provider", provider);
    }
    let mut nobodys = Ids::unknown();
    if aws_account != VENDOR_ACCOUNT {
        // Blue's bucket is to Red what any bucket of another account is.
        nobodys.set("Bucket", &landing_bucket(VENDOR_ACCOUNT));
    }
    World {
        sandbox,
        blue,
        red,
        blues,
        reds,
        nobodys,
        aws_account,
    }
}

impl World {
    /// Whether an operation has anything to show: tenants see no catalogue of the vendor's account.
    pub(crate) fn shows(&self, operation: &str) -> bool {
        let is_catalogue = ["list_databases", "list_tables", "show_table"].contains(&operation);
        !is_catalogue || self.aws_account != VENDOR_ACCOUNT
    }
}

/// Limits that nobody reaches: what is asked here in a row, people ask in hours.
pub(crate) fn without_limits() -> BTreeMap<String, BTreeMap<String, String>> {
    let limits = ["LIMIT_READ", "LIMIT_WRITE", "LIMIT_TOKEN"];
    let limits = limits.map(|name| (name.to_owned(), "10000/100000".to_owned()));
    let functions = ["FlowsFunction", "QueriesFunction"];
    functions
        .map(|id| (id.to_owned(), limits.clone().into()))
        .into()
}

/// One of everything that a tenant can have.
async fn things(sandbox: &Sandbox, tenant: &Tenant, name: &str, aws_account: &str) -> Ids {
    let person = &tenant.people[name];
    let mut ids = Ids::default();
    ids.set("TenantId", &tenant.id);
    ids.set("Folder", &format!("{}/crm", tenant.id));
    ids.set("Bucket", &landing_bucket(aws_account));
    let account = if aws_account == VENDOR_ACCOUNT {
        vendor_account(&person.api).await
    } else {
        common::customer_account_in(sandbox, &person.api, aws_account).await
    };
    ids.set("AccountId", &account);
    // That the account was verified.
    let events = person.api.get("/v1/events?limit=1").await.unwrap();
    ids.set(
        "EventId",
        &id(&events.expect(200).unwrap()["items"][0], "id"),
    );
    let connection = common::salesforce(sandbox, person, &account).await;
    ids.set("Profile", &format!("tributary-{}-{connection}", tenant.id));
    ids.set("ConnectionId", &connection);
    let definition = flow_of(&ids);
    let made = flow(&person.api, &definition).await;
    ids.set("RunId", &run(&person.api, &made).await);
    ids.set("FlowId", &made);
    ids.set("Alarm", &alarm(&person.api, &made, name).await);
    let operation = operation(sandbox, &person.api, &definition).await;
    ids.set("OperationId", &operation);
    let subscription = json!({
        "name": "Operations",
        "target": { "kind": "https", "url": sandbox.webhooks.url(&format!("{name}s")) },
    });
    let made = person.api.post("/v1/subscriptions", &subscription).await;
    let made = made.unwrap().expect(201).unwrap();
    ids.set("SubscriptionId", made["id"].as_str().unwrap());
    let (connection, attempt, candidate) = invited(sandbox, person, &account).await;
    ids.set("InvitedId", &connection);
    ids.set("AttemptId", &attempt);
    ids.set("CandidateId", &candidate);
    ids.set("QueryId", &query(sandbox, tenant, name).await);
    catalogue(sandbox, tenant, aws_account, &mut ids).await;
    for (kind, word, purpose, sql) in [
        ("RegisteredQuery", "query", "query", "SELECT 1 AS one"),
        ("AfterRunQuery", "load", "afterRun", "CALL load(:run_id)"),
    ] {
        let registered = format!("{name}s-{word}");
        let definition = json!({ "name": registered, "purpose": purpose, "sql": sql });
        let made = person.api.post("/v1/registered-queries", &definition).await;
        made.unwrap().expect(201).unwrap();
        ids.set(kind, &registered);
    }
    ids
}

/// Two databases with two tables. In the vendor's account there is no catalogue that tenants see.
async fn catalogue(sandbox: &Sandbox, tenant: &Tenant, aws_account: &str, ids: &mut Ids) {
    let (database, table) = (format!("db_{}", tenant.id), format!("table_{}", tenant.id));
    if aws_account != VENDOR_ACCOUNT {
        let tables = [table.clone(), "zebra".to_owned()];
        common::database(sandbox, aws_account, &database, &tables).await;
        common::database(sandbox, aws_account, "zebra", &[]).await;
    }
    ids.set("Database", &database);
    ids.set("Table", &table);
}

/// A place among the vendor's own accounts.
async fn vendor_account(api: &Api) -> String {
    let request = json!({ "hosting": "vendor", "region": REGION });
    let account = api.post("/v1/accounts", &request).await.unwrap();
    let account = id(&account.expect(201).unwrap(), "id");
    let verify = format!("/v1/accounts/{account}/verify");
    let verified = api.post(&verify, &json!({})).await.unwrap();
    assert_eq!(verified.expect(200).unwrap()["state"], "verified");
    account
}

/// The plain flow of the tenant that has these things.
pub(crate) fn flow_of(ids: &Ids) -> Value {
    let mut flow = common::s3_flow(&ids["AccountId"], &ids["ConnectionId"]);
    flow["destination"]["bucket"] = json!(&ids["Bucket"]);
    // Tenants share the vendor's bucket: each has a folder of its own.
    flow["destination"]["prefix"] = json!(&ids["Folder"]);
    flow
}

/// Makes a flow.
pub(crate) async fn flow(api: &Api, definition: &Value) -> String {
    let flow = api.post("/v1/flows", definition).await.unwrap();
    id(&flow.expect(201).unwrap(), "id")
}

/// Makes an alarm of a flow.
async fn alarm(api: &Api, flow: &str, name: &str) -> String {
    let name = format!("{name}s-failures");
    let alarm = json!({
        "name": name, "metric": "runsFailed", "comparison": "greaterThanOrEqual", "threshold": 1,
        "period": 300, "evaluationPeriods": 1, "treatMissingData": "ignore",
    });
    let made = api.post(&format!("/v1/flows/{flow}/alarms"), &alarm).await;
    made.unwrap().expect(201).unwrap();
    name
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

/// An operation that waits, because AppFlow throttled it.
async fn operation(sandbox: &Sandbox, api: &Api, definition: &Value) -> String {
    let body = json!({ "__type": "ThrottlingException", "message": "Rate exceeded" });
    sandbox.faults.add(FaultRule {
        service: "appflow".to_owned(),
        operation: "create-flow".to_owned(),
        fault: Fault::Status {
            status: 429,
            retry_after: None,
            body: body.to_string(),
        },
        times: 10_000,
    });
    let mut definition = definition.clone();
    definition["name"] = json!("Later");
    let answer = api.post("/v1/flows", &definition).await.unwrap();
    sandbox.faults.clear();
    id(&answer.expect(202).unwrap(), "operationId")
}

/// An invitation that somebody answered and nobody decided about: its connection, attempt and candidate.
async fn invited(sandbox: &Sandbox, person: &Person, account: &str) -> (String, String, String) {
    let connection = pending(&person.api, account).await;
    let path = format!("/v1/connections/{connection}/invitation");
    let made = person.api.post(&path, &json!({})).await.unwrap();
    let made = made.expect(201).unwrap();
    let invitation: Url = made["url"].as_str().unwrap().parse().unwrap();

    let guest = Browser::new().unwrap();
    let page = guest.get(&invitation).await.unwrap();
    let (token, csrf) = (page.hidden("token").unwrap(), page.hidden("csrf").unwrap());
    let fields = [("token", token.as_str()), ("csrf", csrf.as_str())];
    let onward = guest
        .post_form(&without_query(&page.url), &fields)
        .await
        .unwrap();
    let page = guest.follow(&onward.location.unwrap(), None).await.unwrap();
    let transaction = page.hidden("transaction").unwrap();
    let admin = sandbox.salesforce_admin();
    let fields = [
        ("transaction", transaction.as_str()),
        ("decision", "allow"),
        ("username", admin.as_str()),
    ];
    let decided = guest
        .post_form(&without_query(&page.url), &fields)
        .await
        .unwrap();
    let end = guest.get(&decided.location.unwrap()).await.unwrap();
    assert_eq!(end.status, StatusCode::OK, "{}", end.body);

    let path = format!("/v1/connections/{connection}");
    let seen = person.api.get(&path).await.unwrap().expect(200).unwrap();
    (
        connection,
        id(&made, "attemptId"),
        id(&seen["candidate"], "id"),
    )
}

fn without_query(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_query(None);
    url
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

fn id(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap().to_owned()
}
