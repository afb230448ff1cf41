//! `sourceFlowConfig` as the SDK's types.

use aws_sdk_appflow::types as sdk;
use aws_smithy_types::error::operation::BuildError;

use crate::compile::request::{SourceFlowConfig, SourceProperties};

pub(super) fn source(source: &SourceFlowConfig) -> Result<sdk::SourceFlowConfig, BuildError> {
    sdk::SourceFlowConfig::builder()
        .connector_type(source.connector_type.as_str().into())
        .set_api_version(source.api_version.clone())
        .set_connector_profile_name(source.connector_profile_name.clone())
        .source_connector_properties(properties(&source.source_connector_properties)?)
        .set_incremental_pull_config(source.incremental_pull_config.as_ref().map(|pull| {
            sdk::IncrementalPullConfig::builder()
                .datetime_type_field_name(&pull.datetime_type_field_name)
                .build()
        }))
        .build()
}

fn properties(from: &SourceProperties) -> Result<sdk::SourceConnectorProperties, BuildError> {
    use SourceProperties as From;
    let properties = sdk::SourceConnectorProperties::builder();
    let properties = match from {
        From::Salesforce {
            object,
            enable_dynamic_field_update,
            include_deleted_records,
            data_transfer_api,
        } => properties.salesforce(
            sdk::SalesforceSourceProperties::builder()
                .object(object)
                .set_enable_dynamic_field_update(*enable_dynamic_field_update)
                .set_include_deleted_records(*include_deleted_records)
                .set_data_transfer_api(data_transfer_api.as_deref().map(Into::into))
                .build()?,
        ),
        From::S3 {
            bucket_name,
            bucket_prefix,
            s3_input_format_config,
        } => properties.s3(sdk::S3SourceProperties::builder()
            .bucket_name(bucket_name)
            .bucket_prefix(bucket_prefix)
            .set_s3_input_format_config(s3_input_format_config.as_ref().map(|format| {
                sdk::S3InputFormatConfig::builder()
                    .s3_input_file_type(format.s3_input_file_type.as_str().into())
                    .build()
            }))
            .build()?),
        From::ServiceNow(from) => properties.service_now(
            sdk::ServiceNowSourceProperties::builder()
                .object(&from.object)
                .build()?,
        ),
        From::Zendesk(from) => properties.zendesk(
            sdk::ZendeskSourceProperties::builder()
                .object(&from.object)
                .build()?,
        ),
        From::Slack(from) => properties.slack(
            sdk::SlackSourceProperties::builder()
                .object(&from.object)
                .build()?,
        ),
        From::Marketo(from) => properties.marketo(
            sdk::MarketoSourceProperties::builder()
                .object(&from.object)
                .build()?,
        ),
        From::Pardot(from) => properties.pardot(
            sdk::PardotSourceProperties::builder()
                .object(&from.object)
                .build()?,
        ),
        From::Datadog(from) => properties.datadog(
            sdk::DatadogSourceProperties::builder()
                .object(&from.object)
                .build()?,
        ),
        From::Dynatrace(from) => properties.dynatrace(
            sdk::DynatraceSourceProperties::builder()
                .object(&from.object)
                .build()?,
        ),
        From::InforNexus(from) => properties.infor_nexus(
            sdk::InforNexusSourceProperties::builder()
                .object(&from.object)
                .build()?,
        ),
        From::Singular(from) => properties.singular(
            sdk::SingularSourceProperties::builder()
                .object(&from.object)
                .build()?,
        ),
        From::Trendmicro(from) => properties.trendmicro(
            sdk::TrendmicroSourceProperties::builder()
                .object(&from.object)
                .build()?,
        ),
        From::GoogleAnalytics(from) => properties.google_analytics(
            sdk::GoogleAnalyticsSourceProperties::builder()
                .object(&from.object)
                .build()?,
        ),
        From::Amplitude(from) => properties.amplitude(
            sdk::AmplitudeSourceProperties::builder()
                .object(&from.object)
                .build()?,
        ),
        From::SapOData {
            object_path,
            parallelism_config,
            pagination_config,
        } => {
            let parallelism = parallelism_config.as_ref().map(|given| {
                sdk::SapoDataParallelismConfig::builder()
                    .max_parallelism(given.max_parallelism)
                    .build()
            });
            let pagination = pagination_config.as_ref().map(|given| {
                sdk::SapoDataPaginationConfig::builder()
                    .max_page_size(given.max_page_size)
                    .build()
            });
            let (parallelism, pagination) = (parallelism.transpose()?, pagination.transpose()?);
            properties.sapo_data(
                sdk::SapoDataSourceProperties::builder()
                    .object_path(object_path)
                    .set_parallelism_config(parallelism)
                    .set_pagination_config(pagination)
                    .build(),
            )
        }
        From::Veeva {
            object,
            document_type,
            include_source_files,
            include_renditions,
            include_all_versions,
        } => properties.veeva(
            sdk::VeevaSourceProperties::builder()
                .object(object)
                .set_document_type(document_type.clone())
                .set_include_source_files(*include_source_files)
                .set_include_renditions(*include_renditions)
                .set_include_all_versions(*include_all_versions)
                .build()?,
        ),
        From::CustomConnector {
            entity_name,
            custom_properties,
        } => properties.custom_connector(
            sdk::CustomConnectorSourceProperties::builder()
                .entity_name(entity_name)
                .set_custom_properties(super::map(custom_properties))
                .build()?,
        ),
    };
    Ok(properties.build())
}
