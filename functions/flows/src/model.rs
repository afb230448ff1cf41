//! A flow as a person writes it: tagged unions with plain words.
//!
//! Nothing here is checked beyond its shape; [`crate::compile::check()`] applies the rules.

mod destination;
mod filter;
mod mapping;
mod source;
mod transform;
mod trigger;
mod validation;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tributary::{
    id::{AccountId, ConnectionId},
    run::AfterRun,
};
use utoipa::ToSchema;

pub use destination::{
    Aggregation, Catalog, CustomerProfilesDestination, DatePrefix, Destination, EntityDestination,
    ErrorHandling, EventBridgeDestination, HoneycodeDestination, MarketoDestination, Nothing,
    ObjectDestination, OutputFile, OutputFormat, PathFolder, Place, PrefixDepth, PrefixPlace,
    S3Destination, SalesforceDestination, SapDestination, TableDestination, UpsolverDestination,
};
pub use filter::{Filter, FilterValue};
pub use mapping::{AllFields, Arithmetic, Calculation, Concatenation, FieldMapping, Mapping};
pub use source::{
    DataTransferApi, EntitySource, InputFile, ObjectSource, S3Source, SalesforceSource, SapSource,
    SharePointSource, Source, VeevaSource,
};
pub use transform::{Mask, MaskPart, Transform, Truncate};
pub use tributary::connector::{Comparison, WriteOperation};
pub use trigger::{Pull, Scheduled, Trigger};
pub use validation::{Otherwise, Requirement, Validation};

/// What a flow does: from where, to where, when, and what happens to the data on the way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FlowDefinition {
    /// What people call it; 1 to 256 characters.
    #[schema(example = "City sales to S3")]
    pub name: String,
    /// What it is for; letters, digits, blanks and `_ ! @ # - . ? ,`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The AWS account in which it runs.
    pub account_id: AccountId,
    /// Where the data comes from.
    pub source: Source,
    /// Where the data goes.
    pub destination: Destination,
    /// When it runs.
    pub trigger: Trigger,
    /// Which fields are brought, at least one mapping.
    pub mappings: Vec<Mapping>,
    /// Which records are brought; all of them must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<Filter>,
    /// What is done to values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transforms: Vec<Transform>,
    /// What records must be like.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub validations: Vec<Validation>,
    /// KMS key with which AppFlow encrypts the flow's data on the way; AppFlow's own when absent.
    /// It cannot be changed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        example = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    )]
    pub kms_key_arn: Option<String>,
    /// Tags that the flow has in AppFlow besides ours; at most 48. They cannot be changed later.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// What runs in the warehouse when a run has completed. It is ours: AppFlow is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_run: Option<AfterRun>,
}

impl FlowDefinition {
    /// The connections that the flow uses.
    pub fn connections(&self) -> Vec<ConnectionId> {
        let source = self.source.connection_id();
        let destination = self.destination.connection_id();
        source.into_iter().chain(destination).collect()
    }
}
