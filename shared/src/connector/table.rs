//! The rows of the catalogue: AppFlow user guide, "Supported source and destination applications",
//! and the operators of the service model 2020-08-23.

use super::{
    ApiVersion, AuthKind,
    Comparison::{
        self, Between, Contains, Equals, GreaterThan, GreaterThanOrEquals, LessThan,
        LessThanOrEquals, NotEquals,
    },
    Connector, OauthUse, PropertyNeed, Trigger,
    WriteOperation::{self, Delete, Insert, Update, Upsert},
};
use crate::connection::TokenOwner;

const ALL: &[Comparison] = &[
    Contains,
    Equals,
    NotEquals,
    LessThan,
    LessThanOrEquals,
    GreaterThan,
    GreaterThanOrEquals,
    Between,
];
const ALL_BUT_CONTAINS: &[Comparison] = &[
    Equals,
    NotEquals,
    LessThan,
    LessThanOrEquals,
    GreaterThan,
    GreaterThanOrEquals,
    Between,
];
const SLACK_COMPARISONS: &[Comparison] = &[
    Equals,
    LessThan,
    LessThanOrEquals,
    GreaterThan,
    GreaterThanOrEquals,
    Between,
];
const WRITES: &[WriteOperation] = &[Insert, Upsert, Update];
const ALL_WRITES: &[WriteOperation] = &[Insert, Update, Upsert, Delete];

/// Destinations of most applications; `eventBridge` besides, for those that send events.
const MOST: &[&str] = &[
    "s3",
    "redshift",
    "snowflake",
    "salesforce",
    "marketo",
    "zendesk",
    "customerProfiles",
    "honeycode",
    "lookoutMetrics",
    "upsolver",
    "custom",
    "googleBigQuery",
    "hubSpot",
    "jdbc",
    "rdsPostgreSql",
];
const ALL_WITH_EVENTS: &[&str] = &[
    "s3",
    "redshift",
    "snowflake",
    "salesforce",
    "eventBridge",
    "marketo",
    "zendesk",
    "customerProfiles",
    "honeycode",
    "lookoutMetrics",
    "upsolver",
    "custom",
    "googleBigQuery",
    "hubSpot",
    "jdbc",
    "rdsPostgreSql",
];
const NOT_LOOKOUT: &[&str] = &[
    "s3",
    "redshift",
    "snowflake",
    "salesforce",
    "marketo",
    "zendesk",
    "customerProfiles",
    "honeycode",
    "upsolver",
    "custom",
    "googleBigQuery",
    "hubSpot",
    "jdbc",
    "rdsPostgreSql",
];
const FROM_S3: &[&str] = &[
    "s3",
    "redshift",
    "snowflake",
    "salesforce",
    "sapOData",
    "marketo",
    "zendesk",
    "customerProfiles",
    "honeycode",
    "upsolver",
    "custom",
    "googleBigQuery",
    "hubSpot",
    "jdbc",
    "rdsPostgreSql",
];
const FROM_CUSTOM: &[&str] = &[
    "s3",
    "redshift",
    "snowflake",
    "salesforce",
    "sapOData",
    "marketo",
    "zendesk",
    "lookoutMetrics",
    "upsolver",
    "custom",
    "googleBigQuery",
    "hubSpot",
    "jdbc",
    "rdsPostgreSql",
];

const fn need(
    name: &'static str,
    required: bool,
    max_length: usize,
    description: &'static str,
) -> PropertyNeed {
    PropertyNeed {
        name,
        description,
        required,
        max_length,
    }
}

/// An application with a key of its own in AppFlow's requests, that can only be read.
const NATIVE: Connector = Connector {
    key: "",
    label: "",
    appflow_type: "",
    property_key: "",
    custom_label: None,
    source: true,
    destination: false,
    auth: &[],
    provider: None,
    oauth: OauthUse::PLAIN,
    token_owners: &[],
    triggers: &[Trigger::OnDemand, Trigger::Scheduled],
    shortest_schedule_minutes: Some(1),
    needs: &[],
    destinations: MOST,
    object_member: Some("object"),
    comparisons: ALL,
    projects: true,
    changes_values: true,
    writes: &[],
    api_version: None,
    retired: false,
};

/// An application behind `CustomConnector`, told apart by its label, that can only be read.
const CUSTOM_SOURCE: Connector = Connector {
    appflow_type: "CustomConnector",
    property_key: "CustomConnector",
    destinations: FROM_CUSTOM,
    object_member: Some("entity"),
    ..NATIVE
};

/// An application that can only be written to.
const DESTINATION: Connector = Connector {
    source: false,
    destination: true,
    triggers: &[],
    shortest_schedule_minutes: None,
    destinations: &[],
    comparisons: &[],
    projects: false,
    changes_values: false,
    ..NATIVE
};

const fn version(
    required: bool,
    default: Option<&'static str>,
    known: &'static [&'static str],
) -> ApiVersion {
    ApiVersion {
        required,
        default,
        known,
    }
}

/// A service of AWS that is reached with the account's own rights.
const WITHOUT_CONNECTION: (&[AuthKind], &[TokenOwner]) = (&[AuthKind::None], &[TokenOwner::Nobody]);

macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident = $row:expr;)*) => {
        $($(#[$doc])* pub static $name: Connector = $row;)*

        /// Every application of the catalogue.
        pub static CONNECTORS: &[&Connector] = &[$(&$name),*];
    };
}

rows! {
    /// Salesforce.
    SALESFORCE = Connector {
        key: "salesforce",
        label: "Salesforce",
        appflow_type: "Salesforce",
        property_key: "Salesforce",
        destination: true,
        auth: &[AuthKind::OauthAuthorizationCode],
        provider: Some("salesforce"),
        // It rotates refresh tokens: a second owner would end the grant.
        token_owners: &[TokenOwner::Tributary],
        triggers: &[Trigger::OnDemand, Trigger::Scheduled, Trigger::Event],
        destinations: ALL_WITH_EVENTS,
        writes: ALL_WRITES,
        api_version: Some(version(false, None, &[])),
        ..NATIVE
    };
    /// Amazon S3.
    S3 = Connector {
        key: "s3",
        label: "Amazon S3",
        appflow_type: "S3",
        property_key: "S3",
        destination: true,
        auth: WITHOUT_CONNECTION.0,
        token_owners: WITHOUT_CONNECTION.1,
        destinations: FROM_S3,
        object_member: Some("prefix"),
        comparisons: ALL_BUT_CONTAINS,
        ..NATIVE
    };
    /// Amazon Redshift.
    REDSHIFT = Connector {
        key: "redshift",
        label: "Amazon Redshift",
        appflow_type: "Redshift",
        property_key: "Redshift",
        auth: &[AuthKind::Roles],
        token_owners: &[TokenOwner::Nobody],
        object_member: Some("table"),
        writes: &[Insert],
        needs: &[
            need(
                "bucketName",
                true,
                63,
                "Bucket in which AppFlow stages what Redshift loads.",
            ),
            need("bucketPrefix", false, 512, "Prefix within that bucket."),
            need(
                "roleArn",
                true,
                512,
                "Role with which Redshift reads the staged files.",
            ),
            need(
                "dataApiRoleArn",
                true,
                512,
                "Role with which AppFlow uses the Redshift Data API.",
            ),
            need("workgroupName", true, 512, "Redshift Serverless workgroup."),
            need("databaseName", true, 512, "Database in that workgroup."),
        ],
        ..DESTINATION
    };
    /// ServiceNow. The connector *type* has one capital letter less than the keys.
    SERVICE_NOW = Connector {
        key: "serviceNow",
        label: "ServiceNow",
        appflow_type: "Servicenow",
        property_key: "ServiceNow",
        ..NATIVE
    };
    /// Zendesk Support.
    ZENDESK = Connector {
        key: "zendesk",
        label: "Zendesk",
        appflow_type: "Zendesk",
        property_key: "Zendesk",
        destination: true,
        comparisons: &[GreaterThan],
        writes: WRITES,
        api_version: Some(version(false, None, &[])),
        ..NATIVE
    };
    /// Slack.
    SLACK = Connector {
        key: "slack",
        label: "Slack",
        appflow_type: "Slack",
        property_key: "Slack",
        destinations: NOT_LOOKOUT,
        comparisons: SLACK_COMPARISONS,
        api_version: Some(version(false, None, &[])),
        ..NATIVE
    };
    /// Adobe Marketo Engage.
    MARKETO = Connector {
        key: "marketo",
        label: "Marketo",
        appflow_type: "Marketo",
        property_key: "Marketo",
        destination: true,
        shortest_schedule_minutes: Some(60),
        comparisons: &[LessThan, GreaterThan, Between],
        api_version: Some(version(false, None, &[])),
        ..NATIVE
    };
    /// SAP over OData.
    SAP_ODATA = Connector {
        key: "sapOData",
        label: "SAP OData",
        appflow_type: "SAPOData",
        property_key: "SAPOData",
        destination: true,
        destinations: &["s3", "redshift", "sapOData", "customerProfiles"],
        object_member: Some("objectPath"),
        writes: WRITES,
        ..NATIVE
    };
    /// Veeva Vault.
    VEEVA = Connector {
        key: "veeva",
        label: "Veeva",
        appflow_type: "Veeva",
        property_key: "Veeva",
        ..NATIVE
    };
    /// Salesforce Pardot (Account Engagement).
    PARDOT = Connector {
        key: "pardot",
        label: "Salesforce Pardot",
        appflow_type: "Pardot",
        property_key: "Pardot",
        comparisons: &[Equals],
        ..NATIVE
    };
    /// Datadog.
    DATADOG = Connector {
        key: "datadog",
        label: "Datadog",
        appflow_type: "Datadog",
        property_key: "Datadog",
        destinations: NOT_LOOKOUT,
        comparisons: &[Equals, Between],
        ..NATIVE
    };
    /// Dynatrace.
    DYNATRACE = Connector {
        key: "dynatrace",
        label: "Dynatrace",
        appflow_type: "Dynatrace",
        property_key: "Dynatrace",
        comparisons: &[Equals, Between],
        ..NATIVE
    };
    /// Infor Nexus.
    INFOR_NEXUS = Connector {
        key: "inforNexus",
        label: "Infor Nexus",
        appflow_type: "Infornexus",
        property_key: "InforNexus",
        comparisons: &[Equals, Between],
        ..NATIVE
    };
    /// Singular.
    SINGULAR = Connector {
        key: "singular",
        label: "Singular",
        appflow_type: "Singular",
        property_key: "Singular",
        shortest_schedule_minutes: Some(60),
        comparisons: &[Equals],
        ..NATIVE
    };
    /// Trend Micro.
    TREND_MICRO = Connector {
        key: "trendMicro",
        label: "Trend Micro",
        appflow_type: "Trendmicro",
        property_key: "Trendmicro",
        shortest_schedule_minutes: Some(60),
        comparisons: &[Equals],
        ..NATIVE
    };
    /// Google Analytics before version 4, whose service has ended.
    GOOGLE_ANALYTICS = Connector {
        key: "googleAnalytics",
        label: "Google Analytics (Universal)",
        appflow_type: "Googleanalytics",
        property_key: "GoogleAnalytics",
        destinations: &["s3", "lookoutMetrics", "upsolver"],
        shortest_schedule_minutes: Some(24 * 60),
        comparisons: &[Between],
        changes_values: false,
        retired: true,
        ..NATIVE
    };
    /// Amplitude. Its operators have no projection: its flows bring everything.
    AMPLITUDE = Connector {
        key: "amplitude",
        label: "Amplitude",
        appflow_type: "Amplitude",
        property_key: "Amplitude",
        destinations: &["s3", "lookoutMetrics"],
        shortest_schedule_minutes: Some(24 * 60),
        comparisons: &[Between],
        projects: false,
        changes_values: false,
        ..NATIVE
    };
    /// Asana.
    ASANA = Connector {
        key: "asana",
        label: "Asana",
        custom_label: Some("Asana"),
        api_version: Some(version(false, Some("1.0"), &["1.0"])),
        ..CUSTOM_SOURCE
    };
    /// GitHub.
    GITHUB = Connector {
        key: "gitHub",
        label: "GitHub",
        custom_label: Some("GitHub"),
        api_version: Some(version(true, None, &["v3"])),
        ..CUSTOM_SOURCE
    };
    /// Google Ads.
    GOOGLE_ADS = Connector {
        key: "googleAds",
        label: "Google Ads",
        custom_label: Some("GoogleAds"),
        api_version: Some(version(true, None, &["v16"])),
        ..CUSTOM_SOURCE
    };
    /// Google Analytics 4.
    GOOGLE_ANALYTICS_4 = Connector {
        key: "googleAnalytics4",
        label: "Google Analytics 4",
        custom_label: Some("GoogleAnalytics4"),
        api_version: Some(version(true, None, &["v1beta"])),
        ..CUSTOM_SOURCE
    };
    /// Google BigQuery.
    GOOGLE_BIG_QUERY = Connector {
        key: "googleBigQuery",
        label: "Google BigQuery",
        custom_label: Some("GoogleBigQuery"),
        destination: true,
        writes: ALL_WRITES,
        api_version: Some(version(true, None, &["v2"])),
        ..CUSTOM_SOURCE
    };
    /// HubSpot.
    HUBSPOT = Connector {
        key: "hubSpot",
        label: "HubSpot",
        custom_label: Some("HubSpot"),
        destination: true,
        writes: ALL_WRITES,
        api_version: Some(version(true, None, &["v1", "v2", "v3", "v4"])),
        ..CUSTOM_SOURCE
    };
    /// Databases over JDBC, small data.
    JDBC = Connector {
        key: "jdbc",
        label: "JDBC, small data",
        custom_label: Some("JDBCsmall"),
        destination: true,
        writes: &[Insert],
        api_version: Some(version(false, Some("V1"), &["V1"])),
        ..CUSTOM_SOURCE
    };
    /// Mailchimp.
    MAILCHIMP = Connector {
        key: "mailchimp",
        label: "Mailchimp",
        custom_label: Some("Mailchimp"),
        api_version: Some(version(true, None, &["3.0"])),
        ..CUSTOM_SOURCE
    };
    /// Microsoft Dynamics 365.
    DYNAMICS_365 = Connector {
        key: "dynamics365",
        label: "Microsoft Dynamics 365",
        custom_label: Some("MicrosoftDynamics365"),
        api_version: Some(version(true, None, &["v9.2"])),
        ..CUSTOM_SOURCE
    };
    /// Microsoft SharePoint Online.
    SHARE_POINT = Connector {
        key: "sharePoint",
        label: "Microsoft SharePoint Online",
        custom_label: Some("MicrosoftSharePointOnline"),
        object_member: Some("site"),
        api_version: Some(version(true, None, &["v1.0"])),
        ..CUSTOM_SOURCE
    };
    /// Salesforce Marketing Cloud.
    MARKETING_CLOUD = Connector {
        key: "marketingCloud",
        label: "Salesforce Marketing Cloud",
        custom_label: Some("SalesforceMarketingCloud"),
        api_version: Some(version(true, None, &["v1"])),
        ..CUSTOM_SOURCE
    };
    /// Any other connector of AWS or of the account itself, by its label.
    CUSTOM = Connector {
        key: "custom",
        label: "Custom connector",
        destination: true,
        writes: ALL_WRITES,
        api_version: Some(version(true, None, &[])),
        ..CUSTOM_SOURCE
    };
    /// Amazon RDS for PostgreSQL.
    RDS_POSTGRESQL = Connector {
        key: "rdsPostgreSql",
        label: "Amazon RDS for PostgreSQL",
        appflow_type: "CustomConnector",
        property_key: "CustomConnector",
        custom_label: Some("AmazonRDSPostgreSQL"),
        object_member: Some("entity"),
        writes: &[Insert],
        api_version: Some(version(false, Some("1.0"), &["1.0"])),
        ..DESTINATION
    };
    /// Snowflake.
    SNOWFLAKE = Connector {
        key: "snowflake",
        label: "Snowflake",
        appflow_type: "Snowflake",
        property_key: "Snowflake",
        object_member: Some("table"),
        writes: &[Insert],
        ..DESTINATION
    };
    /// Amazon EventBridge, on a partner event source.
    EVENT_BRIDGE = Connector {
        key: "eventBridge",
        label: "Amazon EventBridge",
        appflow_type: "EventBridge",
        property_key: "EventBridge",
        auth: WITHOUT_CONNECTION.0,
        token_owners: WITHOUT_CONNECTION.1,
        object_member: None,
        ..DESTINATION
    };
    /// Amazon Connect Customer Profiles.
    CUSTOMER_PROFILES = Connector {
        key: "customerProfiles",
        label: "Amazon Connect Customer Profiles",
        appflow_type: "CustomerProfiles",
        property_key: "CustomerProfiles",
        auth: WITHOUT_CONNECTION.0,
        token_owners: WITHOUT_CONNECTION.1,
        object_member: Some("domain"),
        ..DESTINATION
    };
    /// Upsolver.
    UPSOLVER = Connector {
        key: "upsolver",
        label: "Upsolver",
        appflow_type: "Upsolver",
        property_key: "Upsolver",
        auth: WITHOUT_CONNECTION.0,
        token_owners: WITHOUT_CONNECTION.1,
        object_member: Some("bucket"),
        ..DESTINATION
    };
    /// Amazon Lookout for Metrics, which AWS has ended.
    LOOKOUT_METRICS = Connector {
        key: "lookoutMetrics",
        label: "Amazon Lookout for Metrics",
        appflow_type: "LookoutMetrics",
        property_key: "LookoutMetrics",
        auth: WITHOUT_CONNECTION.0,
        token_owners: WITHOUT_CONNECTION.1,
        object_member: None,
        retired: true,
        ..DESTINATION
    };
    /// Amazon Honeycode, which AWS has ended.
    HONEYCODE = Connector {
        key: "honeycode",
        label: "Amazon Honeycode",
        appflow_type: "Honeycode",
        property_key: "Honeycode",
        retired: true,
        ..DESTINATION
    };
}

/// The connector with this key.
pub fn connector(key: &str) -> Option<&'static Connector> {
    CONNECTORS
        .iter()
        .copied()
        .find(|connector| connector.key == key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::RotationClass;

    #[test]
    fn every_row_is_sound() {
        for row in CONNECTORS {
            assert!(row.source || row.destination, "{}", row.key);
            assert_eq!(row.source, !row.triggers.is_empty(), "{}", row.key);
            assert_eq!(row.source, !row.destinations.is_empty(), "{}", row.key);
            assert_eq!(row.source, !row.comparisons.is_empty(), "{}", row.key);
            assert!(row.destination || row.writes.is_empty(), "{}", row.key);
            for key in row.destinations {
                assert!(connector(key).is_some_and(|row| row.destination), "{key}");
            }
            let scheduled = row.triggers.contains(&Trigger::Scheduled);
            assert_eq!(
                scheduled,
                row.shortest_schedule_minutes.is_some(),
                "{}",
                row.key
            );
            let consents = row.auth.contains(&AuthKind::OauthAuthorizationCode);
            assert_eq!(consents, row.oauth_provider().is_some(), "{}", row.key);
            let custom = row.appflow_type == "CustomConnector";
            assert_eq!(custom, row.property_key == "CustomConnector", "{}", row.key);
            assert!(custom || row.custom_label.is_none(), "{}", row.key);
            assert!(!custom || row.api_version.is_some(), "{}", row.key);
        }
    }

    #[test]
    fn keys_and_labels_stand_once() {
        for (index, row) in CONNECTORS.iter().enumerate() {
            let others = &CONNECTORS[..index];
            assert!(others.iter().all(|other| other.key != row.key));
            let same_label = |other: &&&Connector| {
                row.custom_label.is_some() && other.custom_label == row.custom_label
            };
            assert!(
                !others.iter().any(|other| same_label(&other)),
                "{}",
                row.key
            );
        }
    }

    #[test]
    fn only_salesforce_sends_events() {
        let senders: Vec<&str> = CONNECTORS
            .iter()
            .filter(|row| row.triggers.contains(&Trigger::Event))
            .map(|row| row.key)
            .collect();
        assert_eq!(senders, ["salesforce"]);
    }

    /// flow-model section 3: contains = != < <= > >= between
    #[test]
    fn the_comparisons_are_the_references_table() {
        let row = |key: &str| -> String {
            let row = connector(key).unwrap();
            ALL.iter()
                .map(|comparison| {
                    if row.comparisons.contains(comparison) {
                        'x'
                    } else {
                        '-'
                    }
                })
                .collect()
        };
        for (key, expected) in [
            ("salesforce", "xxxxxxxx"),
            ("serviceNow", "xxxxxxxx"),
            ("sapOData", "xxxxxxxx"),
            ("veeva", "xxxxxxxx"),
            ("custom", "xxxxxxxx"),
            ("hubSpot", "xxxxxxxx"),
            ("s3", "-xxxxxxx"),
            ("slack", "-x-xxxxx"),
            ("marketo", "---x-x-x"),
            ("zendesk", "-----x--"),
            ("datadog", "-x-----x"),
            ("dynatrace", "-x-----x"),
            ("inforNexus", "-x-----x"),
            ("singular", "-x------"),
            ("trendMicro", "-x------"),
            ("pardot", "-x------"),
            ("googleAnalytics", "-------x"),
            ("amplitude", "-------x"),
            ("redshift", "--------"),
        ] {
            assert_eq!(row(key), expected, "{key}");
        }
    }

    /// R9: two parties on one rotating refresh token end the grant.
    #[test]
    fn r9_rotating_providers_leave_the_refresh_token_with_us() {
        for row in CONNECTORS {
            let rotates = row.oauth_provider().is_some_and(|provider| {
                matches!(
                    provider.rotation,
                    RotationClass::Strict | RotationClass::Grace(_)
                )
            });
            assert!(
                !rotates || !row.token_owners.contains(&TokenOwner::Appflow),
                "{}",
                row.key
            );
        }
    }
}
