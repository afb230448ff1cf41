//! How often a party may ask.

use axum::extract::MatchedPath;
use http::{Method, request::Parts};

use super::Admission;
use crate::{
    error::{Error, Kind},
    limit::{Class, Limited, Party},
};

/// Routes that issue credentials or links.
const ISSUING: [(Method, &str); 6] = [
    (Method::POST, "/v1/connections"),
    (Method::POST, "/v1/connections/{id}/reconnect"),
    (Method::POST, "/v1/connections/{id}/invitation"),
    (Method::POST, "/v1/connect-tokens"),
    (Method::POST, "/v1/tenants/{id}/connect-tokens"),
    (Method::POST, "/v1/identity"),
];

/// What a request counts as.
fn class_of(method: &Method, route: &str) -> Class {
    if ISSUING.contains(&(method.clone(), route)) {
        return Class::Token;
    }
    if method.is_safe() {
        Class::Read
    } else {
        Class::Write
    }
}

impl Admission {
    /// Takes one token of the party's bucket for this sort of request.
    pub(super) async fn limit(&self, party: Party, parts: &Parts) -> Result<(), Error> {
        let route = parts
            .extensions
            .get::<MatchedPath>()
            .map_or("", MatchedPath::as_str);
        let class = class_of(&parts.method, route);
        self.limiter
            .take(party, class)
            .await
            .map_err(|limited| refusal(limited, class))
    }
}

/// The answer for who is not let in. It says nothing of anybody else's figures.
pub(crate) fn refusal(limited: Limited, class: Class) -> Error {
    match limited {
        Limited::Reached { seconds } => Error::new(
            Kind::Throttled,
            "rate_limited",
            "Too many requests. Wait as long as Retry-After says.",
        )
        .with_log(format!("the limit of class {} is reached", class.name()))
        .with_retry_after(seconds),
        Limited::Unknown => Error::unavailable(
            "limits_unavailable",
            format!("class {} is not let in without the table", class.name()),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_issues_credentials_is_counted_apart() {
        for (method, route, class) in [
            (Method::GET, "/v1/connections", Class::Read),
            (Method::POST, "/v1/connections", Class::Token),
            (Method::POST, "/v1/flows", Class::Write),
            (Method::DELETE, "/v1/connections/{id}", Class::Write),
            (Method::POST, "/v1/identity", Class::Token),
            (Method::PATCH, "/v1/connections/{id}", Class::Write),
        ] {
            assert_eq!(class_of(&method, route), class, "{method} {route}");
        }
    }

    #[test]
    fn refusals_say_when_to_come_back() {
        let reached = refusal(Limited::Reached { seconds: 7 }, Class::Write);
        assert_eq!(
            (
                reached.kind(),
                reached.code(),
                reached.retry_after_seconds()
            ),
            (Kind::Throttled, "rate_limited", Some(7))
        );
        let unknown = refusal(Limited::Unknown, Class::Token);
        assert_eq!(
            (
                unknown.kind(),
                unknown.code(),
                unknown.retry_after_seconds()
            ),
            (Kind::Unavailable, "limits_unavailable", Some(2))
        );
    }
}
