//! IAM Identity Center: the administrators' APIs (`admin`, `store`, and what Redshift knows of it:
//! `redshift`, `serverless`), the token endpoint that evaluates what they made (`create_token`), and the
//! identity contexts that it gives.

mod admin;
mod assertion;
mod configure;
mod connect;
mod create_token;
mod error;
mod issued;
mod redshift;
mod refusal;
mod serverless;
mod state;
mod store;

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError, RwLock},
};

use sandbox_core::{AwsCall, AwsReply, Canaries};

use self::{issued::Issued, state::State};
use crate::Aws;

pub use configure::{DirectoryEntry, IdentityCenter};
pub(crate) use connect::admit;
pub(crate) use issued::{BoundContext, ContextRefused};

/// Grant type: a token of a trusted token issuer.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Grant type: a refresh token of Identity Center's own.
const REFRESH_TOKEN: &str = "refresh_token";

/// What has been set up and what has been issued.
pub(crate) struct Directory {
    state: RwLock<State>,
    http: reqwest::Client,
    /// `jti` of every token that was exchanged.
    used: Mutex<BTreeSet<String>>,
    issued: Issued,
}

impl Directory {
    pub(crate) fn new(canaries: Canaries) -> Self {
        Self {
            state: RwLock::default(),
            http: reqwest::Client::builder()
                .no_proxy()
                .timeout(std::time::Duration::from_secs(5))
                .build()
                .unwrap_or_default(),
            used: Mutex::default(),
            issued: Issued::new(canaries),
        }
    }

    /// Replaces everything that was set up; what was issued stays.
    pub(crate) fn configure(&self, configuration: IdentityCenter) {
        let state = configure::state(configuration);
        self.change(|current| *current = state);
    }

    /// The ARN that the next customer-managed application gets.
    pub(crate) fn reserve_application(&self, arn: &str) {
        self.change(|state| state.reserved.push_back(arn.to_owned()));
    }

    /// Ends every application session now, as if its time had come.
    pub(crate) fn end_sessions(&self) {
        self.issued.end_sessions();
    }

    /// What STS reads in a context assertion.
    pub(crate) fn resolve(&self, assertion: &str) -> Result<BoundContext, ContextRefused> {
        self.issued.context(assertion)
    }

    fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Marks a token as exchanged; `false` if it already was.
    fn use_once(&self, jti: &str) -> bool {
        self.used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(jti.to_owned())
    }
}

/// Answers one request to Identity Center or to what Redshift knows of it; `None` for other services.
pub(crate) async fn handle(aws: &Aws, call: &AwsCall) -> Option<AwsReply> {
    Some(match call.service.as_str() {
        "sso-oauth" => match create_token::handle(&aws.identity, call).await {
            Ok(reply) => reply,
            Err(error) => error.reply(),
        },
        "sso" => admin::handle(aws, call),
        "identitystore" => store::handle(&aws.identity, call),
        "redshift" => redshift::handle(aws, call),
        "redshift-serverless" => serverless::handle(&aws.identity, call),
        _ => return None,
    })
}
