//! Parameters of queries and form bodies, as OAuth reads them.

use axum::{
    body::{Body, to_bytes},
    extract::FromRequest,
    response::Response,
};
use http::{Request, StatusCode, header};

use crate::oauth::OAuthError;

/// The largest form that is read.
const MAX_FORM: usize = 64 * 1024;

/// Decoded parameters. One without a value counts as absent (RFC 6749 section 3.1).
#[derive(Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Decodes `a=1&b=2`.
    pub(crate) fn parse(encoded: &str) -> Self {
        Self(
            url::form_urlencoded::parse(encoded.as_bytes())
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .filter(|(_, value)| !value.is_empty())
                .collect(),
        )
    }

    /// From pairs that are decoded already.
    pub(crate) fn of(pairs: impl Iterator<Item = (String, String)>) -> Self {
        Self(pairs.filter(|(_, value)| !value.is_empty()).collect())
    }

    /// Whether every parameter is in one of the lists.
    pub(crate) fn only(&self, lists: &[&[&str]]) -> bool {
        let known = |name: &str| lists.iter().any(|list| list.contains(&name));
        self.0.iter().all(|(name, _)| known(name))
    }

    /// All values of a parameter.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(n, _)| n == name);
        named.map(|(_, value)| value.as_str())
    }

    /// The first value of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether any parameter occurs twice, which OAuth forbids.
    pub(crate) fn repeat(&self) -> bool {
        self.0
            .iter()
            .enumerate()
            .any(|(at, (name, _))| self.0[..at].iter().any(|(earlier, _)| earlier == name))
    }
}

/// A form body together with the query it came with.
pub(crate) struct Form {
    /// The parameters of the body.
    pub(crate) params: Params,
    /// The parameters of the URL, where no secret belongs.
    pub(crate) query: Params,
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Response;

    async fn from_request(request: Request<Body>, _state: &S) -> Result<Self, Response> {
        use axum::response::IntoResponse;

        let refused = |description| {
            OAuthError::new(StatusCode::BAD_REQUEST, "invalid_request", description).into_response()
        };
        let query = Params::parse(request.uri().query().unwrap_or_default());
        let form = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| {
                value
                    .split(';')
                    .next()
                    .is_some_and(|kind| kind.trim() == "application/x-www-form-urlencoded")
            });
        if !form {
            return Err(refused("the body must be form-urlencoded"));
        }
        let body = to_bytes(request.into_body(), MAX_FORM)
            .await
            .map_err(|_| refused("the body is too large"))?;
        let params = std::str::from_utf8(&body)
            .map(Params::parse)
            .map_err(|_| refused("the body is not UTF-8"))?;
        if params.repeat() {
            return Err(refused("a parameter is repeated"));
        }
        Ok(Self { params, query })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_parameters_are_absent_and_repeated_ones_are_noticed() {
        let params = Params::parse("code=a%2Bb&state=&code=c");
        assert_eq!(params.get("code"), Some("a+b"));
        assert_eq!(params.get("state"), None);
        assert!(params.repeat());
        assert!(!Params::parse("code=a&state=b").repeat());
    }
}
