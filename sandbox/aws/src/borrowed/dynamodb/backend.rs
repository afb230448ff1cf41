//! The store behind the borrowed DynamoDB, without the copy of all tables that the borrowed service
//! makes after every call for listeners that nobody has: with it, each call costs as much as the
//! table is large.

use std::pin::Pin;

use winterbaume_dynamodb::{
    DynamoDbBackend, DynamoDbError, DynamodbStateView, InMemoryDynamoDbBackend, Item, QueryResult,
    StateViewError, StreamChangeRecord,
    types::{
        AttributeDefinition, Backup, ContinuousBackupsConfig, ContributorInsightsConfig,
        DynamoDbTag, ExportInfo, GlobalSecondaryIndexDef, GlobalTableInfo, ImportInfo,
        KeySchemaElement, KinesisStreamingDestination, LocalSecondaryIndexDef,
        ProvisionedThroughput, ResourcePolicy, SortKeyCondition, StreamSummary, Table, TransactOp,
        TtlConfig, UpdateAction,
    },
};

/// The tables, as the borrowed service keeps them.
#[derive(Default)]
pub(super) struct Backend(InMemoryDynamoDbBackend);

type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Done<T> = Result<T, DynamoDbError>;

/// Passes calls on, as they are.
macro_rules! passes {
    ($($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {$(
        fn $name(&self, account: String, region: String, $($argument: $type),*) -> Answer<$answer> {
            self.0.$name(account, region, $($argument),*)
        }
    )*};
}

#[rustfmt::skip]
impl DynamoDbBackend for Backend {
    fn scopes_with_state(&self) -> Vec<(String, String)> {
        self.0.scopes_with_state()
    }

    /// Nobody looks at it.
    fn snapshot(&self, _: String, _: String) -> Answer<DynamodbStateView> {
        Box::pin(async { DynamodbStateView::default() })
    }

    passes! {
        create_table(name: String, key_schema: Vec<KeySchemaElement>, attribute_definitions: Vec<AttributeDefinition>, billing_mode: Option<String>, provisioned_throughput: Option<ProvisionedThroughput>, stream_enabled: bool, stream_view_type: Option<String>, global_secondary_indexes: Vec<GlobalSecondaryIndexDef>, local_secondary_indexes: Vec<LocalSecondaryIndexDef>) -> Done<Table>;
        delete_table(name: String) -> Done<Table>;
        describe_table(name: String) -> Done<Table>;
        list_tables() -> Done<Vec<String>>;
        update_table(name: String, billing_mode: Option<String>, provisioned_throughput: Option<ProvisionedThroughput>) -> Done<Table>;
        update_stream_specification(table_name: String, stream_enabled: bool, stream_view_type: Option<String>) -> Done<Table>;
        list_streams(table_name: Option<String>) -> Done<Vec<StreamSummary>>;
        describe_stream_by_arn(stream_arn: String) -> Done<StreamSummary>;
        put_item(table_name: String, item: Item) -> Done<Option<Item>>;
        get_item(table_name: String, key: Item) -> Done<Option<Item>>;
        delete_item(table_name: String, key: Item) -> Done<Option<Item>>;
        update_item(table_name: String, key: Item, actions: Vec<UpdateAction>) -> Done<Option<Item>>;
        batch_get_item(table_name: String, keys: Vec<Item>) -> Done<Vec<Item>>;
        batch_write_item(table_name: String, puts: Vec<Item>, deletes: Vec<Item>) -> Done<()>;
        query(table_name: String, key_conditions: Item, sort_key_condition: Option<SortKeyCondition>, limit: Option<usize>, scan_index_forward: bool, exclusive_start_key: Option<Item>, index_name: Option<String>) -> Done<QueryResult>;
        scan(table_name: String, limit: Option<usize>, exclusive_start_key: Option<Item>) -> Done<QueryResult>;
        transact_get_items(keys: Vec<(String, Item)>) -> Done<Vec<Option<Item>>>;
        transact_write_items(ops: Vec<TransactOp>) -> Done<()>;
        create_backup(table_name: String, backup_name: String) -> Done<Backup>;
        delete_backup(backup_arn: String) -> Done<Backup>;
        describe_backup(backup_arn: String) -> Done<Backup>;
        list_backups(table_name: Option<String>) -> Done<Vec<Backup>>;
        restore_table_from_backup(backup_arn: String, target_table_name: String) -> Done<Table>;
        restore_table_to_point_in_time(source_table_name: String, target_table_name: String) -> Done<Table>;
        tag_resource(resource_arn: String, tags: Vec<DynamoDbTag>) -> Done<()>;
        untag_resource(resource_arn: String, tag_keys: Vec<String>) -> Done<()>;
        list_tags_of_resource(resource_arn: String) -> Done<Vec<DynamoDbTag>>;
        update_time_to_live(table_name: String, attribute_name: String, enabled: bool) -> Done<TtlConfig>;
        describe_time_to_live(table_name: String) -> Done<Option<TtlConfig>>;
        update_continuous_backups(table_name: String, enabled: bool) -> Done<ContinuousBackupsConfig>;
        describe_continuous_backups(table_name: String) -> Done<Option<ContinuousBackupsConfig>>;
        put_resource_policy(resource_arn: String, policy: String) -> Done<String>;
        get_resource_policy(resource_arn: String) -> Done<Option<ResourcePolicy>>;
        delete_resource_policy(resource_arn: String) -> Done<String>;
        create_global_table(global_table_name: String, replication_group: Vec<String>) -> Done<GlobalTableInfo>;
        describe_global_table(global_table_name: String) -> Done<GlobalTableInfo>;
        update_global_table(global_table_name: String, replicas_to_create: Vec<String>, replicas_to_delete: Vec<String>) -> Done<GlobalTableInfo>;
        list_global_tables() -> Done<Vec<GlobalTableInfo>>;
        enable_kinesis_streaming_destination(table_name: String, stream_arn: String, precision: Option<String>) -> Done<KinesisStreamingDestination>;
        disable_kinesis_streaming_destination(table_name: String, stream_arn: String) -> Done<KinesisStreamingDestination>;
        describe_kinesis_streaming_destinations(table_name: String) -> Done<Vec<KinesisStreamingDestination>>;
        update_kinesis_streaming_destination(table_name: String, stream_arn: String, precision: Option<String>) -> Done<KinesisStreamingDestination>;
        update_contributor_insights(table_name: String, index_name: Option<String>, mode: String) -> Done<ContributorInsightsConfig>;
        describe_contributor_insights(table_name: String, index_name: Option<String>) -> Done<Option<ContributorInsightsConfig>>;
        list_contributor_insights(table_name: Option<String>) -> Done<Vec<ContributorInsightsConfig>>;
        export_table_to_point_in_time(table_arn: String, s3_bucket: Option<String>, s3_prefix: Option<String>, export_format: Option<String>) -> Done<ExportInfo>;
        describe_export(export_arn: String) -> Done<ExportInfo>;
        list_exports() -> Vec<ExportInfo>;
        import_table(table_name: String, s3_bucket_source: Option<String>, input_format: Option<String>) -> ImportInfo;
        describe_import(import_arn: String) -> Done<ImportInfo>;
        list_imports() -> Vec<ImportInfo>;
        get_stream_records(stream_arn: String, next_sequence_number: u64, limit: Option<usize>) -> Done<(Vec<StreamChangeRecord>, u64)>;
        restore(view: DynamodbStateView) -> Result<(), StateViewError>;
        merge(view: DynamodbStateView) -> Result<(), StateViewError>;
    }
}
