//! Every route of the OpenAPI document, and who may call it.
//!
//! The matrix of roles and the isolation test walk this table; a documented route without a row, or
//! a row without a documented route, fails.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Browsers without an access token.
    Public,
    /// Whoever has an access token.
    Anyone,
    /// Members from this role on.
    Viewer,
    Editor,
    Admin,
    /// The vendor's machine client and nobody else.
    Operator,
}

/// A route of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) who: Who,
}

const fn route(method: &'static str, path: &'static str, who: Who) -> Route {
    Route { method, path, who }
}

/// All routes.
#[rustfmt::skip]
pub(crate) const ROUTES: &[Route] = &[
    route("GET", "/auth/login", Who::Public),
    route("GET", "/auth/callback", Who::Public),
    route("POST", "/auth/token", Who::Public),
    route("POST", "/auth/logout", Who::Public),
    route("GET", "/connect/start", Who::Public),
    route("POST", "/connect/start", Who::Public),
    route("GET", "/connect/invitation", Who::Public),
    route("POST", "/connect/invitation", Who::Public),
    route("GET", "/connect/callback/{provider}", Who::Public),
    route("GET", "/v1/me", Who::Anyone),
    route("GET", "/v1/tenants", Who::Operator),
    route("POST", "/v1/tenants", Who::Operator),
    route("GET", "/v1/tenants/{id}", Who::Operator),
    route("PATCH", "/v1/tenants/{id}", Who::Operator),
    route("DELETE", "/v1/tenants/{id}", Who::Operator),
    route("POST", "/v1/tenants/{id}/suspend", Who::Operator),
    route("POST", "/v1/tenants/{id}/resume", Who::Operator),
    route("GET", "/v1/tenants/{id}/offboarding", Who::Operator),
    route("GET", "/v1/tenants/{id}/members", Who::Operator),
    route("PUT", "/v1/tenants/{id}/members/{subject}", Who::Operator),
    route("DELETE", "/v1/tenants/{id}/members/{subject}", Who::Operator),
    route("GET", "/v1/vault", Who::Operator),
    route("GET", "/v1/accounts", Who::Viewer),
    route("POST", "/v1/accounts", Who::Admin),
    route("GET", "/v1/accounts/{id}", Who::Viewer),
    route("DELETE", "/v1/accounts/{id}", Who::Admin),
    route("POST", "/v1/accounts/{id}/verify", Who::Admin),
    route("GET", "/v1/connectors", Who::Viewer),
    route("GET", "/v1/connectors/{key}", Who::Viewer),
    route("GET", "/v1/connections", Who::Viewer),
    route("POST", "/v1/connections", Who::Editor),
    route("GET", "/v1/connections/{id}", Who::Viewer),
    route("PATCH", "/v1/connections/{id}", Who::Editor),
    route("DELETE", "/v1/connections/{id}", Who::Editor),
    route("POST", "/v1/connections/{id}/reconnect", Who::Editor),
    route("POST", "/v1/connections/{id}/invitation", Who::Editor),
    route("POST", "/v1/connections/{id}/confirm", Who::Editor),
    route("POST", "/v1/connections/{id}/reject", Who::Editor),
    route("GET", "/v1/connections/{id}/attempts/{attempt}", Who::Viewer),
    route("POST", "/v1/connect-tokens", Who::Editor),
    route("POST", "/v1/tenants/{id}/connect-tokens", Who::Operator),
    route("POST", "/v1/connections/{id}/refresh", Who::Editor),
    route("PUT", "/v1/connections/{id}/credentials", Who::Editor),
    route("GET", "/v1/oauth-apps", Who::Admin),
    route("GET", "/v1/oauth-apps/{provider}", Who::Admin),
    route("PUT", "/v1/oauth-apps/{provider}", Who::Admin),
    route("DELETE", "/v1/oauth-apps/{provider}", Who::Admin),
    route("GET", "/v1/connections/{id}/entities", Who::Viewer),
    route("GET", "/v1/connections/{id}/entities/{entity}", Who::Viewer),
    route("GET", "/v1/buckets", Who::Viewer),
    route("GET", "/v1/buckets/{bucket}/policy", Who::Viewer),
    route("PUT", "/v1/buckets/{bucket}/policy", Who::Admin),
    route("GET", "/v1/flows", Who::Viewer),
    route("POST", "/v1/flows", Who::Editor),
    route("POST", "/v1/flows/compile", Who::Viewer),
    route("POST", "/v1/flows/import", Who::Viewer),
    route("POST", "/v1/flows/permissions", Who::Viewer),
    route("GET", "/v1/flows/{id}", Who::Viewer),
    route("PUT", "/v1/flows/{id}", Who::Editor),
    route("DELETE", "/v1/flows/{id}", Who::Editor),
    route("POST", "/v1/flows/{id}/start", Who::Editor),
    route("POST", "/v1/flows/{id}/stop", Who::Editor),
    route("POST", "/v1/flows/{id}/validate", Who::Editor),
    route("GET", "/v1/flows/{id}/drift", Who::Viewer),
    route("POST", "/v1/flows/{id}/drift/accept", Who::Editor),
    route("POST", "/v1/flows/{id}/drift/overwrite", Who::Editor),
    route("POST", "/v1/flows/{id}/cancel", Who::Editor),
    route("POST", "/v1/flows/{id}/runs/{runId}/cancel", Who::Editor),
    route("GET", "/v1/operations/{id}", Who::Viewer),
    route("GET", "/v1/flows/{id}/permissions", Who::Viewer),
    route("GET", "/v1/flows/{id}/runs", Who::Viewer),
    route("GET", "/v1/flows/{id}/runs/{runId}", Who::Viewer),
    route("POST", "/v1/identity", Who::Viewer),
    route("POST", "/v1/queries", Who::Viewer),
    route("GET", "/v1/queries/{id}", Who::Viewer),
    route("GET", "/v1/queries/{id}/results", Who::Viewer),
    route("POST", "/v1/queries/{id}/cancel", Who::Viewer),
];

/// Ids to fill paths and bodies with.
#[derive(Debug, Clone)]
pub(crate) struct Ids {
    pub(crate) tenant: String,
    pub(crate) subject: String,
    pub(crate) account: String,
    pub(crate) connection: String,
    pub(crate) flow: String,
    pub(crate) run: String,
    pub(crate) query: String,
    pub(crate) connector: String,
    pub(crate) entity: String,
    /// The definition that the flow was made with.
    pub(crate) definition: Value,
}

impl Ids {
    /// Well-formed ids of things that never were.
    pub(crate) fn unknown() -> Self {
        let id = |prefix: &str| format!("{prefix}_0193d3f0aaaa7bbb8cccdddddddddddd");
        Self {
            tenant: id("ten"),
            subject: "00000000-0000-4000-8000-000000000000".to_owned(),
            account: id("acc"),
            connection: id("con"),
            flow: id("flw"),
            run: id("run"),
            query: format!("qry_{}", "A".repeat(96)),
            connector: "fax".to_owned(),
            entity: "Nothing__c".to_owned(),
            definition: crate::common::s3_flow(&id("acc"), &id("con")),
        }
    }
}

impl Route {
    /// Whether its path names something.
    pub(crate) fn names_something(self) -> bool {
        // Buckets are an account's, which the query or the body names.
        self.path.contains('{') || self.path == "/v1/buckets"
    }

    /// The path for these ids. A parameter that is not known here panics: it needs a case.
    pub(crate) fn path_for(self, ids: &Ids) -> String {
        let mut before = "";
        let segments = self.path.split('/').map(|segment| {
            let filled = match (before, segment) {
                (_, plain) if !plain.starts_with('{') => plain,
                ("tenants", "{id}") => &ids.tenant,
                ("members", "{subject}") => &ids.subject,
                ("accounts", "{id}") => &ids.account,
                ("connectors", "{key}") => &ids.connector,
                ("connections", "{id}") => &ids.connection,
                ("entities", "{entity}") => &ids.entity,
                ("flows", "{id}") => &ids.flow,
                ("runs", "{runId}") => &ids.run,
                ("attempts", "{attempt}") => "att_0193d3f0aaaa7bbb8cccdddddddddddd",
                // Tenants' own are walked in flows/throttle.rs.
                ("operations", "{id}") => "op_0193d3f0aaaa7bbb8cccdddddddddddd",
                ("queries", "{id}") => &ids.query,
                ("buckets", "{bucket}") => "tributary-landing-nowhere",
                ("callback", "{provider}") => "salesforce",
                // Providers are everybody's: one that is not there.
                ("oauth-apps", "{provider}") => "netscape",
                _ => panic!("{} has a parameter {segment} without a case", self.path),
            };
            before = segment;
            filled
        });
        let path = segments.collect::<Vec<_>>().join("/");
        if self.method == "GET" && path.starts_with("/v1/buckets") {
            return format!("{path}?accountId={}", ids.account);
        }
        path
    }

    /// A good body, which would do something if the caller were let in.
    pub(crate) fn body_for(self, ids: &Ids) -> Option<Value> {
        let body = match (self.method, self.path) {
            ("GET" | "DELETE", _) => return None,
            (_, "/v1/tenants") => json!({ "name": "Another", "members": [] }),
            (_, "/v1/tenants/{id}/members/{subject}") => json!({ "roles": ["admin"] }),
            (_, "/v1/accounts") => json!({ "awsAccountId": "444444444444", "region": "us-east-1" }),
            (_, "/v1/connections") => {
                json!({ "name": "Another", "connector": "salesforce", "accountId": ids.account })
            }
            (_, "/v1/connections/{id}/confirm" | "/v1/connections/{id}/reject") => {
                json!({ "candidate": "cnd_0193d3f0aaaa7bbb8cccdddddddddddd" })
            }
            (_, "/v1/connect-tokens" | "/v1/tenants/{id}/connect-tokens") => json!({
                "connection": ids.connection, "origin": "https://app.example", "subject": "u",
            }),
            ("PUT", "/v1/connections/{id}/credentials") => json!({ "credentials": {} }),
            (_, "/v1/oauth-apps/{provider}") => {
                json!({ "clientId": "another", "clientSecret": "another" })
            }
            (_, "/v1/tenants/{id}/suspend") => json!({ "reason": "A test." }),
            ("PATCH", "/v1/connections/{id}" | "/v1/tenants/{id}") => json!({ "name": "Renamed" }),
            ("PUT", "/v1/buckets/{bucket}/policy") => {
                json!({ "accountId": ids.account, "access": ["write"] })
            }
            (
                "POST" | "PUT",
                "/v1/flows" | "/v1/flows/compile" | "/v1/flows/permissions" | "/v1/flows/{id}",
            ) => {
                let mut definition = ids.definition.clone();
                definition["name"] = json!("Changed");
                definition
            }
            (_, "/v1/identity") => json!({ "idToken": "not-a-token" }),
            (_, "/v1/queries") => json!({ "query": "total-sales-by-city", "parameters": {} }),
            _ => json!({}),
        };
        Some(body)
    }
}

/// The document, as the functions generate it.
pub(crate) fn document() -> Value {
    serde_json::from_str(&sandbox::openapi::document().unwrap()).unwrap()
}

/// I1, A6: a new route has to say who may call it before these tests pass again.
#[test]
fn i1_a6_every_documented_route_has_a_case_and_every_case_a_route() {
    let document = document();
    let documented: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods.map(move |method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    let cases: BTreeSet<(String, String)> = ROUTES
        .iter()
        .map(|route| (route.method.to_owned(), route.path.to_owned()))
        .collect();
    assert_eq!(cases.len(), ROUTES.len(), "a route stands twice");
    assert_eq!(cases, documented);
    for route in ROUTES {
        assert!(!route.path_for(&Ids::unknown()).contains('{'), "{route:?}");
    }
}
