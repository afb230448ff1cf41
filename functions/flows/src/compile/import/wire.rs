//! AppFlow's JSON, as its API, its CLI or an infrastructure template's author has it, becomes our
//! request. What the request has no member for is told, never dropped.

use jiff::Timestamp;
use serde_json::{Map, Value};
use tributary::{error::Fault, http::body::parse};

use crate::compile::CreateFlowRequest;

/// What DescribeFlow adds about a flow's life, and CreateFlow's token: no part of a definition.
const NOT_OF_THE_DEFINITION: [&str; 12] = [
    "flowArn",
    "flowStatus",
    "flowStatusMessage",
    "lastRunExecutionDetails",
    "lastRunMetadataCatalogDetails",
    "createdAt",
    "lastUpdatedAt",
    "createdBy",
    "lastUpdatedBy",
    "schemaVersion",
    "clientToken",
    "ResponseMetadata",
];

/// Members that hold epoch seconds, which the CLI prints as texts.
const INSTANTS: [&str; 3] = ["scheduleStartTime", "scheduleEndTime", "firstExecutionFrom"];

/// Reads CreateFlow's, UpdateFlow's or DescribeFlow's JSON. Pointers lead into it.
pub fn read(flow: &Map<String, Value>) -> Result<CreateFlowRequest, Vec<Fault>> {
    let mut given = flow.clone();
    given.retain(|name, _| !NOT_OF_THE_DEFINITION.contains(&name.as_str()));
    let mut given = Value::Object(given);
    plain(&mut given);
    if let Some(trigger) = given
        .get_mut("triggerConfig")
        .and_then(Value::as_object_mut)
    {
        let empty = |value: &Value| value.as_object().is_some_and(Map::is_empty);
        trigger.retain(|name, member| name != "triggerProperties" || !empty(member));
    }
    let request: CreateFlowRequest =
        parse(given.to_string().as_bytes()).map_err(|error| error.faults().to_vec())?;
    let understood = serde_json::to_value(&request).unwrap_or_default();
    let mut faults = Vec::new();
    leftovers(&mut faults, "", &given, &understood);
    if faults.is_empty() {
        Ok(request)
    } else {
        Err(faults)
    }
}

/// Nulls say nothing; instants are whole epoch seconds.
fn plain(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            for (name, member) in members {
                if INSTANTS.contains(&name.as_str())
                    && let Some(seconds) = epoch_seconds(member)
                {
                    *member = seconds.into();
                }
                plain(member);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(plain),
        _ => {}
    }
}

fn epoch_seconds(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => Some(text.parse::<Timestamp>().ok()?.as_second()),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "AppFlow cuts fractions too, and no instant is so far away"
        )]
        Value::Number(number) => number.as_f64().map(|seconds| seconds as i64),
        _ => None,
    }
}

/// What was given and is not in what was understood, unless it says nothing.
fn leftovers(faults: &mut Vec<Fault>, at: &str, given: &Value, understood: &Value) {
    match (given, understood) {
        (Value::Object(given), Value::Object(understood)) => {
            for (name, member) in given {
                let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                match understood.get(name) {
                    Some(understood) => leftovers(faults, &at, member, understood),
                    None if says_nothing(member) => {}
                    None => faults.push(Fault::new(
                        at,
                        "not_covered",
                        "Flows here have no word for this.",
                    )),
                }
            }
        }
        (Value::Array(given), Value::Array(understood)) => {
            for (index, (given, understood)) in given.iter().zip(understood).enumerate() {
                leftovers(faults, &format!("{at}/{index}"), given, understood);
            }
        }
        _ => {}
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(truth) => !truth,
        Value::Number(_) => false,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn flow() -> Value {
        serde_json::from_str(include_str!(
            "../../../../../events/appflow/create-flow-02-salesforce-to-s3-incremental-parquet-glue.json"
        ))
        .unwrap()
    }

    fn faults(flow: &Value) -> Vec<(String, String)> {
        let faults = read(flow.as_object().unwrap()).err().unwrap_or_default();
        let both = |fault: Fault| (fault.pointer, fault.code);
        faults.into_iter().map(both).collect()
    }

    #[test]
    fn a_description_reads_as_the_request_that_made_it() {
        let made = read(flow().as_object().unwrap()).unwrap();
        let mut described = flow();
        described["flowArn"] = json!("arn:aws:appflow:us-east-1:123456789012:flow/x");
        described["flowStatus"] = json!("Draft");
        described["schemaVersion"] = json!(3);
        let properties = &mut described["triggerConfig"]["triggerProperties"]["Scheduled"];
        properties["scheduleStartTime"] = json!(1_893_456_000.0);
        properties["scheduleEndTime"] = json!("2031-01-01T00:00:00+00:00");
        described["sourceFlowConfig"]["sourceConnectorProperties"]["S3"] = Value::Null;
        assert_eq!(read(described.as_object().unwrap()), Ok(made));
    }

    #[test]
    fn what_there_is_no_member_for_is_told_with_its_place() {
        let mut flow = flow();
        flow["sourceFlowConfig"]["sourceConnectorProperties"]["Salesforce"]["newOption"] =
            json!(true);
        flow["tasks"][1]["newMember"] = json!("x");
        flow["tasks"][1]["quiet"] = json!({});
        assert_eq!(
            faults(&flow),
            [
                (
                    "/sourceFlowConfig/sourceConnectorProperties/Salesforce/newOption".to_owned(),
                    "not_covered".to_owned()
                ),
                ("/tasks/1/newMember".to_owned(), "not_covered".to_owned()),
            ]
        );
        let mut wrong = super::tests::flow();
        wrong["tasks"][0]["taskType"] = json!("Guess");
        assert_eq!(
            faults(&wrong),
            [("/tasks/0/taskType".to_owned(), "malformed".to_owned())]
        );
    }
}
