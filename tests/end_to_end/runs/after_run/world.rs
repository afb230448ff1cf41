//! A tenant's service identity in the warehouse, and a table that it loads.

use sandbox::warehouse::DATABASE;
use sandbox_core::{Fault, FaultRule, VENDOR_ACCOUNT};
use serde_json::{Value, json};
use tributary::id::RunId;

use crate::{common, flows::world::World};

/// Notes a run; the country is the flow's own parameter.
pub(super) const INSERT: &str =
    "INSERT INTO app.loads (run_id, flow_id, country) SELECT :run_id, :run_flow_id, :country";

/// What a test does around statements after runs.
pub(super) struct Loads<'a> {
    pub(super) world: &'a World,
    /// The database user of the tenant's service identity.
    pub(super) user: String,
}

impl<'a> Loads<'a> {
    /// A tenant with a service identity that may load `app.loads`, as docs/OPERATIONS.md makes one.
    pub(super) async fn with_identity(world: &'a World) -> Self {
        let loads = Self::without_secret(world);
        let password = loads.password();
        loads.admin(&format!("CREATE USER {} PASSWORD '{password}'", loads.user));
        loads.admin(&format!("GRANT USAGE ON SCHEMA app TO {}", loads.user));
        loads.admin(&format!(
            "GRANT INSERT ON TABLE app.loads TO {}",
            loads.user
        ));
        loads.secret(&password).await;
        loads
    }

    /// A tenant without a service identity.
    pub(super) fn without_secret(world: &'a World) -> Self {
        let loads = Self {
            world,
            user: format!("svc_{}", &world.tenant.id[4..]),
        };
        loads.admin(
            "CREATE TABLE app.loads (run_id VARCHAR(64), flow_id VARCHAR(64), country VARCHAR(64))",
        );
        loads
    }

    /// The password of the user, which must appear nowhere.
    pub(super) fn password(&self) -> String {
        let password = format!("Aa1{}", &RunId::new().to_string()[4..]);
        self.world
            .sandbox
            .canaries
            .seed("password of a service identity", &password);
        password
    }

    /// Writes the tenant's secret.
    pub(super) async fn secret(&self, password: &str) {
        let name = format!("tributary/tenants/{}/warehouse", self.world.tenant.id);
        let secret = json!({ "username": self.user, "password": password });
        let aws = &self.world.sandbox.aws;
        let written = aws.put_secret(VENDOR_ACCOUNT, &name, secret.to_string());
        written.await.unwrap();
    }

    /// What the warehouse's administrator runs.
    pub(super) fn admin(&self, sql: &str) {
        let redshift = &self.world.sandbox.redshift;
        redshift
            .execute_as_admin(VENDOR_ACCOUNT, DATABASE, sql)
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Registers a statement; `:country` is its parameter if it has it.
    pub(super) async fn register(&self, name: &str, sql: &str) -> Value {
        let parameters = if sql.contains(":country") {
            json!([{ "name": "country", "type": "text", "default": "Germany" }])
        } else {
            json!([])
        };
        let query =
            json!({ "name": name, "purpose": "afterRun", "sql": sql, "parameters": parameters });
        let api = self.world.api();
        let answer = api.post("/v1/registered-queries", &query).await.unwrap();
        answer.expect(201).unwrap()
    }

    /// Takes a registered query away behind the API's back, which keeps one that a flow names.
    pub(super) async fn lose_query(&self, name: &str) {
        let sandbox = &self.world.sandbox;
        let key = json!({
            "pk": { "S": format!("TENANT#{}", self.world.tenant.id) },
            "sk": { "S": format!("RQUERY#{name}") },
        });
        let table = sandbox.stack.resources["Table"].physical_id();
        let delete = json!({ "TableName": table, "Key": key });
        let admin = sandbox.aws.admin(VENDOR_ACCOUNT);
        let reply = sandbox
            .aws
            .call(&admin, "dynamodb", "DeleteItem", &delete)
            .await;
        assert!(reply.status.is_success(), "{}", reply.status);
    }

    /// The plain flow with something to do after its runs.
    pub(super) async fn flow(&self, after_run: &Value) -> Value {
        let mut flow = self.world.flow();
        flow["afterRun"] = after_run.clone();
        self.world.create(&flow).await
    }

    /// The run when nothing more is to come of it.
    pub(super) async fn after(&self, flow: &Value, run: &Value) -> Value {
        let id = run["id"].as_str().unwrap();
        common::eventually("the end of the statement", || async {
            let run = self.world.shown_run(flow, id).await;
            let state = run["afterRun"]["state"].as_str().unwrap_or_default();
            ["finished", "failed", "skipped"]
                .contains(&state)
                .then_some(run)
        })
        .await
    }

    /// What the table has: run, flow, country.
    pub(super) fn rows(&self) -> Vec<Vec<Option<String>>> {
        self.query("SELECT run_id, flow_id, country FROM app.loads ORDER BY 1")
    }

    /// How many rows a table has.
    pub(super) fn count(&self, table: &str) -> usize {
        let rows = self.query(&format!("SELECT count(*) FROM {table}"));
        rows[0][0].as_deref().unwrap().parse().unwrap()
    }

    fn query(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let redshift = &self.world.sandbox.redshift;
        redshift
            .query_as_admin(VENDOR_ACCOUNT, DATABASE, sql)
            .unwrap()
    }

    /// Puts a fault of the Data API in force.
    pub(super) fn fault(&self, operation: &str, fault: Fault, times: u32) {
        self.world.sandbox.faults.add(FaultRule {
            service: "redshift-data".to_owned(),
            operation: operation.to_owned(),
            fault,
            times,
        });
    }

    /// Lets time pass, and the reconciliation find what is due then.
    pub(super) async fn reconciled(&self) {
        let sandbox = &self.world.sandbox;
        sandbox.clock.advance(std::time::Duration::from_mins(5));
        assert!(sandbox.schedules.fire("tributary-reconcile").await);
        sandbox.runtime.settled().await;
        self.world.settled().await;
    }

    /// Ids of the statements that the Data API took for the service identity, each once.
    pub(super) fn statements(&self) -> std::collections::BTreeSet<String> {
        let trail = self.world.sandbox.redshift.trail();
        let sent = trail.iter().filter(|record| {
            record["eventName"] == "ExecuteStatement"
                && record["userIdentity"]["arn"]
                    .as_str()
                    .is_some_and(|arn| arn.contains("-warehouse-service/"))
        });
        sent.filter_map(|record| {
            let answer = record["responseElements"].as_object()?;
            let id = answer
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case("id"))?;
            id.1.as_str().map(str::to_owned)
        })
        .collect()
    }
}
