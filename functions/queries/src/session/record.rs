//! Sessions as they are stored: everything secret is sealed for its user and place.

use std::time::SystemTime;

use aws_sdk_sts::config::Credentials;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tributary::{error::Error, id::TenantId, secret::Secret, store::Key, vault::Sealed};

use super::{Session, TenantSessions, User};

/// How long a sign-in's session may be renewed, in seconds. Identity Center may end it sooner.
const RENEWABLE: i64 = 8 * 3600;

/// A user's session, as it is stored under [`Key::user_session`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    /// Whose it is.
    pub(super) tenant_id: TenantId,
    /// Partition of the guard of the ID token that it came from.
    pub(super) token_use: String,
    /// The AWS credentials.
    pub(super) credentials: Sealed,
    /// Until when they hold, epoch milliseconds.
    pub(super) valid_until: i64,
    /// Identity Center's refresh token, if it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refresh_token: Option<Sealed>,
    /// Until when somebody is renewing it, epoch milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) renewing_until: Option<i64>,
    /// When the table forgets it, epoch seconds.
    pub(super) expires_at: i64,
}

/// Credentials inside the seal.
#[derive(Deserialize)]
struct Opened {
    access_key_id: Secret,
    secret_access_key: Secret,
    session_token: Secret,
}

impl TenantSessions {
    /// Stores a session in place of the one before.
    pub(super) async fn keep(
        &self,
        user: &User,
        session: &Session,
        refresh_token: Option<Secret>,
        token_use: &Key,
    ) -> Result<(), Error> {
        let key = self.key(user);
        let refresh_token = match refresh_token {
            Some(token) => Some(self.seal(user, &key, "refresh", &token).await?),
            None => None,
        };
        let valid_until = session.valid_until;
        let record = Record {
            tenant_id: user.tenant,
            token_use: token_use.pk.clone(),
            credentials: self.seal_credentials(user, &key, session).await?,
            valid_until: valid_until.as_millisecond(),
            expires_at: match refresh_token {
                Some(_) => Timestamp::now().as_second() + RENEWABLE,
                None => valid_until.as_second(),
            },
            refresh_token,
            renewing_until: None,
        };
        Ok(self.scope.store().put(&key, &record).await?)
    }

    /// The stored session, if there is one that the table should still have.
    pub(super) async fn stored(&self, user: &User) -> Result<Option<Record>, Error> {
        let record: Option<Record> = self.scope.store().get(&self.key(user)).await?;
        let now = Timestamp::now().as_second();
        Ok(record.filter(|record| record.expires_at > now))
    }

    /// The credentials of a stored session.
    pub(super) async fn open(&self, user: &User, record: &Record) -> Result<Session, Error> {
        let key = self.key(user);
        let place = place(&key, "credentials");
        let opened = self
            .scope
            .vault()
            .open(user.tenant, &place, &record.credentials)
            .await?;
        let opened: Opened = serde_json::from_str(opened.expose()).map_err(|_| unreadable())?;
        let valid_until =
            Timestamp::from_millisecond(record.valid_until).map_err(|_| unreadable())?;
        let credentials = Credentials::new(
            opened.access_key_id.expose(),
            opened.secret_access_key.expose(),
            Some(opened.session_token.expose().to_owned()),
            Some(SystemTime::from(valid_until)),
            "tributary-user-session",
        );
        Ok(Session {
            credentials,
            valid_until,
        })
    }

    pub(super) async fn seal_credentials(
        &self,
        user: &User,
        key: &Key,
        session: &Session,
    ) -> Result<Sealed, Error> {
        let text = serde_json::json!({
            "access_key_id": session.credentials.access_key_id(),
            "secret_access_key": session.credentials.secret_access_key(),
            "session_token": session.credentials.session_token(),
        });
        let text = Secret::new(text.to_string());
        self.seal(user, key, "credentials", &text).await
    }

    pub(super) async fn seal(
        &self,
        user: &User,
        key: &Key,
        what: &str,
        secret: &Secret,
    ) -> Result<Sealed, Error> {
        Ok(self
            .scope
            .vault()
            .seal(user.tenant, &place(key, what), secret)
            .await?)
    }
}

/// The place that a secret of a session is sealed for: its own item, so that it opens for no other
/// user, sign-in or role (scenario Q11).
pub(super) fn place<'a>(key: &'a Key, what: &'a str) -> [&'a str; 3] {
    ["user-session", &key.sk, what]
}

/// Says nothing of what was read.
fn unreadable() -> Error {
    Error::internal("session_unreadable", "a stored session could not be read")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q11_equal_user_names_in_two_tenants_issuers_sign_ins_or_roles_share_no_place() {
        let (ours, theirs) = (TenantId::new(), TenantId::new());
        let key = |tenant, subject, login, role| {
            Key::user_session(tenant, "https://idp.example", subject, login, role)
        };
        let first = key(ours, "ann", "l-1", "r-1");
        assert_ne!(first, key(theirs, "ann", "l-1", "r-1"));
        let of_another_issuer =
            Key::user_session(ours, "https://other.example", "ann", "l-1", "r-1");
        for other in [
            of_another_issuer,
            key(ours, "bob", "l-1", "r-1"),
            key(ours, "ann", "", "r-1"),
            key(ours, "ann", "l-2", "r-1"),
            key(ours, "ann", "l-1", "r-2"),
        ] {
            assert_ne!(place(&first, "credentials"), place(&other, "credentials"));
        }
    }
}
