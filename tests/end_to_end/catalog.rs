//! The Glue Data Catalog of a customer's account: what flows register there, and what is there anyway.

mod refusals;
mod tables;

use sandbox::{Sandbox, client::Answer};
use sandbox_aws::Role;
use sandbox_core::CUSTOMER_ACCOUNT;
use serde_json::{Value, json};

use crate::{common, flows::world::World};

const DATABASE: &str = "crm";
/// The role with which AppFlow registers tables; the template lets ours hand over roles named so.
const CATALOG_ROLE: &str = "tributary-catalog";

fn role_arn() -> String {
    format!("arn:aws:iam::{CUSTOMER_ACCOUNT}:role/{CATALOG_ROLE}")
}

/// The customer makes the role for the catalogue, as the flow's own permissions say it has to be.
async fn make_role(world: &World, flow: &Value) {
    let answer = world.api().post("/v1/flows/permissions", flow).await;
    let found = answer.unwrap().expect(200).unwrap();
    let grants = found["grants"].as_array().unwrap().iter();
    let grant = grants.clone().find(|grant| grant["place"] == "role");
    let grant = grant.unwrap();
    put_role(
        &world.sandbox,
        grant["policy"].clone(),
        grant["trustPolicy"].clone(),
    );
}

fn put_role(sandbox: &Sandbox, policy: Value, trust_policy: Value) {
    sandbox.aws.put_role(Role {
        arn: role_arn(),
        trust_policy,
        identity_policies: vec![policy],
        max_session_seconds: 3600,
    });
}

/// The plain flow, with its tables registered.
fn catalogued(world: &World) -> Value {
    let mut flow = world.flow();
    flow["destination"]["catalog"] = json!({
        "roleArn": role_arn(), "databaseName": DATABASE, "tablePrefix": "sf",
    });
    flow
}

/// `GET` below the catalogue of the world's account.
async fn get(world: &World, path: &str) -> Answer {
    let mark = if path.contains('?') { '&' } else { '?' };
    let path = format!("/v1/catalog/{path}{mark}accountId={}", world.account);
    world.api().get(&path).await.unwrap()
}

async fn shown(world: &World, path: &str) -> Value {
    get(world, path).await.expect(200).unwrap()
}

fn names(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|item| item["name"].as_str().unwrap().to_owned())
        .collect()
}

/// What somebody else made in the account's catalogue.
async fn make_database(world: &World, name: &str, tables: &[String]) {
    common::database(&world.sandbox, CUSTOMER_ACCOUNT, name, tables).await;
}
