//! Onboarding: a tenant's AWS account, from the external id to a proven role, and back.

mod accounts;
mod checks;
mod forwarding;
mod lifecycle;
mod permissions;
mod pool;
mod probes;
mod reports;

use sandbox::client::Api;
use sandbox_aws::Role;
use serde_json::{Value, json};

/// Registers an account of the customer's and answers it.
async fn register(api: &Api, aws_account: &str) -> Value {
    let request =
        json!({ "hosting": "customer", "awsAccountId": aws_account, "region": "us-east-1" });
    let answer = api.post("/v1/accounts", &request).await.unwrap();
    answer.expect(201).unwrap()
}

/// Verifies an account and answers what was found.
async fn verify(api: &Api, account: &Value) -> Value {
    let path = format!("/v1/accounts/{}/verify", text(account, "id"));
    let answer = api.post(&path, &json!({})).await.unwrap();
    answer.expect(200).unwrap()
}

/// A role with this ARN and trust policy.
fn role(arn: &str, trust_policy: Value) -> Role {
    Role {
        arn: arn.to_owned(),
        trust_policy,
        identity_policies: Vec::new(),
        max_session_seconds: 3_600,
    }
}

/// Trusts the vendor's account, if this condition holds.
fn trust(condition: &Value) -> Value {
    let mut allowed = json!({
        "Effect": "Allow",
        "Principal": { "AWS": "arn:aws:iam::111111111111:root" },
        "Action": "sts:AssumeRole",
    });
    if !condition.is_null() {
        allowed["Condition"] = condition.clone();
    }
    let tags = json!({
        "Effect": "Allow",
        "Principal": { "AWS": "arn:aws:iam::111111111111:root" },
        "Action": "sts:TagSession",
    });
    json!({ "Version": "2012-10-17", "Statement": [allowed, tags] })
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {value}"))
}

/// The outcomes of a report's probes, by name.
fn outcomes(verified: &Value) -> Vec<(&str, &str)> {
    let probes = verified["report"]["probes"].as_array().unwrap();
    probes
        .iter()
        .map(|probe| (text(probe, "name"), text(probe, "outcome")))
        .collect()
}
