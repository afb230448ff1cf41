//! Why a run failed: AppFlow gives one line of text, people need to know whom it concerns.

pub use tributary::clean::clean;
use tributary::run::CauseClass;

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What it failed on.
    pub cause: CauseClass,
    /// Whether trying again makes sense.
    pub retryable: bool,
    /// The provider's words, cleaned.
    pub message: Option<String>,
}

/// Words that tell a cause: the first row of which a word is found decides. Rows go from the
/// particular to the general, because one text often has words of several.
const CAUSES: [(CauseClass, bool, &[&str]); 9] = [
    (
        CauseClass::Quota,
        true,
        &[
            "request_limit_exceeded",
            "too many requests",
            "rate limit",
            "rate exceeded",
            "throttl",
            "slow down",
            "429",
        ],
    ),
    (
        CauseClass::Quota,
        false,
        &["quota", "limit exceeded", "storage limit", "maximum number"],
    ),
    (
        CauseClass::Credentials,
        false,
        &[
            "authenticat",
            "unauthorized",
            "not authorized to connect",
            "invalid_grant",
            "invalid_session",
            "invalid session",
            "invalid_client",
            "session expired",
            "access token",
            "refresh token",
            "oauth",
            "credential",
            "login",
            "401",
        ],
    ),
    (
        CauseClass::Mapping,
        false,
        &[
            "invalid_field",
            "no such column",
            "no such field",
            "field",
            "mapping",
            "data type",
            "datatype",
            "cast",
            "schema",
            "validation",
            "malformed_query",
            "column",
        ],
    ),
    (
        CauseClass::Destination,
        false,
        &[
            "bucket policy",
            "nosuchbucket",
            "no such bucket",
            "access denied to bucket",
            "accessdenied",
            "access denied",
            "kms",
        ],
    ),
    (
        CauseClass::Destination,
        true,
        &["destination", "s3", "bucket", "redshift", "copy command"],
    ),
    (
        CauseClass::Internal,
        true,
        &[
            "internal error",
            "internal failure",
            "internal server error",
        ],
    ),
    (
        CauseClass::Source,
        true,
        &[
            "timed out",
            "timeout",
            "unavailable",
            "connection reset",
            "connect to",
            "unable_to_lock_row",
            "503",
            "502",
        ],
    ),
    (
        CauseClass::Source,
        false,
        &["source", "connector", "salesforce", "object", "entity"],
    ),
];

/// Reads a failure out of AppFlow's text; without words that we know it is internal, and one more
/// try is sensible.
pub fn classify(text: Option<&str>) -> Failure {
    let lower = text.unwrap_or_default().to_lowercase();
    let (cause, retryable) = CAUSES
        .iter()
        .find(|(_, _, words)| words.iter().any(|word| lower.contains(word)))
        .map_or((CauseClass::Internal, true), |(cause, retryable, _)| {
            (*cause, *retryable)
        });
    Failure {
        cause,
        retryable,
        message: text.map(clean).filter(|message| !message.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u5_texts_have_their_cause_and_say_whether_a_retry_is_sensible() {
        use CauseClass::{Credentials, Destination, Internal, Mapping, Quota, Source};
        let cases = [
            (
                "Error while authenticating to connector",
                Credentials,
                false,
            ),
            (
                "INVALID_SESSION_ID: Session expired or invalid",
                Credentials,
                false,
            ),
            (
                "invalid_grant: expired access/refresh token",
                Credentials,
                false,
            ),
            (
                "REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded.",
                Quota,
                true,
            ),
            ("Rate exceeded", Quota, true),
            (
                "The account's quota of concurrent runs is used up",
                Quota,
                false,
            ),
            (
                "No such column 'Region__c' on entity 'Account'",
                Mapping,
                false,
            ),
            ("Validation of field Amount failed", Mapping, false),
            ("AppFlow could not write: Access Denied", Destination, false),
            (
                "The specified bucket does not exist (NoSuchBucket)",
                Destination,
                false,
            ),
            ("Redshift COPY did not finish", Destination, true),
            ("The request timed out", Source, true),
            ("Salesforce answered something unexpected", Source, false),
            ("An internal error occurred", Internal, true),
            ("Something else", Internal, true),
            ("", Internal, true),
        ];
        for (text, cause, retryable) in cases {
            let failure = classify(Some(text));
            assert_eq!(
                (failure.cause, failure.retryable),
                (cause, retryable),
                "{text}"
            );
        }
        assert_eq!(classify(None).cause, Internal);
        assert_eq!(classify(Some("")).message, None);
    }

    #[test]
    fn every_word_of_the_table_is_lower_case_and_decides_for_a_row_no_later_than_its_own() {
        for (position, (_, _, words)) in CAUSES.iter().enumerate() {
            for word in *words {
                assert_eq!(*word, word.to_lowercase());
                let first = CAUSES
                    .iter()
                    .position(|(_, _, words)| words.iter().any(|other| word.contains(other)));
                assert_eq!(first, Some(position), "{word} is decided by an earlier row");
            }
        }
    }
}
