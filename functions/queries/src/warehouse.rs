//! Redshift's Data API as one user.

mod failure;
mod refusal;
mod rows;

use std::time::Duration;

use aws_config::{SdkConfig, identity::IdentityCache, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_redshiftdata::{
    Client, config::SharedCredentialsProvider,
    operation::get_statement_result::GetStatementResultOutput, types::SqlParameter,
};
use serde::{Deserialize, Serialize};
use tributary::{aws::Refusal, error::Error};
use utoipa::ToSchema;

use crate::{WarehouseConfig, session::Session, statement::Statement};

pub use failure::{FailureCode, failure_of};
pub use refusal::{Call, error_of};
pub use rows::{Column, Page, page};

/// Longest that a call may take: the longest wait, and time for an answer, within the gateway's limit.
const LONGEST_CALL: Duration = Duration::from_secs(26);

/// The warehouse, and how it is reached.
#[derive(Debug, Clone)]
pub struct Warehouse {
    aws: SdkConfig,
    config: WarehouseConfig,
}

/// The warehouse as one user sees it.
#[derive(Debug, Clone)]
pub struct UserWarehouse {
    client: Client,
    config: WarehouseConfig,
}

/// How far a statement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Accepted, waiting or under way.
    Running,
    /// Ended well.
    Finished,
    /// Ended with an error.
    Failed,
    /// Stopped on request.
    Cancelled,
}

/// A statement and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The Data API's id.
    pub statement: String,
    /// How far it is.
    pub state: State,
    /// Whether there are rows to read.
    pub has_rows: bool,
    /// How many, where it is known.
    pub row_count: Option<u64>,
    /// Why it failed.
    pub failure: Option<FailureCode>,
}

impl Warehouse {
    /// The warehouse, through the function's own way to AWS.
    pub fn new(aws: SdkConfig, config: WarehouseConfig) -> Self {
        Self { aws, config }
    }

    /// The warehouse with the user's credentials and no others.
    pub fn as_user(&self, session: &Session) -> UserWarehouse {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(3))
            .operation_attempt_timeout(LONGEST_CALL)
            .operation_timeout(LONGEST_CALL)
            .build();
        let aws = self
            .aws
            .to_builder()
            .credentials_provider(SharedCredentialsProvider::new(session.credentials.clone()))
            // One person's credentials do not outlive the request in a warm instance's memory.
            .identity_cache(IdentityCache::no_cache())
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(2))
            .build();
        UserWarehouse {
            client: Client::new(&aws),
            config: self.config.clone(),
        }
    }
}

impl UserWarehouse {
    /// Runs a statement and waits for its end at most `wait_seconds`.
    ///
    /// No database user and no secret: without the user in the credentials nothing opens.
    pub async fn execute(
        &self,
        statement: &Statement,
        client_token: Option<String>,
        wait_seconds: i32,
    ) -> Result<Progress, Error> {
        let parameters: Vec<SqlParameter> = statement
            .parameters
            .iter()
            .filter_map(|(name, value)| {
                SqlParameter::builder().name(name).value(value).build().ok()
            })
            .collect();
        let answer = self
            .client
            .execute_statement()
            .workgroup_name(&self.config.workgroup)
            .database(&self.config.database)
            .sql(&statement.sql)
            .set_parameters((!parameters.is_empty()).then_some(parameters))
            .set_client_token(client_token)
            .set_wait_time_seconds(wait(wait_seconds))
            .send()
            .await
            .map_err(|error| {
                let call = Call::Execute {
                    author: statement.author,
                };
                error_of(call, &Refusal::of(&error))
            })?;
        let id = answer.id.ok_or_else(|| {
            Error::internal(
                "warehouse_failed",
                "ExecuteStatement answered without an id",
            )
        })?;
        let state = state(
            answer
                .status
                .as_ref()
                .map_or("SUBMITTED", |status| status.as_str()),
        );
        if state == State::Failed {
            // Why it failed is told by DescribeStatement only.
            return self.describe(&id, 0).await;
        }
        Ok(Progress {
            statement: id,
            state,
            has_rows: state == State::Finished && answer.has_result_set.unwrap_or(false),
            row_count: None,
            failure: None,
        })
    }

    /// How far a statement is; waits for its end at most `wait_seconds`.
    pub async fn describe(&self, statement: &str, wait_seconds: i32) -> Result<Progress, Error> {
        let ask = |seconds| {
            self.client
                .describe_statement()
                .id(statement)
                .set_wait_time_seconds(wait(seconds))
                .send()
        };
        let mut answer = ask(wait_seconds).await;
        if let Err(error) = &answer
            && Refusal::of(error).is("ActiveWaitingRequestsExceededException")
        {
            // Too many wait for this statement: this one asks without waiting.
            answer = ask(0).await;
        }
        let answer = answer.map_err(|error| error_of(Call::Describe, &Refusal::of(&error)))?;
        let state = state(
            answer
                .status
                .as_ref()
                .map_or("SUBMITTED", |status| status.as_str()),
        );
        let failure = (state == State::Failed)
            .then(|| failure_of(answer.error.as_deref().unwrap_or_default()));
        if let Some(code) = failure {
            tracing::info!(
                statement.id = statement,
                error.code = code.as_str(),
                "statement failed"
            );
        }
        Ok(Progress {
            statement: statement.to_owned(),
            state,
            has_rows: state == State::Finished && answer.has_result_set.unwrap_or(false),
            row_count: u64::try_from(answer.result_rows)
                .ok()
                .filter(|_| state == State::Finished),
            failure,
        })
    }

    /// A page of a finished statement's rows, as the Data API cuts them.
    pub async fn results(
        &self,
        statement: &str,
        token: Option<String>,
    ) -> Result<GetStatementResultOutput, Error> {
        self.client
            .get_statement_result()
            .id(statement)
            .set_next_token(token)
            .send()
            .await
            .map_err(|error| error_of(Call::Results, &Refusal::of(&error)))
    }

    /// Asks for a statement's end; one that has ended is fine.
    pub async fn cancel(&self, statement: &str) -> Result<(), Error> {
        let answer = self.client.cancel_statement().id(statement).send().await;
        match answer {
            Ok(_) => Ok(()),
            Err(error) => {
                let refusal = Refusal::of(&error);
                if refusal.is("ValidationException") {
                    return Ok(());
                }
                Err(error_of(Call::Cancel, &refusal))
            }
        }
    }
}

/// Zero means not to wait, which the Data API says by absence.
fn wait(seconds: i32) -> Option<i32> {
    (1..=30).contains(&seconds).then_some(seconds)
}

fn state(theirs: &str) -> State {
    match theirs {
        "FINISHED" => State::Finished,
        "FAILED" => State::Failed,
        "ABORTED" => State::Cancelled,
        _ => State::Running,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_that_are_no_end_are_running() {
        for (theirs, ours) in [
            ("SUBMITTED", State::Running),
            ("PICKED", State::Running),
            ("STARTED", State::Running),
            ("SOMETHING_NEW", State::Running),
            ("FINISHED", State::Finished),
            ("FAILED", State::Failed),
            ("ABORTED", State::Cancelled),
        ] {
            assert_eq!(state(theirs), ours, "{theirs}");
        }
    }

    #[test]
    fn not_to_wait_is_said_by_absence() {
        assert_eq!(
            (wait(0), wait(1), wait(20), wait(31)),
            (None, Some(1), Some(20), None)
        );
    }
}
