//! What CloudTrail would keep of the Data API: who called what, and on whose behalf.
//!
//! Shaped as CloudTrail's records of `redshift-data.amazonaws.com`: SQL is omitted there, and so are
//! parameters here.

use std::{
    collections::VecDeque,
    sync::{Mutex, OnceLock},
};

use jiff::Timestamp;
use sandbox_core::AwsCall;
use serde_json::{Map, Value, json};

use crate::lock;

/// Records that are kept; the oldest go first.
const KEPT: usize = 20_000;

/// Members of requests that records leave out, because they hold data or text of people.
const OMITTED: [&str; 3] = ["Sql", "Sqls", "Parameters"];

/// Members of answers that records have.
const ANSWERED: [&str; 5] = [
    "Id",
    "Status",
    "Database",
    "WorkgroupName",
    "ClusterIdentifier",
];

/// The records.
#[derive(Default)]
pub(crate) struct Trail {
    records: Mutex<VecDeque<Value>>,
    /// ARN of Identity Center's user directory.
    pub(crate) identity_store: OnceLock<String>,
}

impl Trail {
    /// Writes a call down with what came of it: the answer's body or the error's code.
    pub(crate) fn record(
        &self,
        call: &AwsCall,
        asked: &Value,
        answer: Result<&Value, &str>,
        now: Timestamp,
    ) {
        let mut record = json!({
            "eventVersion": "1.11",
            "eventID": uuid::Uuid::new_v4().to_string(),
            "eventTime": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "eventSource": "redshift-data.amazonaws.com",
            "eventName": call.target_operation().unwrap_or_default(),
            "awsRegion": call.region,
            "recipientAccountId": call.principal.account,
            "userIdentity": self.identity(call),
            "requestParameters": request(asked),
            "responseElements": answer.ok().map(response),
        });
        if let Err(code) = answer {
            record["errorCode"] = code.into();
        }
        let mut records = lock(&self.records);
        if records.len() == KEPT {
            records.pop_front();
        }
        records.push_back(record);
    }

    pub(crate) fn records(&self) -> Vec<Value> {
        lock(&self.records).iter().cloned().collect()
    }

    fn identity(&self, call: &AwsCall) -> Value {
        let principal = &call.principal;
        let mut identity = json!({
            "type": if principal.role_arn.is_some() { "AssumedRole" } else { "IAMUser" },
            "arn": principal.arn,
            "accountId": principal.account,
            "accessKeyId": principal.access_key_id,
        });
        if let Some(role) = &principal.role_arn {
            identity["sessionContext"] = json!({
                "sessionIssuer": {
                    "type": "Role",
                    "arn": role,
                    "accountId": principal.account,
                    "userName": role.rsplit('/').next(),
                },
            });
        }
        if let Some(person) = &principal.on_behalf_of {
            identity["onBehalfOf"] = json!({
                "userId": person.user_id,
                "identityStoreArn": self.identity_store.get(),
            });
        }
        identity
    }
}

fn request(asked: &Value) -> Value {
    let members = asked.as_object().into_iter().flatten();
    let shown = members.map(|(name, value)| {
        let omitted = OMITTED.contains(&name.as_str());
        let value = if omitted {
            "***OMITTED***".into()
        } else {
            value.clone()
        };
        (lower(name), value)
    });
    Value::Object(shown.collect())
}

fn response(answer: &Value) -> Value {
    let members = ANSWERED.iter().filter_map(|name| {
        let value = answer.get(*name)?;
        Some((lower(name), value.clone()))
    });
    Value::Object(members.collect::<Map<String, Value>>())
}

/// CloudTrail's names begin with a small letter.
fn lower(name: &str) -> String {
    let mut chars = name.chars();
    let first = chars.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}
