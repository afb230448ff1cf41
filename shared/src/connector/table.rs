//! The rows of the catalogue.

use super::{AuthKind, Connector, PropertyNeed, Trigger};
use crate::connection::TokenOwner;

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

/// Every application of the catalogue.
pub static CONNECTORS: &[Connector] = &[
    Connector {
        key: "salesforce",
        label: "Salesforce",
        appflow_type: "Salesforce",
        property_key: "Salesforce",
        source: true,
        destination: true,
        auth: &[AuthKind::OauthAuthorizationCode],
        provider: Some("salesforce"),
        // It rotates refresh tokens: a second owner would end the grant.
        token_owners: &[TokenOwner::Tributary],
        triggers: &[Trigger::OnDemand, Trigger::Scheduled, Trigger::Event],
        shortest_schedule_minutes: Some(1),
        needs: &[],
        destinations: &["s3", "redshift", "salesforce"],
    },
    Connector {
        key: "s3",
        label: "Amazon S3",
        appflow_type: "S3",
        property_key: "S3",
        source: true,
        destination: true,
        auth: &[AuthKind::None],
        provider: None,
        token_owners: &[TokenOwner::Nobody],
        triggers: &[Trigger::OnDemand, Trigger::Scheduled],
        shortest_schedule_minutes: Some(1),
        needs: &[],
        destinations: &["s3", "redshift", "salesforce"],
    },
    Connector {
        key: "redshift",
        label: "Amazon Redshift",
        appflow_type: "Redshift",
        property_key: "Redshift",
        source: false,
        destination: true,
        auth: &[AuthKind::Roles],
        provider: None,
        token_owners: &[TokenOwner::Nobody],
        triggers: &[],
        shortest_schedule_minutes: None,
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
        destinations: &[],
    },
];

/// The connector with this key.
pub fn connector(key: &str) -> Option<&'static Connector> {
    CONNECTORS.iter().find(|connector| connector.key == key)
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
