//! Where data comes from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tributary::{
    connector::{self, Connector},
    id::ConnectionId,
};
use utoipa::ToSchema;

/// The source of a flow, told apart by `connector`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "connector", rename_all = "camelCase")]
pub enum Source {
    /// An object of a Salesforce organisation.
    Salesforce(SalesforceSource),
    /// Files in a bucket of the account.
    S3(S3Source),
    /// A table of a ServiceNow instance.
    ServiceNow(ObjectSource),
    /// An object of Zendesk Support.
    Zendesk(ObjectSource),
    /// A conversation of Slack.
    Slack(ObjectSource),
    /// An object of Marketo.
    Marketo(ObjectSource),
    /// An entity set of SAP.
    #[serde(rename = "sapOData")]
    SapOData(SapSource),
    /// An object of a Veeva Vault, or its documents.
    Veeva(VeevaSource),
    /// An object of Salesforce Pardot.
    Pardot(ObjectSource),
    /// An object of Datadog.
    Datadog(ObjectSource),
    /// An object of Dynatrace.
    Dynatrace(ObjectSource),
    /// An object of Infor Nexus.
    InforNexus(ObjectSource),
    /// An object of Singular.
    Singular(ObjectSource),
    /// An object of Trend Micro.
    TrendMicro(ObjectSource),
    /// An object of Google Analytics before version 4.
    GoogleAnalytics(ObjectSource),
    /// An object of Amplitude.
    Amplitude(ObjectSource),
    /// An entity of Asana.
    Asana(EntitySource),
    /// An entity of GitHub.
    GitHub(EntitySource),
    /// An entity of Google Ads.
    GoogleAds(EntitySource),
    /// An entity of Google Analytics 4.
    GoogleAnalytics4(EntitySource),
    /// A table of Google BigQuery: `table/<project>/<dataset>/<table>`.
    GoogleBigQuery(EntitySource),
    /// An entity of HubSpot, its parts joined by `/`.
    HubSpot(EntitySource),
    /// A table of a database: `<schema>.<table>`.
    Jdbc(EntitySource),
    /// An entity of Mailchimp.
    Mailchimp(EntitySource),
    /// An entity of Microsoft Dynamics 365.
    Dynamics365(EntitySource),
    /// Drives and items of a SharePoint site.
    SharePoint(SharePointSource),
    /// An entity of Salesforce Marketing Cloud.
    MarketingCloud(EntitySource),
    /// An entity of any other connector, whose label the connection knows.
    Custom(EntitySource),
}

impl Source {
    /// The catalogue's row of the application.
    pub const fn row(&self) -> &'static Connector {
        match self {
            Self::Salesforce(_) => &connector::SALESFORCE,
            Self::S3(_) => &connector::S3,
            Self::ServiceNow(_) => &connector::SERVICE_NOW,
            Self::Zendesk(_) => &connector::ZENDESK,
            Self::Slack(_) => &connector::SLACK,
            Self::Marketo(_) => &connector::MARKETO,
            Self::SapOData(_) => &connector::SAP_ODATA,
            Self::Veeva(_) => &connector::VEEVA,
            Self::Pardot(_) => &connector::PARDOT,
            Self::Datadog(_) => &connector::DATADOG,
            Self::Dynatrace(_) => &connector::DYNATRACE,
            Self::InforNexus(_) => &connector::INFOR_NEXUS,
            Self::Singular(_) => &connector::SINGULAR,
            Self::TrendMicro(_) => &connector::TREND_MICRO,
            Self::GoogleAnalytics(_) => &connector::GOOGLE_ANALYTICS,
            Self::Amplitude(_) => &connector::AMPLITUDE,
            Self::Asana(_) => &connector::ASANA,
            Self::GitHub(_) => &connector::GITHUB,
            Self::GoogleAds(_) => &connector::GOOGLE_ADS,
            Self::GoogleAnalytics4(_) => &connector::GOOGLE_ANALYTICS_4,
            Self::GoogleBigQuery(_) => &connector::GOOGLE_BIG_QUERY,
            Self::HubSpot(_) => &connector::HUBSPOT,
            Self::Jdbc(_) => &connector::JDBC,
            Self::Mailchimp(_) => &connector::MAILCHIMP,
            Self::Dynamics365(_) => &connector::DYNAMICS_365,
            Self::SharePoint(_) => &connector::SHARE_POINT,
            Self::MarketingCloud(_) => &connector::MARKETING_CLOUD,
            Self::Custom(_) => &connector::CUSTOM,
        }
    }

    /// The connection through which it is read; none for S3.
    pub const fn connection_id(&self) -> Option<ConnectionId> {
        match self {
            Self::S3(_) => None,
            Self::Salesforce(source) => Some(source.connection_id),
            Self::SapOData(source) => Some(source.connection_id),
            Self::Veeva(source) => Some(source.connection_id),
            Self::SharePoint(source) => Some(source.connection_id),
            Self::ServiceNow(source)
            | Self::Zendesk(source)
            | Self::Slack(source)
            | Self::Marketo(source)
            | Self::Pardot(source)
            | Self::Datadog(source)
            | Self::Dynatrace(source)
            | Self::InforNexus(source)
            | Self::Singular(source)
            | Self::TrendMicro(source)
            | Self::GoogleAnalytics(source)
            | Self::Amplitude(source) => Some(source.connection_id),
            Self::Asana(source)
            | Self::GitHub(source)
            | Self::GoogleAds(source)
            | Self::GoogleAnalytics4(source)
            | Self::GoogleBigQuery(source)
            | Self::HubSpot(source)
            | Self::Jdbc(source)
            | Self::Mailchimp(source)
            | Self::Dynamics365(source)
            | Self::MarketingCloud(source)
            | Self::Custom(source) => Some(source.connection_id),
        }
    }

    /// What is read: the object, entity, object path, site or folder. [`Connector::object_member`]
    /// names the member that holds it.
    pub fn object(&self) -> &str {
        match self {
            Self::S3(source) => &source.prefix,
            Self::Salesforce(source) => &source.object,
            Self::SapOData(source) => &source.object_path,
            Self::Veeva(source) => &source.object,
            Self::SharePoint(source) => &source.site,
            Self::ServiceNow(source)
            | Self::Zendesk(source)
            | Self::Slack(source)
            | Self::Marketo(source)
            | Self::Pardot(source)
            | Self::Datadog(source)
            | Self::Dynatrace(source)
            | Self::InforNexus(source)
            | Self::Singular(source)
            | Self::TrendMicro(source)
            | Self::GoogleAnalytics(source)
            | Self::Amplitude(source) => &source.object,
            Self::Asana(source)
            | Self::GitHub(source)
            | Self::GoogleAds(source)
            | Self::GoogleAnalytics4(source)
            | Self::GoogleBigQuery(source)
            | Self::HubSpot(source)
            | Self::Jdbc(source)
            | Self::Mailchimp(source)
            | Self::Dynamics365(source)
            | Self::MarketingCloud(source)
            | Self::Custom(source) => &source.entity,
        }
    }

    /// The version of the application's API that the flow names.
    pub fn api_version(&self) -> Option<&str> {
        match self {
            Self::S3(_) | Self::SapOData(_) | Self::Veeva(_) => None,
            Self::Salesforce(source) => source.api_version.as_deref(),
            Self::SharePoint(source) => source.api_version.as_deref(),
            Self::ServiceNow(source)
            | Self::Zendesk(source)
            | Self::Slack(source)
            | Self::Marketo(source)
            | Self::Pardot(source)
            | Self::Datadog(source)
            | Self::Dynatrace(source)
            | Self::InforNexus(source)
            | Self::Singular(source)
            | Self::TrendMicro(source)
            | Self::GoogleAnalytics(source)
            | Self::Amplitude(source) => source.api_version.as_deref(),
            Self::Asana(source)
            | Self::GitHub(source)
            | Self::GoogleAds(source)
            | Self::GoogleAnalytics4(source)
            | Self::GoogleBigQuery(source)
            | Self::HubSpot(source)
            | Self::Jdbc(source)
            | Self::Mailchimp(source)
            | Self::Dynamics365(source)
            | Self::MarketingCloud(source)
            | Self::Custom(source) => source.api_version.as_deref(),
        }
    }
}

/// An object of a Salesforce organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SalesforceSource {
    /// The connection through which it is read.
    pub connection_id: ConnectionId,
    /// API name of the object; for flows that events start, of the event (`...ChangeEvent`, `...__e`).
    #[schema(example = "City_Sales__c")]
    pub object: String,
    /// Which Salesforce API is used; AppFlow decides when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_transfer_api: Option<DataTransferApi>,
    /// Whether fields that are added to the object later come along; S3 destinations only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add_new_fields: Option<bool>,
    /// Whether records in the recycle bin come along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_deleted_records: Option<bool>,
    /// Version of Salesforce's API; AppFlow's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "v58.0")]
    pub api_version: Option<String>,
}

/// Which Salesforce API carries the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum DataTransferApi {
    /// REST for small, Bulk 2.0 for large transfers.
    Automatic,
    /// Bulk 2.0 always; leaves compound fields out.
    BulkV2,
    /// REST always.
    RestSync,
}

/// Files in a bucket of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct S3Source {
    /// The bucket, in the account and Region of the flow.
    pub bucket: String,
    /// The folder whose files are read.
    pub prefix: String,
    /// What the files are; CSV when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<InputFile>,
}

/// What the files of a source are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum InputFile {
    /// Comma-separated, with a header row.
    Csv,
    /// One JSON object on each line.
    Json,
}

/// An object of an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectSource {
    /// The connection through which it is read.
    pub connection_id: ConnectionId,
    /// Name of the object.
    #[schema(example = "incident")]
    pub object: String,
    /// Version of the application's API, where the connector lets a flow name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
}

/// An entity set of SAP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SapSource {
    /// The connection through which it is read.
    pub connection_id: ConnectionId,
    /// Path of the entity set.
    #[schema(example = "/sap/opu/odata/sap/API_SALES_ORDER_SRV/A_SalesOrder")]
    pub object_path: String,
    /// How many processes read at once, 1 to 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_parallelism: Option<i32>,
    /// Records in a page, 1 to 10,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_page_size: Option<i32>,
}

/// An object of a Veeva Vault, or its documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VeevaSource {
    /// The connection through which it is read.
    pub connection_id: ConnectionId,
    /// Name of the object.
    #[schema(example = "documents")]
    pub object: String,
    /// Type of the documents that are brought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_type: Option<String>,
    /// Whether the files themselves come along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_source_files: Option<bool>,
    /// Whether renditions come along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_renditions: Option<bool>,
    /// Whether all versions come along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_all_versions: Option<bool>,
}

/// An entity of an application behind a custom connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EntitySource {
    /// The connection through which it is read.
    pub connection_id: ConnectionId,
    /// Name of the entity.
    #[schema(example = "crm/objects/contacts")]
    pub entity: String,
    /// Version of the application's API; the connector's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "v3")]
    pub api_version: Option<String>,
    /// What else the connector wants to know.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, String>,
}

/// Drives and items of a SharePoint site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SharePointSource {
    /// The connection through which it is read.
    pub connection_id: ConnectionId,
    /// The site.
    #[schema(example = "sites/root")]
    pub site: String,
    /// What is read in the site, at least one: `drives/<id>` or `drives/<id>/items/<id>`.
    #[schema(example = json!(["drives/b!1/items/2"]))]
    pub items: Vec<String>,
    /// Version of Microsoft Graph.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "v1.0")]
    pub api_version: Option<String>,
}
