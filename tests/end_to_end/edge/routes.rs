//! Every route of the OpenAPI document, and who may call it.
//!
//! What the routes are sent comes from the document itself (`contract.rs`); a documented route without
//! a row here, or a row without a documented route, fails there.

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
    route("GET", "/v1/tenants/{id}/warehouse", Who::Operator),
    route("PUT", "/v1/tenants/{id}/warehouse", Who::Operator),
    route("GET", "/v1/vault", Who::Operator),
    route("GET", "/v1/accounts", Who::Viewer),
    route("POST", "/v1/accounts", Who::Admin),
    route("GET", "/v1/accounts/{id}", Who::Viewer),
    route("DELETE", "/v1/accounts/{id}", Who::Admin),
    route("POST", "/v1/accounts/{id}/verify", Who::Admin),
    route("GET", "/v1/accounts/{id}/report", Who::Viewer),
    route("GET", "/v1/accounts/{id}/reports", Who::Viewer),
    route("GET", "/v1/report-keys", Who::Viewer),
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
    route("GET", "/v1/catalog/databases", Who::Viewer),
    route("GET", "/v1/catalog/databases/{database}/tables", Who::Viewer),
    route("GET", "/v1/catalog/databases/{database}/tables/{table}", Who::Viewer),
    route("GET", "/v1/events", Who::Viewer),
    route("GET", "/v1/events/{id}", Who::Viewer),
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
    route("GET", "/v1/identity", Who::Viewer),
    route("DELETE", "/v1/identity", Who::Viewer),
    route("GET", "/v1/warehouse/whoami", Who::Viewer),
    route("GET", "/v1/warehouse/schemas", Who::Viewer),
    route("GET", "/v1/warehouse/schemas/{schema}/tables", Who::Viewer),
    route("GET", "/v1/warehouse/schemas/{schema}/tables/{table}", Who::Viewer),
    route("POST", "/v1/queries", Who::Viewer),
    route("GET", "/v1/queries", Who::Viewer),
    route("GET", "/v1/queries/{id}", Who::Viewer),
    route("GET", "/v1/queries/{id}/results", Who::Viewer),
    route("POST", "/v1/queries/{id}/cancel", Who::Viewer),
    route("GET", "/v1/registered-queries", Who::Viewer),
    route("POST", "/v1/registered-queries", Who::Admin),
    route("GET", "/v1/registered-queries/{name}", Who::Viewer),
    route("PUT", "/v1/registered-queries/{name}", Who::Admin),
    route("DELETE", "/v1/registered-queries/{name}", Who::Admin),
];
