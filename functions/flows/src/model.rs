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

use serde::{Deserialize, Serialize};
use tributary::id::{AccountId, ConnectionId};
use utoipa::ToSchema;

pub use destination::{
    Aggregation, Catalog, DatePrefix, Destination, ErrorHandling, OutputFile, OutputFormat,
    PathFolder, PrefixDepth, PrefixPlace, RedshiftDestination, S3Destination,
};
pub use filter::{Comparison, Filter, FilterValue};
pub use mapping::{AllFields, FieldMapping, Mapping};
pub use source::{DataTransferApi, InputFile, S3Source, SalesforceSource, Source};
pub use transform::{Mask, MaskPart, Transform, Truncate};
pub use trigger::{OnDemand, Pull, Scheduled, Trigger};
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
}

impl FlowDefinition {
    /// The connections that the flow uses.
    pub fn connections(&self) -> Vec<ConnectionId> {
        let source = match &self.source {
            Source::Salesforce(source) => Some(source.connection_id),
            Source::S3(_) => None,
        };
        let destination = match &self.destination {
            Destination::Redshift(destination) => Some(destination.connection_id),
            Destination::S3(_) => None,
        };
        source.into_iter().chain(destination).collect()
    }
}
