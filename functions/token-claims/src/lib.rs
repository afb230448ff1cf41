//! Cognito pre-token-generation trigger (event version 2): puts the tenant and the roles of a member
//! into ID and access tokens, from our own table.
//!
//! Fails closed: whoever is no member of an existing tenant gets no token. Cognito shows a trigger's
//! error message to the person who signs in, so messages say nothing; the log says which it was.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html>

mod event;
mod membership;
mod refusal;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use serde_json::Value;
use tributary::store::{Store, key::sha256_hex};

pub use membership::Membership;
pub use refusal::Refusal;

/// The function: a table in which members are looked up.
#[derive(Debug, Clone)]
pub struct TokenClaims {
    store: Store,
}

impl TokenClaims {
    /// The function over a table.
    pub fn new(config: &aws_config::SdkConfig, table: String) -> Self {
        // Cognito gives up after five seconds, and asks again by itself.
        let config = aws_sdk_dynamodb::config::Builder::from(config)
            .timeout_config(event::timeouts())
            .retry_config(RetryConfig::standard().with_max_attempts(2))
            .build();
        Self {
            store: Store::new(aws_sdk_dynamodb::Client::from_conf(config), table),
        }
    }

    /// Answers one event with the claims of its member.
    pub async fn handle(&self, event: Value) -> Result<Value, Refusal> {
        let subject = event::subject(&event).map(str::to_owned);
        let trigger = event::trigger(&event).to_owned();
        let answer = match &subject {
            Ok(subject) => membership::of(&self.store, subject)
                .await
                .and_then(|member| event::with_claims(event, &member).map(|event| (event, member))),
            Err(refusal) => Err(refusal.clone()),
        };
        // A subject may be a person's name at some providers; its hash finds the lines all the same.
        let subject_hash = subject.map_or_else(|_| String::new(), |subject| sha256_hex(&subject));
        match answer {
            Ok((event, member)) => {
                tracing::info!(tenant.id = %member.tenant_id, subject.hash = subject_hash, trigger, "token gets its tenant");
                Ok(event)
            }
            Err(refusal) => {
                refusal.log(&subject_hash, &trigger);
                Err(refusal)
            }
        }
    }
}
