//! Writing the destination.

mod application;
mod refused;
mod salesforce;

use serde_json::Value;

use super::{
    Moved, RunFault, Ticket, catalog,
    read::Input,
    s3::{self, Layout},
};
use crate::{
    definition::Destination,
    operations::profiles,
    service::Inner,
    state::Counts,
    tasks::{
        apply::{Table, apply},
        filter::text,
    },
};

/// What the destination took, and the rows it refused.
#[derive(Debug, Default)]
struct Sent {
    bytes: u64,
    /// Positions in the table, each with what the destination said.
    refused: Vec<(usize, String)>,
}

impl Sent {
    fn all(bytes: u64) -> Self {
        Self {
            bytes,
            refused: Vec::new(),
        }
    }
}

/// Applies the plan and writes what remains. A run without records writes nothing.
pub(crate) async fn write(inner: &Inner, ticket: &Ticket, input: Input) -> Result<Moved, RunFault> {
    let Input {
        plan,
        fields,
        records,
        local,
        bytes,
    } = input;
    let mut counts = Counts {
        bytes_read: bytes,
        ..Counts::default()
    };
    let table = apply(&plan, &fields, &local, records).map_err(|dropped| RunFault {
        counts,
        ..dropped.into()
    })?;
    counts.filtered = table.filtered;
    counts.records = u64::try_from(table.rows.len()).unwrap_or(u64::MAX);
    let Some(destination) = ticket.definition.destination() else {
        return Err(RunFault::new("The flow has no destination"));
    };
    let sent = match destination.connector_type.as_str() {
        _ if table.rows.is_empty() => Ok(Sent::default()),
        "S3" | "Upsolver" => to_s3(inner, ticket, destination, &table, &plan.partition)
            .await
            .map(Sent::all),
        "Redshift" => to_redshift(inner, ticket, destination, &table)
            .await
            .map(Sent::all),
        "Salesforce" => salesforce::send(inner, ticket, destination, &table).await,
        _ => application::send(inner, ticket, destination, &table).await,
    };
    match sent {
        Ok(sent) => {
            counts.bytes_written = sent.bytes;
            refused::settle(inner, ticket, destination, &table, counts, &sent).await
        }
        Err(fault) => {
            counts.put_failures = counts.records;
            Err(RunFault { counts, ..fault })
        }
    }
}

async fn to_s3(
    inner: &Inner,
    ticket: &Ticket,
    destination: &Destination,
    table: &Table,
    partition: &[String],
) -> Result<u64, RunFault> {
    let properties = refused::properties(destination);
    let layout = Layout::of(properties);
    let mut written = 0;
    for (key, body) in layout.files(ticket, table, partition, inner.now()) {
        written += u64::try_from(body.len()).unwrap_or_default();
        put(inner, ticket, layout.bucket, &key, body).await?;
    }
    catalog::register(inner, ticket, &layout, table, partition).await?;
    Ok(written)
}

async fn put(
    inner: &Inner,
    ticket: &Ticket,
    bucket: &str,
    key: &str,
    body: bytes::Bytes,
) -> Result<(), RunFault> {
    inner
        .services
        .put_object(&ticket.home.account, bucket, key, body)
        .await
        .map_err(|code| {
            RunFault::new(format!(
                "Error while communicating to connector: S3 answered {code} when writing to the \
                 bucket {bucket}"
            ))
        })
}

/// Stages a file in the intermediate bucket, then inserts the rows as the Data API role would.
async fn to_redshift(
    inner: &Inner,
    ticket: &Ticket,
    destination: &Destination,
    table: &Table,
) -> Result<u64, RunFault> {
    let properties = destination.properties("Redshift").unwrap_or(&Value::Null);
    let member = |name: &str| properties[name].as_str().unwrap_or_default();
    let profile = destination
        .connector_profile_name
        .as_deref()
        .unwrap_or_default();
    let profile = profiles::find(inner, &ticket.home, profile)
        .map_err(|error| RunFault::new(error.message))?;
    let database = profile.text("Redshift", "databaseName").unwrap_or_default();
    let staged = s3::staged(table);
    let size = u64::try_from(staged.len()).unwrap_or_default();
    let folder = match member("bucketPrefix").trim_matches('/') {
        "" => String::new(),
        prefix => format!("{prefix}/"),
    };
    let key = format!(
        "{folder}{}/{}/{}",
        ticket.flow_name(),
        ticket.run_id,
        uuid::Uuid::new_v4()
    );
    put(
        inner,
        ticket,
        member("intermediateBucketName"),
        &key,
        staged,
    )
    .await?;
    let rows: Vec<Vec<Option<String>>> = table
        .rows
        .iter()
        .map(|row| row.iter().map(text).collect())
        .collect();
    let inserted = inner
        .services
        .insert_rows(
            &ticket.home.account,
            database,
            member("object"),
            &table.columns,
            &rows,
        )
        .await;
    if let Err(message) = inserted {
        let rows: Vec<(usize, String)> = (0..table.rows.len())
            .map(|at| (at, message.clone()))
            .collect();
        refused::set_aside(inner, ticket, properties, table, &rows).await?;
        return Err(RunFault::new(format!(
            "Error while communicating to connector: {message}"
        )));
    }
    Ok(size)
}
