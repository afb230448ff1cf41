//! The connectors AppFlow knows, as one table (sections 6.2 and 7 of the reference).

use serde_json::{Value, json};

use crate::model;

/// One built-in connector.
#[derive(Debug)]
pub(crate) struct Connector {
    /// `connectorType` on the wire.
    pub(crate) kind: &'static str,
    /// Key of properties, credentials and operators; spelled differently for some.
    pub(crate) key: &'static str,
    pub(crate) source: bool,
    pub(crate) destination: bool,
    /// Whether flows name a connector profile for it.
    pub(crate) profile: bool,
    pub(crate) private_link: bool,
    /// Shortest period of a schedule, in seconds.
    pub(crate) shortest_period: i64,
    pub(crate) destinations: &'static [&'static str],
    /// Values of `writeOperationType` that the destination takes.
    pub(crate) write_operations: &'static [&'static str],
    /// Members of `connectorMetadata.<key>`, as JSON.
    pub(crate) metadata: &'static str,
}

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

const NONE: &[&str] = &[];
const ALL: &[&str] = &[
    "S3",
    "Snowflake",
    "Redshift",
    "Salesforce",
    "EventBridge",
    "LookoutMetrics",
    "Honeycode",
    "Upsolver",
    "CustomerProfiles",
    "Zendesk",
    "Marketo",
    "CustomConnector",
];
const NO_EVENTS: &[&str] = &[
    "S3",
    "Snowflake",
    "Redshift",
    "Salesforce",
    "LookoutMetrics",
    "Honeycode",
    "Upsolver",
    "CustomerProfiles",
    "Zendesk",
    "Marketo",
    "CustomConnector",
];
const NO_LOOKOUT: &[&str] = &[
    "S3",
    "Snowflake",
    "Redshift",
    "Salesforce",
    "Honeycode",
    "Upsolver",
    "CustomerProfiles",
    "Zendesk",
    "Marketo",
    "CustomConnector",
];
const FROM_S3: &[&str] = &[
    "S3",
    "Snowflake",
    "Redshift",
    "Salesforce",
    "SAPOData",
    "Honeycode",
    "Upsolver",
    "CustomerProfiles",
    "Zendesk",
    "Marketo",
    "CustomConnector",
];
const FROM_CUSTOM: &[&str] = &[
    "S3",
    "Snowflake",
    "Redshift",
    "Salesforce",
    "SAPOData",
    "LookoutMetrics",
    "Upsolver",
    "Zendesk",
    "Marketo",
    "CustomConnector",
];
const FROM_SAP: &[&str] = &["S3", "Redshift", "SAPOData", "CustomerProfiles"];
const WRITES: &[&str] = &["INSERT", "UPSERT", "UPDATE"];
const ALL_WRITES: &[&str] = &["INSERT", "UPSERT", "UPDATE", "DELETE"];
const INSERT: &[&str] = &["INSERT"];
const SALESFORCE_METADATA: &str = r#"{"oAuthScopes":["api","refresh_token","id"],
    "dataTransferApis":["AUTOMATIC","BULKV2","REST_SYNC"],
    "oauth2GrantTypesSupported":["AUTHORIZATION_CODE","JWT_BEARER"]}"#;

macro_rules! connectors {
    ($($kind:literal $key:literal $source:literal $destination:literal $profile:literal
       $link:literal $period:ident $to:ident $writes:ident $metadata:expr;)*) => {
        &[$(Connector {
            kind: $kind, key: $key, source: $source == 1, destination: $destination == 1,
            profile: $profile == 1, private_link: $link == 1, shortest_period: $period,
            destinations: $to, write_operations: $writes, metadata: $metadata,
        }),*]
    };
}

/// type, key, source, destination, profile, PrivateLink, shortest period, destinations, writes, metadata
#[rustfmt::skip]
pub(crate) const CONNECTORS: &[Connector] = connectors! {
    "Salesforce"       "Salesforce"       1 1 1 1 MINUTE ALL         ALL_WRITES SALESFORCE_METADATA;
    "Pardot"           "Pardot"           1 0 1 0 MINUTE ALL         NONE       "{}";
    "Servicenow"       "ServiceNow"       1 0 1 0 MINUTE NO_EVENTS   NONE       "{}";
    "Zendesk"          "Zendesk"          1 1 1 0 MINUTE NO_EVENTS   WRITES     r#"{"oAuthScopes":["read","write"]}"#;
    "Marketo"          "Marketo"          1 1 1 0 HOUR   NO_EVENTS   NONE       "{}";
    "Slack"            "Slack"            1 0 1 0 MINUTE NO_LOOKOUT  NONE       r#"{"oAuthScopes":["channels:history","channels:read","groups:history","groups:read","im:history","im:read","mpim:history","mpim:read"]}"#;
    "SAPOData"         "SAPOData"         1 1 1 1 MINUTE FROM_SAP    WRITES     "{}";
    "Veeva"            "Veeva"            1 0 1 0 MINUTE NO_EVENTS   NONE       "{}";
    "Dynatrace"        "Dynatrace"        1 0 1 0 MINUTE NO_EVENTS   NONE       "{}";
    "Datadog"          "Datadog"          1 0 1 0 MINUTE NO_LOOKOUT  NONE       "{}";
    "Singular"         "Singular"         1 0 1 1 HOUR   NO_EVENTS   NONE       "{}";
    "Trendmicro"       "Trendmicro"       1 0 1 0 HOUR   NO_EVENTS   NONE       "{}";
    "Infornexus"       "InforNexus"       1 0 1 0 MINUTE NO_EVENTS   NONE       "{}";
    "Amplitude"        "Amplitude"        1 0 1 0 DAY    TO_S3       NONE       "{}";
    "Googleanalytics"  "GoogleAnalytics"  1 0 1 0 DAY    TO_S3       NONE       r#"{"oAuthScopes":["https://www.googleapis.com/auth/analytics.readonly"]}"#;
    "Redshift"         "Redshift"         0 1 1 0 MINUTE NONE        INSERT     "{}";
    "Snowflake"        "Snowflake"        0 1 1 1 MINUTE NONE        INSERT     r#"{"supportedRegions":[]}"#;
    "S3"               "S3"               1 1 0 0 MINUTE FROM_S3     NONE       "{}";
    "EventBridge"      "EventBridge"      0 1 0 0 MINUTE NONE        NONE       "{}";
    "LookoutMetrics"   "LookoutMetrics"   0 1 0 0 MINUTE NONE        NONE       "{}";
    "Upsolver"         "Upsolver"         0 1 0 0 MINUTE NONE        NONE       "{}";
    "CustomerProfiles" "CustomerProfiles" 0 1 0 0 MINUTE NONE        NONE       "{}";
    "Honeycode"        "Honeycode"        0 1 1 0 MINUTE NONE        NONE       r#"{"oAuthScopes":[]}"#;
    "CustomConnector"  "CustomConnector"  1 1 1 0 MINUTE FROM_CUSTOM NONE       "{}";
};
const TO_S3: &[&str] = &["LookoutMetrics", "S3", "Upsolver"];

/// An AWS-authored connector that is known: label, whether it is source and destination, and the API
/// versions that its flows can name.
pub(crate) type Authored = (&'static str, &'static str, &'static [&'static str]);

/// All of them.
pub(crate) const AWS_AUTHORED: &[Authored] = &[
    ("AmazonRDSPostgreSQL", "D", &["1.0"]),
    ("Asana", "S", &["1.0"]),
    ("GitHub", "S", &["v3"]),
    ("GoogleAds", "S", &["v16"]),
    ("GoogleAnalytics4", "S", &["v1beta"]),
    ("GoogleBigQuery", "SD", &["v2"]),
    ("HubSpot", "SD", &["v1", "v2", "v3", "v4"]),
    ("JDBCsmall", "SD", &["V1"]),
    ("Mailchimp", "S", &["3.0"]),
    ("MicrosoftDynamics365", "S", &["v9.2"]),
    ("MicrosoftSharePointOnline", "S", &["v1.0"]),
    ("SalesforceMarketingCloud", "S", &["v1"]),
];

/// Whether flows and metadata calls can name this API version of a custom connector. Any version of a
/// connector that the account registered itself.
pub(crate) fn has_version(label: Option<&str>, version: &str) -> bool {
    AWS_AUTHORED
        .iter()
        .find(|(known, ..)| Some(*known) == label)
        .is_none_or(|(_, _, versions)| versions.contains(&version))
}

/// The connector of a `connectorType`.
pub(crate) fn of_type(kind: &str) -> Option<&'static Connector> {
    CONNECTORS.iter().find(|c| c.kind == kind)
}

impl Connector {
    /// Write operations of the destination; a custom connector's are its own affair.
    pub(crate) fn write_operations(&self) -> &'static [&'static str] {
        match (self.destination, self.kind) {
            (false, _) => NONE,
            (true, "CustomConnector") => ALL_WRITES,
            (true, _) => self.write_operations,
        }
    }

    /// Trigger types, for a source.
    pub(crate) fn triggers(&self) -> &'static [&'static str] {
        match (self.source, self.kind) {
            (true, "Salesforce") => &["Scheduled", "OnDemand", "Event"],
            (true, _) => &["Scheduled", "OnDemand"],
            (false, "EventBridge") => &["Event"],
            (false, "LookoutMetrics") => &["Scheduled"],
            (false, _) => &[],
        }
    }

    fn frequencies(&self) -> &'static [&'static str] {
        const ALL: &[&str] = &["BYMINUTE", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "ONCE"];
        match (self.source, self.shortest_period) {
            (false, _) => &[],
            (true, MINUTE) => ALL,
            (true, HOUR) => &ALL[1..],
            (true, _) => &ALL[2..],
        }
    }

    fn modes(&self) -> Vec<&'static str> {
        modes(self.source, self.destination)
    }

    /// The entry of `connectorConfigurations`.
    pub(crate) fn configuration(&self) -> Value {
        let metadata: Value = serde_json::from_str(self.metadata).unwrap_or_default();
        let custom = self.kind == "CustomConnector";
        json!({
            "canUseAsSource": self.source,
            "canUseAsDestination": self.destination,
            "supportedDestinationConnectors": self.destinations,
            "supportedSchedulingFrequencies": self.frequencies(),
            "isPrivateLinkEnabled": self.private_link,
            "isPrivateLinkEndpointUrlRequired": self.kind == "SAPOData",
            "supportedTriggerTypes": self.triggers(),
            "connectorMetadata": if custom { Value::Null } else { json!({ self.key: metadata }) },
            "connectorType": self.kind,
            "connectorDescription": self.kind,
        })
    }

    /// The entry of `connectors`.
    pub(crate) fn detail(&self) -> Value {
        json!({
            "connectorDescription": self.kind,
            "connectorName": self.kind,
            "connectorOwner": "AWS",
            "connectorType": self.kind,
            "connectorModes": self.modes(),
            "supportedDataTransferTypes": ["RECORD"],
        })
    }
}

fn modes(source: bool, destination: bool) -> Vec<&'static str> {
    [(source, "SOURCE"), (destination, "DESTINATION")]
        .into_iter()
        .filter_map(|(has, mode)| has.then_some(mode))
        .collect()
}

/// The entry of an AWS-authored connector in `connectors`; its configuration has the same members
/// and some of a custom connector's.
pub(crate) fn aws_authored((label, directions, _): &Authored) -> Value {
    json!({
        "connectorName": label,
        "connectorOwner": "AWS",
        "connectorType": "CustomConnector",
        "connectorLabel": label,
        "connectorModes": modes(directions.contains('S'), directions.contains('D')),
        "supportedDataTransferTypes": ["RECORD"],
    })
}

/// What the configuration of an AWS-authored connector tells besides.
pub(crate) fn capabilities((_, directions, versions): &Authored) -> Value {
    let writes = if directions.contains('D') {
        ALL_WRITES
    } else {
        NONE
    };
    json!({
        "supportedApiVersions": versions,
        "supportedOperators": model::words("Operator"),
        "supportedWriteOperations": writes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn salesforce_is_described_as_the_reference_has_it() {
        let reference: Value = serde_json::from_str(include_str!(
            "../tests-data/response-describe-connector-salesforce.json"
        ))
        .expect("JSON");
        let described = of_type("Salesforce").expect("connector").configuration();
        for (member, value) in described.as_object().expect("object") {
            assert_eq!(
                value, &reference["connectorConfiguration"][member],
                "{member}"
            );
        }
    }

    #[test]
    fn the_table_is_sound() {
        for connector in CONNECTORS {
            let metadata: Result<Value, _> = serde_json::from_str(connector.metadata);
            assert!(metadata.is_ok(), "{}", connector.kind);
            assert!(
                connector.source || connector.destination,
                "{}",
                connector.kind
            );
            for to in connector.destinations {
                assert!(of_type(to).is_some_and(|c| c.destination), "{to}");
            }
            assert_eq!(connector.source, !connector.destinations.is_empty());
        }
    }

    #[test]
    fn only_salesforce_sends_events() {
        let senders: Vec<_> = CONNECTORS
            .iter()
            .filter(|c| c.source && c.triggers().contains(&"Event"))
            .map(|c| c.kind)
            .collect();
        assert_eq!(senders, ["Salesforce"]);
    }
}
