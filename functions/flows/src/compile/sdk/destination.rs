//! `destinationFlowConfigList` as the SDK's types.

use aws_sdk_appflow::types as sdk;
use aws_smithy_types::error::operation::BuildError;

use crate::compile::request::{
    AggregationConfig, DestinationFlowConfig, DestinationProperties, ErrorHandlingConfig,
    PrefixConfig, S3OutputFormatConfig,
};

pub(super) fn destination(
    destination: &DestinationFlowConfig,
) -> Result<sdk::DestinationFlowConfig, BuildError> {
    sdk::DestinationFlowConfig::builder()
        .connector_type(destination.connector_type.as_str().into())
        .set_api_version(destination.api_version.clone())
        .set_connector_profile_name(destination.connector_profile_name.clone())
        .destination_connector_properties(properties(
            &destination.destination_connector_properties,
        )?)
        .build()
}

fn properties(
    to: &DestinationProperties,
) -> Result<sdk::DestinationConnectorProperties, BuildError> {
    use DestinationProperties as To;
    let properties = sdk::DestinationConnectorProperties::builder();
    let properties = match to {
        To::S3 {
            bucket_name,
            bucket_prefix,
            s3_output_format_config,
        } => properties.s3(sdk::S3DestinationProperties::builder()
            .bucket_name(bucket_name)
            .set_bucket_prefix(bucket_prefix.clone())
            .set_s3_output_format_config(s3_output_format_config.as_ref().map(output_format))
            .build()?),
        To::Redshift(staged) => properties.redshift(
            sdk::RedshiftDestinationProperties::builder()
                .object(&staged.object)
                .intermediate_bucket_name(&staged.intermediate_bucket_name)
                .set_bucket_prefix(staged.bucket_prefix.clone())
                .set_error_handling_config(errors(staged.error_handling_config.as_ref()))
                .build()?,
        ),
        To::Snowflake(staged) => properties.snowflake(
            sdk::SnowflakeDestinationProperties::builder()
                .object(&staged.object)
                .intermediate_bucket_name(&staged.intermediate_bucket_name)
                .set_bucket_prefix(staged.bucket_prefix.clone())
                .set_error_handling_config(errors(staged.error_handling_config.as_ref()))
                .build()?,
        ),
        To::Salesforce {
            object,
            id_field_names,
            error_handling_config,
            write_operation_type,
            data_transfer_api,
        } => properties.salesforce(
            sdk::SalesforceDestinationProperties::builder()
                .object(object)
                .set_id_field_names(super::list(id_field_names))
                .set_error_handling_config(errors(error_handling_config.as_ref()))
                .set_write_operation_type(write_operation_type.as_deref().map(Into::into))
                .set_data_transfer_api(data_transfer_api.as_deref().map(Into::into))
                .build()?,
        ),
        To::EventBridge {
            object,
            error_handling_config,
        } => properties.event_bridge(
            sdk::EventBridgeDestinationProperties::builder()
                .object(object)
                .set_error_handling_config(errors(error_handling_config.as_ref()))
                .build()?,
        ),
        To::Zendesk {
            object,
            id_field_names,
            error_handling_config,
            write_operation_type,
        } => properties.zendesk(
            sdk::ZendeskDestinationProperties::builder()
                .object(object)
                .set_id_field_names(super::list(id_field_names))
                .set_error_handling_config(errors(error_handling_config.as_ref()))
                .set_write_operation_type(write_operation_type.as_deref().map(Into::into))
                .build()?,
        ),
        To::Marketo {
            object,
            error_handling_config,
        } => properties.marketo(
            sdk::MarketoDestinationProperties::builder()
                .object(object)
                .set_error_handling_config(errors(error_handling_config.as_ref()))
                .build()?,
        ),
        To::SapOData {
            object_path,
            success_response_handling_config,
            id_field_names,
            error_handling_config,
            write_operation_type,
        } => {
            let successes = success_response_handling_config.as_ref().map(|place| {
                sdk::SuccessResponseHandlingConfig::builder()
                    .set_bucket_prefix(place.bucket_prefix.clone())
                    .set_bucket_name(place.bucket_name.clone())
                    .build()
            });
            properties.sapo_data(
                sdk::SapoDataDestinationProperties::builder()
                    .object_path(object_path)
                    .set_success_response_handling_config(successes)
                    .set_id_field_names(super::list(id_field_names))
                    .set_error_handling_config(errors(error_handling_config.as_ref()))
                    .set_write_operation_type(write_operation_type.as_deref().map(Into::into))
                    .build()?,
            )
        }
        To::CustomConnector {
            entity_name,
            error_handling_config,
            write_operation_type,
            id_field_names,
            custom_properties,
        } => properties.custom_connector(
            sdk::CustomConnectorDestinationProperties::builder()
                .entity_name(entity_name)
                .set_error_handling_config(errors(error_handling_config.as_ref()))
                .set_write_operation_type(write_operation_type.as_deref().map(Into::into))
                .set_id_field_names(super::list(id_field_names))
                .set_custom_properties(super::map(custom_properties))
                .build()?,
        ),
        To::CustomerProfiles {
            domain_name,
            object_type_name,
        } => properties.customer_profiles(
            sdk::CustomerProfilesDestinationProperties::builder()
                .domain_name(domain_name)
                .set_object_type_name(object_type_name.clone())
                .build()?,
        ),
        To::Upsolver {
            bucket_name,
            bucket_prefix,
            s3_output_format_config,
        } => properties.upsolver(
            sdk::UpsolverDestinationProperties::builder()
                .bucket_name(bucket_name)
                .set_bucket_prefix(bucket_prefix.clone())
                .s3_output_format_config(upsolver_format(s3_output_format_config))
                .build()?,
        ),
        To::LookoutMetrics {} => {
            properties.lookout_metrics(sdk::LookoutMetricsDestinationProperties::builder().build())
        }
        To::Honeycode {
            object,
            error_handling_config,
        } => properties.honeycode(
            sdk::HoneycodeDestinationProperties::builder()
                .object(object)
                .set_error_handling_config(errors(error_handling_config.as_ref()))
                .build()?,
        ),
    };
    Ok(properties.build())
}

fn errors(config: Option<&ErrorHandlingConfig>) -> Option<sdk::ErrorHandlingConfig> {
    let config = config?;
    let built = sdk::ErrorHandlingConfig::builder()
        .set_fail_on_first_destination_error(config.fail_on_first_destination_error)
        .set_bucket_prefix(config.bucket_prefix.clone())
        .set_bucket_name(config.bucket_name.clone())
        .build();
    Some(built)
}

fn output_format(format: &S3OutputFormatConfig) -> sdk::S3OutputFormatConfig {
    sdk::S3OutputFormatConfig::builder()
        .file_type(format.file_type.as_str().into())
        .set_prefix_config(format.prefix_config.as_ref().map(prefix))
        .set_aggregation_config(format.aggregation_config.as_ref().map(aggregation))
        .set_preserve_source_data_typing(format.preserve_source_data_typing)
        .build()
}

/// The same without types; the prefix is required.
fn upsolver_format(format: &S3OutputFormatConfig) -> sdk::UpsolverS3OutputFormatConfig {
    let empty = || sdk::PrefixConfig::builder().build();
    sdk::UpsolverS3OutputFormatConfig::builder()
        .file_type(format.file_type.as_str().into())
        .prefix_config(format.prefix_config.as_ref().map_or_else(empty, prefix))
        .set_aggregation_config(format.aggregation_config.as_ref().map(aggregation))
        .build()
}

fn prefix(prefix: &PrefixConfig) -> sdk::PrefixConfig {
    let hierarchy: Vec<sdk::PathPrefix> = prefix
        .path_prefix_hierarchy
        .iter()
        .map(|folder| folder.as_str().into())
        .collect();
    sdk::PrefixConfig::builder()
        .set_prefix_type(prefix.prefix_type.as_deref().map(Into::into))
        .set_prefix_format(prefix.prefix_format.as_deref().map(Into::into))
        .set_path_prefix_hierarchy((!hierarchy.is_empty()).then_some(hierarchy))
        .build()
}

fn aggregation(aggregation: &AggregationConfig) -> sdk::AggregationConfig {
    sdk::AggregationConfig::builder()
        .set_aggregation_type(aggregation.aggregation_type.as_deref().map(Into::into))
        .set_target_file_size(aggregation.target_file_size)
        .build()
}
