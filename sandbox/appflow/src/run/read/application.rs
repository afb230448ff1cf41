//! Any application but Salesforce as a source. It applies no filter itself.

use serde_json::Value;

use super::{Input, plan, profile};
use crate::{
    applications::{self, Owner, live},
    catalogue,
    definition::Source,
    run::{RunFault, Ticket},
    service::Inner,
    tasks::{apply::Record, filter::instant},
};

pub(super) async fn read(
    inner: &Inner,
    ticket: &Ticket,
    source: &Source,
) -> Result<Input, RunFault> {
    let key = catalogue::of_type(&source.connector_type).map_or("", |c| c.key);
    let plan = plan(ticket, key)?;
    let profile = profile(inner, ticket, source)?;
    live::admitted(inner, &ticket.home, &profile).await?;
    let name = source.object();
    let entity = applications::find(&name).ok_or_else(|| {
        RunFault::new(format!(
            "Error while communicating to connector: the entity {name} does not exist"
        ))
    })?;
    let owner = Owner {
        home: ticket.home.clone(),
        name: profile.name,
    };
    let changed = source.timestamp_field().or(entity.timestamp());
    let in_window = |record: &Record| {
        let (Some(window), Some(field)) = (ticket.window, changed) else {
            return true;
        };
        let at = record.get(field).and_then(Value::as_str).and_then(instant);
        at.is_some_and(|at| at >= window.from && at < window.to)
    };
    let mut records = inner.applications.records(&owner, &name);
    records.retain(in_window);
    let size = |record: &Record| serde_json::to_string(record).map_or(0, |text| text.len());
    let bytes: usize = records.iter().map(size).sum();
    Ok(Input {
        local: plan.filters.clone(),
        plan,
        fields: entity.fields.iter().map(|f| f.name.to_owned()).collect(),
        records,
        bytes: u64::try_from(bytes).unwrap_or(u64::MAX),
    })
}
