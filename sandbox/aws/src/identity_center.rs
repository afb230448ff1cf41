//! IAM Identity Center's token endpoint: `CreateTokenWithIAM`, and the identity contexts it gives.

mod assertion;
mod create_token;
mod error;
mod issued;

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError, RwLock},
};

use sandbox_core::{AwsCall, AwsReply, Canaries, DirectoryUser};

use self::issued::Issued;

pub(crate) use issued::{BoundContext, ContextRefused};

/// A person of the directory.
#[derive(Debug, Clone)]
pub struct DirectoryEntry {
    /// Identity Center's record of the person.
    pub user: DirectoryUser,
    /// Primary e-mail address: what the token's `email` claim is matched with.
    pub email: String,
    /// Whether the person is assigned to the application.
    pub assigned: bool,
    /// Whether the person may sign in at all.
    pub enabled: bool,
}

/// The application, its trusted token issuer and the directory.
#[derive(Debug, Clone)]
pub struct IdentityCenter {
    /// `arn:aws:sso::<account>:application/<instance id>/<application id>`. Callers of this
    /// account pass the application's policy.
    pub application_arn: String,
    /// The issuer, exactly as in the token's `iss`.
    pub issuer: String,
    /// Accepted audiences.
    pub audiences: Vec<String>,
    /// Where the issuer's keys are.
    pub jwks_url: String,
    /// The directory.
    pub users: Vec<DirectoryEntry>,
}

impl IdentityCenter {
    fn account(&self) -> &str {
        self.application_arn.split(':').nth(4).unwrap_or_default()
    }
}

/// Configuration and what has been issued.
pub(crate) struct Directory {
    configuration: RwLock<Option<IdentityCenter>>,
    http: reqwest::Client,
    /// `jti` of every token that was exchanged.
    used: Mutex<BTreeSet<String>>,
    issued: Issued,
}

impl Directory {
    pub(crate) fn new(canaries: Canaries) -> Self {
        Self {
            configuration: RwLock::default(),
            http: reqwest::Client::builder()
                .no_proxy()
                .timeout(std::time::Duration::from_secs(5))
                .build()
                .unwrap_or_default(),
            used: Mutex::default(),
            issued: Issued::new(canaries),
        }
    }

    /// Sets or replaces the configuration; what was issued stays.
    pub(crate) fn configure(&self, configuration: IdentityCenter) {
        *self
            .configuration
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(configuration);
    }

    /// Answers one request with signing name `sso-oauth`.
    pub(crate) async fn handle(&self, call: &AwsCall) -> AwsReply {
        match create_token::handle(self, call).await {
            Ok(reply) => reply,
            Err(error) => error.reply(),
        }
    }

    /// What STS reads in a context assertion.
    pub(crate) fn resolve(&self, assertion: &str) -> Result<BoundContext, ContextRefused> {
        self.issued.context(assertion)
    }

    fn configuration(&self) -> Option<IdentityCenter> {
        self.configuration
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Marks a token as exchanged; `false` if it already was.
    fn use_once(&self, jti: &str) -> bool {
        self.used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(jti.to_owned())
    }
}
