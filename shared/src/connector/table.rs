//! The rows of the catalogue: AppFlow user guide, "Supported source and destination applications",
//! and the operators of the service model 2020-08-23.

use super::{
    ApiVersion,
    Comparison::{
        self, Between, Contains, Equals, GreaterThan, GreaterThanOrEquals, LessThan,
        LessThanOrEquals, NotEquals,
    },
    Connector, OauthUse, Trigger, WhoAmI,
    WriteOperation::{self, Delete, Insert, Update, Upsert},
    methods,
};

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

/// An application with a key of its own in AppFlow's requests, that can only be read.
const NATIVE: Connector = Connector {
    key: "",
    label: "",
    appflow_type: "",
    property_key: "",
    custom_label: None,
    source: true,
    destination: false,
    methods: &[],
    instance: None,
    lists_entities: true,
    provider: None,
    oauth: OauthUse::PLAIN,
    triggers: &[Trigger::OnDemand, Trigger::Scheduled],
    shortest_schedule_minutes: Some(1),
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
    lists_entities: false,
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

const fn asks(path: &'static str, org: Option<&'static str>, user: &'static str) -> OauthUse {
    OauthUse {
        who_am_i: Some(WhoAmI { path, org, user }),
        ..OauthUse::PLAIN
    }
}

/// Google's token endpoint, as AppFlow's connectors name it.
const GOOGLE_TOKEN_URL: Option<&str> = Some("https://oauth2.googleapis.com/token");

/// Google says who somebody is at a host of its own (OpenID Connect Core section 5.3), and knows no
/// organisation of people without Workspace: the person is it.
const fn google(scopes: &'static [&'static str]) -> OauthUse {
    OauthUse {
        scopes,
        instance: Some("https://openidconnect.googleapis.com"),
        profile_token_url: GOOGLE_TOKEN_URL,
        ..asks("/v1/userinfo", Some("/sub"), "/sub")
    }
}

/// The token endpoint of Entra ID, as AppFlow's connectors name it.
const MICROSOFT_TOKEN_URL: Option<&str> =
    Some("https://login.microsoftonline.com/common/oauth2/v2.0/token");

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
        methods: methods::SALESFORCE,
        provider: Some("salesforce"),
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
        methods: methods::WITHOUT_CONNECTION,
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
        methods: methods::REDSHIFT,
        object_member: Some("table"),
        writes: &[Insert],
        ..DESTINATION
    };
    /// ServiceNow. The connector *type* has one capital letter less than the keys.
    SERVICE_NOW = Connector {
        key: "serviceNow",
        label: "ServiceNow",
        appflow_type: "Servicenow",
        property_key: "ServiceNow",
        methods: methods::SERVICE_NOW,
        provider: Some("service-now"),
        // A user may read its own row; the instance is the organisation.
        oauth: asks(
            "/api/now/table/sys_user?sysparm_query=user_name%3Djavascript:gs.getUserName()&sysparm_fields=sys_id&sysparm_limit=1",
            None,
            "/result/0/sys_id",
        ),
        ..NATIVE
    };
    /// Zendesk Support.
    ZENDESK = Connector {
        key: "zendesk",
        label: "Zendesk",
        appflow_type: "Zendesk",
        property_key: "Zendesk",
        methods: methods::ZENDESK,
        provider: Some("zendesk"),
        oauth: asks("/api/v2/users/me.json", None, "/user/id"),
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
        methods: methods::SLACK,
        provider: Some("slack"),
        oauth: OauthUse {
            instance: Some("https://{instance}.slack.com"),
            ..asks("/api/auth.test", Some("/team_id"), "/user_id")
        },
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
        methods: methods::MARKETO,
        instance: Some("https://{instance}.mktorest.com"),
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
        methods: methods::SAP_ODATA,
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
        methods: methods::VEEVA,
        instance: Some("https://{instance}.veevavault.com"),
        ..NATIVE
    };
    /// Salesforce Pardot (Account Engagement).
    PARDOT = Connector {
        key: "pardot",
        label: "Salesforce Pardot",
        appflow_type: "Pardot",
        property_key: "Pardot",
        methods: methods::PARDOT,
        provider: Some("pardot"),
        comparisons: &[Equals],
        ..NATIVE
    };
    /// Datadog.
    DATADOG = Connector {
        key: "datadog",
        label: "Datadog",
        appflow_type: "Datadog",
        property_key: "Datadog",
        methods: methods::DATADOG,
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
        methods: methods::DYNATRACE,
        comparisons: &[Equals, Between],
        ..NATIVE
    };
    /// Infor Nexus.
    INFOR_NEXUS = Connector {
        key: "inforNexus",
        label: "Infor Nexus",
        appflow_type: "Infornexus",
        property_key: "InforNexus",
        methods: methods::INFOR_NEXUS,
        comparisons: &[Equals, Between],
        ..NATIVE
    };
    /// Singular.
    SINGULAR = Connector {
        key: "singular",
        label: "Singular",
        appflow_type: "Singular",
        property_key: "Singular",
        methods: methods::SINGULAR,
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
        methods: methods::TREND_MICRO,
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
        methods: methods::GOOGLE,
        provider: Some("google"),
        oauth: google(&["openid", "https://www.googleapis.com/auth/analytics.readonly"]),
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
        methods: methods::AMPLITUDE,
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
        methods: methods::ASANA,
        provider: Some("asana"),
        oauth: OauthUse {
            profile_token_url: Some("https://app.asana.com/-/oauth_token"),
            ..asks(
                "/api/1.0/users/me",
                Some("/data/workspaces/0/gid"),
                "/data/gid",
            )
        },
        api_version: Some(version(false, Some("1.0"), &["1.0"])),
        ..CUSTOM_SOURCE
    };
    /// GitHub.
    GITHUB = Connector {
        key: "gitHub",
        label: "GitHub",
        custom_label: Some("GitHub"),
        methods: methods::GITHUB,
        provider: Some("github"),
        oauth: OauthUse {
            instance: Some("https://api.github.com"),
            profile_token_url: Some("https://github.com/login/oauth/access_token"),
            ..asks("/user", Some("/id"), "/id")
        },
        api_version: Some(version(true, None, &["v3"])),
        ..CUSTOM_SOURCE
    };
    /// Google Ads.
    GOOGLE_ADS = Connector {
        key: "googleAds",
        label: "Google Ads",
        custom_label: Some("GoogleAds"),
        methods: methods::GOOGLE_ADS,
        provider: Some("google"),
        oauth: google(&["openid", "https://www.googleapis.com/auth/adwords"]),
        api_version: Some(version(true, None, &["v16"])),
        ..CUSTOM_SOURCE
    };
    /// Google Analytics 4.
    GOOGLE_ANALYTICS_4 = Connector {
        key: "googleAnalytics4",
        label: "Google Analytics 4",
        custom_label: Some("GoogleAnalytics4"),
        methods: methods::GOOGLE,
        provider: Some("google"),
        oauth: google(&["openid", "https://www.googleapis.com/auth/analytics.readonly"]),
        api_version: Some(version(true, None, &["v1beta"])),
        ..CUSTOM_SOURCE
    };
    /// Google BigQuery.
    GOOGLE_BIG_QUERY = Connector {
        key: "googleBigQuery",
        label: "Google BigQuery",
        custom_label: Some("GoogleBigQuery"),
        methods: methods::GOOGLE,
        provider: Some("google"),
        oauth: google(&["openid", "https://www.googleapis.com/auth/bigquery"]),
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
        methods: methods::HUBSPOT,
        provider: Some("hubspot"),
        // The portal is the account; HubSpot does not say here who the user is.
        oauth: OauthUse {
            profile_token_url: Some("https://api.hubapi.com/oauth/v1/token"),
            ..asks("/account-info/v3/details", Some("/portalId"), "/portalId")
        },
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
        methods: methods::JDBC,
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
        methods: methods::MAILCHIMP,
        instance: Some("https://{instance}.api.mailchimp.com"),
        api_version: Some(version(true, None, &["3.0"])),
        ..CUSTOM_SOURCE
    };
    /// Microsoft Dynamics 365.
    DYNAMICS_365 = Connector {
        key: "dynamics365",
        label: "Microsoft Dynamics 365",
        custom_label: Some("MicrosoftDynamics365"),
        methods: methods::MICROSOFT,
        provider: Some("microsoft"),
        oauth: OauthUse {
            // One resource per token: the organisation's own address.
            scopes: &["{instance}/user_impersonation", "offline_access"],
            instance: Some("https://{instance}.api.crm.dynamics.com"),
            profile_token_url: MICROSOFT_TOKEN_URL,
            demands_client: true,
            ..asks(
                "/api/data/v9.2/WhoAmI",
                Some("/OrganizationId"),
                "/UserId",
            )
        },
        api_version: Some(version(true, None, &["v9.2"])),
        ..CUSTOM_SOURCE
    };
    /// Microsoft SharePoint Online.
    SHARE_POINT = Connector {
        key: "sharePoint",
        label: "Microsoft SharePoint Online",
        custom_label: Some("MicrosoftSharePointOnline"),
        methods: methods::MICROSOFT,
        provider: Some("microsoft"),
        oauth: OauthUse {
            scopes: &[
                "https://graph.microsoft.com/Sites.Read.All",
                "https://graph.microsoft.com/Files.Read.All",
                "https://graph.microsoft.com/User.Read",
                "offline_access",
            ],
            instance: Some("https://graph.microsoft.com"),
            profile_token_url: MICROSOFT_TOKEN_URL,
            demands_client: true,
            // Graph names the organisation of a token here, and its user elsewhere.
            ..asks(
                "/v1.0/organization?$select=id",
                Some("/value/0/id"),
                "/value/0/id",
            )
        },
        object_member: Some("site"),
        api_version: Some(version(true, None, &["v1.0"])),
        ..CUSTOM_SOURCE
    };
    /// Salesforce Marketing Cloud.
    MARKETING_CLOUD = Connector {
        key: "marketingCloud",
        label: "Salesforce Marketing Cloud",
        custom_label: Some("SalesforceMarketingCloud"),
        methods: methods::MARKETING_CLOUD,
        instance: Some("https://{instance}.rest.marketingcloudapis.com"),
        oauth: OauthUse {
            profile_token_url: Some("https://{instance}.auth.marketingcloudapis.com/v2/token"),
            ..OauthUse::PLAIN
        },
        api_version: Some(version(true, None, &["v1"])),
        ..CUSTOM_SOURCE
    };
    /// Any other connector of AWS or of the account itself, by its label.
    CUSTOM = Connector {
        key: "custom",
        label: "Custom connector",
        methods: methods::CUSTOM,
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
        methods: methods::RDS_POSTGRESQL,
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
        methods: methods::SNOWFLAKE,
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
        methods: methods::WITHOUT_CONNECTION,
        object_member: None,
        ..DESTINATION
    };
    /// Amazon Connect Customer Profiles.
    CUSTOMER_PROFILES = Connector {
        key: "customerProfiles",
        label: "Amazon Connect Customer Profiles",
        appflow_type: "CustomerProfiles",
        property_key: "CustomerProfiles",
        methods: methods::WITHOUT_CONNECTION,
        object_member: Some("domain"),
        ..DESTINATION
    };
    /// Upsolver.
    UPSOLVER = Connector {
        key: "upsolver",
        label: "Upsolver",
        appflow_type: "Upsolver",
        property_key: "Upsolver",
        methods: methods::WITHOUT_CONNECTION,
        object_member: Some("bucket"),
        ..DESTINATION
    };
    /// Amazon Lookout for Metrics, which AWS has ended.
    LOOKOUT_METRICS = Connector {
        key: "lookoutMetrics",
        label: "Amazon Lookout for Metrics",
        appflow_type: "LookoutMetrics",
        property_key: "LookoutMetrics",
        methods: methods::WITHOUT_CONNECTION,
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
    use crate::{
        connection::TokenOwner,
        connector::{AuthKind, PropertyNeed},
        oauth::{GrantorProof, MintCredentials, RotationClass},
    };

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
            let consents = row.method(AuthKind::OauthAuthorizationCode).is_some();
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
    fn r9_appflow_may_own_refresh_tokens_that_never_rotate_and_that_its_profile_takes() {
        // Service model: credentials without `refreshToken`.
        let profile_has_no_refresh_token = ["Zendesk", "Slack", "Marketo"];
        for row in CONNECTORS {
            for method in row.methods {
                let consent = method.kind == AuthKind::OauthAuthorizationCode;
                let allowed = consent
                    && row
                        .oauth_provider()
                        .is_some_and(|provider| provider.rotation == RotationClass::Never)
                    && !profile_has_no_refresh_token.contains(&row.property_key);
                let owned = method.token_owners.contains(&TokenOwner::Appflow);
                assert!(!consent || !owned || allowed, "{}", row.key);
                if MintCredentials::are_of(method.kind) {
                    // Who gets tokens from a credential is one party for good.
                    assert_eq!(method.token_owners.len(), 1, "{}", row.key);
                    assert_eq!(method.is_ours(), row.provider.is_some(), "{}", row.key);
                }
            }
        }
    }

    #[test]
    fn every_way_to_connect_is_sound() {
        for row in CONNECTORS {
            for (index, method) in row.methods.iter().enumerate() {
                let others = &row.methods[..index];
                assert!(others.iter().all(|other| other.kind != method.kind));
                assert!(!method.token_owners.is_empty(), "{}", row.key);
                let fields = || method.properties.iter().chain(method.credentials);
                for (index, field) in fields().enumerate() {
                    let before = fields().take(index);
                    let named = |other: &PropertyNeed| other.name == field.name;
                    assert!(!before.into_iter().any(named), "{}", field.name);
                    assert!(field.max_length > 0 && !field.description.is_empty());
                }
                // What is shown again is no secret.
                assert!(!method.properties.iter().any(|field| field.secret));
                let custom = method.kind == AuthKind::Custom && !method.open;
                assert_eq!(custom, method.custom_type.is_some(), "{}", row.key);
            }
            if !row.retired {
                assert!(!row.methods.is_empty(), "{}", row.key);
            }
            let asks = row
                .oauth_provider()
                .is_some_and(|provider| provider.grantor_proof == GrantorProof::AsksApplication);
            assert_eq!(asks, row.oauth.who_am_i.is_some(), "{}", row.key);
            let consents = row.provider.is_some() && row.property_key == "CustomConnector";
            assert!(!consents || row.oauth.profile_token_url.is_some());
        }
    }

    #[test]
    fn labels_are_asked_for_where_a_host_is_made_from_them() {
        let needs = |key: &str, kind| connector(key).unwrap().needs_instance(kind);
        let consent = AuthKind::OauthAuthorizationCode;
        for key in ["serviceNow", "zendesk", "slack", "dynamics365"] {
            assert!(needs(key, consent), "{key}");
        }
        assert!(needs("serviceNow", AuthKind::Basic));
        assert!(needs("salesforce", AuthKind::OauthClientCredentials));
        for key in ["salesforce", "hubSpot", "sharePoint", "googleAds", "gitHub"] {
            assert!(!needs(key, consent), "{key}");
        }
    }
}
