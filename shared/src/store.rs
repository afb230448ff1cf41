//! The table: keys, items, conditional writes, single use, pages.
//!
//! Every function that reads or writes a tenant's things takes a [`Key`], the keys of tenants' things
//! are made from a [`crate::id::TenantId`] only, and a [`Store`] is one tenant's or nobody's.

pub mod idempotency;
pub mod key;
pub mod page;
mod update;

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    types::{
        AttributeValue, Delete, KeysAndAttributes, Put, ReturnValue,
        ReturnValuesOnConditionCheckFailure, TransactWriteItem,
    },
};
use serde::{Serialize, de::DeserializeOwned};

pub use key::Key;
pub use page::{Page, PageRequest};
pub use update::Update;

use crate::{
    aws::Refusal,
    error::{Error, Kind},
    id::TenantId,
};

/// How often the rest of a batch is asked for.
const MOST_ROUNDS: usize = 8;

/// A DynamoDB item, as the SDK has it.
pub type Item = HashMap<String, AttributeValue>;

/// Why the table did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The condition did not hold; `current` is the item as it is, if it was there.
    #[error("the item is not in the expected state")]
    Condition {
        /// The item that stood in the way.
        current: Option<Box<Item>>,
    },
    /// The item is not in this store's part of the table: a bug of ours, and nothing was sent.
    #[error("the item is not in this store's part of the table")]
    Elsewhere,
    /// The item cannot be read as what it should be, or written.
    #[error("the item does not have the expected shape")]
    Shape(#[source] serde_dynamo::Error),
    /// DynamoDB failed.
    #[error("DynamoDB {operation} failed with {}", refusal.code.as_deref().unwrap_or("no answer"))]
    Service {
        /// The operation.
        operation: &'static str,
        /// What it said.
        refusal: Refusal,
    },
}

impl StoreError {
    /// Whether a condition did not hold.
    pub const fn is_condition(&self) -> bool {
        matches!(self, Self::Condition { .. })
    }

    /// Whether the write may have happened although no answer came.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Service { refusal, .. } if refusal.is_unknown())
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Condition { .. } => Self::new(
                Kind::Conflict,
                "changed_meanwhile",
                "Somebody else changed this at the same time. Read it again and retry.",
            )
            .with_source(error),
            StoreError::Elsewhere => Self::internal(
                "foreign_item",
                "another part of the table was asked for than what is worked on",
            )
            .with_source(error),
            StoreError::Shape(_) => {
                Self::internal("store_shape", "an item could not be read").with_source(error)
            }
            // Not an outage: a call that our own policies do not know.
            StoreError::Service { ref refusal, .. } if refusal.is_access_denied() => {
                Self::internal("store_refused", "IAM refused a call of the table")
                    .with_source(error)
            }
            StoreError::Service { .. } => {
                Self::unavailable("store_unavailable", "the table did not answer")
                    .with_source(error)
            }
        }
    }
}

/// A part of the table: one tenant's, or what is no tenant's.
#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    table: String,
    part: Part,
}

/// Which partitions a store reaches. IAM enforces the same; this finds a mix-up before it is sent.
#[derive(Debug, Clone)]
enum Part {
    /// Those of no tenant.
    Shared,
    /// Those that begin with this, the tenant's own, and what its transactions write elsewhere.
    Tenant(String),
}

impl Part {
    fn has(&self, partition: &str) -> bool {
        match self {
            Self::Shared => !partition.starts_with("TENANT#"),
            Self::Tenant(own) => match partition.strip_prefix(own.as_str()) {
                Some(rest) => rest.is_empty() || rest.starts_with('#'),
                None => !partition.starts_with("TENANT#"),
            },
        }
    }
}

impl Store {
    /// What is no tenant's, in the table behind a client.
    pub const fn new(client: Client, table: String) -> Self {
        Self {
            client,
            table,
            part: Part::Shared,
        }
    }

    /// A tenant's part of the table behind a client. Functions get one from the tenant's scope
    /// ([`crate::tenancy::TenantScope`]), whose client can reach nothing else.
    pub fn of_tenant(client: Client, table: String, tenant: TenantId) -> Self {
        Self {
            client,
            table,
            part: Part::Tenant(Key::tenant_partition(tenant)),
        }
    }

    /// Refuses what is not in this store's part.
    fn check(&self, partition: &str) -> Result<(), StoreError> {
        if self.part.has(partition) {
            return Ok(());
        }
        Err(StoreError::Elsewhere)
    }

    /// The client, for calls that only one function needs.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The table's name.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Reads an item, consistently.
    pub async fn get<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, StoreError> {
        self.check(&key.pk)?;
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| service("GetItem", &error))?;
        answer.item.map(from_item).transpose()
    }

    /// Reads at most a hundred items at once, consistently; those that are not there are left out,
    /// and the order is the table's.
    pub async fn get_many<T: DeserializeOwned>(&self, keys: &[Key]) -> Result<Vec<T>, StoreError> {
        for key in keys {
            self.check(&key.pk)?;
        }
        let mut wanted: Vec<Item> = keys.iter().map(Key::to_item).collect();
        let mut items = Vec::with_capacity(wanted.len());
        for _ in 0..MOST_ROUNDS {
            if wanted.is_empty() {
                return Ok(items);
            }
            let ask = KeysAndAttributes::builder()
                .set_keys(Some(wanted))
                .consistent_read(true)
                .build()
                .map_err(|error| build_error("BatchGetItem", &error))?;
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.table, ask)
                .send()
                .await
                .map_err(|error| service("BatchGetItem", &error))?;
            for item in answer.responses.into_iter().flatten().flat_map(|of| of.1) {
                items.push(from_item(item)?);
            }
            // DynamoDB answers what it can and names the rest.
            wanted = answer
                .unprocessed_keys
                .into_iter()
                .flatten()
                .flat_map(|(_, rest)| rest.keys)
                .collect();
        }
        if wanted.is_empty() {
            return Ok(items);
        }
        let busy = "the table answered a part only";
        Err(build_error("BatchGetItem", &std::io::Error::other(busy)))
    }

    /// Writes an item that must not be there yet; one past its `expires_at` counts as absent.
    pub async fn insert<T: Serialize>(&self, key: &Key, value: &T) -> Result<(), StoreError> {
        self.check(&key.pk)?;
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(to_item(key, value)?))
            .condition_expression(
                "attribute_not_exists(pk) OR (attribute_exists(expires_at) AND expires_at < :now)",
            )
            .expression_attribute_values(
                ":now",
                AttributeValue::N(jiff::Timestamp::now().as_second().to_string()),
            )
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await
            .map_err(|error| write_error("PutItem", &error))?;
        Ok(())
    }

    /// Writes several items that must all be absent, together or not at all.
    pub async fn insert_together<T: Serialize>(
        &self,
        items: &[(Key, T)],
    ) -> Result<(), StoreError> {
        let mut call = self.client.transact_write_items();
        for (key, value) in items {
            self.check(&key.pk)?;
            let put = Put::builder()
                .table_name(&self.table)
                .set_item(Some(to_item(key, value)?))
                .condition_expression("attribute_not_exists(pk)")
                .build()
                .map_err(|error| build_error("TransactWriteItems", &error))?;
            call = call.transact_items(TransactWriteItem::builder().put(put).build());
        }
        call.send()
            .await
            .map_err(|error| write_error("TransactWriteItems", &error))?;
        Ok(())
    }

    /// Writes an item whatever was there.
    pub async fn put<T: Serialize>(&self, key: &Key, value: &T) -> Result<(), StoreError> {
        self.check(&key.pk)?;
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(to_item(key, value)?))
            .send()
            .await
            .map_err(|error| write_error("PutItem", &error))?;
        Ok(())
    }

    /// Writes an item and answers the one that it replaced.
    pub async fn replace<T: Serialize + DeserializeOwned>(
        &self,
        key: &Key,
        value: &T,
    ) -> Result<Option<T>, StoreError> {
        self.check(&key.pk)?;
        let answer = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(to_item(key, value)?))
            .return_values(ReturnValue::AllOld)
            .send()
            .await
            .map_err(|error| write_error("PutItem", &error))?;
        answer
            .attributes
            .filter(|item| !item.is_empty())
            .map(from_item)
            .transpose()
    }

    /// Changes attributes under conditions and answers the item as it is afterwards.
    pub async fn update<T: DeserializeOwned>(
        &self,
        key: &Key,
        update: Update,
    ) -> Result<T, StoreError> {
        self.check(&key.pk)?;
        let (expression, condition, names, values) = update.into_parts();
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            .update_expression(expression)
            .set_condition_expression(condition)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await
            .map_err(|error| write_error("UpdateItem", &error))?;
        from_item(answer.attributes.unwrap_or_default())
    }

    /// Changes an item under conditions and writes others that must be absent, together or not at all.
    pub async fn update_with<T: Serialize>(
        &self,
        key: &Key,
        update: Update,
        others: &[(Key, T)],
    ) -> Result<(), StoreError> {
        self.update_and_move(key, update, others, &[]).await
    }

    /// Like [`Store::update_with`], and deletes what is not to be there any more.
    pub async fn update_and_move<T: Serialize>(
        &self,
        key: &Key,
        update: Update,
        others: &[(Key, T)],
        gone: &[Key],
    ) -> Result<(), StoreError> {
        self.check(&key.pk)?;
        let (expression, condition, names, values) = update.into_parts();
        let change = aws_sdk_dynamodb::types::Update::builder()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            .update_expression(expression)
            .set_condition_expression(condition)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(|error| build_error("TransactWriteItems", &error))?;
        let mut call = self
            .client
            .transact_write_items()
            .transact_items(TransactWriteItem::builder().update(change).build());
        for (key, value) in others {
            self.check(&key.pk)?;
            let put = Put::builder()
                .table_name(&self.table)
                .set_item(Some(to_item(key, value)?))
                .condition_expression("attribute_not_exists(pk)")
                .build()
                .map_err(|error| build_error("TransactWriteItems", &error))?;
            call = call.transact_items(TransactWriteItem::builder().put(put).build());
        }
        for key in gone {
            self.check(&key.pk)?;
            let delete = Delete::builder()
                .table_name(&self.table)
                .set_key(Some(key.to_item()))
                .build()
                .map_err(|error| build_error("TransactWriteItems", &error))?;
            call = call.transact_items(TransactWriteItem::builder().delete(delete).build());
        }
        call.send()
            .await
            .map_err(|error| write_error("TransactWriteItems", &error))?;
        Ok(())
    }

    /// Takes an item away and answers it: of many who try, one gets it. The caller checks expiry.
    pub async fn take<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, StoreError> {
        self.check(&key.pk)?;
        let taken = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            .condition_expression("attribute_exists(pk)")
            .return_values(ReturnValue::AllOld)
            .send()
            .await;
        match taken.map_err(|error| write_error("DeleteItem", &error)) {
            Ok(answer) => answer.attributes.map(from_item).transpose(),
            Err(StoreError::Condition { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes an item away if an attribute of it has this value; answers whether it was this caller.
    pub async fn take_if<T: Serialize>(
        &self,
        key: &Key,
        attribute: &str,
        value: T,
    ) -> Result<bool, StoreError> {
        self.check(&key.pk)?;
        let value = serde_dynamo::to_attribute_value(value).map_err(StoreError::Shape)?;
        let taken = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            .condition_expression("#a = :a")
            .expression_attribute_names("#a", attribute)
            .expression_attribute_values(":a", value)
            .send()
            .await;
        match taken.map_err(|error| write_error("DeleteItem", &error)) {
            Ok(_) => Ok(true),
            Err(StoreError::Condition { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Deletes an item; one that is not there is fine.
    pub async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        self.check(&key.pk)?;
        self.client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            .send()
            .await
            .map_err(|error| write_error("DeleteItem", &error))?;
        Ok(())
    }

    /// One page of the items under `pk` whose `sk` begins with `prefix`, in order of `sk`.
    pub async fn query<T: DeserializeOwned>(
        &self,
        pk: &str,
        prefix: &str,
        page: &PageRequest,
    ) -> Result<Page<T>, StoreError> {
        self.check(pk)?;
        // DynamoDB refuses an empty text for a key, also as a prefix.
        if prefix.is_empty() {
            return self.search(pk, "pk = :pk", [], page).await;
        }
        let prefix = (":prefix".to_owned(), AttributeValue::S(prefix.to_owned()));
        let condition = "pk = :pk AND begins_with(sk, :prefix)";
        self.search(pk, condition, [prefix], page).await
    }

    /// One page of the items under `pk` whose `sk` is from here to there, both included.
    pub async fn query_between<T: DeserializeOwned>(
        &self,
        pk: &str,
        (from, to): (&str, &str),
        page: &PageRequest,
    ) -> Result<Page<T>, StoreError> {
        self.check(pk)?;
        let text = |name: &str, value: &str| (name.to_owned(), AttributeValue::S(value.to_owned()));
        let condition = "pk = :pk AND sk BETWEEN :from AND :to";
        self.search(pk, condition, [text(":from", from), text(":to", to)], page)
            .await
    }

    async fn search<T: DeserializeOwned, const N: usize>(
        &self,
        pk: &str,
        condition: &str,
        values: [(String, AttributeValue); N],
        page: &PageRequest,
    ) -> Result<Page<T>, StoreError> {
        let values = std::iter::once((":pk".to_owned(), AttributeValue::S(pk.to_owned())))
            .chain(values)
            .collect();
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression(condition)
            .set_expression_attribute_values(Some(values))
            .set_exclusive_start_key(page.after.as_ref().map(|sk| Key::raw(pk, sk).to_item()))
            .scan_index_forward(!page.newest_first)
            .limit(i32::try_from(page.limit).unwrap_or(i32::MAX))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| service("Query", &error))?;
        let next = answer
            .last_evaluated_key
            .as_ref()
            .and_then(|key| key.get("sk"))
            .and_then(|sk| sk.as_s().ok())
            .cloned();
        let items = answer
            .items
            .unwrap_or_default()
            .into_iter()
            .map(from_item)
            .collect::<Result<Vec<T>, _>>()?;
        Ok(Page { items, next })
    }
}

/// Reads an item as a value. Attributes that the value does not name are ignored.
pub fn from_item<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    serde_dynamo::from_item(item).map_err(StoreError::Shape)
}

/// A value as an item under a key.
pub fn to_item<T: Serialize>(key: &Key, value: &T) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(value).map_err(StoreError::Shape)?;
    // Absent and null mean the same; a null in a key attribute of an index would be refused.
    item.retain(|_, value| !matches!(value, AttributeValue::Null(_)));
    item.extend(key.to_item());
    Ok(item)
}

fn service<E>(
    operation: &'static str,
    error: &SdkError<E, aws_smithy_runtime_api::client::orchestrator::HttpResponse>,
) -> StoreError
where
    E: aws_smithy_types::error::metadata::ProvideErrorMetadata,
{
    StoreError::Service {
        operation,
        refusal: Refusal::of(error),
    }
}

fn build_error(operation: &'static str, error: &dyn std::error::Error) -> StoreError {
    StoreError::Service {
        operation,
        refusal: Refusal {
            code: None,
            message: Some(error.to_string()),
            status: Some(400),
            request_id: None,
        },
    }
}

/// The shape that failed conditions share across the operations that write.
trait ConditionFailure {
    /// The failed condition, if that is what failed.
    fn failed_condition(&self) -> Option<FailedCondition>;
}

/// A condition that did not hold, with the item that stood in the way.
struct FailedCondition {
    current: Option<Box<Item>>,
}

macro_rules! condition_failure {
    ($($error:ty),*) => {$(
        impl ConditionFailure for $error {
            fn failed_condition(&self) -> Option<FailedCondition> {
                match self {
                    Self::ConditionalCheckFailedException(failed) => {
                        Some(FailedCondition { current: failed.item().cloned().map(Box::new) })
                    }
                    _ => None,
                }
            }
        }
    )*};
}

condition_failure!(
    aws_sdk_dynamodb::operation::put_item::PutItemError,
    aws_sdk_dynamodb::operation::update_item::UpdateItemError,
    aws_sdk_dynamodb::operation::delete_item::DeleteItemError
);

impl ConditionFailure
    for aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError
{
    fn failed_condition(&self) -> Option<FailedCondition> {
        let Self::TransactionCanceledException(cancelled) = self else {
            return None;
        };
        cancelled
            .cancellation_reasons()
            .iter()
            .find(|reason| reason.code() == Some("ConditionalCheckFailed"))
            .map(|reason| FailedCondition {
                current: reason.item().cloned().map(Box::new),
            })
    }
}

fn write_error<E>(
    operation: &'static str,
    error: &SdkError<E, aws_smithy_runtime_api::client::orchestrator::HttpResponse>,
) -> StoreError
where
    E: ConditionFailure + aws_smithy_types::error::metadata::ProvideErrorMetadata,
{
    if let Some(failed) = error
        .as_service_error()
        .and_then(ConditionFailure::failed_condition)
    {
        return StoreError::Condition {
            current: failed.current,
        };
    }
    service(operation, error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::FlowId;

    #[test]
    fn a_store_reaches_its_own_part_and_no_other_tenants() {
        let (own, other) = (TenantId::new(), TenantId::new());
        let tenants = Part::Tenant(Key::tenant_partition(own));
        for partition in [
            Key::tenant_partition(own),
            Key::runs_partition(own, FlowId::new()),
            Key::outbox_partition(),
        ] {
            assert!(tenants.has(&partition), "{partition}");
        }
        let longer = format!("{}0", Key::tenant_partition(own));
        for partition in [
            Key::tenant_partition(other),
            Key::runs_partition(other, FlowId::new()),
            longer,
        ] {
            assert!(!tenants.has(&partition), "{partition}");
            assert!(!Part::Shared.has(&partition), "{partition}");
        }
        assert!(Part::Shared.has(&Key::operator_partition()));
    }
}
