//! Redshift's Data API as one user.

mod browse;
mod csv;
mod failure;
mod name;
mod refusal;
mod rows;

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_config::{SdkConfig, identity::IdentityCache, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_redshiftdata::{
    Client,
    config::SharedCredentialsProvider,
    error::{ProvideErrorMetadata, SdkError},
    operation::get_statement_result::GetStatementResultOutput,
    types::SqlParameter,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use serde::{Deserialize, Serialize};
use tributary::{aws::Refusal, error::Error};
use utoipa::ToSchema;

use crate::{
    WarehouseConfig,
    session::{Current, Session},
    statement::{Author, Statement},
};

pub use browse::{Listed, Table, TableColumn};
pub use csv::{CsvPage, csv_page};
pub use failure::{FailureCode, failure_of};
pub use name::{Name, Search};
use refusal::is_expired;
pub use refusal::{Call, error_of};
pub use rows::{Column, Cut, Page, page, page_within};

/// Longest that a call may take: the longest wait, and time for an answer, within the gateway's limit.
const LONGEST_CALL: Duration = Duration::from_secs(26);

/// The warehouse, and how it is reached.
#[derive(Debug, Clone)]
pub struct Warehouse {
    aws: SdkConfig,
    config: WarehouseConfig,
}

/// The warehouse as one user sees it.
#[derive(Debug)]
pub struct UserWarehouse {
    aws: SdkConfig,
    config: WarehouseConfig,
    current: Current,
    /// The credentials in use: the current ones, or what replaced them.
    session: Mutex<Session>,
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
    pub fn as_user(&self, current: &Current) -> UserWarehouse {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(3))
            .operation_attempt_timeout(LONGEST_CALL)
            .operation_timeout(LONGEST_CALL)
            .build();
        let aws = self
            .aws
            .to_builder()
            // One person's credentials do not outlive the request in a warm instance's memory.
            .identity_cache(IdentityCache::no_cache())
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(2))
            .build();
        UserWarehouse {
            aws,
            config: self.config.clone(),
            session: Mutex::new(current.session().clone()),
            current: current.clone(),
        }
    }

    /// The namespace that database users of people have.
    pub fn namespace(&self) -> &str {
        &self.config.namespace
    }
}

impl UserWarehouse {
    /// One call as the user. Credentials that AWS takes no more are replaced, once.
    async fn call<T, E, F>(
        &self,
        call: Call,
        send: impl Fn(Client) -> F,
    ) -> Result<Result<T, Refusal>, Error>
    where
        E: ProvideErrorMetadata,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        let session = lock(&self.session).clone();
        let refusal = match send(self.client(&session)).await {
            Ok(answer) => return Ok(Ok(answer)),
            Err(error) => Refusal::of(&error),
        };
        if !is_expired(&refusal) {
            return Ok(Err(refusal));
        }
        tracing::info!(call = ?call, "credentials ended before their time");
        let replaced = self.current.replaced(&session).await?;
        *lock(&self.session) = replaced.clone();
        let again = send(self.client(&replaced)).await;
        Ok(again.map_err(|error| Refusal::of(&error)))
    }

    fn client(&self, session: &Session) -> Client {
        let credentials = SharedCredentialsProvider::new(session.credentials.clone());
        let aws = self.aws.to_builder().credentials_provider(credentials);
        Client::new(&aws.build())
    }

    /// Runs a statement and waits for its end at most `wait_seconds`.
    ///
    /// No database user and no secret: without the user in the credentials nothing opens.
    pub async fn execute(
        &self,
        statement: &Statement,
        client_token: Option<String>,
        wait_seconds: i32,
    ) -> Result<Progress, Error> {
        let call = Call::Execute {
            author: statement.author,
        };
        let parameters = statement.parameters.iter();
        let parameters: Vec<SqlParameter> = parameters
            .filter_map(|(name, value)| {
                SqlParameter::builder().name(name).value(value).build().ok()
            })
            .collect();
        let parameters = (!parameters.is_empty()).then_some(parameters);
        self.run(call, &statement.sql, parameters, client_token, wait_seconds)
            .await
    }

    /// Runs a statement of our own, without parameters.
    pub async fn ask(&self, sql: &'static str, wait_seconds: i32) -> Result<Progress, Error> {
        let call = Call::Execute {
            author: Author::Vendor,
        };
        self.run(call, sql, None, None, wait_seconds).await
    }

    async fn run(
        &self,
        call: Call,
        sql: &str,
        parameters: Option<Vec<SqlParameter>>,
        client_token: Option<String>,
        wait_seconds: i32,
    ) -> Result<Progress, Error> {
        let answer = self
            .call(call, |client| {
                client
                    .execute_statement()
                    .workgroup_name(&self.config.workgroup)
                    .database(&self.config.database)
                    .sql(sql)
                    .set_parameters(parameters.clone())
                    .set_client_token(client_token.clone())
                    .set_wait_time_seconds(wait(wait_seconds))
                    .send()
            })
            .await?
            .map_err(|refusal| error_of(call, &refusal))?;
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
        let ask = async |seconds| {
            self.call(Call::Describe, |client| {
                let call = client.describe_statement().id(statement);
                call.set_wait_time_seconds(wait(seconds)).send()
            })
            .await
        };
        let mut answer = ask(wait_seconds).await?;
        if let Err(refusal) = &answer
            && refusal.is("ActiveWaitingRequestsExceededException")
        {
            // Too many wait for this statement: this one asks without waiting.
            answer = ask(0).await?;
        }
        let answer = answer.map_err(|refusal| error_of(Call::Describe, &refusal))?;
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
        self.call(Call::Results, |client| {
            let call = client.get_statement_result().id(statement);
            call.set_next_token(token.clone()).send()
        })
        .await?
        .map_err(|refusal| error_of(Call::Results, &refusal))
    }

    /// Asks for a statement's end; one that has ended is fine.
    pub async fn cancel(&self, statement: &str) -> Result<(), Error> {
        let answer = self
            .call(Call::Cancel, |client| {
                client.cancel_statement().id(statement).send()
            })
            .await?;
        match answer {
            Ok(_) => Ok(()),
            Err(refusal) if refusal.is("ValidationException") => Ok(()),
            Err(refusal) => Err(error_of(Call::Cancel, &refusal)),
        }
    }
}

fn lock(session: &Mutex<Session>) -> MutexGuard<'_, Session> {
    session.lock().unwrap_or_else(PoisonError::into_inner)
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
mod paging;

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
