//! A tenant of a story: what it has made, and how it acts.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use http::Method;
use sandbox::{
    Sandbox,
    client::{Answer, Api},
};
use sandbox_core::{REGION, VENDOR_ACCOUNT};
use sandbox_saas::oidc::{Signature, TokenUse};
use serde_json::{Value, json};

use super::{
    act::{Act, Kind},
    view::Names,
};
use crate::flows::world::{Hosting, landing_bucket};

/// Accounts of customers', each of one tenant.
static NEXT_ACCOUNT: AtomicU64 = AtomicU64::new(900_000_000_000);

/// Ids of what a tenant made, by kind, in order.
pub(super) type Made = BTreeMap<Kind, Vec<String>>;

pub(super) struct Party {
    tenant: String,
    api: Api,
    account: String,
    bucket: String,
    names: Names,
    pub(super) made: Made,
}

impl Party {
    /// A new tenant with an AWS account in which it can make flows.
    pub(super) async fn new(sandbox: &Sandbox, operator: &Api, hosting: Hosting) -> Self {
        let tenant = json!({ "name": "Same name", "members": [] });
        let made = operator.post("/v1/tenants", &tenant).await.unwrap();
        let tenant = text(&made.expect(201).unwrap(), "id");
        let claims = json!({ "tenant_id": tenant, "tenant_roles": "admin" });
        let token = sandbox
            .oidc
            .mint("alex", TokenUse::Access, claims, Signature::Current);
        let api = Api::new(&sandbox.api_url, token.as_deref());
        let aws_account = match hosting {
            Hosting::Vendor => VENDOR_ACCOUNT.to_owned(),
            Hosting::Customer => NEXT_ACCOUNT.fetch_add(1, Ordering::Relaxed).to_string(),
        };
        let request = match hosting {
            Hosting::Vendor => json!({ "hosting": "vendor", "region": REGION }),
            Hosting::Customer => json!({ "awsAccountId": aws_account, "region": REGION }),
        };
        let made = api.post("/v1/accounts", &request).await.unwrap();
        let made = made.expect(201).unwrap();
        if hosting == Hosting::Customer {
            let parameters = Sandbox::launch_parameters(made["launchUrl"].as_str().unwrap());
            let launched = sandbox.launch_customer_stack(&aws_account, parameters.unwrap());
            launched.await.unwrap();
        }
        let account = text(&made, "id");
        let verify = format!("/v1/accounts/{account}/verify");
        let verified = api.post(&verify, &json!({})).await.unwrap();
        let verified = verified.expect(200).unwrap();
        assert_eq!(verified["state"], "verified", "{verified}");
        Self {
            tenant,
            api,
            account,
            bucket: landing_bucket(&aws_account),
            names: Names::default(),
            made: Made::default(),
        }
    }

    /// Everything that the tenant can list.
    pub(super) async fn lists(&self) -> Value {
        self.reader().lists().await
    }

    /// The tenant at another browser, which reads only.
    pub(super) fn reader(&self) -> Reader {
        Reader {
            api: self.api.clone(),
            names: self.names.clone(),
        }
    }

    /// Acts, and answers what it saw.
    pub(super) async fn act(&mut self, sandbox: &Sandbox, act: &Act, theirs: &Made) -> Value {
        let answer = match *act {
            Act::Register(n) => self.register(n, &[]).await,
            Act::RegisterOnce(n) => self.register(n, &[("idempotency-key", "by-chance")]).await,
            Act::Ask => {
                let asked =
                    json!({ "name": "CRM", "connector": "salesforce", "accountId": self.account });
                self.make(Kind::Connection, &asked, &[]).await
            }
            Act::Connect => {
                let asked = json!({
                    "name": "Documents", "connector": "veeva", "accountId": self.account, "auth": "basic",
                    "instance": "acme", "credentials": { "username": "appflow", "password": "a-password" },
                });
                self.make(Kind::Connection, &asked, &[]).await
            }
            Act::Rename(n) => {
                let path = self.own(Kind::Connection, n);
                self.call(Method::PATCH, &path, Some(json!({ "name": "Renamed" })))
                    .await
            }
            Act::MakeFlow => {
                let flow = self.flow();
                self.make(Kind::Flow, &flow, &[]).await
            }
            Act::Run(n) => {
                let path = format!("{}/start", self.own(Kind::Flow, n));
                let answer = self.call(Method::POST, &path, Some(json!({}))).await;
                sandbox.appflow.settled().await;
                sandbox.events.settled().await;
                sandbox.runtime.settled().await;
                answer
            }
            Act::Runs(n) => {
                let path = format!("{}/runs", self.own(Kind::Flow, n));
                self.call(Method::GET, &path, None).await
            }
            Act::App => {
                let app = json!({ "clientId": "own-app", "clientSecret": "own-secret" });
                self.call(Method::PUT, "/v1/oauth-apps/hubspot", Some(app))
                    .await
            }
            Act::Show(kind, n) => self.call(Method::GET, &self.own(kind, n), None).await,
            Act::Delete(kind, n) => self.call(Method::DELETE, &self.own(kind, n), None).await,
            Act::ShowTheirs(kind) => {
                self.call(Method::GET, &of(kind, newest(theirs, kind)), None)
                    .await
            }
            Act::DeleteTheirs(kind) => {
                self.call(Method::DELETE, &of(kind, newest(theirs, kind)), None)
                    .await
            }
            Act::UseTheirs => {
                let mut flow = self.flow();
                let connection = newest(theirs, Kind::Connection);
                flow["source"] = json!({
                    "connector": "salesforce", "connectionId": connection, "object": "City_Sales__c",
                });
                self.make(Kind::Flow, &flow, &[]).await
            }
        };
        self.names.view(&answer)
    }

    /// A flow from one folder of the tenant's to another.
    fn flow(&self) -> Value {
        json!({
            "name": "Copies", "accountId": self.account,
            "source": {
                "connector": "s3", "bucket": self.bucket, "prefix": format!("{}/in", self.tenant), "file": "json",
            },
            "destination": {
                "connector": "s3", "bucket": self.bucket, "prefix": format!("{}/out", self.tenant),
                "format": { "file": "json" },
            },
            "trigger": { "type": "onDemand" }, "mappings": [{ "type": "all" }],
        })
    }

    async fn register(&mut self, n: u8, headers: &[(&str, &str)]) -> Answer {
        let number = format!("{n}").repeat(11);
        let request = json!({ "awsAccountId": format!("4{number}"), "region": REGION });
        self.make(Kind::Account, &request, headers).await
    }

    async fn make(&mut self, kind: Kind, body: &Value, headers: &[(&str, &str)]) -> Answer {
        let body = Some(body.to_string());
        let answer = self
            .api
            .call(Method::POST, kind.path(), body, headers)
            .await
            .unwrap();
        if let Some(id) = answer.body["id"].as_str() {
            let made = self.made.entry(kind).or_default();
            if !made.iter().any(|other| other == id) {
                made.push(id.to_owned());
            }
        }
        answer
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let body = body.map(|body| body.to_string());
        let headers = [("if-match", "*")];
        self.api.call(method, path, body, &headers).await.unwrap()
    }

    /// The path of the nth thing that this tenant made, or of one that never was.
    fn own(&self, kind: Kind, n: u8) -> String {
        let made = self.made.get(&kind).map_or(&[][..], Vec::as_slice);
        let id = made.get(usize::from(n)).or(made.last());
        of(kind, id.map_or(kind.unknown(), String::as_str))
    }
}

/// Who reads what a tenant has.
pub(super) struct Reader {
    api: Api,
    names: Names,
}

impl Reader {
    /// One list, at a moment when others act; what it holds is compared later.
    pub(super) async fn flows(&self) {
        let answer = self.api.get("/v1/flows").await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    /// Every list of the tenant's. What is named here first is named in the order of the story.
    pub(super) async fn lists(&self) -> Value {
        let mut seen = Vec::new();
        for path in [
            "/v1/accounts",
            "/v1/connections",
            "/v1/flows",
            "/v1/oauth-apps",
        ] {
            let answer = self.api.get(path).await.unwrap();
            seen.push(self.names.clone().view(&answer));
        }
        Value::from(seen)
    }
}

fn of(kind: Kind, id: &str) -> String {
    format!("{}/{id}", kind.path())
}

/// The newest thing of the other's; alone there is none.
fn newest(theirs: &Made, kind: Kind) -> &str {
    let newest = theirs.get(&kind).and_then(|made| made.last());
    newest.map_or(kind.unknown(), String::as_str)
}

fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap().to_owned()
}
