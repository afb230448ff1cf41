//! Records that a destination refused: set aside, counted, and with `failOnFirstDestinationError`
//! the end of the run.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{Sent, put};
use crate::{
    catalogue,
    definition::Destination,
    run::{Moved, RunFault, Ticket},
    service::Inner,
    state::Counts,
    tasks::apply::Table,
};

/// Whether the first refused record ends the run. Skipping is the default.
pub(super) fn stops(properties: &Value) -> bool {
    properties["errorHandlingConfig"]["failOnFirstDestinationError"] == true
}

/// The destination's own properties.
pub(super) fn properties(destination: &Destination) -> &Value {
    let key = catalogue::of_type(&destination.connector_type).map_or("", |c| c.key);
    destination.properties(key).unwrap_or(&Value::Null)
}

/// How a run ends whose destination took or refused each record.
pub(super) async fn settle(
    inner: &Inner,
    ticket: &Ticket,
    destination: &Destination,
    table: &Table,
    mut counts: Counts,
    sent: &Sent,
) -> Result<Moved, RunFault> {
    let Some((_, first)) = sent.refused.first() else {
        return Ok(Moved {
            counts,
            warning: None,
        });
    };
    counts.put_failures = u64::try_from(sent.refused.len()).unwrap_or(u64::MAX);
    let properties = properties(destination);
    set_aside(inner, ticket, properties, table, &sent.refused)
        .await
        .map_err(|fault| RunFault { counts, ..fault })?;
    let message = format!("Error while communicating to connector: {first}");
    if stops(properties) {
        return Err(RunFault {
            counts,
            ..RunFault::new(message)
        });
    }
    Ok(Moved {
        counts,
        warning: Some(message),
    })
}

/// Writes refused records to the error bucket, if the flow names one: a JSON object per line, with
/// what the destination said as `errorMessage`. The service's own format is not documented.
pub(super) async fn set_aside(
    inner: &Inner,
    ticket: &Ticket,
    properties: &Value,
    table: &Table,
    refused: &[(usize, String)],
) -> Result<(), RunFault> {
    let handling = &properties["errorHandlingConfig"];
    let Some(bucket) = handling["bucketName"].as_str() else {
        return Ok(());
    };
    let prefix = handling["bucketPrefix"].as_str().unwrap_or_default();
    let key = format!(
        "{}/{}/{}",
        prefix.trim_matches('/'),
        ticket.flow_name(),
        ticket.run_id
    );
    let mut body = String::new();
    for (at, message) in refused {
        let cells = table.columns.iter().cloned().zip(table.rows[*at].clone());
        let mut record: Map<String, Value> = cells.collect();
        record.insert("errorMessage".to_owned(), Value::from(message.as_str()));
        body.push_str(&Value::Object(record).to_string());
        body.push('\n');
    }
    let key = key.trim_start_matches('/');
    put(inner, ticket, bucket, key, Bytes::from(body)).await
}
