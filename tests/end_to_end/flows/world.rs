//! A tenant with Salesforce connected in the customer's account, and what its flows bring.

use std::{collections::BTreeSet, sync::Arc};

use http::Method;
use sandbox::{
    Options, Sandbox,
    client::{Answer, Api},
};
use sandbox_core::{CUSTOMER_ACCOUNT, Fault, FaultRule, REGION, VENDOR_ACCOUNT};
use serde_json::{Value, json};

use crate::common::{self, Tenant};

/// States from which a run does not move on.
const ENDS: [&str; 3] = ["completed", "failed", "cancelled"];

/// A sandbox in which frank is the admin of a tenant that can make flows.
pub(crate) struct World {
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) tenant: Tenant,
    pub(crate) account: String,
    pub(crate) connection: String,
    /// The AWS account in which the flows run.
    pub(crate) aws_account: &'static str,
}

/// In whose account the flows of a world run (F11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hosting {
    Customer,
    Vendor,
}

/// Makes one test per hosting mode of a scenario, which takes a world: both must come to the same.
macro_rules! in_both_hosting_modes {
    ($($(#[doc = $doc:literal])* $scenario:ident;)*) => {$(
        $(#[doc = $doc])*
        mod $scenario {
            use crate::flows::world::{Hosting, World};

            #[tokio::test(flavor = "multi_thread")]
            async fn f11_in_the_customers_account() {
                super::super::$scenario(World::hosted(Hosting::Customer).await).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn f11_in_the_vendors_account() {
                super::super::$scenario(World::hosted(Hosting::Vendor).await).await;
            }
        }
    )*};
}
pub(crate) use in_both_hosting_modes;

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    /// A world in which schedules of the vendor's fire only when a test fires them.
    pub(crate) async fn without_schedules() -> Self {
        Self::with(Options {
            run_schedules: false,
            ..Options::default()
        })
        .await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let sandbox = common::start_with(options).await;
        let tenant = common::tenant(&sandbox, "Sports Gear", &[("frank", "admin")]).await;
        let account = common::customer_account(&sandbox, tenant.api("frank")).await;
        let connection = common::salesforce(&sandbox, &tenant.people["frank"], &account).await;
        Self {
            sandbox,
            tenant,
            account,
            connection,
            aws_account: CUSTOMER_ACCOUNT,
        }
    }

    /// A world whose flows run in this account; schedules of the vendor's fire only when a test
    /// fires them.
    pub(crate) async fn hosted(hosting: Hosting) -> Self {
        let mut world = Self::without_schedules().await;
        if let Hosting::Vendor = hosting {
            let request = json!({ "hosting": "vendor", "region": REGION });
            let account = world.api().post("/v1/accounts", &request).await.unwrap();
            let account = account.expect(201).unwrap()["id"]
                .as_str()
                .unwrap()
                .to_owned();
            let verify = format!("/v1/accounts/{account}/verify");
            let verified = world.api().post(&verify, &json!({})).await.unwrap();
            assert_eq!(verified.expect(200).unwrap()["state"], "verified");
            let frank = &world.tenant.people["frank"];
            world.connection = common::salesforce(&world.sandbox, frank, &account).await;
            world.account = account;
            world.aws_account = VENDOR_ACCOUNT;
        }
        world
    }

    pub(crate) fn api(&self) -> &Api {
        self.tenant.api("frank")
    }

    /// The plain flow on demand, for tests to change.
    pub(crate) fn flow(&self) -> Value {
        let mut flow = common::s3_flow(&self.account, &self.connection);
        flow["destination"]["bucket"] = json!(landing_bucket(self.aws_account));
        if self.aws_account == VENDOR_ACCOUNT {
            // Tenants share the vendor's bucket: each has a folder of its own.
            flow["destination"]["prefix"] = json!(format!("{}/crm", self.tenant.id));
        }
        flow
    }

    /// The plain flow on a schedule.
    pub(crate) fn scheduled_flow(&self, every: &str) -> Value {
        let mut flow = self.flow();
        flow["trigger"] = json!({
            "type": "scheduled", "every": every, "pull": "incremental", "firstFrom": "2020-01-01T00:00:00Z",
        });
        flow
    }

    pub(crate) async fn create(&self, flow: &Value) -> Value {
        let answer = self.api().post("/v1/flows", flow).await.unwrap();
        answer.expect(201).unwrap()
    }

    pub(crate) async fn show(&self, flow: &Value) -> Value {
        let answer = self.api().get(&path(flow)).await.unwrap();
        answer.expect(200).unwrap()
    }

    /// `POST` of an action of a flow.
    pub(crate) async fn act(&self, flow: &Value, action: &str) -> Answer {
        let path = format!("{}/{action}", path(flow));
        self.api().post(&path, &json!({})).await.unwrap()
    }

    /// Any call with an `Idempotency-Key`.
    pub(crate) async fn post_once(&self, path: &str, body: &Value, key: &str) -> Answer {
        let headers = [("idempotency-key", key)];
        let body = Some(body.to_string());
        self.api()
            .call(Method::POST, path, body, &headers)
            .await
            .unwrap()
    }

    /// Starts an on-demand flow and answers the id of its run.
    pub(crate) async fn start(&self, flow: &Value) -> String {
        let started = self.act(flow, "start").await.expect(202).unwrap();
        started["runId"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn shown_run(&self, flow: &Value, run: &str) -> Value {
        let answer = self.api().get(&format!("{}/runs/{run}", path(flow))).await;
        answer.unwrap().expect(200).unwrap()
    }

    /// The run when it has ended.
    pub(crate) async fn ended(&self, flow: &Value, run: &str) -> Value {
        common::eventually("the run's end", || async {
            let run = self.shown_run(flow, run).await;
            has_ended(&run).then_some(run)
        })
        .await
    }

    /// Runs an on-demand flow to its end.
    pub(crate) async fn run(&self, flow: &Value) -> Value {
        let run = self.start(flow).await;
        let ended = self.ended(flow, &run).await;
        assert_eq!(ended["status"], "completed", "{ended}");
        ended
    }

    /// The flow's runs, newest first.
    pub(crate) async fn runs(&self, flow: &Value) -> Vec<Value> {
        let answer = self.api().get(&format!("{}/runs", path(flow))).await;
        items(answer.unwrap().expect(200).unwrap())
    }

    /// The flow's runs when there are so many and all have ended, newest first.
    pub(crate) async fn ended_runs(&self, flow: &Value, number: usize) -> Vec<Value> {
        common::eventually("the runs' end", || async {
            let runs = self.runs(flow).await;
            (runs.len() == number && runs.iter().all(has_ended)).then_some(runs)
        })
        .await
    }

    /// The records that a run wrote into a bucket of the customer's account.
    pub(crate) async fn records(&self, run: &Value) -> Vec<Value> {
        self.records_in(self.aws_account, run).await
    }

    /// The records that a run wrote into the landing bucket of an account.
    pub(crate) async fn records_in(&self, account: &str, run: &Value) -> Vec<Value> {
        let execution = run["executionId"].as_str().unwrap();
        let bucket = landing_bucket(account);
        let aws = &self.sandbox.aws;
        let keys = aws.list_objects(account, &bucket, "").await.unwrap();
        let mut records = Vec::new();
        for key in keys.iter().filter(|key| key.contains(execution)) {
            let object = aws.get_object(account, &bucket, key).await.unwrap();
            let text = std::str::from_utf8(&object).unwrap();
            records.extend(
                text.lines()
                    .map(|line| serde_json::from_str::<Value>(line).unwrap()),
            );
        }
        records
    }

    /// Asks AppFlow of an account directly, as its administrator. The error is AppFlow's status.
    pub(crate) async fn appflow(
        &self,
        account: &str,
        operation: &str,
        body: &Value,
    ) -> Result<Value, u16> {
        let aws = &self.sandbox.aws;
        let body = body.to_string().into();
        let reply = aws
            .call_rest(
                &aws.admin(account),
                "appflow",
                Method::POST,
                operation,
                body,
            )
            .await;
        if reply.status.is_success() {
            return Ok(serde_json::from_slice(&reply.body).unwrap());
        }
        Err(reply.status.as_u16())
    }

    /// Names of AppFlow's flows in the customer's account.
    pub(crate) async fn appflow_flows(&self) -> BTreeSet<String> {
        let listed = self
            .appflow(self.aws_account, "/list-flows", &json!({}))
            .await
            .unwrap();
        let flows = listed["flows"].as_array().unwrap();
        flows
            .iter()
            .map(|flow| flow["flowName"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Asks AppFlow about a flow directly, as the administrator of the flow's account.
    pub(crate) async fn console(&self, operation: &str, flow: &Value, more: Value) -> Value {
        let mut body = json!({ "flowName": flow["appflowName"] });
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        self.appflow(self.aws_account, operation, &body)
            .await
            .unwrap_or_else(|status| panic!("{operation} answered {status}"))
    }

    /// Changes a member of the flow's definition in the customer's console.
    pub(crate) async fn edit_in_console(&self, flow: &Value, pointer: &str, value: Value) {
        let mut described = self.console("/describe-flow", flow, json!({})).await;
        remove_nulls(&mut described);
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        described.pointer_mut(parent).unwrap()[member] = value;
        let members = [
            "description",
            "triggerConfig",
            "sourceFlowConfig",
            "destinationFlowConfigList",
            "tasks",
            "metadataCatalogConfig",
        ];
        let whole: serde_json::Map<String, Value> = members
            .into_iter()
            .filter(|member| !described[*member].is_null())
            .map(|member| (member.to_owned(), described[member].clone()))
            .collect();
        self.console("/update-flow", flow, Value::Object(whole))
            .await;
    }

    /// Lets six minutes pass and the watch look at every account that is due then.
    pub(crate) async fn watched(&self) {
        self.sandbox
            .clock
            .advance(std::time::Duration::from_mins(6));
        assert!(self.sandbox.schedules.fire("tributary-watch").await);
        self.sandbox.runtime.settled().await;
    }

    /// Puts a fault of AppFlow in force.
    pub(crate) fn appflow_fault(&self, operation: &str, fault: Fault, times: u32) {
        self.sandbox.faults.add(FaultRule {
            service: "appflow".to_owned(),
            operation: operation.to_owned(),
            fault,
            times,
        });
    }

    /// Holds runs up: the application answers their queries this late.
    pub(crate) fn slow_runs(&self, milliseconds: u64) {
        self.sandbox.faults.add(FaultRule {
            service: "salesforce".to_owned(),
            operation: "/query".to_owned(),
            fault: Fault::Delay(milliseconds),
            times: 100,
        });
    }

    /// Items of the table, but for the account's own: that it is watched outlives a refused flow.
    pub(crate) async fn items_of_flows(&self) -> usize {
        let items = self.sandbox.table_items().await;
        let is_watch = |item: &&Value| item["sk"].to_string().contains("WATCH#");
        items.len() - items.iter().filter(is_watch).count()
    }

    /// Waits until nothing is under way: no run, no event, no invocation, no notification.
    pub(crate) async fn settled(&self) {
        self.sandbox.appflow.settled().await;
        self.sandbox.events.settled().await;
        self.sandbox.runtime.settled().await;
        self.sandbox.sns.settled().await;
    }

    /// Notifications about this subject (a run), in the order in which they came.
    pub(crate) async fn told_of(&self, subject: &Value) -> Vec<Value> {
        let mut all = self.sandbox.notifications().await;
        all.retain(|event| event["subject"] == *subject);
        all
    }
}

/// The bucket in which the data of an account's flows land.
pub(crate) fn landing_bucket(account: &str) -> String {
    format!("tributary-landing-{account}-{REGION}")
}

/// Path of a flow.
pub(crate) fn path(flow: &Value) -> String {
    format!("/v1/flows/{}", flow["id"].as_str().unwrap())
}

/// Items of a list.
pub(crate) fn items(mut list: Value) -> Vec<Value> {
    let Value::Array(items) = list["items"].take() else {
        panic!("no list: {list}");
    };
    items
}

pub(crate) fn has_ended(run: &Value) -> bool {
    ENDS.iter().any(|end| run["status"] == *end)
}

/// The pointers and codes of a problem, sorted.
pub(crate) fn faults(problem: &Value) -> BTreeSet<String> {
    let faults = problem["errors"].as_array().cloned().unwrap_or_default();
    let text = |fault: &Value, name: &str| fault[name].as_str().unwrap_or_default().to_owned();
    faults
        .iter()
        .map(|fault| format!("{} {}", text(fault, "pointer"), text(fault, "code")))
        .collect()
}

fn remove_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(remove_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_nulls),
        _ => {}
    }
}
