//! A Salesforce with one object, pages of two records, and tokens that can be taken away.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{
    Form, Json, Router,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

pub(super) struct Org {
    /// The access token in force.
    pub(super) access_token: String,
    /// The refresh token in force; each use rotates it.
    pub(super) refresh_token: Option<String>,
    pub(super) records: Vec<Value>,
    pub(super) queries: Vec<String>,
    /// How often the token endpoint was asked, and with which grants.
    pub(super) grants: Vec<String>,
    pub(super) describes: usize,
    /// Fields that Salesforce does not filter.
    pub(super) unfilterable: Vec<&'static str>,
}

#[derive(Clone)]
pub(super) struct Salesforce {
    org: Arc<Mutex<Org>>,
    /// A query takes one permit; without permits it hangs.
    pub(super) gate: Arc<Semaphore>,
    pub(super) url: String,
}

pub(super) const FIELDS: &[(&str, &str)] = &[
    ("Id", "id"),
    ("Name", "string"),
    ("Sales__c", "currency"),
    ("LastModifiedDate", "datetime"),
    ("BillingAddress", "address"),
];

impl Salesforce {
    pub(super) async fn start() -> Self {
        let (listener, address) = sandbox_core::serve::bind(0).await.expect("port");
        let salesforce = Self {
            org: Arc::new(Mutex::new(Org {
                access_token: "00D-access-token-1".to_owned(),
                refresh_token: Some("5Aep-refresh-token-1".to_owned()),
                records: (1..=5).map(record).collect(),
                queries: Vec::new(),
                grants: Vec::new(),
                describes: 0,
                unfilterable: Vec::new(),
            })),
            gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
            url: format!("http://{address}"),
        };
        let app = Router::new()
            .route("/services/oauth2/token", post(token))
            .route("/services/data/v58.0/sobjects", get(sobjects))
            .route(
                "/services/data/v58.0/sobjects/{name}/describe",
                get(describe),
            )
            .route("/services/data/v58.0/query", get(query))
            .route("/services/data/v58.0/limits", get(limits))
            .route("/services/data/v58.0/queryAll", get(query))
            .route("/services/data/v58.0/query/{cursor}", get(more))
            .with_state(salesforce.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        salesforce
    }

    pub(super) fn org(&self) -> MutexGuard<'_, Org> {
        self.org.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refuse(&self, headers: &HeaderMap) -> Option<Response> {
        let wanted = format!("Bearer {}", self.org().access_token);
        if headers
            .get("authorization")
            .is_some_and(|h| h == wanted.as_str())
        {
            return None;
        }
        let body =
            json!([{ "errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid" }]);
        Some((StatusCode::UNAUTHORIZED, Json(body)).into_response())
    }

    fn page(&self, from: usize) -> Response {
        let org = self.org();
        let records: Vec<&Value> = org.records.iter().skip(from).take(2).collect();
        let done = from + 2 >= org.records.len();
        let next = format!("/services/data/v58.0/query/{}", from + 2);
        let mut body = json!({ "totalSize": org.records.len(), "done": done, "records": records });
        if !done {
            body["nextRecordsUrl"] = json!(next);
        }
        Json(body).into_response()
    }
}

pub(super) fn record(n: usize) -> Value {
    json!({
        "attributes": { "type": "City__c" },
        "Id": format!("a0{n}"),
        "Name": format!("City {n}"),
        "Sales__c": n * 10,
        "LastModifiedDate": "2026-01-01T00:00:00.000+0000",
    })
}

async fn token(State(sf): State<Salesforce>, Form(form): Form<Vec<(String, String)>>) -> Response {
    let member = |name: &str| {
        form.iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.clone())
            .unwrap_or_default()
    };
    let mut org = sf.org();
    org.grants.push(member("grant_type"));
    let client = member("client_id") == "app" && member("client_secret") == "app-secret-value";
    let good = match member("grant_type").as_str() {
        "authorization_code" => client && member("code") == "good-code",
        "refresh_token" => client && org.refresh_token == Some(member("refresh_token")),
        grant => grant.ends_with("jwt-bearer") && !member("assertion").is_empty(),
    };
    if !good {
        let body = json!({ "error": "invalid_grant", "error_description": "expired access/refresh token" });
        return (StatusCode::BAD_REQUEST, Json(body)).into_response();
    }
    let count = org.grants.len() + 1;
    org.access_token = format!("00D-access-token-{count}");
    let rotated = format!("5Aep-refresh-token-{count}");
    org.refresh_token = Some(rotated.clone());
    Json(json!({ "access_token": org.access_token, "refresh_token": rotated, "instance_url": sf.url }))
        .into_response()
}

async fn sobjects(State(sf): State<Salesforce>, headers: HeaderMap) -> Response {
    sf.refuse(&headers).unwrap_or_else(|| {
        let objects = json!([{ "name": "City__c", "label": "City" }, { "name": "Account", "label": "Account" }]);
        Json(json!({ "sobjects": objects })).into_response()
    })
}

async fn limits(State(sf): State<Salesforce>, headers: HeaderMap) -> Response {
    sf.refuse(&headers)
        .unwrap_or_else(|| Json(json!({})).into_response())
}

async fn describe(
    State(sf): State<Salesforce>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Some(refused) = sf.refuse(&headers) {
        return refused;
    }
    if name == "Missing__c" {
        let body = json!([{ "errorCode": "NOT_FOUND", "message": "The requested resource does not exist" }]);
        return (StatusCode::NOT_FOUND, Json(body)).into_response();
    }
    let mut org = sf.org();
    org.describes += 1;
    let mut fields: Vec<Value> = FIELDS
        .iter()
        .map(|(name, kind)| {
            json!({ "name": name, "label": name, "type": kind, "nillable": true, "createable": true,
                    "updateable": true, "filterable": !org.unfilterable.contains(name) })
        })
        .collect();
    if name == "Account" {
        fields.push(json!({ "name": "External_Id__c", "type": "string", "externalId": true }));
    }
    Json(json!({ "name": name, "fields": fields })).into_response()
}

async fn query(
    State(sf): State<Salesforce>,
    Query(parameters): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Response {
    if let Some(refused) = sf.refuse(&headers) {
        return refused;
    }
    let permit = sf.gate.clone().acquire_owned().await.expect("open gate");
    permit.forget();
    let soql = parameters
        .into_iter()
        .find(|(n, _)| n == "q")
        .map(|(_, v)| v)
        .unwrap_or_default();
    sf.org().queries.push(soql);
    sf.page(0)
}

async fn more(
    State(sf): State<Salesforce>,
    Path(cursor): Path<usize>,
    headers: HeaderMap,
) -> Response {
    sf.refuse(&headers).unwrap_or_else(|| sf.page(cursor))
}
