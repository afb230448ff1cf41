//! A record: who did what, for which tenant, and what came of it. No bodies, no query strings.

use std::collections::BTreeMap;

use axum::extract::{MatchedPath, Request};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Trail;
use crate::id::TenantId;

/// Longest id that is taken from a path.
const LONGEST: usize = 512;

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Who vouched.
    pub issuer: String,
    /// Who it is, within the issuer.
    pub subject: String,
    /// For which tenant; none for the vendor's own clients.
    pub tenant: Option<TenantId>,
    /// Whether it is one of the vendor's own clients.
    pub operator: bool,
}

/// A record of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// When the call came.
    pub time: Timestamp,
    /// The gateway's id of the request, as the caller got it.
    pub request_id: String,
    /// The caller's tenant; absent for the vendor's own clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<TenantId>,
    /// Who vouched for the caller.
    pub issuer: String,
    /// Who called, within the issuer: a person, or a client of the vendor.
    pub subject: String,
    /// Whether one of the vendor's own clients called.
    pub operator: bool,
    /// Method and route.
    pub operation: String,
    /// The ids in the path, by their names in the route, and what else was touched.
    pub resources: BTreeMap<String, String>,
    /// The answer's status.
    pub status: u16,
    /// The stable code of the refusal or of the result; absent where the status says it all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// A call, before it is known what comes of it.
#[derive(Debug)]
pub(in crate::http) struct Call {
    time: Timestamp,
    request_id: String,
    operation: String,
    resources: BTreeMap<String, String>,
}

impl Call {
    pub(super) fn of(request: &Request, request_id: &str) -> Self {
        let route = request.extensions().get::<MatchedPath>();
        let route = route.map_or("(no such route)", MatchedPath::as_str);
        Self {
            time: Timestamp::now(),
            request_id: if request_id.is_empty() {
                Uuid::now_v7().to_string()
            } else {
                request_id.to_owned()
            },
            operation: format!("{} {route}", request.method()),
            resources: resources(route, request.uri().path()),
        }
    }

    /// The record, if it is known who called.
    pub(super) fn record(
        mut self,
        trail: &Trail,
        status: u16,
        code: Option<&str>,
    ) -> Option<Record> {
        let known = trail.known();
        let actor = known.actor?;
        self.resources.extend(known.resources);
        Some(Record {
            time: self.time,
            request_id: self.request_id,
            tenant_id: actor.tenant,
            issuer: actor.issuer,
            subject: actor.subject,
            operator: actor.operator,
            operation: self.operation,
            resources: self.resources,
            status,
            code: code.map(str::to_owned).or(known.code),
        })
    }
}

impl Record {
    /// Where it is kept: by tenant and day, in order of time, never the same twice.
    pub fn key(&self) -> String {
        let owner = match (self.tenant_id, self.operator) {
            (Some(tenant), _) => tenant.to_string(),
            (None, true) => "operator".to_owned(),
            (None, false) => "nobody".to_owned(),
        };
        let day = self.time.strftime("%Y/%m/%d");
        let time = self.time.strftime("%Y%m%dT%H%M%S.%6fZ");
        // The gateway's ids are base64.
        let id: String = self
            .request_id
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .collect();
        format!("{owner}/{day}/{time}-{id}.json")
    }
}

/// What stands in a path where its route has names.
fn resources(route: &str, path: &str) -> BTreeMap<String, String> {
    route
        .split('/')
        .zip(path.split('/'))
        .filter_map(|(name, value)| {
            let name = name.strip_prefix('{')?.strip_suffix('}')?;
            let value: String = value.chars().take(LONGEST).collect();
            Some((name.to_owned(), value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn record(tenant: Option<TenantId>, operator: bool) -> Record {
        let request = Request::post("/v1/flows/flw_1/start?secret=x")
            .body(Body::empty())
            .unwrap();
        let trail = Trail::default();
        trail.acts(Actor {
            issuer: "https://idp.example".to_owned(),
            subject: "frank".to_owned(),
            tenant,
            operator,
        });
        let mut call = Call::of(&request, "AbC+/=d");
        call.time = "2026-01-02T03:04:05.000006Z".parse().unwrap();
        call.record(&trail, 403, Some("role_required")).unwrap()
    }

    #[test]
    fn a8_keys_are_in_order_of_time_and_name_the_tenant_first() {
        let tenant = TenantId::new();
        let key = record(Some(tenant), false).key();
        assert_eq!(
            key,
            format!("{tenant}/2026/01/02/20260102T030405.000006Z-AbC___d.json")
        );
        assert!(record(None, true).key().starts_with("operator/2026/"));
        assert!(record(None, false).key().starts_with("nobody/2026/"));
    }

    #[test]
    fn a8_ids_come_from_the_path_and_nothing_from_the_query() {
        let found = resources(
            "/v1/flows/{id}/runs/{runId}/cancel",
            "/v1/flows/flw_1/runs/run_2/cancel",
        );
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            [("id", "flw_1"), ("runId", "run_2")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        let text = serde_json::to_string(&record(None, true)).unwrap();
        assert!(!text.contains("secret"), "{text}");
    }

    #[test]
    fn a8_nobody_known_is_nobody_recorded() {
        let request = Request::post("/auth/token").body(Body::empty()).unwrap();
        let call = Call::of(&request, "");
        assert!(!call.request_id.is_empty());
        assert_eq!(call.record(&Trail::default(), 401, None), None);
    }
}
