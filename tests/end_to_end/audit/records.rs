//! One record of each call, with who, what, for whom and what came of it, and no secret in any.

use std::collections::BTreeMap;

use sandbox::{Sandbox, client::Answer, trail::Kept};
use serde_json::{Value, json};

use crate::common;

/// What a record must say of a call that this test made.
struct Expected {
    who: String,
    tenant: Option<String>,
    operation: &'static str,
    status: u16,
    code: Option<String>,
}

/// The calls that this test made, by request id.
#[derive(Default)]
struct Calls(BTreeMap<String, Expected>);

impl Calls {
    fn note(
        &mut self,
        who: &str,
        tenant: Option<&str>,
        operation: &'static str,
        answer: Answer,
    ) -> Value {
        let id = answer.headers["x-request-id"].to_str().unwrap().to_owned();
        let expected = Expected {
            who: who.to_owned(),
            tenant: tenant.map(str::to_owned),
            operation,
            status: answer.status.as_u16(),
            code: answer.body["code"].as_str().map(str::to_owned),
        };
        assert!(self.0.insert(id, expected).is_none());
        answer.body
    }
}

fn by_request(trail: &[Kept]) -> BTreeMap<String, Vec<&Kept>> {
    let mut found: BTreeMap<String, Vec<&Kept>> = BTreeMap::new();
    for kept in trail {
        let id = kept.record["requestId"].as_str().unwrap().to_owned();
        found.entry(id).or_default().push(kept);
    }
    found
}

/// Ids of the requests that the functions logged and that may have changed something.
fn logged(sandbox: &Sandbox) -> Vec<String> {
    let lines = sandbox.logs.lines();
    let lines = lines
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(&line.text).ok());
    lines
        .filter(|line| {
            let path = line["http.path"].as_str().unwrap_or_default();
            let method = line["http.method"].as_str().unwrap_or("GET");
            method != "GET" && path.starts_with("/v1/")
        })
        .map(|line| line["request.id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a8_a_whole_run_leaves_one_record_of_each_call_that_may_change_something() {
    let sandbox = common::start().await;
    let members = [("frank", "admin"), ("ethan", "viewer")];
    let tenant = common::tenant(&sandbox, "Blue", &members).await;
    let (frank, ethan) = (tenant.api("frank"), tenant.api("ethan"));
    let account = common::customer_account(&sandbox, frank).await;
    let connection = common::salesforce(&sandbox, &tenant.people["frank"], &account).await;
    let sub = |name: &str| sandbox.oidc.user(name).unwrap().sub.clone();
    let (franks, ethans) = (sub("frank"), sub("ethan"));
    let (blue, mut calls) = (Some(tenant.id.as_str()), Calls::default());

    let definition = common::s3_flow(&account, &connection);
    let made = frank.post("/v1/flows", &definition).await.unwrap();
    let flow = calls.note(&franks, blue, "POST /v1/flows", made);
    let id = flow["id"].as_str().unwrap();
    let at = |rest: &str| format!("/v1/flows/{id}{rest}");
    let started = frank.post(&at("/start"), &json!({})).await.unwrap();
    calls.note(&franks, blue, "POST /v1/flows/{id}/start", started);
    let forbidden = ethan.post(&at("/start"), &json!({})).await.unwrap();
    let problem = calls.note(&ethans, blue, "POST /v1/flows/{id}/start", forbidden);
    assert_eq!(problem["code"], "role_required");
    let broken = frank.post("/v1/flows", &json!({})).await.unwrap();
    calls.note(&franks, blue, "POST /v1/flows", broken);
    let unknown = frank
        .post(
            "/v1/flows/flw_0193d3f0aaaa7bbb8cccdddddddddddd/stop",
            &json!({}),
        )
        .await
        .unwrap();
    calls.note(&franks, blue, "POST /v1/flows/{id}/stop", unknown);
    let renamed = frank
        .call(
            http::Method::PATCH,
            &format!("/v1/connections/{connection}"),
            Some(json!({ "name": "CRM 2" }).to_string()),
            &[],
        )
        .await
        .unwrap();
    calls.note(&franks, blue, "PATCH /v1/connections/{id}", renamed);
    let operator = sandbox.operator().await.unwrap();
    let put = operator
        .call(
            http::Method::PUT,
            &format!("/v1/tenants/{}/members/{ethans}", tenant.id),
            Some(json!({ "roles": ["editor"] }).to_string()),
            &[],
        )
        .await
        .unwrap();
    let machine = sandbox::OPERATOR_CLIENT_ID;
    calls.note(machine, None, "PUT /v1/tenants/{id}/members/{subject}", put);
    let reading = frank.get("/v1/flows").await.unwrap();
    let read = reading.headers["x-request-id"].to_str().unwrap();

    let trail = sandbox.audit_trail().await;
    let records = by_request(&trail);
    for (id, expected) in &calls.0 {
        let [kept] = records[id].as_slice() else {
            panic!("{} records of {}", records[id].len(), expected.operation);
        };
        let record = &kept.record;
        assert_eq!(record["operation"], expected.operation, "{record}");
        assert_eq!(record["subject"], expected.who.as_str(), "{record}");
        assert_eq!(record["tenantId"].as_str(), expected.tenant.as_deref());
        assert_eq!(record["operator"], expected.tenant.is_none());
        assert_eq!(record["status"], expected.status, "{record}");
        if expected.status >= 400 {
            assert_eq!(record["code"].as_str(), expected.code.as_deref());
        }
        let owner = expected.tenant.as_deref().unwrap_or("operator");
        assert!(kept.key.starts_with(&format!("{owner}/2")), "{}", kept.key);
    }
    assert!(!records.contains_key(read), "reading leaves no record");

    // Not only the calls above: whatever the functions logged, sign-in and consent included.
    let mut asked = logged(&sandbox);
    asked.sort();
    let mut recorded: Vec<String> = trail
        .iter()
        .filter(|kept| kept.record["operation"].as_str().unwrap().contains(" /v1/"))
        .map(|kept| kept.record["requestId"].as_str().unwrap().to_owned())
        .collect();
    recorded.sort();
    assert_eq!(recorded, asked);
    let consents: Vec<&Value> = trail
        .iter()
        .map(|kept| &kept.record)
        .filter(|record| record["operation"] == "GET /connect/callback/{provider}")
        .collect();
    let [consent] = consents.as_slice() else {
        panic!("{} consents", consents.len());
    };
    assert_eq!(consent["resources"]["connection"], connection.as_str());
    assert_eq!(consent["resources"]["provider"], "salesforce");
    assert_eq!(consent["code"], "connected");
    assert_eq!(consent["tenantId"], tenant.id.as_str());
    for step in [
        "GET /auth/callback",
        "POST /auth/token",
        "GET /connect/start",
    ] {
        let found = trail.iter().any(|kept| {
            kept.record["operation"] == step && kept.record["subject"] == franks.as_str()
        });
        assert!(found, "{step}");
    }
    for kept in &trail {
        let text = kept.record.to_string();
        assert_eq!(sandbox.canaries.found_in(&text), Vec::<String>::new());
    }
    common::no_leaks(&sandbox).await;
}
