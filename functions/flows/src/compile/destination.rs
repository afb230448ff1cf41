//! A destination becomes the one element of `destinationFlowConfigList` (flow-model sections 6, 7).

use super::{
    Surroundings,
    request::{
        AggregationConfig, DestinationFlowConfig, DestinationProperties, ErrorHandlingConfig,
        PrefixConfig, S3OutputFormatConfig, StagedProperties, SuccessResponseHandlingConfig,
    },
    words,
};
use crate::model::{
    DatePrefix, Destination, EntityDestination, ErrorHandling, OutputFile, OutputFormat,
    TableDestination,
};

/// What the names of partner event sources begin with; an account follows.
pub(super) const PARTNER_SOURCE: &str = "aws.partner/appflow/salesforce.com";

pub(super) fn destination(
    destination: &Destination,
    around: &Surroundings,
) -> DestinationFlowConfig {
    let row = destination.row();
    let api_version = match destination {
        Destination::GoogleBigQuery(entity)
        | Destination::HubSpot(entity)
        | Destination::Jdbc(entity)
        | Destination::RdsPostgreSql(entity)
        | Destination::Custom(entity) => {
            let default = row.api_version.and_then(|version| version.default);
            entity.api_version.as_deref().or(default)
        }
        _ => None,
    };
    DestinationFlowConfig {
        connector_type: row.appflow_type.to_owned(),
        api_version: api_version.map(str::to_owned),
        connector_profile_name: around.destination_profile.clone(),
        destination_connector_properties: properties(destination, around),
    }
}

fn properties(destination: &Destination, around: &Surroundings) -> DestinationProperties {
    use DestinationProperties as To;
    let error_handling_config = destination.error_handling().map(error_handling);
    match destination {
        Destination::S3(files) => To::S3 {
            bucket_name: files.bucket.clone(),
            bucket_prefix: files.prefix.clone(),
            s3_output_format_config: files.format.as_ref().map(output_format),
        },
        Destination::Redshift(table) => {
            let schema = table.schema.as_deref().unwrap_or("public");
            let object = format!("{schema}.{}", table.table);
            To::Redshift(staged(object, around, table))
        }
        Destination::Snowflake(table) => {
            let schema = table.schema.as_deref().unwrap_or("PUBLIC");
            let database = around
                .staging
                .as_ref()
                .and_then(|kept| kept.database.as_ref());
            let object = match database {
                Some(database) => format!("{database}.{schema}.{}", table.table),
                None => format!("{schema}.{}", table.table),
            };
            To::Snowflake(staged(object, around, table))
        }
        Destination::Salesforce(to) => To::Salesforce {
            object: to.object.clone(),
            id_field_names: to.id_fields.clone(),
            error_handling_config,
            write_operation_type: Some(words::write(to.write)),
            data_transfer_api: to.data_transfer_api.map(words::data_transfer_api),
        },
        Destination::EventBridge(to) => To::EventBridge {
            object: match &to.suffix {
                Some(suffix) => format!("{PARTNER_SOURCE}/{}/{suffix}", around.aws_account_id),
                None => format!("{PARTNER_SOURCE}/{}", around.aws_account_id),
            },
            error_handling_config,
        },
        Destination::Zendesk(to) => To::Zendesk {
            object: to.object.clone(),
            id_field_names: to.id_fields.clone(),
            error_handling_config,
            write_operation_type: Some(words::write(to.write)),
        },
        Destination::Marketo(to) => To::Marketo {
            object: to.object.clone(),
            error_handling_config,
        },
        Destination::SapOData(to) => To::SapOData {
            object_path: to.object_path.clone(),
            success_response_handling_config: to.success_responses.as_ref().map(|place| {
                SuccessResponseHandlingConfig {
                    bucket_prefix: place.prefix.clone(),
                    bucket_name: Some(place.bucket.clone()),
                }
            }),
            id_field_names: to.id_fields.clone(),
            error_handling_config,
            write_operation_type: Some(words::write(to.write)),
        },
        Destination::GoogleBigQuery(to)
        | Destination::HubSpot(to)
        | Destination::Jdbc(to)
        | Destination::RdsPostgreSql(to)
        | Destination::Custom(to) => entity(to, error_handling_config),
        Destination::CustomerProfiles(to) => To::CustomerProfiles {
            domain_name: to.domain.clone(),
            object_type_name: to.object_type.clone(),
        },
        Destination::Upsolver(files) => To::Upsolver {
            bucket_name: files.bucket.clone(),
            bucket_prefix: files.prefix.clone(),
            s3_output_format_config: output_format(&files.format),
        },
        Destination::LookoutMetrics(_) => To::LookoutMetrics {},
        Destination::Honeycode(to) => To::Honeycode {
            object: to.object.clone(),
            error_handling_config,
        },
    }
}

fn staged(object: String, around: &Surroundings, table: &TableDestination) -> StagedProperties {
    let staging = around.staging.as_ref();
    StagedProperties {
        object,
        intermediate_bucket_name: staging.map(|kept| kept.bucket.clone()).unwrap_or_default(),
        bucket_prefix: staging.and_then(|kept| kept.prefix.clone()),
        error_handling_config: table.error_handling.as_ref().map(error_handling),
    }
}

fn entity(
    to: &EntityDestination,
    error_handling_config: Option<ErrorHandlingConfig>,
) -> DestinationProperties {
    DestinationProperties::CustomConnector {
        entity_name: to.entity.clone(),
        error_handling_config,
        write_operation_type: Some(words::write(to.write)),
        id_field_names: to.id_fields.clone(),
        custom_properties: to.properties.clone(),
    }
}

fn error_handling(given: &ErrorHandling) -> ErrorHandlingConfig {
    ErrorHandlingConfig {
        fail_on_first_destination_error: given.stop_on_first_error,
        bucket_prefix: given.prefix.clone(),
        bucket_name: given.bucket.clone(),
    }
}

fn output_format(format: &OutputFormat) -> S3OutputFormatConfig {
    let aggregated = format.aggregation.is_some() || format.target_file_size_mb.is_some();
    S3OutputFormatConfig {
        file_type: words::output_file(format.file.unwrap_or(OutputFile::Json)),
        prefix_config: format.prefix.as_ref().map(prefix),
        aggregation_config: aggregated.then(|| AggregationConfig {
            aggregation_type: format.aggregation.map(words::aggregation),
            target_file_size: format.target_file_size_mb,
        }),
        preserve_source_data_typing: format.preserve_source_types,
    }
}

fn prefix(prefix: &DatePrefix) -> PrefixConfig {
    PrefixConfig {
        prefix_type: prefix.place.map(words::prefix_place),
        prefix_format: prefix.depth.map(words::prefix_depth),
        path_prefix_hierarchy: prefix.folders.iter().copied().map(words::folder).collect(),
    }
}
