//! What is due, off the due index.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::Deserialize;
use tributary::{
    aws::Refusal,
    error::Error,
    id::{AccountId, OperationId, TenantId},
    store::{Key, from_item},
};

use super::item::{SHARD, Watch};
use crate::{
    App, TenantApp,
    flows::operation::{self, Operation},
};

/// What the index has of an item: its keys.
#[derive(Debug, Deserialize)]
pub(super) struct Entry {
    pub(super) pk: String,
    pub(super) sk: String,
}

/// A tenant's thing that the index says is due. The index lags behind: the item itself, which only
/// the tenant's scope reads, says when it is due.
pub(super) type Hint<I> = (TenantId, I);

/// Accounts that may be due, those that wait longest first.
pub(super) async fn accounts(
    app: &App,
    at: Timestamp,
    most: usize,
) -> Result<Vec<Hint<AccountId>>, Error> {
    let entries = entries(app, SHARD, at, most).await?;
    Ok(entries.iter().filter_map(watch_of).collect())
}

/// The watch of an account, if it is due.
pub(super) async fn watch(
    app: &TenantApp,
    (tenant, account): Hint<AccountId>,
    at: Timestamp,
) -> Result<Option<Watch>, Error> {
    let watch: Option<Watch> = app.store.get(&Key::watch(tenant, account)).await?;
    Ok(watch.filter(|watch| watch.due_at <= at.as_millisecond()))
}

/// Operations that may be due, those that wait longest first.
pub(super) async fn operations(
    app: &App,
    at: Timestamp,
    most: usize,
) -> Result<Vec<Hint<OperationId>>, Error> {
    let entries = entries(app, operation::SHARD, at, most).await?;
    Ok(entries.iter().filter_map(operation_of).collect())
}

/// The operation, if it is due.
pub(super) async fn operation(
    app: &TenantApp,
    (tenant, id): Hint<OperationId>,
    at: Timestamp,
) -> Result<Option<Operation>, Error> {
    let found: Option<Operation> = app.store.get(&Key::operation(tenant, id)).await?;
    let is_due = |due: i64| due <= at.as_millisecond();
    Ok(found.filter(|operation| operation.due_at.is_some_and(is_due)))
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
        .shared
        .client()
        .query()
        .table_name(app.shared.table())
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

/// Partition and sort keys of what is due in a shard, oldest first.
pub(crate) async fn due_entries(
    app: &App,
    shard: &str,
    at: Timestamp,
    most: usize,
) -> Result<Vec<(String, String)>, Error> {
    let found = entries(app, shard, at, most).await?;
    Ok(found
        .into_iter()
        .map(|entry| (entry.pk, entry.sk))
        .collect())
}

/// The account whose watch an entry stands for.
fn watch_of(entry: &Entry) -> Option<Hint<AccountId>> {
    let tenant = entry.pk.strip_prefix("TENANT#")?.parse().ok()?;
    let account = entry.sk.strip_prefix("WATCH#")?.parse().ok()?;
    Some((tenant, account))
}

/// The operation that an entry stands for.
fn operation_of(entry: &Entry) -> Option<Hint<OperationId>> {
    let tenant = entry.pk.strip_prefix("TENANT#")?.parse().ok()?;
    let operation = entry.sk.strip_prefix("OPERATION#")?.parse().ok()?;
    Some((tenant, operation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_leads_back_to_the_watch_and_to_nothing_else() {
        let (tenant, account) = (TenantId::new(), AccountId::new());
        let key = Key::watch(tenant, account);
        let entry = |pk: &str, sk: &str| Entry {
            pk: pk.to_owned(),
            sk: sk.to_owned(),
        };
        assert_eq!(watch_of(&entry(&key.pk, &key.sk)), Some((tenant, account)));
        assert_eq!(watch_of(&entry(&key.pk, "RUN#1")), None);
        assert_eq!(watch_of(&entry("TENANT#ten_1", &key.sk)), None);
    }
}
