//! What is left when a connection is deleted, and who can do something about it.

use serde::{Deserialize, Serialize};
use tributary::{
    connection::{Connection, TokenOwner, revocation::DueRevocation},
    connector::{AuthKind, Connector},
};
use utoipa::ToSchema;

/// What sort of thing is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum LeftOverKind {
    /// What was granted to us, or entered by a person, still counts at the application.
    Grant,
    /// The connector profile is still in AppFlow.
    Profile,
    /// The secret with the credentials is still there.
    Secret,
    /// Files that AppFlow staged are the customer's.
    Bucket,
}

/// A thing that is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "what": "grant", "where": "https://acme.my.salesforce.com",
    "why": "The provider did not say that the grant has ended. We ask again until it does, for 30 days.",
    "retrying": true,
}))]
pub(crate) struct LeftOver {
    /// What it is.
    pub(super) what: LeftOverKind,
    /// Where it is: an address or a name.
    #[schema(example = "https://acme.my.salesforce.com")]
    pub(super) r#where: String,
    /// Why it is left, and what a person can do.
    #[schema(example = "The provider did not say that the grant has ended.")]
    pub(super) why: String,
    /// Whether we go on trying.
    pub(super) retrying: bool,
}

impl LeftOver {
    /// Something that only a person can settle.
    pub(super) fn settled_by_hand(
        what: LeftOverKind,
        place: impl Into<String>,
        why: impl Into<String>,
    ) -> Self {
        Self {
            what,
            r#where: place.into(),
            why: why.into(),
            retrying: false,
        }
    }

    /// What it is, in one word.
    pub(crate) const fn kind(&self) -> &'static str {
        match self.what {
            LeftOverKind::Grant => "grant",
            LeftOverKind::Profile => "profile",
            LeftOverKind::Secret => "secret",
            LeftOverKind::Bucket => "bucket",
        }
    }

    /// Where it is.
    pub(crate) fn place(&self) -> &str {
        &self.r#where
    }

    /// Why it is left, to somebody for whom nobody goes on trying.
    pub(crate) fn why_for_good(&self) -> &str {
        if self.retrying {
            "The provider did not end the grant for a day. Remove this application in its settings."
        } else {
            &self.why
        }
    }

    /// A grant whose end is written down and not reached.
    pub(super) fn of_revocation(connection: &Connection, due: &DueRevocation) -> Self {
        let why = if due.is_retrying() {
            "The provider did not say that the grant has ended. We ask again until it does, for 30 days."
        } else {
            "The provider did not end the grant for 30 days. Remove this application in its settings."
        };
        Self {
            what: LeftOverKind::Grant,
            r#where: application(connection),
            why: why.to_owned(),
            retrying: due.is_retrying(),
        }
    }
}

/// What is known to stay before anything is tried.
pub(super) fn beforehand(connection: &Connection, row: &Connector) -> Vec<LeftOver> {
    let grant = unrevocable(connection, row)
        .map(|why| LeftOver::settled_by_hand(LeftOverKind::Grant, application(connection), why));
    let bucket = connection.properties.get("bucketName").map(|bucket| {
        LeftOver::settled_by_hand(
            LeftOverKind::Bucket,
            bucket,
            "Files that AppFlow staged there are yours. Delete them when nothing needs them.",
        )
    });
    grant.into_iter().chain(bucket).collect()
}

/// Why the right that a connection had cannot be ended by us; nothing when it can, or when there is
/// none.
fn unrevocable(connection: &Connection, row: &Connector) -> Option<&'static str> {
    const ENTERED: &str =
        "What was entered still counts at the application. Change or delete it there.";
    match connection.auth {
        AuthKind::Roles | AuthKind::None => None,
        AuthKind::OauthAuthorizationCode if connection.generation == 0 => None,
        AuthKind::OauthAuthorizationCode if connection.token_owner == TokenOwner::Appflow => Some(
            "AppFlow alone had the tokens. Remove this application in the provider's settings.",
        ),
        AuthKind::OauthAuthorizationCode => row
            .oauth_provider()
            .is_none_or(|provider| provider.revoke.is_none())
            .then_some(
                "The provider has no way to end a grant from here. Remove this application in its settings.",
            ),
        AuthKind::OauthClientCredentials
        | AuthKind::OauthJwtBearer
        | AuthKind::OauthPassword
        | AuthKind::Basic
        | AuthKind::ApiKey
        | AuthKind::Custom => Some(ENTERED),
    }
}

/// Where a connection leads to, as people know it.
pub(super) fn application(connection: &Connection) -> String {
    let label = connection.instance.as_ref();
    let address = connection.instance_url.as_ref().or(label);
    address.unwrap_or(&connection.connector).clone()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tributary::{
        connection::ConnectionState,
        connector::{CONNECTORS, connector},
        id::{AccountId, ConnectionId, TenantId},
    };

    use super::*;

    fn connection(key: &str, auth: AuthKind) -> Connection {
        let id = ConnectionId::new();
        serde_json::from_value(json!({
            "id": id, "connection_id": id, "tenant_id": TenantId::new(), "account_id": AccountId::new(),
            "connector": key, "name": "n", "state": ConnectionState::Active, "token_owner": "tributary",
            "created_by": "s", "auth": auth, "profile_name": "p", "generation": 1,
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "version": 1,
        }))
        .unwrap()
    }

    #[test]
    fn a_grant_is_left_over_exactly_where_its_provider_cannot_end_it() {
        for row in CONNECTORS {
            let found = beforehand(&connection(row.key, AuthKind::OauthAuthorizationCode), row);
            let can_end = row
                .oauth_provider()
                .is_some_and(|provider| provider.revoke.is_some());
            assert_eq!(found.is_empty(), can_end, "{}", row.key);
        }
    }

    #[test]
    fn what_a_person_entered_stays_and_roles_leave_nothing_but_files() {
        let row = connector("salesforce").unwrap();
        let entered = beforehand(&connection("salesforce", AuthKind::ApiKey), row);
        assert_eq!(entered[0].what, LeftOverKind::Grant);
        assert!(!entered[0].retrying);
        let mut redshift = connection("redshift", AuthKind::Roles);
        let row = connector("redshift").unwrap();
        assert_eq!(beforehand(&redshift, row), []);
        redshift
            .properties
            .insert("bucketName".to_owned(), "acme-staging".to_owned());
        let found = beforehand(&redshift, row);
        assert_eq!(
            (found[0].what, found[0].r#where.as_str()),
            (LeftOverKind::Bucket, "acme-staging")
        );
    }

    #[test]
    fn a_connection_that_nobody_consented_to_leaves_nothing() {
        let mut pending = connection("salesforce", AuthKind::OauthAuthorizationCode);
        pending.generation = 0;
        assert_eq!(beforehand(&pending, connector("salesforce").unwrap()), []);
    }
}
