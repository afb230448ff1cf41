//! `sourceFlowConfig` becomes a source.

use std::collections::BTreeMap;

use super::{KnownConnection, Reading};
use crate::{
    compile::{
        request::{ObjectProperties, SourceFlowConfig, SourceProperties},
        source::SUB_ENTITIES,
        words,
    },
    model::{
        EntitySource, ObjectSource, S3Source, SalesforceSource, SapSource, SharePointSource,
        Source, VeevaSource,
    },
};

const AT: &str = "/sourceFlowConfig";
const PROPERTIES: &str = "/sourceFlowConfig/sourceConnectorProperties";

pub(super) fn source(reading: &mut Reading<'_>, config: &SourceFlowConfig) -> Option<Source> {
    use SourceProperties as From;
    let version = config.api_version.clone();
    let profile = config.connector_profile_name.as_ref();
    if let From::S3 {
        bucket_name,
        bucket_prefix,
        s3_input_format_config,
    } = &config.source_connector_properties
    {
        let format = s3_input_format_config.as_ref();
        let file = format.map(|format| &format.s3_input_file_type);
        let at = format!("{PROPERTIES}/S3/s3InputFormatConfig/s3InputFileType");
        let source = Source::S3(S3Source {
            bucket: bucket_name.clone(),
            prefix: bucket_prefix.clone(),
            file: reading.optional(at, file, words::input_file_of),
        });
        reading.agree(AT, &config.connector_type, source.row(), None);
        return Some(source);
    }
    let connection = reading.connection(AT, profile)?;
    let source = match &config.source_connector_properties {
        From::Salesforce {
            object,
            enable_dynamic_field_update,
            include_deleted_records,
            data_transfer_api,
        } => {
            let at = format!("{PROPERTIES}/Salesforce/dataTransferApi");
            let api = data_transfer_api.as_ref();
            Source::Salesforce(SalesforceSource {
                connection_id: connection.id,
                object: object.clone(),
                data_transfer_api: reading.optional(at, api, words::data_transfer_api_of),
                add_new_fields: *enable_dynamic_field_update,
                include_deleted_records: *include_deleted_records,
                api_version: version.clone(),
            })
        }
        From::SapOData {
            object_path,
            parallelism_config,
            pagination_config,
        } => Source::SapOData(SapSource {
            connection_id: connection.id,
            object_path: object_path.clone(),
            max_parallelism: parallelism_config
                .as_ref()
                .map(|given| given.max_parallelism),
            max_page_size: pagination_config.as_ref().map(|given| given.max_page_size),
        }),
        From::Veeva {
            object,
            document_type,
            include_source_files,
            include_renditions,
            include_all_versions,
        } => Source::Veeva(VeevaSource {
            connection_id: connection.id,
            object: object.clone(),
            document_type: document_type.clone(),
            include_source_files: *include_source_files,
            include_renditions: *include_renditions,
            include_all_versions: *include_all_versions,
        }),
        From::CustomConnector {
            entity_name,
            custom_properties,
        } => entity(
            reading,
            connection,
            entity_name,
            custom_properties,
            version.clone(),
        )?,
        From::ServiceNow(from) => Source::ServiceNow(object(connection, from, version.clone())),
        From::Zendesk(from) => Source::Zendesk(object(connection, from, version.clone())),
        From::Slack(from) => Source::Slack(object(connection, from, version.clone())),
        From::Marketo(from) => Source::Marketo(object(connection, from, version.clone())),
        From::Pardot(from) => Source::Pardot(object(connection, from, version.clone())),
        From::Datadog(from) => Source::Datadog(object(connection, from, version.clone())),
        From::Dynatrace(from) => Source::Dynatrace(object(connection, from, version.clone())),
        From::InforNexus(from) => Source::InforNexus(object(connection, from, version.clone())),
        From::Singular(from) => Source::Singular(object(connection, from, version.clone())),
        From::Trendmicro(from) => Source::TrendMicro(object(connection, from, version.clone())),
        From::GoogleAnalytics(from) => {
            Source::GoogleAnalytics(object(connection, from, version.clone()))
        }
        From::Amplitude(from) => Source::Amplitude(object(connection, from, version.clone())),
        From::S3 { .. } => return None,
    };
    if version.is_some() && source.api_version().is_none() {
        reading.not_covered(format!("{AT}/apiVersion"), "This source names no version.");
    }
    let key = Some(connection.connector.as_str());
    reading.agree(AT, &config.connector_type, source.row(), key);
    Some(source)
}

fn object(
    connection: &KnownConnection,
    from: &ObjectProperties,
    api_version: Option<String>,
) -> ObjectSource {
    ObjectSource {
        connection_id: connection.id,
        object: from.object.clone(),
        api_version,
    }
}

fn entity(
    reading: &mut Reading<'_>,
    connection: &KnownConnection,
    name: &str,
    properties: &BTreeMap<String, String>,
    api_version: Option<String>,
) -> Option<Source> {
    if connection.connector == "sharePoint" {
        return share_point(reading, connection, name, properties, api_version);
    }
    let of: fn(EntitySource) -> Source = match connection.connector.as_str() {
        "asana" => Source::Asana,
        "gitHub" => Source::GitHub,
        "googleAds" => Source::GoogleAds,
        "googleAnalytics4" => Source::GoogleAnalytics4,
        "googleBigQuery" => Source::GoogleBigQuery,
        "hubSpot" => Source::HubSpot,
        "jdbc" => Source::Jdbc,
        "mailchimp" => Source::Mailchimp,
        "dynamics365" => Source::Dynamics365,
        "marketingCloud" => Source::MarketingCloud,
        _ => Source::Custom,
    };
    Some(of(EntitySource {
        connection_id: connection.id,
        entity: name.to_owned(),
        api_version,
        properties: properties.clone(),
    }))
}

fn share_point(
    reading: &mut Reading<'_>,
    connection: &KnownConnection,
    site: &str,
    properties: &BTreeMap<String, String>,
    api_version: Option<String>,
) -> Option<Source> {
    let at = |name: &str| format!("{PROPERTIES}/CustomConnector/customProperties/{name}");
    for name in properties.keys().filter(|name| *name != SUB_ENTITIES) {
        reading.not_covered(at(name), "A SharePoint source has no such property.");
    }
    let list = properties.get(SUB_ENTITIES);
    let items = list.and_then(|list| serde_json::from_str(list).ok());
    Some(Source::SharePoint(SharePointSource {
        connection_id: connection.id,
        site: site.to_owned(),
        items: reading.word(at(SUB_ENTITIES), items)?,
        api_version,
    }))
}
