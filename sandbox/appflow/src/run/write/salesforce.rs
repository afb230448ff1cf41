//! Salesforce as a destination: record collections of the REST API, 200 records a call. Bulk API 2.0
//! is not played, whatever `dataTransferApi` says.

use std::collections::HashMap;

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{Sent, refused};
use crate::{
    definition::Destination,
    operations::{entities, profiles},
    run::{RunFault, Ticket},
    salesforce::{API, Ask, call},
    service::Inner,
    tasks::{apply::Table, filter::text},
};

const RECORDS_PER_CALL: usize = 200;

/// Sends the rows in order. With `failOnFirstDestinationError` no call follows one that had a refused
/// record; the good records of that call stay written.
pub(super) async fn send(
    inner: &Inner,
    ticket: &Ticket,
    destination: &Destination,
    table: &Table,
) -> Result<Sent, RunFault> {
    let name = destination.connector_profile_name.as_deref();
    let profile = profiles::find(inner, &ticket.home, name.unwrap_or_default())
        .map_err(|error| RunFault::new(error.message))?;
    let properties = refused::properties(destination);
    let object = properties["object"].as_str().unwrap_or_default();
    let described = entities::cached(inner, &ticket.home, &profile, Some(object)).await?;
    let types = types(&described);
    let operation = properties["writeOperationType"]
        .as_str()
        .unwrap_or("INSERT");
    let key = properties["idFieldNames"][0].as_str().unwrap_or("Id");
    let mut sent = Sent::default();
    let rows: Vec<(usize, &Vec<Value>)> = table.rows.iter().enumerate().collect();
    for some in rows.chunks(RECORDS_PER_CALL) {
        let records: Vec<Map<String, Value>> = some
            .iter()
            .map(|(_, row)| record(object, &table.columns, row, &types))
            .collect();
        let ask = ask(operation, object, key, &records);
        sent.bytes += size(&ask);
        let outcomes = call(inner, &ticket.home, &profile, &ask).await?;
        for ((at, _), outcome) in some.iter().zip(outcomes.as_array().into_iter().flatten()) {
            if outcome["success"] != true {
                sent.refused.push((*at, message(outcome)));
            }
        }
        if !sent.refused.is_empty() && refused::stops(properties) {
            break;
        }
    }
    Ok(sent)
}

/// The call of an operation. An upsert by the record's own id has no field in its path.
fn ask(operation: &str, object: &str, key: &str, records: &[Map<String, Value>]) -> Ask {
    let collection = format!("{API}/composite/sobjects");
    let body = json!({ "allOrNone": false, "records": records });
    match operation {
        "UPDATE" => Ask {
            method: Method::PATCH,
            path: collection,
            body: Some(body),
        },
        "UPSERT" => Ask {
            method: Method::PATCH,
            path: format!("{collection}/{object}/{key}"),
            body: Some(body),
        },
        "DELETE" => {
            let id = |record: &Map<String, Value>| {
                record.get("Id").and_then(Value::as_str).map(str::to_owned)
            };
            let ids: Vec<String> = records.iter().map(|r| id(r).unwrap_or_default()).collect();
            let ids: String =
                url::form_urlencoded::byte_serialize(ids.join(",").as_bytes()).collect();
            Ask {
                method: Method::DELETE,
                path: format!("{collection}?ids={ids}&allOrNone=false"),
                body: None,
            }
        }
        _ => Ask {
            method: Method::POST,
            path: collection,
            body: Some(body),
        },
    }
}

fn size(ask: &Ask) -> u64 {
    let length = ask
        .body
        .as_ref()
        .map_or(ask.path.len(), |body| body.to_string().len());
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// `type` of every field.
fn types(described: &Value) -> HashMap<String, String> {
    let fields = described["fields"].as_array().into_iter().flatten();
    fields
        .filter_map(|f| {
            Some((
                f["name"].as_str()?.to_owned(),
                f["type"].as_str()?.to_owned(),
            ))
        })
        .collect()
}

fn record(
    object: &str,
    columns: &[String],
    row: &[Value],
    types: &HashMap<String, String>,
) -> Map<String, Value> {
    let mut record = Map::from_iter([("attributes".to_owned(), json!({ "type": object }))]);
    for (column, value) in columns.iter().zip(row) {
        let kind = types.get(column).map_or("", String::as_str);
        record.insert(column.clone(), fitted(kind, value));
    }
    record
}

/// A value as the field's type has it, if it can be read so; Salesforce refuses the rest.
fn fitted(kind: &str, value: &Value) -> Value {
    let Some(read) = text(value) else {
        return Value::Null;
    };
    let made = match kind {
        "boolean" => read.parse::<bool>().ok().map(Value::from),
        "int" | "double" | "currency" | "percent" => {
            serde_json::from_str::<serde_json::Number>(&read)
                .ok()
                .map(Value::Number)
        }
        "" => None,
        _ => Some(Value::from(read)),
    };
    made.unwrap_or_else(|| value.clone())
}

fn message(outcome: &Value) -> String {
    let error = &outcome["errors"][0];
    let part = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    format!("{}: {}", part("statusCode"), part("message"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_what_the_field_takes_and_stays_text_otherwise() {
        for (kind, value, expected) in [
            ("currency", json!("12.50"), json!(12.50)),
            ("int", json!("7"), json!(7)),
            ("int", json!("seven"), json!("seven")),
            ("boolean", json!("true"), json!(true)),
            ("boolean", json!("yes"), json!("yes")),
            ("string", json!(7), json!("7")),
            ("date", Value::Null, Value::Null),
            ("", json!(7), json!(7)),
        ] {
            assert_eq!(fitted(kind, &value), expected, "{kind} {value}");
        }
    }
}
