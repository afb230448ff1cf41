//! An element of `destinationFlowConfigList` becomes a destination.

use super::{KnownConnection, Reading};
use crate::{
    compile::{
        destination::PARTNER_SOURCE,
        request::{
            DestinationFlowConfig, DestinationProperties, ErrorHandlingConfig, PrefixConfig,
            S3OutputFormatConfig, StagedProperties,
        },
        words,
    },
    model::{
        CustomerProfilesDestination, DatePrefix, Destination, EntityDestination, ErrorHandling,
        EventBridgeDestination, HoneycodeDestination, MarketoDestination, Nothing,
        ObjectDestination, OutputFormat, Place, S3Destination, SalesforceDestination,
        SapDestination, TableDestination, UpsolverDestination, WriteOperation,
    },
};

const AT: &str = "/destinationFlowConfigList/0";

fn at(path: &str) -> String {
    format!("{AT}/destinationConnectorProperties/{path}")
}

pub(super) fn destination(
    reading: &mut Reading<'_>,
    config: &DestinationFlowConfig,
) -> Option<Destination> {
    let (destination, connection) = match unconnected(reading, config)? {
        Some(destination) => (destination, None),
        None => {
            let profile = config.connector_profile_name.as_ref();
            let connection = reading.connection(AT, profile)?;
            (connected(reading, config, connection)?, Some(connection))
        }
    };
    let entity = matches!(
        config.destination_connector_properties,
        DestinationProperties::CustomConnector { .. }
    );
    if config.api_version.is_some() && !entity {
        reading.not_covered(format!("{AT}/apiVersion"), "It names no version here.");
    }
    let key = connection.map(|connection| connection.connector.as_str());
    reading.agree(AT, &config.connector_type, destination.row(), key);
    Some(destination)
}

/// Services of AWS, and Upsolver's bucket. The outer none is a fault, the inner one another kind.
#[expect(
    clippy::option_option,
    reason = "refused, not mine, and found are three answers"
)]
fn unconnected(
    reading: &mut Reading<'_>,
    config: &DestinationFlowConfig,
) -> Option<Option<Destination>> {
    use DestinationProperties as From;
    Some(Some(match &config.destination_connector_properties {
        From::S3 {
            bucket_name,
            bucket_prefix,
            s3_output_format_config,
        } => Destination::S3(S3Destination {
            bucket: bucket_name.clone(),
            prefix: bucket_prefix.clone(),
            format: match s3_output_format_config {
                Some(format) => Some(output_format(reading, "S3", format)?),
                None => None,
            },
            partition_by: Vec::new(),
            catalog: None,
        }),
        From::EventBridge {
            object,
            error_handling_config,
        } => Destination::EventBridge(EventBridgeDestination {
            suffix: suffix(reading, object)?,
            error_handling: errors(error_handling_config.as_ref()),
        }),
        From::CustomerProfiles {
            domain_name,
            object_type_name,
        } => Destination::CustomerProfiles(CustomerProfilesDestination {
            domain: domain_name.clone(),
            object_type: object_type_name.clone(),
        }),
        From::Upsolver {
            bucket_name,
            bucket_prefix,
            s3_output_format_config,
        } => Destination::Upsolver(UpsolverDestination {
            bucket: bucket_name.clone(),
            prefix: bucket_prefix.clone(),
            format: output_format(reading, "Upsolver", s3_output_format_config)?,
        }),
        From::LookoutMetrics {} => Destination::LookoutMetrics(Nothing {}),
        _ => return Some(None),
    }))
}

fn connected(
    reading: &mut Reading<'_>,
    config: &DestinationFlowConfig,
    connection: &KnownConnection,
) -> Option<Destination> {
    use DestinationProperties as From;
    let connection_id = connection.id;
    Some(match &config.destination_connector_properties {
        From::Redshift(staged) => {
            Destination::Redshift(table(reading, "Redshift", connection, staged, None)?)
        }
        From::Snowflake(staged) => {
            let kept = connection.staging.as_ref();
            let database = kept.and_then(|kept| kept.database.as_deref());
            Destination::Snowflake(table(reading, "Snowflake", connection, staged, database)?)
        }
        From::Salesforce {
            object,
            id_field_names,
            error_handling_config,
            write_operation_type,
            data_transfer_api,
        } => {
            let api = at("Salesforce/dataTransferApi");
            Destination::Salesforce(SalesforceDestination {
                connection_id,
                object: object.clone(),
                write: write(reading, "Salesforce", write_operation_type.as_ref())?,
                id_fields: id_field_names.clone(),
                data_transfer_api: reading.optional(
                    api,
                    data_transfer_api.as_ref(),
                    words::data_transfer_api_of,
                ),
                error_handling: errors(error_handling_config.as_ref()),
            })
        }
        From::Zendesk {
            object,
            id_field_names,
            error_handling_config,
            write_operation_type,
        } => Destination::Zendesk(ObjectDestination {
            connection_id,
            object: object.clone(),
            write: write(reading, "Zendesk", write_operation_type.as_ref())?,
            id_fields: id_field_names.clone(),
            error_handling: errors(error_handling_config.as_ref()),
        }),
        From::Marketo {
            object,
            error_handling_config,
        } => Destination::Marketo(MarketoDestination {
            connection_id,
            object: object.clone(),
            error_handling: errors(error_handling_config.as_ref()),
        }),
        From::SapOData {
            object_path,
            success_response_handling_config,
            id_field_names,
            error_handling_config,
            write_operation_type,
        } => Destination::SapOData(SapDestination {
            connection_id,
            object_path: object_path.clone(),
            write: write(reading, "SAPOData", write_operation_type.as_ref())?,
            id_fields: id_field_names.clone(),
            success_responses: match success_response_handling_config {
                None => None,
                Some(place) => {
                    let at = at("SAPOData/successResponseHandlingConfig/bucketName");
                    Some(Place {
                        bucket: reading.word(at, place.bucket_name.clone())?,
                        prefix: place.bucket_prefix.clone(),
                    })
                }
            },
            error_handling: errors(error_handling_config.as_ref()),
        }),
        From::CustomConnector {
            entity_name,
            error_handling_config,
            write_operation_type,
            id_field_names,
            custom_properties,
        } => {
            let of: fn(EntityDestination) -> Destination = match connection.connector.as_str() {
                "googleBigQuery" => Destination::GoogleBigQuery,
                "hubSpot" => Destination::HubSpot,
                "jdbc" => Destination::Jdbc,
                "rdsPostgreSql" => Destination::RdsPostgreSql,
                _ => Destination::Custom,
            };
            of(EntityDestination {
                connection_id,
                entity: entity_name.clone(),
                api_version: config.api_version.clone(),
                write: write(reading, "CustomConnector", write_operation_type.as_ref())?,
                id_fields: id_field_names.clone(),
                properties: custom_properties.clone(),
                error_handling: errors(error_handling_config.as_ref()),
            })
        }
        From::Honeycode {
            object,
            error_handling_config,
        } => Destination::Honeycode(HoneycodeDestination {
            connection_id,
            object: object.clone(),
            error_handling: errors(error_handling_config.as_ref()),
        }),
        From::S3 { .. }
        | From::EventBridge { .. }
        | From::CustomerProfiles { .. }
        | From::Upsolver { .. }
        | From::LookoutMetrics {} => return None,
    })
}

/// Inserting is what AppFlow does when it is not told.
fn write(reading: &mut Reading<'_>, key: &str, word: Option<&String>) -> Option<WriteOperation> {
    match word {
        None => Some(WriteOperation::Insert),
        Some(word) => reading.word(
            at(&format!("{key}/writeOperationType")),
            words::write_of(word),
        ),
    }
}

/// The table, whose staging must be the connection's: the model keeps it there.
fn table(
    reading: &mut Reading<'_>,
    key: &str,
    connection: &KnownConnection,
    staged: &StagedProperties,
    database: Option<&str>,
) -> Option<TableDestination> {
    let kept = connection.staging.as_ref();
    if kept.map(|kept| kept.bucket.as_str()) != Some(staged.intermediate_bucket_name.as_str()) {
        let at = at(&format!("{key}/intermediateBucketName"));
        reading.not_covered(at, "The connection loads through another bucket.");
    } else if kept.and_then(|kept| kept.prefix.as_ref()) != staged.bucket_prefix.as_ref() {
        let at = at(&format!("{key}/bucketPrefix"));
        reading.not_covered(at, "The connection loads through another folder.");
    }
    let object = match database {
        Some(database) => {
            let rest = staged.object.strip_prefix(database);
            rest.and_then(|rest| rest.strip_prefix('.'))
        }
        None => Some(staged.object.as_str()),
    };
    let parts = object.and_then(|object| object.split_once('.'));
    let parts = parts.filter(|(_, table)| !table.contains('.'));
    let (schema, table) = reading.word(at(&format!("{key}/object")), parts)?;
    Some(TableDestination {
        connection_id: connection.id,
        schema: Some(schema.to_owned()),
        table: table.to_owned(),
        error_handling: errors(staged.error_handling_config.as_ref()),
    })
}

/// What the partner event source ends in. The outer none is a fault.
#[expect(
    clippy::option_option,
    reason = "a source without a suffix is not a fault"
)]
fn suffix(reading: &mut Reading<'_>, source: &str) -> Option<Option<String>> {
    let own = format!("{PARTNER_SOURCE}/{}", reading.around.aws_account_id);
    let rest = source.strip_prefix(&own);
    let suffix = match rest.map(|rest| (rest, rest.strip_prefix('/'))) {
        Some(("", _)) => Some(None),
        Some((_, Some(suffix))) if !suffix.is_empty() => Some(Some(suffix.to_owned())),
        _ => None,
    };
    reading.word(at("EventBridge/object"), suffix)
}

fn errors(config: Option<&ErrorHandlingConfig>) -> Option<ErrorHandling> {
    config.map(|config| ErrorHandling {
        bucket: config.bucket_name.clone(),
        prefix: config.bucket_prefix.clone(),
        stop_on_first_error: config.fail_on_first_destination_error,
    })
}

fn output_format(
    reading: &mut Reading<'_>,
    key: &str,
    format: &S3OutputFormatConfig,
) -> Option<OutputFormat> {
    let at = |path: &str| at(&format!("{key}/s3OutputFormatConfig/{path}"));
    let aggregation = format.aggregation_config.as_ref();
    Some(OutputFormat {
        file: Some(reading.word(at("fileType"), words::output_file_of(&format.file_type))?),
        aggregation: reading.optional(
            at("aggregationConfig/aggregationType"),
            aggregation.and_then(|given| given.aggregation_type.as_ref()),
            words::aggregation_of,
        ),
        target_file_size_mb: aggregation.and_then(|given| given.target_file_size),
        prefix: format
            .prefix_config
            .as_ref()
            .map(|given| prefix(reading, &at("prefixConfig"), given)),
        preserve_source_types: format.preserve_source_data_typing,
    })
}

fn prefix(reading: &mut Reading<'_>, at: &str, prefix: &PrefixConfig) -> DatePrefix {
    let place = prefix.prefix_type.as_ref();
    let depth = prefix.prefix_format.as_ref();
    let folders = prefix.path_prefix_hierarchy.iter().enumerate();
    DatePrefix {
        place: reading.optional(format!("{at}/prefixType"), place, words::prefix_place_of),
        depth: reading.optional(format!("{at}/prefixFormat"), depth, words::prefix_depth_of),
        folders: folders
            .filter_map(|(index, folder)| {
                let at = format!("{at}/pathPrefixHierarchy/{index}");
                reading.word(at, words::folder_of(folder))
            })
            .collect(),
    }
}
