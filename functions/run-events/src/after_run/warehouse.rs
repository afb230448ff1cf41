//! Redshift's Data API as the service identity of one tenant.

use aws_config::SdkConfig;
use aws_sdk_redshiftdata::{
    Client,
    operation::describe_statement::DescribeStatementOutput,
    types::{SqlParameter, StatusString},
};
use jiff::Timestamp;
use tributary::{
    aws::Refusal,
    id::TenantId,
    run::{AfterRunCode, Prepared, Run},
    tenancy::WarehouseSessions,
};

use super::{
    machine::{Seen, Sent},
    name::{client_token, name_of},
    refusal::{of_failure, of_send, of_session},
};
use crate::config::WarehouseConfig;

/// The warehouse, reached with the secret of the tenant that something is done for.
#[derive(Debug, Clone)]
pub(crate) struct ServiceWarehouse {
    sessions: WarehouseSessions,
    config: WarehouseConfig,
}

impl ServiceWarehouse {
    pub(crate) fn new(aws: SdkConfig, config: WarehouseConfig) -> Self {
        Self {
            sessions: WarehouseSessions::new(aws, config.role_arn.clone()),
            config,
        }
    }

    /// The account that the warehouse is in, which is our own.
    pub(crate) fn account(&self) -> &str {
        self.config.role_arn.account()
    }

    /// Sends the statement of a run. Every sending of it is the same to the Data API.
    pub(super) async fn send(&self, run: &Run, prepared: &Prepared) -> Sent {
        let aws = match self.sessions.config(run.tenant_id).await {
            Ok(aws) => aws,
            Err(error) => {
                tracing::error!(tenant.id = %run.tenant_id, run.id = %run.id, error.chain = %error, "no session for the tenant's service identity");
                return of_session(&error);
            }
        };
        let parameters: Vec<SqlParameter> = prepared
            .parameters
            .iter()
            .filter_map(|(name, value)| {
                SqlParameter::builder().name(name).value(value).build().ok()
            })
            .collect();
        let answer = Client::new(&aws)
            .execute_statement()
            .workgroup_name(&self.config.workgroup)
            .database(&self.config.database)
            .secret_arn(secret_name(run.tenant_id))
            .sql(&prepared.sql)
            .set_parameters((!parameters.is_empty()).then_some(parameters))
            .client_token(client_token(run.id))
            .statement_name(name_of(run))
            .with_event(true)
            .send()
            .await
            .map_err(|error| Refusal::of(&error));
        match answer {
            Ok(answer) => answer
                .id
                .map_or(Sent::InDoubt, |statement| Sent::Taken { statement }),
            Err(refusal) => {
                log("ExecuteStatement", run.tenant_id, &refusal);
                of_send(&refusal)
            }
        }
    }

    /// Asks how far a statement is.
    pub(super) async fn look(&self, tenant: TenantId, statement: &str) -> Seen {
        let aws = match self.sessions.config(tenant).await {
            Ok(aws) => aws,
            Err(error) => {
                tracing::error!(tenant.id = %tenant, error.chain = %error, "no session for the tenant's service identity");
                return Seen::Running;
            }
        };
        let answer = Client::new(&aws)
            .describe_statement()
            .id(statement)
            .send()
            .await
            .map_err(|error| Refusal::of(&error));
        match answer {
            Ok(answer) => seen(&answer),
            Err(refusal) if refusal.is("ResourceNotFoundException") => Seen::Gone,
            Err(refusal) => {
                log("DescribeStatement", tenant, &refusal);
                Seen::Running
            }
        }
    }
}

/// The secret with the database user of a tenant's service identity.
fn secret_name(tenant: TenantId) -> String {
    format!("tributary/tenants/{tenant}/warehouse")
}

/// What the Data API says of a statement.
fn seen(answer: &DescribeStatementOutput) -> Seen {
    let at = answer
        .updated_at
        .as_ref()
        .and_then(|at| Timestamp::from_second(at.secs()).ok())
        .unwrap_or_else(Timestamp::now);
    match answer.status.as_ref() {
        Some(StatusString::Finished) => Seen::Finished {
            // -1: not known, or there are none.
            rows: u64::try_from(answer.result_rows).ok(),
            at,
        },
        Some(StatusString::Failed) => Seen::Failed {
            code: of_failure(answer.error.as_deref().unwrap_or_default()),
            at,
        },
        // Nobody but the warehouse's own people can stop it.
        Some(StatusString::Aborted) => Seen::Failed {
            code: AfterRunCode::Timeout,
            at,
        },
        _ => Seen::Running,
    }
}

/// Without the message: it may hold names of the tenant's things.
fn log(call: &str, tenant: TenantId, refusal: &Refusal) {
    tracing::warn!(
        tenant.id = %tenant,
        call,
        error.code = refusal.code.as_deref().unwrap_or("none"),
        error.status = refusal.status,
        aws.request_id = refusal.request_id.as_deref(),
        "the Data API refused a call for a service identity"
    );
}

#[cfg(test)]
mod tests {
    use aws_sdk_redshiftdata::primitives::DateTime;

    use super::*;

    fn described(status: &str, rows: i64, error: Option<&str>) -> Seen {
        seen(
            &DescribeStatementOutput::builder()
                .id("s-1")
                .status(StatusString::from(status))
                .result_rows(rows)
                .set_error(error.map(str::to_owned))
                .updated_at(DateTime::from_secs(60))
                .build()
                .unwrap(),
        )
    }

    #[test]
    fn the_data_apis_words_are_ours() {
        let at = Timestamp::from_second(60).unwrap();
        assert_eq!(
            described("FINISHED", 3, None),
            Seen::Finished { rows: Some(3), at }
        );
        assert_eq!(
            described("FINISHED", -1, None),
            Seen::Finished { rows: None, at }
        );
        let denied = "ERROR: permission denied for relation sales_data";
        let code = AfterRunCode::ForbiddenData;
        assert_eq!(
            described("FAILED", -1, Some(denied)),
            Seen::Failed { code, at }
        );
        let code = AfterRunCode::Timeout;
        assert_eq!(described("ABORTED", -1, None), Seen::Failed { code, at });
        for status in ["SUBMITTED", "PICKED", "STARTED", "SOMETHING_NEW"] {
            assert_eq!(described(status, -1, None), Seen::Running, "{status}");
        }
    }
}
