//! A sandbox with a tenant and an account, a look into a connection's record, and time that passes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use reqwest::{Client, Method, Response, header, redirect::Policy};
use sandbox::{
    Options, Sandbox,
    browser::{Browser, Page},
    client::Person,
};
use sandbox_core::{
    CUSTOMER_ACCOUNT, Fault, FaultRule, Functions as _, Queues as _, REGION, VENDOR_ACCOUNT,
};
use serde_json::{Value, json};
use url::Url;

use crate::common::{self, Tenant};

pub(super) const TOKEN: &str = "/services/oauth2/token";
pub(super) const INTROSPECT: &str = "/services/oauth2/introspect";
pub(super) const REFRESH: &str = "TokenRefreshFunction";
/// Longer than a lease (the invocation's time and the clocks' difference) and the settling time.
pub(super) const LONG_ENOUGH: Duration = Duration::from_mins(10);

/// What the tests of this part begin with. Schedules fire when a test says so.
pub(super) struct World {
    pub(super) sandbox: Arc<Sandbox>,
    pub(super) tenant: Tenant,
    pub(super) account: String,
}

impl World {
    pub(super) async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    pub(super) async fn start_with(options: Options) -> Self {
        let sandbox = common::start_with(Options {
            run_schedules: false,
            ..options
        })
        .await;
        let tenant = common::tenant(
            &sandbox,
            "Sports gear",
            &[("frank", "admin"), ("ming", "editor")],
        )
        .await;
        let account = common::customer_account(&sandbox, tenant.api("frank")).await;
        Self {
            sandbox,
            tenant,
            account,
        }
    }

    /// A world with a connection that works.
    pub(super) async fn connected() -> (Self, String) {
        let world = Self::start().await;
        let connection = world.connect().await;
        (world, connection)
    }

    pub(super) async fn connect(&self) -> String {
        common::salesforce(&self.sandbox, self.frank(), &self.account).await
    }

    pub(super) fn frank(&self) -> &Person {
        &self.tenant.people["frank"]
    }

    /// Asks for a connection; answers its id and start link.
    pub(super) async fn ask(&self) -> (String, Url) {
        let request = json!({
            "name": "CRM", "connector": "salesforce", "accountId": self.account, "returnTo": self.return_to(),
        });
        let made = self
            .frank()
            .api
            .post("/v1/connections", &request)
            .await
            .unwrap()
            .expect(201)
            .unwrap();
        (
            made["id"].as_str().unwrap().to_owned(),
            made["startUrl"].as_str().unwrap().parse().unwrap(),
        )
    }

    /// Asks for a new consent; answers its start link.
    pub(super) async fn ask_again(&self, connection: &str) -> Url {
        let path = format!("/v1/connections/{connection}/reconnect");
        let request = json!({ "returnTo": self.return_to() });
        let made = self
            .frank()
            .api
            .post(&path, &request)
            .await
            .unwrap()
            .expect(200)
            .unwrap();
        made["startUrl"].as_str().unwrap().parse().unwrap()
    }

    pub(super) fn return_to(&self) -> String {
        format!("{}/connected", self.sandbox.app_origin)
    }

    /// Opens a start link and decides at the provider; answers the callback, which nobody has opened.
    pub(super) async fn decide(
        &self,
        browser: &Browser,
        start: &Url,
        decision: &str,
        username: &str,
    ) -> Url {
        let page = browser
            .follow(start, None)
            .await
            .unwrap()
            .expect(reqwest::StatusCode::OK)
            .unwrap();
        let transaction = page.hidden("transaction").unwrap();
        let mut form = page.url.clone();
        form.set_query(None);
        let fields = [
            ("transaction", transaction.as_str()),
            ("decision", decision),
            ("username", username),
        ];
        browser
            .post_form(&form, &fields)
            .await
            .unwrap()
            .location
            .unwrap_or_else(|| panic!("the provider did not send the browser back"))
    }

    /// The callback of a consent that Olivia gave in Frank's browser.
    pub(super) async fn allowed(&self, start: &Url) -> Url {
        self.decide(
            &self.frank().browser,
            start,
            "allow",
            &self.sandbox.salesforce_admin(),
        )
        .await
    }

    /// Walks a whole consent as Olivia; answers the result that the application is told.
    pub(super) async fn consent(&self, start: &Url) -> (String, String) {
        let callback = self.allowed(start).await;
        result(&self.frank().browser.get(&callback).await.unwrap())
    }

    /// The connection as the API shows it.
    pub(super) async fn seen(&self, connection: &str) -> Value {
        let path = format!("/v1/connections/{connection}");
        self.frank()
            .api
            .get(&path)
            .await
            .unwrap()
            .expect(200)
            .unwrap()
    }

    /// Whether AppFlow can use the connection.
    pub(super) async fn works(&self, connection: &str) -> bool {
        let path = format!("/v1/connections/{connection}/entities");
        self.frank()
            .api
            .get(&path)
            .await
            .unwrap()
            .status
            .is_success()
    }

    /// What AppFlow says of a flow.
    pub(super) async fn appflow_status(&self, flow: &Value) -> String {
        let aws = &self.sandbox.aws;
        let body = json!({ "flowName": flow["appflowName"] }).to_string();
        let admin = aws.admin(CUSTOMER_ACCOUNT);
        let reply = aws
            .call_rest(
                &admin,
                "appflow",
                Method::POST,
                "/describe-flow",
                body.into(),
            )
            .await;
        let described: Value = serde_json::from_slice(&reply.body).unwrap();
        described["flowStatus"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The connection's record.
    pub(super) async fn record(&self, connection: &str) -> Record {
        let key = format!("CONNECTION#{connection}");
        let items = self.sandbox.table_items().await;
        // Who granted is remembered under the same sort key, in other partitions.
        let is_record = |item: &Value| {
            let owner = item["pk"]["S"].as_str().unwrap_or_default();
            item["sk"]["S"] == key.as_str() && owner.starts_with("TENANT#")
        };
        Record(
            items
                .into_iter()
                .find(is_record)
                .unwrap_or_else(|| panic!("the connection is not in the table")),
        )
    }

    /// Changes an item of the table, as time or a fault would.
    pub(super) async fn change(&self, item: &Value, expression: &str, names: Value, values: Value) {
        let request = json!({
            "TableName": self.physical("Table"), "Key": { "pk": item["pk"], "sk": item["sk"] },
            "UpdateExpression": expression, "ExpressionAttributeNames": names, "ExpressionAttributeValues": values,
        });
        let reply = self
            .sandbox
            .aws
            .call(
                &self.sandbox.aws.admin(VENDOR_ACCOUNT),
                "dynamodb",
                "UpdateItem",
                &request,
            )
            .await;
        assert!(
            reply.status.is_success(),
            "{}",
            String::from_utf8_lossy(&reply.body)
        );
    }

    /// The lease runs out.
    pub(super) async fn the_lease_lapses(&self, connection: &str) {
        let record = self.record(connection).await;
        if record.0["lease_until"].is_object() {
            let names = json!({ "#l": "lease_until" });
            self.change(
                &record.0,
                "SET #l = :l",
                names,
                json!({ ":l": { "N": "1" } }),
            )
            .await;
        }
    }

    /// So much time passes for the call that an intent speaks of.
    pub(super) async fn the_intent_ages(&self, connection: &str, by: Duration) {
        let record = self.record(connection).await;
        let at: i64 = record.0["intent"]["M"]["at"]["N"]
            .as_str()
            .unwrap_or_else(|| panic!("no intent stands"))
            .parse()
            .unwrap();
        let aged = at - i64::try_from(by.as_millis()).unwrap();
        let names = json!({ "#i": "intent", "#a": "at" });
        self.change(
            &record.0,
            "SET #i.#a = :a",
            names,
            json!({ ":a": { "N": aged.to_string() } }),
        )
        .await;
    }

    /// Ticks of all shards at this time; answers how many connections they found due.
    pub(super) async fn tick_at(&self, time: Timestamp) -> u64 {
        let mut found = 0;
        for shard in 0..4 {
            let tick = json!({ "kind": "tick", "shard": shard, "scheduledTime": time });
            let answer = self
                .sandbox
                .runtime
                .invoke(REFRESH, tick)
                .await
                .unwrap_or_else(|error| panic!("the tick was not handled: {error}"));
            found += answer["enqueued"].as_u64().unwrap();
        }
        found
    }

    /// The gates before the providers as they are after hours: they let calls pass again.
    pub(super) async fn the_gates_cool(&self) {
        let items = self.sandbox.table_items().await;
        let gates = items.into_iter().filter(|item| item["sk"]["S"] == "GATE");
        for gate in gates {
            let names = json!({ "#g": "gate", "#c": "cool_until", "#p": "probe_at", "#n": "next_slot", "#v": "version" });
            let values = json!({ ":z": { "N": "0" }, ":one": { "N": "1" } });
            let change = "SET #g.#c = :z, #g.#p = :z, #g.#n = :z, #v = #v + :one";
            self.change(&gate, change, names, values).await;
        }
    }

    /// A tick at the connection's own due time, and the end of the work that it makes.
    pub(super) async fn when_due(&self, connection: &str) {
        self.the_gates_cool().await;
        let due = self.record(connection).await.number("due_at");
        self.tick_at(Timestamp::from_millisecond(due).unwrap())
            .await;
        self.queue_is_empty().await;
    }

    /// A tick long after everything was due.
    pub(super) async fn much_later(&self) -> u64 {
        self.the_gates_cool().await;
        let found = self
            .tick_at(Timestamp::now() + Duration::from_hours(24 * 60))
            .await;
        self.queue_is_empty().await;
        found
    }

    pub(super) fn physical(&self, resource: &str) -> String {
        self.sandbox.stack.resources[resource]
            .physical_id()
            .to_owned()
    }

    fn queue_arn(&self, resource: &str) -> String {
        let url = self.physical(resource);
        format!(
            "arn:aws:sqs:{REGION}:{VENDOR_ACCOUNT}:{}",
            url.rsplit('/').next().unwrap()
        )
    }

    /// Puts a message on the refresh queue.
    pub(super) async fn enqueue(&self, body: &str) {
        let queue = self.queue_arn("RefreshQueue");
        self.sandbox
            .aws
            .send(&queue, body.to_owned(), std::collections::BTreeMap::new())
            .await
            .unwrap();
    }

    /// A message about a connection at the generation that it has now.
    pub(super) async fn message(&self, connection: &str) -> String {
        let generation = self.record(connection).await.number("generation");
        let id = &self.tenant.id;
        json!({ "tenantId": id, "connectionId": connection, "generation": generation, "reason": "due" }).to_string()
    }

    /// Messages that a queue holds, in flight or not.
    pub(super) async fn waiting(&self, resource: &str) -> u64 {
        let request = json!({ "QueueUrl": self.physical(resource), "AttributeNames": ["All"] });
        let admin = self.sandbox.aws.admin(VENDOR_ACCOUNT);
        let reply = self
            .sandbox
            .aws
            .call(&admin, "sqs", "GetQueueAttributes", &request)
            .await;
        let answer: Value = serde_json::from_slice(&reply.body).unwrap();
        let count = |name: &str| {
            answer["Attributes"][name]
                .as_str()
                .and_then(|text| text.parse::<u64>().ok())
        };
        [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ]
        .into_iter()
        .map(|name| count(name).unwrap_or_else(|| panic!("no {name} in {answer}")))
        .sum()
    }

    /// Waits until the refresh queue has been empty for half a second: a message that came back and was
    /// not taken again yet is in none of a queue's counts.
    pub(super) async fn queue_is_empty(&self) {
        let looks = AtomicU32::new(0);
        let empty = || async {
            let is_empty = self.waiting("RefreshQueue").await == 0;
            let before = if is_empty {
                looks.fetch_add(1, Ordering::SeqCst)
            } else {
                looks.swap(0, Ordering::SeqCst)
            };
            (is_empty && before >= 10).then_some(())
        };
        common::eventually("the end of the refresh queue's work", empty).await;
    }

    pub(super) fn fault(&self, service: &str, operation: &str, fault: Fault, times: u32) {
        let rule = FaultRule {
            service: service.to_owned(),
            operation: operation.to_owned(),
            fault,
            times,
        };
        self.sandbox.faults.add(rule);
    }

    /// Notifications about a connection of this kind.
    pub(super) async fn told(&self, connection: &str, kind: &str) -> Vec<Value> {
        let all = self.sandbox.notifications().await;
        let kind = format!("tributary.connection.{kind}");
        all.into_iter()
            .filter(|event| event["subject"] == connection && event["type"] == kind.as_str())
            .collect()
    }

    /// The connection asks for a person, for this reason, and said so once.
    pub(super) async fn needs_a_person(&self, connection: &str, reason: &str) {
        let seen = self.seen(connection).await;
        assert_eq!(
            (seen["state"].as_str(), seen["reason"].as_str()),
            (Some("reauth_required"), Some(reason)),
            "{seen}"
        );
        let told = || async {
            Some(self.told(connection, "reauth_required").await).filter(|told| !told.is_empty())
        };
        let mut told = common::eventually("the notification", told).await;
        // A publisher that is killed after SNS took the event sends the same one, by its id, again.
        told.dedup_by(|one, other| one["id"] == other["id"]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0]["data"]["reason"], reason, "{told:?}");
    }

    /// No refresh token was ever presented twice, and no secret left its place.
    pub(super) async fn end(&self) {
        let counters = self.sandbox.salesforce.token_counters();
        assert_eq!(
            (counters.reuse_detected, counters.secret_in_url),
            (0, 0),
            "{counters:?}"
        );
        common::no_leaks(&self.sandbox).await;
    }
}

/// A connection's record, in DynamoDB's JSON.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Record(pub(super) Value);

impl Record {
    pub(super) fn number(&self, name: &str) -> i64 {
        self.0[name]["N"]
            .as_str()
            .unwrap_or_else(|| panic!("no {name} in {}", self.0))
            .parse()
            .unwrap()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0[name].is_object()
    }

    /// Generation, and the newest that AppFlow has.
    pub(super) fn generations(&self) -> (i64, i64) {
        (self.number("generation"), self.number("pushed_generation"))
    }
}

/// What the application is told at the end of a consent: result and code.
pub(super) fn result(page: &Page) -> (String, String) {
    let told = |name| {
        page.redirect_parameter(name).unwrap_or_else(|| {
            panic!(
                "no {name}: {} {:?} {}",
                page.status, page.location, page.body
            )
        })
    };
    (told("result"), told("code"))
}

pub(super) fn told(result: &str, code: &str) -> (String, String) {
    (result.to_owned(), code.to_owned())
}

/// A request with exactly these headers; redirects are not followed.
pub(super) async fn send(
    method: Method,
    url: &Url,
    headers: &[(header::HeaderName, &str)],
) -> Response {
    let client = Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .build()
        .unwrap();
    let mut request = client.request(method, url.clone());
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    request.send().await.unwrap()
}

/// The stable code of a refusal.
pub(super) async fn code(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default();
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}
