//! A source becomes `sourceFlowConfig` (flow-model section 5).

use super::{
    CheckedFlow, Surroundings,
    request::{
        IncrementalPullConfig, ObjectProperties, PaginationConfig, ParallelismConfig,
        S3InputFormatConfig, SourceFlowConfig, SourceProperties,
    },
    words,
};
use crate::model::{EntitySource, ObjectSource, Source, Trigger};

/// Under which a SharePoint source lists what it reads in the site.
pub(super) const SUB_ENTITIES: &str = "subEntities";

pub(super) fn source(flow: &CheckedFlow, around: &Surroundings) -> SourceFlowConfig {
    let source = &flow.definition.source;
    let row = source.row();
    let default = row.api_version.and_then(|version| version.default);
    let timestamp_field = match &flow.definition.trigger {
        Trigger::Scheduled(scheduled) => scheduled.timestamp_field.clone(),
        Trigger::OnDemand(_) | Trigger::Event(_) => None,
    };
    SourceFlowConfig {
        connector_type: row.appflow_type.to_owned(),
        api_version: source.api_version().or(default).map(str::to_owned),
        connector_profile_name: around.source_profile.clone(),
        source_connector_properties: properties(source),
        incremental_pull_config: timestamp_field.map(|field| IncrementalPullConfig {
            datetime_type_field_name: field,
        }),
    }
}

fn properties(source: &Source) -> SourceProperties {
    use SourceProperties as To;
    match source {
        Source::Salesforce(from) => To::Salesforce {
            object: from.object.clone(),
            enable_dynamic_field_update: from.add_new_fields,
            include_deleted_records: from.include_deleted_records,
            data_transfer_api: from.data_transfer_api.map(words::data_transfer_api),
        },
        Source::S3(from) => To::S3 {
            bucket_name: from.bucket.clone(),
            bucket_prefix: from.prefix.clone(),
            s3_input_format_config: from.file.map(|file| S3InputFormatConfig {
                s3_input_file_type: words::input_file(file),
            }),
        },
        Source::ServiceNow(from) => To::ServiceNow(object(from)),
        Source::Zendesk(from) => To::Zendesk(object(from)),
        Source::Slack(from) => To::Slack(object(from)),
        Source::Marketo(from) => To::Marketo(object(from)),
        Source::Pardot(from) => To::Pardot(object(from)),
        Source::Datadog(from) => To::Datadog(object(from)),
        Source::Dynatrace(from) => To::Dynatrace(object(from)),
        Source::InforNexus(from) => To::InforNexus(object(from)),
        Source::Singular(from) => To::Singular(object(from)),
        Source::TrendMicro(from) => To::Trendmicro(object(from)),
        Source::GoogleAnalytics(from) => To::GoogleAnalytics(object(from)),
        Source::Amplitude(from) => To::Amplitude(object(from)),
        Source::SapOData(from) => To::SapOData {
            object_path: from.object_path.clone(),
            parallelism_config: from
                .max_parallelism
                .map(|max_parallelism| ParallelismConfig { max_parallelism }),
            pagination_config: from
                .max_page_size
                .map(|max_page_size| PaginationConfig { max_page_size }),
        },
        Source::Veeva(from) => To::Veeva {
            object: from.object.clone(),
            document_type: from.document_type.clone(),
            include_source_files: from.include_source_files,
            include_renditions: from.include_renditions,
            include_all_versions: from.include_all_versions,
        },
        Source::Asana(from)
        | Source::GitHub(from)
        | Source::GoogleAds(from)
        | Source::GoogleAnalytics4(from)
        | Source::GoogleBigQuery(from)
        | Source::HubSpot(from)
        | Source::Jdbc(from)
        | Source::Mailchimp(from)
        | Source::Dynamics365(from)
        | Source::MarketingCloud(from)
        | Source::Custom(from) => entity(from),
        Source::SharePoint(from) => To::CustomConnector {
            entity_name: from.site.clone(),
            custom_properties: [(
                SUB_ENTITIES.to_owned(),
                serde_json::Value::from(from.items.clone()).to_string(),
            )]
            .into(),
        },
    }
}

fn object(from: &ObjectSource) -> ObjectProperties {
    ObjectProperties {
        object: from.object.clone(),
    }
}

fn entity(from: &EntitySource) -> SourceProperties {
    SourceProperties::CustomConnector {
        entity_name: from.entity.clone(),
        custom_properties: from.properties.clone(),
    }
}
