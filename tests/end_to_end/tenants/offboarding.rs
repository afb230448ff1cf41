//! O11: a tenant leaves; nothing that the service made for it stays behind unsaid.

use std::{sync::Arc, time::Duration};

use reqwest::Method;
use sandbox::{Sandbox, client::Api};
use sandbox_core::{Fault, FaultRule, REGION, VENDOR_ACCOUNT};
use serde_json::{Value, json};

use super::{call, time_passes, told_of};
use crate::{
    common::{self, Tenant},
    edge::wire,
    flows::world::{World, in_both_hosting_modes, landing_bucket},
};

mod o11_hosted {
    use super::in_both_hosting_modes;

    in_both_hosting_modes! {
        a_tenant_that_leaves_leaves_nothing_behind_unsaid;
        a_kill_in_the_middle_is_gone_on_with_by_the_next_tick;
    }
}

const STEP: Duration = Duration::from_mins(2);

/// Somebody else, whose flows run in the vendor's account.
struct Neighbour {
    tenant: Tenant,
    flow: String,
}

impl Neighbour {
    async fn of(sandbox: &Arc<Sandbox>) -> Self {
        let tenant = common::tenant(sandbox, "Neighbour", &[("alex", "admin")]).await;
        let alex = &tenant.people["alex"];
        let request = json!({ "hosting": "vendor", "region": REGION });
        let account = alex.api.post("/v1/accounts", &request).await.unwrap();
        let account = account.expect(201).unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let verify = format!("/v1/accounts/{account}/verify");
        alex.api
            .post(&verify, &json!({}))
            .await
            .unwrap()
            .expect(200)
            .unwrap();
        let connection = common::salesforce(sandbox, alex, &account).await;
        let mut flow = common::s3_flow(&account, &connection);
        flow["destination"]["bucket"] = json!(landing_bucket(VENDOR_ACCOUNT));
        flow["destination"]["prefix"] = json!(format!("{}/crm", tenant.id));
        let made = alex.api.post("/v1/flows", &flow).await.unwrap();
        let flow = made.expect(201).unwrap()["id"].as_str().unwrap().to_owned();
        Self { tenant, flow }
    }

    /// The flow still runs to its end.
    async fn works(&self) {
        crate::edge::world::run(self.tenant.api("alex"), &self.flow).await;
    }
}

async fn delete(operator: &Api, tenant: &str) -> sandbox::client::Answer {
    call(
        operator,
        Method::DELETE,
        &format!("/v1/tenants/{tenant}"),
        None,
    )
    .await
}

async fn offboarding(operator: &Api, tenant: &str) -> Value {
    let path = format!("/v1/tenants/{tenant}/offboarding");
    operator.get(&path).await.unwrap().expect(200).unwrap()
}

/// Names of what an account has in AppFlow.
async fn in_appflow(world: &World, account: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (operation, list, name) in [
        ("/list-flows", "flows", "flowName"),
        (
            "/describe-connector-profiles",
            "connectorProfileDetails",
            "connectorProfileName",
        ),
    ] {
        let found = world.appflow(account, operation, &json!({})).await.unwrap();
        let found = found[list].as_array().unwrap().iter();
        names.extend(found.map(|one| one[name].as_str().unwrap().to_owned()));
    }
    names
}

/// Items of the table that are the tenant's.
async fn items_of(world: &World) -> Vec<String> {
    let partition = format!("TENANT#{}", world.tenant.id);
    let items = world.sandbox.table_items().await;
    items
        .iter()
        .filter(|item| item["pk"]["S"].as_str().unwrap().starts_with(&partition))
        .map(|item| item["sk"]["S"].as_str().unwrap().to_owned())
        .filter(|sk| !sk.starts_with("AUDIT#"))
        .collect()
}

async fn is_gone(operator: &Api, world: &World) -> Value {
    for _ in 0..5 {
        time_passes(&world.sandbox, STEP).await;
        let seen = offboarding(operator, &world.tenant.id).await;
        if seen["state"] == "gone" {
            return seen;
        }
    }
    panic!("{}", offboarding(operator, &world.tenant.id).await);
}

async fn a_tenant_that_leaves_leaves_nothing_behind_unsaid(world: World) {
    let sandbox = &world.sandbox;
    let neighbour = Neighbour::of(sandbox).await;
    let operator = sandbox.operator().await.unwrap();
    let flow = world.create(&world.flow()).await;
    world.run(&flow).await;
    let scheduled = world.create(&world.scheduled_flow("rate(1 hours)")).await;
    world.act(&scheduled, "start").await.expect(200).unwrap();
    let neighbours = in_appflow(&world, VENDOR_ACCOUNT).await;
    let prefix = format!("tributary-{}-", world.tenant.id);
    let neighbours: Vec<String> = neighbours
        .into_iter()
        .filter(|name| !name.starts_with(&prefix))
        .collect();
    assert_eq!(neighbours.len(), 2, "{neighbours:?}");

    let begun = delete(&operator, &world.tenant.id).await;
    let location = format!("/v1/tenants/{}/offboarding", world.tenant.id);
    assert_eq!(begun.headers["location"], location.as_str());
    let begun = begun.expect(202).unwrap();
    assert_eq!(
        (&begun["state"], &begun["phase"]),
        (&json!("leaving"), &json!("flows"))
    );
    let again = delete(&operator, &world.tenant.id)
        .await
        .expect(202)
        .unwrap();
    assert_eq!(again["requestedAt"], begun["requestedAt"], "the same job");
    super::within_a_minute("the end of reads", || async {
        let answer = world.api().get("/v1/flows").await.unwrap();
        answer.status.as_u16() == 403 && answer.code() == "tenant_leaving"
    })
    .await;
    assert!(sandbox.sign_in("frank").await.is_err());

    let receipt = is_gone(&operator, &world).await;
    assert_eq!(receipt["phase"], "done");
    assert!(receipt["finishedAt"].is_string(), "{receipt}");
    for (kind, number) in [("flow", 2), ("account", 1), ("member", 1)] {
        let count = receipt["things"][kind]["count"].as_u64().unwrap();
        assert!(count >= number, "{kind}: {receipt}");
    }
    assert!(receipt["things"]["connection"]["count"].as_u64() >= Some(1));
    assert!(receipt["things"]["stray"].is_null(), "{receipt}");
    assert!(
        receipt["things"]["member"]["ids"].is_null(),
        "people are counted only"
    );
    // What is the customer's to delete is said: the stack of each account that was launched.
    let left = receipt["leftOver"].as_array().unwrap();
    assert!(
        left.iter()
            .all(|left| left["what"] == "cloudFormationStack"),
        "{left:?}"
    );
    assert_eq!(left.len(), 1, "{left:?}");

    // Nothing of it is in AppFlow, in Secrets Manager, at the provider or in the table.
    for account in [
        world.aws_account,
        VENDOR_ACCOUNT,
        sandbox_core::CUSTOMER_ACCOUNT,
    ] {
        let names = in_appflow(&world, account).await;
        assert!(
            !names.iter().any(|name| name.starts_with(&prefix)),
            "{names:?}"
        );
    }
    assert_eq!(in_appflow(&world, VENDOR_ACCOUNT).await, neighbours);
    assert_eq!(sandbox.salesforce.grants_of(&sandbox.salesforce_admin()), 1);
    let items = items_of(&world).await;
    assert!(
        items.iter().all(|sk| sk.starts_with("AWSACCOUNT#")),
        "{items:?}"
    );
    let frank = format!("SUBJECT#{}", sandbox.oidc.user("frank").unwrap().sub);
    let table = sandbox.table_items().await;
    assert!(!table.iter().any(|item| item["pk"]["S"] == frank.as_str()));

    // Nobody asks for its role any more, whatever the schedules do; the neighbour's works.
    neighbour.works().await;
    let acted = acts_as(&world);
    assert!(acted > 0);
    time_passes(sandbox, Duration::from_mins(6)).await;
    assert_eq!(acts_as(&world), acted);

    let again = delete(&operator, &world.tenant.id)
        .await
        .expect(200)
        .unwrap();
    assert_eq!(again, receipt, "deleting again shows the receipt");
    let told = told_of(sandbox, &world.tenant.id).await;
    assert_eq!(told, ["tributary.tenant.offboarded"]);
    wire::assert_no_failures(sandbox);
    common::no_leaks(sandbox).await;
}

/// How often somebody acted in a session of this tenant's: its id names the session.
fn acts_as(world: &World) -> usize {
    let entries = world.sandbox.journal.entries();
    let is_its = |principal: &String| principal.contains(&world.tenant.id);
    entries
        .iter()
        .filter(|entry| entry.principal.as_ref().is_some_and(is_its))
        .count()
}

async fn a_kill_in_the_middle_is_gone_on_with_by_the_next_tick(world: World) {
    let sandbox = &world.sandbox;
    let operator = sandbox.operator().await.unwrap();
    world.create(&world.flow()).await;
    world.create(&world.flow()).await;
    assert_eq!(delete(&operator, &world.tenant.id).await.status, 202);
    // The first flow is deleted, and the process dies before it hears of it.
    world.appflow_fault("delete-flow", Fault::Delay(8_000), 1);
    let tick = async {
        sandbox.clock.advance(STEP);
        sandbox.schedules.fire("tributary-watch").await;
    };
    let kill = async {
        common::eventually("the deletion in AppFlow", || async {
            (world.appflow_flows().await.len() == 1).then_some(())
        })
        .await;
        assert!(sandbox.runtime.kill_now("FlowsFunction") > 0);
    };
    tokio::join!(tick, kill);
    sandbox.runtime.settled().await;

    let receipt = is_gone(&operator, &world).await;
    assert_eq!(receipt["things"]["flow"]["count"], 2, "{receipt}");
    assert!(in_appflow(&world, world.aws_account).await.is_empty());
    assert_eq!(sandbox.salesforce.grants_of(&sandbox.salesforce_admin()), 0);
    common::no_leaks(sandbox).await;
}

/// A role that is gone and a provider that is away: everything else goes, and both are listed with
/// what the customer can do.
#[tokio::test(flavor = "multi_thread")]
async fn o11_what_cannot_be_removed_is_listed_as_left_over() {
    let world = World::without_schedules().await;
    let sandbox = &world.sandbox;
    let operator = sandbox.operator().await.unwrap();
    let flow = world.create(&world.flow()).await;
    let account = world
        .api()
        .get(&format!("/v1/accounts/{}", world.account))
        .await
        .unwrap();
    let account = account.expect(200).unwrap();
    let role = account["roleArn"].as_str().unwrap();
    assert!(sandbox.aws.delete_role(role));
    // Sessions that are out already end with the processes that have them.
    sandbox.runtime.kill_now("FlowsFunction");
    sandbox.faults.add(FaultRule {
        service: "salesforce".to_owned(),
        operation: "/services/oauth2/revoke".to_owned(),
        fault: Fault::Status {
            status: 503,
            retry_after: None,
            body: String::new(),
        },
        times: u32::MAX,
    });
    assert_eq!(delete(&operator, &world.tenant.id).await.status, 202);
    time_passes(sandbox, STEP).await;
    time_passes(sandbox, STEP).await;
    let waiting = offboarding(&operator, &world.tenant.id).await;
    assert_eq!(
        (&waiting["phase"], &waiting["state"]),
        (&json!("grants"), &json!("leaving"))
    );

    time_passes(sandbox, Duration::from_hours(25)).await;
    let receipt = is_gone(&operator, &world).await;
    let mut left: Vec<(&str, &str)> = receipt["leftOver"]
        .as_array()
        .unwrap()
        .iter()
        .map(|left| (left["what"].as_str().unwrap(), left["of"].as_str().unwrap()))
        .collect();
    left.sort_unstable();
    assert_eq!(
        left,
        [
            ("cloudFormationStack", "account"),
            ("flow", "flow"),
            ("grant", "connection"),
            ("profile", "connection"),
        ],
        "{receipt}"
    );
    let text = receipt.to_string();
    assert!(
        text.contains(flow["appflowName"].as_str().unwrap()),
        "{text}"
    );
    assert!(text.contains(role) && !text.contains(account["externalId"].as_str().unwrap()));
    assert!(
        items_of(&world)
            .await
            .iter()
            .all(|sk| sk.starts_with("AWSACCOUNT#"))
    );
    common::no_leaks(sandbox).await;
}
