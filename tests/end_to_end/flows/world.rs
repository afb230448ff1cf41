//! A tenant with Salesforce connected in the customer's account, and what its flows bring.

use std::{collections::BTreeSet, sync::Arc};

use http::Method;
use sandbox::{
    Options, Sandbox,
    client::{Answer, Api},
};
use sandbox_core::{CUSTOMER_ACCOUNT, Fault, FaultRule, REGION};
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
}

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

    async fn with(options: Options) -> Self {
        let sandbox = common::start_with(options).await;
        let tenant = common::tenant(&sandbox, "Sports Gear", &[("frank", "admin")]).await;
        let account = common::customer_account(&sandbox, tenant.api("frank")).await;
        let connection = common::salesforce(&sandbox, &tenant.people["frank"], &account).await;
        Self {
            sandbox,
            tenant,
            account,
            connection,
        }
    }

    pub(crate) fn api(&self) -> &Api {
        self.tenant.api("frank")
    }

    /// The plain flow on demand, for tests to change.
    pub(crate) fn flow(&self) -> Value {
        common::s3_flow(&self.account, &self.connection)
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
        self.records_in(CUSTOMER_ACCOUNT, run).await
    }

    /// The records that a run wrote into the landing bucket of an account.
    pub(crate) async fn records_in(&self, account: &str, run: &Value) -> Vec<Value> {
        let execution = run["executionId"].as_str().unwrap();
        let bucket = landing_bucket(account);
        let aws = &self.sandbox.aws;
        let keys = aws.list_objects(account, &bucket, "crm/").await.unwrap();
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
            .appflow(CUSTOMER_ACCOUNT, "/list-flows", &json!({}))
            .await
            .unwrap();
        let flows = listed["flows"].as_array().unwrap();
        flows
            .iter()
            .map(|flow| flow["flowName"].as_str().unwrap().to_owned())
            .collect()
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
