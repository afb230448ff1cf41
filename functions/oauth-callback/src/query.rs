//! Query strings of redirects: every parameter of the protocol at most once (RFC 6749 section 3.1).

use tributary::{
    error::{Error, Fault, Result},
    secret::Secret,
};
use url::form_urlencoded;

use crate::cookie;

/// Longest authorization code that is looked at.
const CODE_CAP: usize = 4096;

/// What a provider's redirect brings.
#[derive(Debug)]
pub(crate) struct CallbackQuery {
    /// The state, which has the shape of ours.
    pub(crate) state: Secret,
    /// Who answers (RFC 9207), if it says so.
    pub(crate) issuer: Option<String>,
    /// What the person decided.
    pub(crate) decision: Decision,
}

/// What the person decided.
#[derive(Debug)]
pub(crate) enum Decision {
    /// An authorization code.
    Granted(Secret),
    /// The person said no.
    Denied,
    /// The provider said no; one of [`KNOWN_ERRORS`] or `provider_refused`.
    Refused(&'static str),
}

/// Errors of the authorization endpoint that are passed on; others are not shown to anybody.
const KNOWN_ERRORS: [&str; 6] = [
    "invalid_request",
    "unauthorized_client",
    "unsupported_response_type",
    "invalid_scope",
    "server_error",
    "temporarily_unavailable",
];

impl CallbackQuery {
    /// Reads a query string. Descriptions and links of errors are not even looked at.
    pub(crate) fn parse(query: &str) -> Result<Self> {
        let state = once(query, "state")?
            .filter(|state| cookie::is_ours(state))
            .map(Secret::new)
            .ok_or_else(|| malformed("state"))?;
        let issuer = once(query, "iss")?;
        let decision = match (once(query, "code")?, once(query, "error")?) {
            (Some(code), None) if (1..=CODE_CAP).contains(&code.len()) => {
                Decision::Granted(Secret::new(code))
            }
            (None, Some(error)) => match error.as_str() {
                // Salesforce's help shows the second spelling.
                "access_denied" | "access-denied" => Decision::Denied,
                other => Decision::Refused(
                    KNOWN_ERRORS
                        .into_iter()
                        .find(|known| *known == other)
                        .unwrap_or("provider_refused"),
                ),
            },
            _ => return Err(malformed("code")),
        };
        Ok(Self {
            state,
            issuer,
            decision,
        })
    }
}

/// The value of a parameter that stands once at most.
pub(crate) fn once(query: &str, name: &str) -> Result<Option<String>> {
    let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(have, _)| have == name);
    let value = values.next().map(|(_, value)| value.into_owned());
    match values.next() {
        None => Ok(value),
        Some(_) => Err(malformed(name)),
    }
}

fn malformed(name: &str) -> Error {
    Error::malformed(
        "malformed_query",
        "The address is not complete. Start again from the application.",
        vec![Fault::new(
            format!("query:{name}"),
            "malformed",
            "Missing, given twice, or not of the right shape.",
        )],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(rest: &str) -> Result<CallbackQuery> {
        CallbackQuery::parse(&format!("state={}&{rest}", "s".repeat(43)))
    }

    #[test]
    fn a_code_or_an_error_is_read() {
        assert!(
            matches!(parse("code=aPrx%3D%3D").unwrap().decision, Decision::Granted(code) if code.same_as("aPrx=="))
        );
        assert!(matches!(
            parse("error=access_denied&error_description=%3Cscript%3E")
                .unwrap()
                .decision,
            Decision::Denied
        ));
        assert!(matches!(
            parse("error=access-denied").unwrap().decision,
            Decision::Denied
        ));
        assert!(matches!(
            parse("error=invalid_scope").unwrap().decision,
            Decision::Refused("invalid_scope")
        ));
        assert!(matches!(
            parse("error=%3Cscript%3E").unwrap().decision,
            Decision::Refused("provider_refused")
        ));
        assert_eq!(
            parse("code=a&iss=https%3A%2F%2Fidp.example")
                .unwrap()
                .issuer
                .as_deref(),
            Some("https://idp.example")
        );
    }

    /// Rule C1 of the checklist: a parameter that stands twice is an error, also once encoded.
    #[test]
    fn doubled_missing_and_mixed_parameters_are_refused() {
        for rest in [
            "",
            "code=",
            "code=a&code=b",
            "code=a&c%6Fde=b",
            "code=a&error=access_denied",
            "error=a&error=b",
            "code=a&iss=b&iss=c",
        ] {
            assert!(parse(rest).is_err(), "{rest}");
        }
        let state = "s".repeat(43);
        for query in [
            "code=a".to_owned(),
            "code=a&state=short".to_owned(),
            format!("code=a&state={state}&state={state}"),
            format!("code=a&state={}", "ä".repeat(43)),
        ] {
            assert!(CallbackQuery::parse(&query).is_err(), "{query}");
        }
        assert!(parse(&format!("code={}", "a".repeat(CODE_CAP + 1))).is_err());
    }
}
