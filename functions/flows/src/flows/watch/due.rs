//! What is due, off the due index.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::Deserialize;
use tributary::{
    aws::Refusal,
    error::Error,
    id::TenantId,
    store::{Key, from_item},
};

use super::item::{SHARD, Watch};
use crate::{
    App,
    flows::operation::{self, Operation},
};

/// What the index has of an item: its keys.
#[derive(Debug, Deserialize)]
pub(super) struct Entry {
    pub(super) pk: String,
    pub(super) sk: String,
}

/// Accounts that are due, those that wait longest first.
pub(super) async fn accounts(app: &App, at: Timestamp, most: usize) -> Result<Vec<Watch>, Error> {
    let mut watches = Vec::new();
    for entry in entries(app, SHARD, at, most).await? {
        let Some(key) = watch_key(&entry) else {
            continue;
        };
        // The index lags behind: the item itself says when it is due.
        let watch: Option<Watch> = app.store.get(&key).await?;
        watches.extend(watch.filter(|watch| watch.due_at <= at.as_millisecond()));
    }
    Ok(watches)
}

/// Operations that are due, those that wait longest first.
pub(super) async fn operations(
    app: &App,
    at: Timestamp,
    most: usize,
) -> Result<Vec<Operation>, Error> {
    let mut operations = Vec::new();
    for entry in entries(app, operation::SHARD, at, most).await? {
        let Some(key) = operation_key(&entry) else {
            continue;
        };
        let operation: Option<Operation> = app.store.get(&key).await?;
        let is_due = |due: i64| due <= at.as_millisecond();
        operations.extend(operation.filter(|operation| operation.due_at.is_some_and(is_due)));
    }
    Ok(operations)
}

/// Tenants whose standing asks for work, those that wait longest first.
pub(crate) async fn tenants(
    app: &App,
    shard: &str,
    at: Timestamp,
    most: usize,
) -> Result<Vec<TenantId>, Error> {
    let entries = entries(app, shard, at, most).await?;
    let id = |entry: &Entry| entry.sk.strip_prefix("TENANT#")?.parse().ok();
    Ok(entries.iter().filter_map(id).collect())
}

/// Entries of a shard that are due, oldest first.
pub(super) async fn entries(
    app: &App,
    shard: &str,
    at: Timestamp,
    most: usize,
) -> Result<Vec<Entry>, Error> {
    let page = app
        .store
        .client()
        .query()
        .table_name(app.store.table())
        .index_name("due")
        .key_condition_expression("due_shard = :shard AND due_at <= :at")
        .expression_attribute_values(":shard", AttributeValue::S(shard.to_owned()))
        .expression_attribute_values(":at", AttributeValue::N(at.as_millisecond().to_string()))
        .limit(i32::try_from(most).unwrap_or(i32::MAX))
        .send()
        .await
        .map_err(|error| Refusal::of(&error).into_error("dynamodb:Query"))?;
    let items = page.items.unwrap_or_default().into_iter();
    Ok(items.map(from_item).collect::<Result<_, _>>()?)
}

/// The key of the watch that an entry stands for.
fn watch_key(entry: &Entry) -> Option<Key> {
    let tenant = entry.pk.strip_prefix("TENANT#")?.parse().ok()?;
    let account = entry.sk.strip_prefix("WATCH#")?.parse().ok()?;
    Some(Key::watch(tenant, account))
}

/// The key of the operation that an entry stands for.
fn operation_key(entry: &Entry) -> Option<Key> {
    let tenant = entry.pk.strip_prefix("TENANT#")?.parse().ok()?;
    let operation = entry.sk.strip_prefix("OPERATION#")?.parse().ok()?;
    Some(Key::operation(tenant, operation))
}

#[cfg(test)]
mod tests {
    use tributary::id::AccountId;

    use super::*;

    #[test]
    fn the_index_leads_back_to_the_watch_and_to_nothing_else() {
        let key = Key::watch(TenantId::new(), AccountId::new());
        let entry = |pk: &str, sk: &str| Entry {
            pk: pk.to_owned(),
            sk: sk.to_owned(),
        };
        assert_eq!(watch_key(&entry(&key.pk, &key.sk)), Some(key.clone()));
        assert_eq!(watch_key(&entry(&key.pk, "RUN#1")), None);
        assert_eq!(watch_key(&entry("TENANT#ten_1", &key.sk)), None);
    }
}
