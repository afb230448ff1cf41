//! Where data comes from.

use serde::{Deserialize, Serialize};
use tributary::id::ConnectionId;
use utoipa::ToSchema;

/// The source of a flow, told apart by `connector`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "connector", rename_all = "camelCase")]
pub enum Source {
    /// An object of a Salesforce organisation.
    Salesforce(SalesforceSource),
    /// Files in a bucket of the account.
    S3(S3Source),
}

/// An object of a Salesforce organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SalesforceSource {
    /// The connection through which it is read.
    pub connection_id: ConnectionId,
    /// API name of the object.
    #[schema(example = "City_Sales__c")]
    pub object: String,
    /// Which Salesforce API is used; AppFlow decides when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_transfer_api: Option<DataTransferApi>,
    /// Whether fields that are added to the object later come along; S3 destinations only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add_new_fields: Option<bool>,
    /// Whether records in the recycle bin come along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_deleted_records: Option<bool>,
}

/// Which Salesforce API brings the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum DataTransferApi {
    /// REST for small, Bulk 2.0 for large transfers.
    Automatic,
    /// Bulk 2.0 always; leaves compound fields out.
    BulkV2,
    /// REST always.
    RestSync,
}

/// Files in a bucket of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct S3Source {
    /// The bucket, in the account and Region of the flow.
    pub bucket: String,
    /// The folder whose files are read.
    pub prefix: String,
    /// What the files are; CSV when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<InputFile>,
}

/// What the files of a source are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum InputFile {
    /// Comma-separated, with a header row.
    Csv,
    /// One JSON object on each line.
    Json,
}
