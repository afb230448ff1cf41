//! CORS as the gateway does it: it answers preflights, and replaces what the function says.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS,
        ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
        ACCESS_CONTROL_MAX_AGE, ORIGIN,
    },
};

use crate::template::Cors;

/// Headers of the answer to a preflight.
pub(crate) fn preflight(cors: &Cors, request: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if allow_origin(cors, request, &mut headers) {
        put_list(
            &mut headers,
            ACCESS_CONTROL_ALLOW_METHODS,
            &cors.allow_methods,
        );
        put_list(
            &mut headers,
            ACCESS_CONTROL_ALLOW_HEADERS,
            &cors.allow_headers,
        );
        if let Some(seconds) = cors.max_age {
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from(seconds));
        }
    }
    headers
}

/// Puts the gateway's CORS headers on an answer, in place of the function's.
pub(crate) fn apply(cors: &Cors, request: &HeaderMap, answer: &mut HeaderMap) {
    let own: Vec<HeaderName> = answer
        .keys()
        .filter(|name| name.as_str().starts_with("access-control-"))
        .cloned()
        .collect();
    for name in own {
        answer.remove(name);
    }
    if allow_origin(cors, request, answer) {
        put_list(answer, ACCESS_CONTROL_EXPOSE_HEADERS, &cors.expose_headers);
    }
}

fn allow_origin(cors: &Cors, request: &HeaderMap, answer: &mut HeaderMap) -> bool {
    let Some(origin) = request.get(ORIGIN) else {
        return false;
    };
    let Some(allowed) = allowed_origin(cors, origin) else {
        return false;
    };
    answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    if cors.allow_credentials {
        answer.insert(
            ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        );
    }
    true
}

fn allowed_origin(cors: &Cors, origin: &HeaderValue) -> Option<HeaderValue> {
    let text = origin.to_str().ok()?;
    if cors.allow_origins.iter().any(|allowed| allowed == "*") {
        return Some(HeaderValue::from_static("*"));
    }
    let fits = |allowed: &String| match allowed.strip_suffix("://*") {
        Some(scheme) => text.split_once("://").is_some_and(|(own, _)| own == scheme),
        None => allowed == text,
    };
    cors.allow_origins.iter().any(fits).then(|| origin.clone())
}

fn put_list(headers: &mut HeaderMap, name: HeaderName, values: &[String]) {
    if let (false, Ok(value)) = (values.is_empty(), HeaderValue::from_str(&values.join(","))) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors() -> Cors {
        Cors {
            allow_origins: vec!["https://app.example".to_owned(), "http://*".to_owned()],
            allow_methods: vec!["GET".to_owned(), "POST".to_owned()],
            allow_headers: vec!["authorization".to_owned()],
            expose_headers: vec!["etag".to_owned()],
            allow_credentials: true,
            max_age: Some(600),
        }
    }

    fn from(origin: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(ORIGIN, HeaderValue::from_static(origin))])
    }

    #[test]
    fn a_listed_origin_gets_all_rules() {
        let headers = preflight(&cors(), &from("https://app.example"));
        assert_eq!(
            headers["access-control-allow-origin"],
            "https://app.example"
        );
        assert_eq!(headers["access-control-allow-methods"], "GET,POST");
        assert_eq!(headers["access-control-allow-credentials"], "true");
        assert_eq!(headers["access-control-max-age"], "600");
    }

    #[test]
    fn another_origin_gets_none() {
        assert!(preflight(&cors(), &from("https://evil.example")).is_empty());
        assert!(preflight(&cors(), &from("https://app.example.evil")).is_empty());
        assert!(preflight(&cors(), &HeaderMap::new()).is_empty());
        assert!(!preflight(&cors(), &from("http://any.example")).is_empty());
    }

    #[test]
    fn what_the_function_says_about_cors_is_replaced() {
        let mut answer = HeaderMap::new();
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        apply(&cors(), &from("https://evil.example"), &mut answer);
        assert!(answer.is_empty());
        apply(&cors(), &from("https://app.example"), &mut answer);
        assert_eq!(answer["access-control-expose-headers"], "etag");
    }
}
