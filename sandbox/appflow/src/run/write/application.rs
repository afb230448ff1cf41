//! Any application but Salesforce as a destination. Warehouses other than Redshift get their file in
//! the intermediate bucket too.

use super::{Sent, put, refused};
use crate::{
    applications::{Operation, Owner, Write, live},
    definition::Destination,
    operations::profiles,
    run::{RunFault, Ticket, s3},
    service::Inner,
    tasks::apply::{Record, Table},
};

pub(super) async fn send(
    inner: &Inner,
    ticket: &Ticket,
    destination: &Destination,
    table: &Table,
) -> Result<Sent, RunFault> {
    let properties = refused::properties(destination);
    let staged = s3::staged(table);
    let bytes = u64::try_from(staged.len()).unwrap_or(u64::MAX);
    if let Some(bucket) = properties["intermediateBucketName"].as_str() {
        let folder = properties["bucketPrefix"].as_str().unwrap_or_default();
        let key = format!(
            "{}/{}/{}",
            folder.trim_matches('/'),
            ticket.flow_name(),
            ticket.run_id
        );
        put(inner, ticket, bucket, key.trim_start_matches('/'), staged).await?;
    }
    let name = destination.connector_profile_name.as_ref();
    let profile = name.and_then(|name| profiles::find(inner, &ticket.home, name).ok());
    if let Some(profile) = &profile {
        live::admitted(inner, &ticket.home, profile).await?;
    }
    let owner = Owner {
        home: ticket.home.clone(),
        name: name.unwrap_or(&destination.connector_type).clone(),
    };
    let ids = properties["idFieldNames"].as_array().into_iter().flatten();
    let asked = Write {
        operation: Operation::of(properties["writeOperationType"].as_str()),
        ids: ids.filter_map(serde_json::Value::as_str).collect(),
        stop: refused::stops(properties),
        now: inner.now(),
    };
    let records: Vec<Record> = table
        .rows
        .iter()
        .map(|row| table.columns.iter().cloned().zip(row.clone()).collect())
        .collect();
    let outcomes = inner
        .applications
        .write(&owner, &destination.object(), &asked, &records);
    let refused = outcomes.into_iter().enumerate();
    Ok(Sent {
        bytes,
        refused: refused
            .filter_map(|(at, outcome)| outcome.err().map(|message| (at, message)))
            .collect(),
    })
}
