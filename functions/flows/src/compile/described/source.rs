//! `sourceFlowConfig`.

use aws_sdk_appflow::types as sdk;

use super::{Reading, text, truth};
use crate::compile::request::{
    IncrementalPullConfig, ObjectProperties, PaginationConfig, ParallelismConfig,
    S3InputFormatConfig, SourceFlowConfig, SourceProperties,
};

const PROPERTIES: &str = "/sourceFlowConfig/sourceConnectorProperties";

pub(super) fn source(
    reading: &mut Reading,
    config: &sdk::SourceFlowConfig,
) -> Option<SourceFlowConfig> {
    let found = reading.present(PROPERTIES, config.source_connector_properties.as_ref())?;
    let pull = config.incremental_pull_config.as_ref();
    let field = pull.and_then(|pull| text(pull.datetime_type_field_name.as_ref()));
    Some(SourceFlowConfig {
        connector_type: config.connector_type.as_str().to_owned(),
        api_version: text(config.api_version.as_ref()),
        connector_profile_name: text(config.connector_profile_name.as_ref()),
        source_connector_properties: properties(reading, found)?,
        incremental_pull_config: field.map(|field| IncrementalPullConfig {
            datetime_type_field_name: field,
        }),
    })
}

fn properties(
    reading: &mut Reading,
    found: &sdk::SourceConnectorProperties,
) -> Option<SourceProperties> {
    use SourceProperties as To;
    let mut all = objects(found);
    all.extend(found.salesforce.as_ref().map(|from| {
        To::Salesforce {
            object: from.object.clone(),
            enable_dynamic_field_update: truth(from.enable_dynamic_field_update),
            include_deleted_records: truth(from.include_deleted_records),
            data_transfer_api: from
                .data_transfer_api
                .as_ref()
                .map(|api| api.as_str().to_owned()),
        }
    }));
    all.extend(found.s3.as_ref().map(|from| {
        To::S3 {
            bucket_name: from.bucket_name.clone(),
            bucket_prefix: from.bucket_prefix.clone().unwrap_or_default(),
            s3_input_format_config: from
                .s3_input_format_config
                .as_ref()
                .and_then(|format| format.s3_input_file_type.as_ref())
                .map(|file| S3InputFormatConfig {
                    s3_input_file_type: file.as_str().to_owned(),
                }),
        }
    }));
    all.extend(found.sapo_data.as_ref().map(|from| {
        To::SapOData {
            object_path: from.object_path.clone().unwrap_or_default(),
            parallelism_config: from
                .parallelism_config
                .as_ref()
                .map(|given| ParallelismConfig {
                    max_parallelism: given.max_parallelism,
                }),
            pagination_config: from
                .pagination_config
                .as_ref()
                .map(|given| PaginationConfig {
                    max_page_size: given.max_page_size,
                }),
        }
    }));
    all.extend(found.veeva.as_ref().map(|from| To::Veeva {
        object: from.object.clone(),
        document_type: text(from.document_type.as_ref()),
        include_source_files: truth(from.include_source_files),
        include_renditions: truth(from.include_renditions),
        include_all_versions: truth(from.include_all_versions),
    }));
    if let Some(from) = &found.custom_connector {
        transfer(reading, from.data_transfer_api.as_ref());
        all.push(To::CustomConnector {
            entity_name: from.entity_name.clone(),
            custom_properties: from
                .custom_properties
                .clone()
                .unwrap_or_default()
                .into_iter()
                .collect(),
        });
    }
    reading.only(PROPERTIES, all)
}

/// AppFlow's own choice is what a request without this member leaves to it.
fn transfer(reading: &mut Reading, api: Option<&sdk::DataTransferApi>) {
    let Some(api) = api else { return };
    let automatic = api
        .r#type
        .as_ref()
        .is_none_or(|kind| *kind == sdk::DataTransferApiType::Automatic);
    if !automatic || api.name.as_ref().is_some_and(|name| !name.is_empty()) {
        reading.not_covered(
            format!("{PROPERTIES}/CustomConnector/dataTransferApi"),
            "A chosen transfer API of a custom connector.",
        );
    }
}

/// Sources that are one object.
fn objects(found: &sdk::SourceConnectorProperties) -> Vec<SourceProperties> {
    let mut all = Vec::new();
    macro_rules! read {
        ($($member:ident => $to:ident),* $(,)?) => {
            $(all.extend(found.$member.as_ref().map(|from| {
                SourceProperties::$to(ObjectProperties { object: from.object.clone() })
            }));)*
        };
    }
    read! {
        service_now => ServiceNow,
        zendesk => Zendesk,
        slack => Slack,
        marketo => Marketo,
        pardot => Pardot,
        datadog => Datadog,
        dynatrace => Dynatrace,
        infor_nexus => InforNexus,
        singular => Singular,
        trendmicro => Trendmicro,
        google_analytics => GoogleAnalytics,
        amplitude => Amplitude,
    }
    all
}
