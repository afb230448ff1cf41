//! What a flow does in the warehouse when a run of it has completed, and how far that is.
//!
//! A registered query of the tenant runs as the tenant's service identity. The run is over and stays
//! `completed` whatever comes of it: its data arrived.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::query::{Bound, FailureCode, QueryName};

/// A registered query that runs in the warehouse when a run of the flow has completed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AfterRun {
    /// A registered query of the tenant whose purpose is `afterRun`.
    #[schema(value_type = String, example = "load-city-sales")]
    pub query: QueryName,
    /// Values of the query's parameters. `run_id`, `run_flow_id`, `run_started_at` and `run_ended_at`
    /// are filled in and cannot be given.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object, example = json!({ "country": "Germany" }))]
    pub parameters: Map<String, Value>,
}

/// An [`AfterRun`] as an attribute of its flow's item: JSON text, which keeps every number's form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeptAfterRun(pub AfterRun);

impl TryFrom<String> for KeptAfterRun {
    type Error = serde_json::Error;

    fn try_from(text: String) -> Result<Self, serde_json::Error> {
        serde_json::from_str(&text).map(Self)
    }
}

impl From<KeptAfterRun> for String {
    fn from(kept: KeptAfterRun) -> Self {
        serde_json::json!(kept.0).to_string()
    }
}

/// The statement of a run, as it was bound when the run completed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    /// The SQL; no value stands in it.
    pub sql: String,
    /// Values by parameter name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
}

/// Neither the text nor the values are for a log.
impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prepared([redacted])")
    }
}

impl From<Bound> for Prepared {
    fn from(bound: Bound) -> Self {
        Self {
            sql: bound.sql,
            parameters: bound.parameters,
        }
    }
}

/// What became of the statement of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AfterRunProgress {
    /// The registered query.
    pub query: QueryName,
    /// The version of it that counts: the one of the moment when the run completed. Absent when
    /// there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Counts the steps: of several who take the next one, one does.
    pub step: u64,
    /// How far it is.
    #[serde(flatten)]
    pub state: AfterRunState,
}

/// How far the statement of a run is. It goes forward only, and an end is the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum AfterRunState {
    /// Decided together with the run's completion, and not sent.
    Pending {
        /// What is to be sent.
        prepared: Prepared,
    },
    /// Sent, or about to be: whether the warehouse took it is not written down yet.
    Sending {
        /// What is sent. A repeat sends the same.
        prepared: Prepared,
        /// When it was taken up for the first time.
        started_at: Timestamp,
        /// How often it was taken up; counted before each sending.
        attempts: u32,
        /// How many of those attempts were refused, so that they certainly had no effect.
        refused: u32,
    },
    /// The warehouse took it.
    Running {
        /// The Data API's id of the statement.
        statement: String,
        /// When it was taken up for the first time.
        started_at: Timestamp,
    },
    /// Ended well.
    Finished {
        /// The Data API's id of the statement.
        statement: String,
        /// Rows that were written or came out, where the warehouse says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rows: Option<u64>,
        /// When it was taken up.
        started_at: Timestamp,
        /// When it ended.
        ended_at: Timestamp,
    },
    /// Ended badly, or could not be run.
    Failed {
        /// Why.
        code: AfterRunCode,
        /// The Data API's id of the statement, if it took one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        statement: Option<String>,
        /// When it was taken up, if it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        started_at: Option<Timestamp>,
        /// When that was known.
        ended_at: Timestamp,
    },
    /// Not run, on purpose.
    Skipped {
        /// Why.
        reason: SkipReason,
        /// When that was decided.
        ended_at: Timestamp,
    },
}

impl AfterRunState {
    /// Whether something is still to be done or found out.
    pub const fn is_open(&self) -> bool {
        matches!(
            self,
            Self::Pending { .. } | Self::Sending { .. } | Self::Running { .. }
        )
    }

    /// The Data API's id of the statement, once it is known.
    pub fn statement(&self) -> Option<&str> {
        match self {
            Self::Running { statement, .. } | Self::Finished { statement, .. } => Some(statement),
            Self::Failed { statement, .. } => statement.as_deref(),
            Self::Pending { .. } | Self::Sending { .. } | Self::Skipped { .. } => None,
        }
    }
}

/// Why a statement was not run although its run completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// The tenant is suspended or leaving: nothing runs for it.
    TenantSuspended,
}

impl SkipReason {
    /// The stable code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TenantSuspended => "tenant_suspended",
        }
    }

    /// What a person reads.
    pub const fn detail(self) -> &'static str {
        match self {
            Self::TenantSuspended => {
                "The organisation's use of this service was suspended, so the statement was not run."
            }
        }
    }
}

/// Why the statement of a run failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterRunCode {
    /// The tenant has no service identity, or its secret cannot be read.
    ServiceIdentityMissing,
    /// The warehouse does not let the service identity in.
    ServiceIdentityRefused,
    /// The registered query was not there, or was for something else, when the run completed.
    QueryGone,
    /// The flow's parameters did not fit the registered query any more.
    InvalidParameters,
    /// The warehouse does not take the statement with these parameters.
    QueryRejected,
    /// The service identity may not do this.
    ForbiddenData,
    /// The statement names something that is not there.
    UnknownObject,
    /// The statement is no SQL that Redshift reads.
    SyntaxError,
    /// A value does not fit its type or range, or something is divided by zero.
    InvalidValue,
    /// It took too long, or somebody stopped it in the warehouse.
    Timeout,
    /// A row is larger than the warehouse takes.
    RowTooLarge,
    /// It needs more memory or disk than there is.
    TooMuchData,
    /// Another statement changed the same data at the same time, or the warehouse was restarted.
    TryAgain,
    /// Files outside the warehouse cannot be read.
    ExternalData,
    /// The statement failed.
    QueryError,
    /// The warehouse was too busy for an hour.
    WarehouseBusy,
    /// The warehouse could not be reached for an hour.
    WarehouseUnavailable,
    /// Our own configuration keeps us from the warehouse.
    WarehouseConfig,
    /// Whether the statement ran cannot be found out any more, so it is not run again.
    OutcomeUnknown,
}

/// Code, stable text, whether running the flow again makes sense, what a person reads.
const CODES: [(AfterRunCode, &str, bool, &str); 19] = {
    use AfterRunCode as C;
    [
        (
            C::ServiceIdentityMissing,
            "service_identity_missing",
            false,
            "Your organisation has no service identity in the warehouse, or its secret cannot be read. Ask the operator.",
        ),
        (
            C::ServiceIdentityRefused,
            "service_identity_refused",
            false,
            "The warehouse refuses your organisation's service identity. Ask the operator to check its password.",
        ),
        (
            C::QueryGone,
            "query_gone",
            false,
            "The registered query is not there any more, or is for another purpose. Change the flow.",
        ),
        (
            C::InvalidParameters,
            "invalid_parameters",
            false,
            "The flow's parameters do not fit the registered query any more. Validate the flow.",
        ),
        (
            C::QueryRejected,
            "query_rejected",
            false,
            "The warehouse does not take this statement with these parameters.",
        ),
        (
            C::ForbiddenData,
            "forbidden_data",
            false,
            "The service identity may not do this with these data.",
        ),
        (
            C::UnknownObject,
            "unknown_object",
            false,
            "The statement names something that does not exist.",
        ),
        (
            C::Timeout,
            "timeout",
            true,
            "The statement took too long or was stopped.",
        ),
        (
            C::RowTooLarge,
            "row_too_large",
            false,
            "A row is too large for the warehouse.",
        ),
        (
            C::SyntaxError,
            "syntax_error",
            false,
            "The warehouse cannot read the statement.",
        ),
        (
            C::InvalidValue,
            "invalid_value",
            false,
            "A value does not fit its type or range, or something is divided by zero.",
        ),
        (
            C::TooMuchData,
            "too_much_data",
            false,
            "The statement needs more room than there is.",
        ),
        (
            C::TryAgain,
            "try_again",
            true,
            "The warehouse was busy with the same data.",
        ),
        (
            C::ExternalData,
            "external_data",
            false,
            "Files outside the warehouse cannot be read.",
        ),
        (C::QueryError, "query_error", false, "The statement failed."),
        (
            C::WarehouseBusy,
            "warehouse_busy",
            true,
            "The warehouse was too busy for an hour.",
        ),
        (
            C::WarehouseUnavailable,
            "warehouse_unavailable",
            true,
            "The warehouse could not be reached for an hour.",
        ),
        (
            C::WarehouseConfig,
            "warehouse_config",
            false,
            "The warehouse is not set up for statements after a run. Ask the operator.",
        ),
        (
            C::OutcomeUnknown,
            "outcome_unknown",
            false,
            "Whether the statement ran cannot be found out any more; it was not run again. Look at the data.",
        ),
    ]
};

impl AfterRunCode {
    fn row(self) -> (&'static str, bool, &'static str) {
        let row = CODES.iter().find(|(code, ..)| *code == self);
        row.map_or(
            ("query_error", false, "The statement failed."),
            |(_, text, retryable, detail)| (*text, *retryable, *detail),
        )
    }

    /// The stable code.
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// Whether the same statement can succeed later without anything being changed.
    pub fn retryable(self) -> bool {
        self.row().1
    }

    /// What a person reads.
    pub fn detail(self) -> &'static str {
        self.row().2
    }
}

impl From<FailureCode> for AfterRunCode {
    fn from(code: FailureCode) -> Self {
        match code {
            FailureCode::ForbiddenData => Self::ForbiddenData,
            FailureCode::UnknownObject => Self::UnknownObject,
            FailureCode::SyntaxError => Self::SyntaxError,
            FailureCode::InvalidValue => Self::InvalidValue,
            FailureCode::TooMuchData => Self::TooMuchData,
            FailureCode::TryAgain => Self::TryAgain,
            FailureCode::ExternalData => Self::ExternalData,
            FailureCode::Timeout => Self::Timeout,
            FailureCode::RowTooLarge => Self::RowTooLarge,
            FailureCode::QueryError => Self::QueryError,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn progress(state: AfterRunState) -> AfterRunProgress {
        AfterRunProgress {
            query: "load".parse().unwrap(),
            version: Some(3),
            step: 5,
            state,
        }
    }

    fn prepared() -> Prepared {
        Prepared {
            sql: "CALL load(:run_id)".to_owned(),
            parameters: BTreeMap::from([("run_id".to_owned(), "run_1".to_owned())]),
        }
    }

    fn states() -> Vec<AfterRunState> {
        let at = Timestamp::UNIX_EPOCH;
        vec![
            AfterRunState::Pending {
                prepared: prepared(),
            },
            AfterRunState::Sending {
                prepared: prepared(),
                started_at: at,
                attempts: 2,
                refused: 1,
            },
            AfterRunState::Running {
                statement: "s".to_owned(),
                started_at: at,
            },
            AfterRunState::Finished {
                statement: "s".to_owned(),
                rows: Some(7),
                started_at: at,
                ended_at: at,
            },
            AfterRunState::Failed {
                code: AfterRunCode::QueryGone,
                statement: None,
                started_at: None,
                ended_at: at,
            },
            AfterRunState::Skipped {
                reason: SkipReason::TenantSuspended,
                ended_at: at,
            },
        ]
    }

    #[test]
    fn every_state_is_kept_in_the_table_as_it_is() {
        for state in states() {
            let progress = progress(state);
            let kept: aws_sdk_dynamodb::types::AttributeValue =
                serde_dynamo::to_attribute_value(&progress).unwrap();
            let read: AfterRunProgress = serde_dynamo::from_attribute_value(kept).unwrap();
            assert_eq!(read, progress);
        }
    }

    #[test]
    fn three_states_are_open_and_three_are_ends() {
        let open: Vec<bool> = states().iter().map(AfterRunState::is_open).collect();
        assert_eq!(open, [true, true, true, false, false, false]);
    }

    #[test]
    fn neither_the_statement_nor_its_values_are_in_a_debug_text() {
        let text = format!("{:?}", states());
        assert!(
            !text.contains("CALL") && !text.contains("run_1") && !text.contains("run_id"),
            "{text}"
        );
    }

    #[test]
    fn every_code_has_its_row_and_is_kept_under_its_stable_text() {
        for (code, text, retryable, detail) in CODES {
            assert_eq!(serde_json::to_value(code).unwrap(), text);
            assert_eq!(
                (code.as_str(), code.retryable(), code.detail()),
                (text, retryable, detail)
            );
        }
        let reason = SkipReason::TenantSuspended;
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
    }

    #[test]
    fn what_a_flow_names_is_kept_with_its_numbers_as_they_were_written() {
        let text = r#"{"query":"load","parameters":{"n":1.50}}"#;
        let kept = KeptAfterRun(serde_json::from_str(text).unwrap());
        let stored = serde_json::to_value(&kept).unwrap();
        assert!(stored.is_string(), "{stored}");
        assert_eq!(
            serde_json::from_value::<KeptAfterRun>(stored).unwrap(),
            kept
        );
        for broken in [
            json!({ "query": "No Name" }),
            json!({ "query": "q", "sql": "x" }),
        ] {
            assert!(serde_json::from_value::<AfterRun>(broken).is_err());
        }
    }
}
