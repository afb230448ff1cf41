//! Glue's Data Catalog: the borrowed service has no pages and no order, answers tables of databases
//! that are not there with an empty list, and does not give columns and partition keys back.
//!
//! Lists come by name. A page that is not the first is followed up as Glue may do it at any time: the
//! page after it is empty and still has a token.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use http::{HeaderValue, StatusCode};
use sandbox_core::{AwsCall, AwsReply};
use serde_json::{Value, json};
use winterbaume_glue::GlueService;

use super::json as hand_over;
use crate::call::answer;

/// Largest page, and the page when nothing is said.
const LARGEST_PAGE: u64 = 100;
/// What a token of an empty page begins with.
const EMPTY: &str = "empty-";

/// The catalogue of one account.
#[derive(Default)]
pub(super) struct Catalogue {
    service: GlueService,
    /// What the service forgets of each table, by Region, database and table.
    kept: Mutex<BTreeMap<[String; 3], Value>>,
}

impl Catalogue {
    fn kept(&self) -> MutexGuard<'_, BTreeMap<[String; 3], Value>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, region: &str, body: &Value) {
        let input = &body["TableInput"];
        if let Some(at) = place(region, &body["DatabaseName"], &input["Name"]) {
            self.kept().insert(at, input.clone());
        }
    }

    fn restore(&self, region: &str, table: &mut Value) {
        let at = place(region, &table["DatabaseName"], &table["Name"]);
        if let Some(input) = at.and_then(|at| self.kept().get(&at).cloned()) {
            for member in ["StorageDescriptor", "PartitionKeys"] {
                table[member] = input[member].clone();
            }
        }
    }
}

fn place(region: &str, database: &Value, table: &Value) -> Option<[String; 3]> {
    let (database, table) = (database.as_str()?, table.as_str()?);
    Some([region, database, table].map(str::to_owned))
}

pub(super) async fn handle(glue: &Catalogue, call: &AwsCall) -> AwsReply {
    let reply = paged(&glue.service, call).await;
    let Ok(mut body) = answer(&reply) else {
        return reply;
    };
    let region = &call.region;
    match call.target_operation() {
        Some("CreateTable" | "UpdateTable") => {
            if let Ok(asked) = call.json() {
                glue.keep(region, &asked);
            }
            return reply;
        }
        Some("GetTable") => glue.restore(region, &mut body["Table"]),
        Some("GetTables") => {
            for table in body["TableList"].as_array_mut().into_iter().flatten() {
                glue.restore(region, table);
            }
        }
        _ => return reply,
    }
    AwsReply {
        body: body.to_string().into(),
        ..reply
    }
}

async fn paged(glue: &GlueService, call: &AwsCall) -> AwsReply {
    let list = match call.target_operation() {
        Some("GetDatabases") => "DatabaseList",
        Some("GetTables") => "TableList",
        _ => return hand_over(glue, call, &call.body).await,
    };
    let Ok(asked) = call.json() else {
        return refused("SerializationException", "the body is not JSON");
    };
    let most = asked["MaxResults"].as_u64().unwrap_or(LARGEST_PAGE);
    if !(1..=LARGEST_PAGE).contains(&most) {
        return refused("InvalidInputException", "MaxResults is from 1 to 100");
    }
    if let Some(database) = asked["DatabaseName"].as_str() {
        let mut found = call.clone();
        let target = HeaderValue::from_static("AWSGlue.GetDatabase");
        found.headers.insert("x-amz-target", target);
        let body = json!({ "Name": database }).to_string();
        let reply = hand_over(glue, &found, body.as_bytes()).await;
        if !reply.status.is_success() {
            return reply;
        }
    }
    let reply = hand_over(glue, call, &call.body).await;
    let Ok(mut all) = answer(&reply) else {
        return reply;
    };
    let mut items = all[list].as_array().cloned().unwrap_or_default();
    items.sort_by_key(|item| item["Name"].as_str().unwrap_or_default().to_owned());
    let token = asked["NextToken"].as_str().unwrap_or("0");
    let (begin, is_empty) = match token.strip_prefix(EMPTY) {
        Some(begin) => (begin.parse(), true),
        None => (token.parse(), false),
    };
    let begin: Result<usize, _> = begin;
    let Ok(begin) = begin else {
        return refused("InvalidInputException", "the token is not one of ours");
    };
    all[list] = json!([]);
    let next = if is_empty {
        Some(begin.to_string())
    } else {
        let end = begin + usize::try_from(most).unwrap_or_default();
        let page: Vec<Value> = items
            .iter()
            .skip(begin)
            .take(end - begin)
            .cloned()
            .collect();
        all[list] = json!(page);
        (end < items.len()).then(|| format!("{EMPTY}{end}"))
    };
    all["NextToken"] = json!(next);
    AwsReply {
        body: all.to_string().into(),
        ..reply
    }
}

fn refused(code: &str, message: &str) -> AwsReply {
    let body = json!({ "__type": code, "Message": message });
    AwsReply::json(StatusCode::BAD_REQUEST, "application/x-amz-json-1.1", &body)
}
