//! What refusals of the Data API and failures of statements mean for the service identity, as tables.
//! Their texts name things of the tenant's, so only a code leaves.

use tributary::{aws::Refusal, query::failure_of, run::AfterRunCode, tenancy::AssumeError};

use super::machine::Sent;

/// What a refusal means.
#[derive(Debug, Clone, Copy)]
enum Row {
    /// For good.
    Final(AfterRunCode),
    /// For now; what it is given up with.
    NotNow(AfterRunCode),
    /// The statement may have been taken.
    InDoubt,
}

/// Code, words of the message (any when empty), meaning; the first row that fits decides.
const REFUSALS: [(&str, &str, Row); 16] = {
    use AfterRunCode as C;
    [
        // The secret is read with the session's own rights: one that is not there and one that is
        // another tenant's are refused alike.
        (
            "AccessDeniedException",
            "secretsmanager",
            Row::Final(C::ServiceIdentityMissing),
        ),
        (
            "AccessDeniedException",
            "secret",
            Row::Final(C::ServiceIdentityMissing),
        ),
        (
            "ResourceNotFoundException",
            "secret",
            Row::Final(C::ServiceIdentityMissing),
        ),
        (
            "ValidationException",
            "secret",
            Row::Final(C::ServiceIdentityMissing),
        ),
        (
            "ValidationException",
            "authentication failed",
            Row::Final(C::ServiceIdentityRefused),
        ),
        (
            "DatabaseConnectionException",
            "authentication failed",
            Row::Final(C::ServiceIdentityRefused),
        ),
        (
            "ExecuteStatementException",
            "authentication failed",
            Row::Final(C::ServiceIdentityRefused),
        ),
        ("ValidationException", "", Row::Final(C::QueryRejected)),
        (
            "ActiveStatementsExceededException",
            "",
            Row::NotNow(C::WarehouseBusy),
        ),
        (
            "ActiveSessionsExceededException",
            "",
            Row::NotNow(C::WarehouseBusy),
        ),
        (
            "DatabaseConnectionException",
            "",
            Row::NotNow(C::WarehouseUnavailable),
        ),
        // An error of the environment while the statement ran, says the Data API.
        ("ExecuteStatementException", "", Row::InDoubt),
        (
            "ExpiredTokenException",
            "",
            Row::NotNow(C::WarehouseUnavailable),
        ),
        ("ExpiredToken", "", Row::NotNow(C::WarehouseUnavailable)),
        // What is ours to set right may be set right within the hour.
        (
            "ResourceNotFoundException",
            "",
            Row::NotNow(C::WarehouseConfig),
        ),
        ("AccessDeniedException", "", Row::NotNow(C::WarehouseConfig)),
    ]
};

/// What a refused ExecuteStatement means.
pub fn of_send(refusal: &Refusal) -> Sent {
    let message = refusal
        .message
        .as_deref()
        .unwrap_or_default()
        .to_lowercase();
    let known = REFUSALS
        .iter()
        .find(|(code, words, _)| refusal.is(code) && message.contains(words));
    let row = match known {
        Some((_, _, row)) => *row,
        None if refusal.is_throttle() => Row::NotNow(AfterRunCode::WarehouseBusy),
        None if refusal.is_unknown() => Row::InDoubt,
        None => Row::NotNow(AfterRunCode::WarehouseConfig),
    };
    match row {
        Row::Final(code) => Sent::Refused { code },
        Row::NotNow(code) => Sent::NotNow { code },
        Row::InDoubt => Sent::InDoubt,
    }
}

/// What it means that the role could not be assumed: nothing was sent.
pub fn of_session(error: &AssumeError) -> Sent {
    let code = match error {
        AssumeError::Refused { .. } => AfterRunCode::WarehouseConfig,
        AssumeError::Unknown(_) | AssumeError::Empty => AfterRunCode::WarehouseUnavailable,
    };
    Sent::NotNow { code }
}

/// The code for Redshift's text about a statement that failed.
pub fn of_failure(text: &str) -> AfterRunCode {
    if text.to_lowercase().contains("authentication failed") {
        return AfterRunCode::ServiceIdentityRefused;
    }
    failure_of(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: Option<&str>, message: &str, status: Option<u16>) -> Refusal {
        Refusal {
            code: code.map(str::to_owned),
            message: Some(message.to_owned()),
            status,
            request_id: None,
        }
    }

    #[test]
    fn each_refusal_has_its_meaning() {
        use AfterRunCode::{
            QueryRejected, ServiceIdentityMissing, ServiceIdentityRefused, WarehouseBusy,
            WarehouseConfig, WarehouseUnavailable,
        };
        let refused = |code| Sent::Refused { code };
        let not_now = |code| Sent::NotNow { code };
        let cases = [
            (
                "AccessDeniedException",
                "User: x is not authorized to perform: secretsmanager:GetSecretValue",
                refused(ServiceIdentityMissing),
            ),
            (
                "ValidationException",
                "The secret could not be read",
                refused(ServiceIdentityMissing),
            ),
            (
                "ResourceNotFoundException",
                "Secrets Manager can't find the specified secret.",
                refused(ServiceIdentityMissing),
            ),
            (
                "ValidationException",
                "FATAL: password authentication failed for user \"svc\"",
                refused(ServiceIdentityRefused),
            ),
            (
                "DatabaseConnectionException",
                "FATAL: password authentication failed",
                refused(ServiceIdentityRefused),
            ),
            (
                "ValidationException",
                "Parameters are not used",
                refused(QueryRejected),
            ),
            (
                "ActiveStatementsExceededException",
                "",
                not_now(WarehouseBusy),
            ),
            (
                "ThrottlingException",
                "Rate exceeded",
                not_now(WarehouseBusy),
            ),
            (
                "DatabaseConnectionException",
                "",
                not_now(WarehouseUnavailable),
            ),
            (
                "AccessDeniedException",
                "redshift-data:ExecuteStatement",
                not_now(WarehouseConfig),
            ),
            (
                "ResourceNotFoundException",
                "workgroup",
                not_now(WarehouseConfig),
            ),
            ("SomethingNew", "", not_now(WarehouseConfig)),
            ("ExecuteStatementException", "", Sent::InDoubt),
        ];
        for (code, message, expected) in cases {
            let found = of_send(&refusal(Some(code), message, Some(400)));
            assert_eq!(found, expected, "{code} {message}");
        }
        let unavailable = refusal(Some("InternalServerException"), "", Some(500));
        assert_eq!(of_send(&unavailable), Sent::InDoubt);
        assert_eq!(of_send(&refusal(None, "", None)), Sent::InDoubt);
    }

    #[test]
    fn failures_of_statements_become_codes() {
        for (text, code) in [
            (
                "FATAL: password authentication failed for user \"svc\"",
                AfterRunCode::ServiceIdentityRefused,
            ),
            (
                "ERROR: permission denied for relation sales_data",
                AfterRunCode::ForbiddenData,
            ),
            (
                "ERROR: relation \"x\" does not exist",
                AfterRunCode::UnknownObject,
            ),
            ("ERROR: something else", AfterRunCode::QueryError),
        ] {
            assert_eq!(of_failure(text), code, "{text}");
        }
    }

    #[test]
    fn a_role_that_cannot_be_assumed_has_sent_nothing() {
        let refused = AssumeError::Refused { request_id: None };
        let code = AfterRunCode::WarehouseConfig;
        assert_eq!(of_session(&refused), Sent::NotNow { code });
        let code = AfterRunCode::WarehouseUnavailable;
        assert_eq!(of_session(&AssumeError::Empty), Sent::NotNow { code });
    }
}
