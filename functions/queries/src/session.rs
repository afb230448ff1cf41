//! Users' sessions with the warehouse: AWS credentials that carry the user.
//!
//! Kept in the table, sealed, one per user and sign-in; a warm instance holds no other copy
//! (`docs/adr/0017`). They live fifteen minutes, so that a user who is disabled in Identity Center
//! stops soon (scenario Q7), and are renewed with Identity Center's refresh token while that holds.
//!
//! Some identity providers name no sign-in in their tokens. Then all sign-ins of one person share
//! one session: whichever presented an ID token last has made it, all of them use it, and forgetting
//! it ends it for all of them, which asks each for a fresh ID token and nothing worse.

mod assume;
mod current;
mod exchange;
mod guard;
mod record;
mod refusal;
mod renew;

use aws_config::SdkConfig;
use aws_sdk_sts::config::Credentials;
use jiff::Timestamp;
use tributary::{
    error::{Error, Kind},
    http::Caller,
    id::TenantId,
    jwt::IdClaims,
    secret::Secret,
    store::{Key, Store, key::sha256_hex},
    tenancy::TenantScope,
};

use crate::IdentityConfig;
use assume::WarehouseRole;
pub use current::Current;
use exchange::{Exchanged, Grant, IdentityCenter};
use guard::Claim;
use record::Record;
pub use refusal::{Meaning, meaning_of_assume, meaning_of_exchange};

/// A user of a tenant, in one sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The tenant.
    pub tenant: TenantId,
    /// Who vouches for the user.
    pub issuer: String,
    /// The user, unique within the issuer.
    pub subject: String,
    /// The sign-in that the user's tokens descend from; empty where tokens do not say.
    pub login: String,
}

impl User {
    /// The user that calls, as a member of the tenant.
    pub fn of(caller: &Caller, tenant: TenantId) -> Self {
        Self {
            tenant,
            issuer: caller.identity.issuer.clone(),
            subject: caller.identity.subject.clone(),
            login: caller.identity.login_id.clone().unwrap_or_default(),
        }
    }
}

/// Credentials of one user, good now.
#[derive(Debug, Clone)]
pub struct Session {
    /// The credentials.
    pub credentials: Credentials,
    /// Until when they hold.
    pub valid_until: Timestamp,
}

/// Users' sessions, of whatever tenant.
#[derive(Debug, Clone)]
pub struct Sessions {
    /// The table, for the guards of ID tokens, which are no tenant's.
    guards: Store,
    identity_center: IdentityCenter,
    role: WarehouseRole,
}

/// Makes, keeps and renews the sessions of one tenant's users.
#[derive(Debug, Clone)]
pub struct TenantSessions {
    guards: Store,
    scope: TenantScope,
    identity_center: IdentityCenter,
    role: WarehouseRole,
}

/// The answer that asks the browser for a fresh ID token.
pub(crate) fn reauthenticate(log: &str) -> Error {
    Error::new(
        Kind::Unauthenticated,
        "reauthenticate",
        "Get a fresh ID token and present it once.",
    )
    .with_log(log)
}

/// The answer to who has no session.
fn identity_required() -> Error {
    Error::new(
        Kind::Unauthenticated,
        "identity_required",
        "Present your ID token to /v1/identity first.",
    )
}

impl Sessions {
    /// Sessions for the users of one Identity Center application and role.
    pub fn new(guards: Store, aws: &SdkConfig, config: IdentityConfig) -> Self {
        Self {
            guards,
            identity_center: IdentityCenter::new(aws, config.region, config.application_arn),
            role: WarehouseRole::new(aws, config.role_arn),
        }
    }

    /// The role that carries users.
    pub fn role_arn(&self) -> &str {
        self.role.arn()
    }

    /// The sessions of the users of one tenant.
    pub fn of(&self, scope: &TenantScope) -> TenantSessions {
        TenantSessions {
            guards: self.guards.clone(),
            scope: scope.clone(),
            identity_center: self.identity_center.clone(),
            role: self.role.clone(),
        }
    }
}

impl TenantSessions {
    /// Makes the session of a user from an ID token that was verified.
    ///
    /// Identity Center takes a token once, ever. So one attempt claims the token and exchanges it;
    /// others that come with the same token wait for what that one makes.
    pub async fn establish(
        &self,
        user: &User,
        id_token: &Secret,
        claims: &IdClaims,
    ) -> Result<Session, Error> {
        let jti = claims
            .jti
            .as_deref()
            .ok_or_else(|| reauthenticate("the ID token has no jti"))?;
        let token_use = Key::token_use(&claims.issuer, jti);
        match guard::claim(&self.guards, &token_use, claims.exp).await? {
            Claim::Ours => {
                let made = self.exchange(user, id_token, &token_use).await;
                if made.is_err() {
                    guard::fail(&self.guards, &token_use).await;
                }
                made
            }
            Claim::Others => self.wait_for_winner(user, &token_use).await,
        }
    }

    async fn exchange(
        &self,
        user: &User,
        id_token: &Secret,
        token_use: &Key,
    ) -> Result<Session, Error> {
        let refusal_mark = Key::identity_refusal(user.tenant, &user.issuer, &user.subject);
        let exchanged = match self.identity_center.call(Grant::Assertion(id_token)).await {
            Ok(exchanged) => exchanged,
            Err(meaning @ Meaning::NotAccepted { .. }) => {
                return Err(self.not_accepted(&refusal_mark, meaning).await?);
            }
            Err(meaning) => return Err(meaning.into()),
        };
        self.scope.store().delete(&refusal_mark).await?;
        let session = self.role.assume(user, exchanged.identity_context).await?;
        self.keep(user, &session, exchanged.refresh_token, token_use)
            .await?;
        tracing::info!(tenant.id = %user.tenant, subject.hash = sha256_hex(&user.subject), "user session established");
        Ok(session)
    }

    /// A refused grant is a used or stale token the first time. When a fresh one is refused too,
    /// the directory does not know the user (scenario Q6).
    async fn not_accepted(&self, mark: &Key, meaning: Meaning) -> Result<Error, Error> {
        if guard::was_refused_before(self.scope.store(), mark).await? {
            return Ok(Error::new(
                Kind::Forbidden,
                "user_not_provisioned",
                "You are not known in the directory of the warehouse. Ask your administrator.",
            ));
        }
        guard::mark_refused(self.scope.store(), mark).await?;
        Ok(meaning.into())
    }

    /// Forgets the user's credentials and what would renew them. Fine when there are none.
    pub async fn forget(&self, user: &User) -> Result<(), Error> {
        let forgotten: Option<Record> = self.scope.store().take(&self.key(user)).await?;
        if let Some(record) = forgotten {
            // Whoever presents its ID token once more need not wait for a session of it.
            guard::fail(&self.guards, &guard::at(record.token_use)).await;
            tracing::info!(tenant.id = %user.tenant, subject.hash = sha256_hex(&user.subject), "user session forgotten");
        }
        Ok(())
    }

    pub(crate) fn key(&self, user: &User) -> Key {
        Key::user_session(
            user.tenant,
            &user.issuer,
            &user.subject,
            &user.login,
            self.role.arn(),
        )
    }
}

impl Exchanged {
    /// Takes an answer apart; without an identity context there is no session.
    ///
    /// The audit context is never a substitute: with it the role's own rights would decide.
    fn of(
        identity_context: Option<String>,
        refresh_token: Option<String>,
    ) -> Result<Self, Meaning> {
        let identity_context = identity_context
            .filter(|context| (4..=2048).contains(&context.len()))
            .map(Secret::new)
            .ok_or(Meaning::NoIdentityContext)?;
        Ok(Self {
            identity_context,
            refresh_token: refresh_token
                .filter(|token| !token.is_empty())
                .map(Secret::new),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_identity_context_there_is_no_session() {
        for absent in [None, Some(String::new()), Some("abc".to_owned())] {
            let error: Error = Exchanged::of(absent, Some("refresh".to_owned()))
                .unwrap_err()
                .into();
            assert_eq!(
                (error.kind(), error.code()),
                (Kind::Internal, "identity_config")
            );
        }
        assert!(Exchanged::of(Some("context".to_owned()), None).is_ok());
    }
}
