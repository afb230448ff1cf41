//! One element of `destinationFlowConfigList`.

use aws_sdk_appflow::types as sdk;

use super::{Reading, text, truth};
use crate::compile::request::{
    AggregationConfig, DestinationFlowConfig, DestinationProperties, ErrorHandlingConfig,
    PrefixConfig, S3OutputFormatConfig, StagedProperties, SuccessResponseHandlingConfig,
};

pub(super) fn destination(
    reading: &mut Reading,
    index: usize,
    config: &sdk::DestinationFlowConfig,
) -> Option<DestinationFlowConfig> {
    let pointer = format!("/destinationFlowConfigList/{index}/destinationConnectorProperties");
    let found = config.destination_connector_properties.as_ref();
    let found = reading.present(&pointer, found)?;
    Some(DestinationFlowConfig {
        connector_type: config.connector_type.as_str().to_owned(),
        api_version: text(config.api_version.as_ref()),
        connector_profile_name: text(config.connector_profile_name.as_ref()),
        destination_connector_properties: reading.only(pointer, properties(found))?,
    })
}

fn properties(found: &sdk::DestinationConnectorProperties) -> Vec<DestinationProperties> {
    use DestinationProperties as To;
    let ids = |ids: &Option<Vec<String>>| ids.clone().unwrap_or_default();
    let write = |write: &Option<sdk::WriteOperationType>| {
        write.as_ref().map(|write| write.as_str().to_owned())
    };
    let mut all = Vec::new();
    all.extend(found.s3.as_ref().map(|to| To::S3 {
        bucket_name: to.bucket_name.clone(),
        bucket_prefix: text(to.bucket_prefix.as_ref()),
        s3_output_format_config: to.s3_output_format_config.as_ref().map(output_format),
    }));
    all.extend(found.redshift.as_ref().map(|to| {
        To::Redshift(StagedProperties {
            object: to.object.clone(),
            intermediate_bucket_name: to.intermediate_bucket_name.clone(),
            bucket_prefix: text(to.bucket_prefix.as_ref()),
            error_handling_config: errors(to.error_handling_config.as_ref()),
        })
    }));
    all.extend(found.snowflake.as_ref().map(|to| {
        To::Snowflake(StagedProperties {
            object: to.object.clone(),
            intermediate_bucket_name: to.intermediate_bucket_name.clone(),
            bucket_prefix: text(to.bucket_prefix.as_ref()),
            error_handling_config: errors(to.error_handling_config.as_ref()),
        })
    }));
    all.extend(found.salesforce.as_ref().map(|to| {
        To::Salesforce {
            object: to.object.clone(),
            id_field_names: ids(&to.id_field_names),
            error_handling_config: errors(to.error_handling_config.as_ref()),
            write_operation_type: write(&to.write_operation_type),
            data_transfer_api: to
                .data_transfer_api
                .as_ref()
                .map(|api| api.as_str().to_owned()),
        }
    }));
    all.extend(found.event_bridge.as_ref().map(|to| To::EventBridge {
        object: to.object.clone(),
        error_handling_config: errors(to.error_handling_config.as_ref()),
    }));
    all.extend(found.zendesk.as_ref().map(|to| To::Zendesk {
        object: to.object.clone(),
        id_field_names: ids(&to.id_field_names),
        error_handling_config: errors(to.error_handling_config.as_ref()),
        write_operation_type: write(&to.write_operation_type),
    }));
    all.extend(found.marketo.as_ref().map(|to| To::Marketo {
        object: to.object.clone(),
        error_handling_config: errors(to.error_handling_config.as_ref()),
    }));
    all.extend(found.sapo_data.as_ref().map(|to| To::SapOData {
        object_path: to.object_path.clone(),
        success_response_handling_config: to.success_response_handling_config.as_ref().map(
            |place| SuccessResponseHandlingConfig {
                bucket_prefix: text(place.bucket_prefix.as_ref()),
                bucket_name: text(place.bucket_name.as_ref()),
            },
        ),
        id_field_names: ids(&to.id_field_names),
        error_handling_config: errors(to.error_handling_config.as_ref()),
        write_operation_type: write(&to.write_operation_type),
    }));
    all.extend(found.custom_connector.as_ref().map(|to| {
        To::CustomConnector {
            entity_name: to.entity_name.clone(),
            error_handling_config: errors(to.error_handling_config.as_ref()),
            write_operation_type: write(&to.write_operation_type),
            id_field_names: ids(&to.id_field_names),
            custom_properties: to
                .custom_properties
                .clone()
                .unwrap_or_default()
                .into_iter()
                .collect(),
        }
    }));
    all.extend(
        found
            .customer_profiles
            .as_ref()
            .map(|to| To::CustomerProfiles {
                domain_name: to.domain_name.clone(),
                object_type_name: text(to.object_type_name.as_ref()),
            }),
    );
    all.extend(found.upsolver.as_ref().map(|to| To::Upsolver {
        bucket_name: to.bucket_name.clone(),
        bucket_prefix: text(to.bucket_prefix.as_ref()),
        s3_output_format_config: upsolver_format(to.s3_output_format_config.as_ref()),
    }));
    all.extend(
        found
            .lookout_metrics
            .as_ref()
            .map(|_| To::LookoutMetrics {}),
    );
    all.extend(found.honeycode.as_ref().map(|to| To::Honeycode {
        object: to.object.clone(),
        error_handling_config: errors(to.error_handling_config.as_ref()),
    }));
    all
}

fn errors(config: Option<&sdk::ErrorHandlingConfig>) -> Option<ErrorHandlingConfig> {
    config.map(|config| ErrorHandlingConfig {
        fail_on_first_destination_error: truth(config.fail_on_first_destination_error),
        bucket_prefix: text(config.bucket_prefix.as_ref()),
        bucket_name: text(config.bucket_name.as_ref()),
    })
}

fn output_format(format: &sdk::S3OutputFormatConfig) -> S3OutputFormatConfig {
    S3OutputFormatConfig {
        file_type: file_type(format.file_type.as_ref()),
        prefix_config: format.prefix_config.as_ref().map(prefix),
        aggregation_config: format.aggregation_config.as_ref().map(aggregation),
        preserve_source_data_typing: format.preserve_source_data_typing,
    }
}

fn upsolver_format(format: Option<&sdk::UpsolverS3OutputFormatConfig>) -> S3OutputFormatConfig {
    S3OutputFormatConfig {
        file_type: file_type(format.and_then(|format| format.file_type.as_ref())),
        prefix_config: format.and_then(|format| format.prefix_config.as_ref().map(prefix)),
        aggregation_config: format
            .and_then(|format| format.aggregation_config.as_ref().map(aggregation)),
        preserve_source_data_typing: None,
    }
}

/// JSON is what AppFlow writes when it is not told.
fn file_type(given: Option<&sdk::FileType>) -> String {
    given.unwrap_or(&sdk::FileType::Json).as_str().to_owned()
}

fn prefix(prefix: &sdk::PrefixConfig) -> PrefixConfig {
    PrefixConfig {
        prefix_type: prefix
            .prefix_type
            .as_ref()
            .map(|place| place.as_str().to_owned()),
        prefix_format: prefix
            .prefix_format
            .as_ref()
            .map(|depth| depth.as_str().to_owned()),
        path_prefix_hierarchy: prefix
            .path_prefix_hierarchy()
            .iter()
            .map(|folder| folder.as_str().to_owned())
            .collect(),
    }
}

fn aggregation(aggregation: &sdk::AggregationConfig) -> AggregationConfig {
    AggregationConfig {
        aggregation_type: aggregation
            .aggregation_type
            .as_ref()
            .map(|kind| kind.as_str().to_owned()),
        target_file_size: aggregation.target_file_size,
    }
}
