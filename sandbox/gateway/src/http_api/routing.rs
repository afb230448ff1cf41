//! Which route a request takes: of the routes with a fitting method, the most specific path; a
//! literal segment before `{name}`, that before `{name+}`, and `$default` last.

use std::collections::BTreeMap;

use http::Method as HttpMethod;

use crate::template::{Method, Route};

/// A route and the values of its path variables.
#[derive(Debug, PartialEq)]
pub(crate) struct Match<'a> {
    pub(crate) route: &'a Route,
    pub(crate) parameters: BTreeMap<String, String>,
}

/// How specific one segment of a route is; the derived order is the order of preference.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Literal,
    Variable,
    Greedy,
}

/// Finds the route for a method and a decoded path.
pub(crate) fn find<'a>(routes: &'a [Route], method: &HttpMethod, path: &str) -> Option<Match<'a>> {
    let fitting = routes.iter().filter(|route| match &route.method {
        Method::Any => true,
        Method::One(own) => own == method,
    });
    let mut best: Option<((Vec<Segment>, bool), Match<'a>)> = None;
    for route in fitting.filter(|route| route.path != "$default") {
        if let Some((segments, parameters)) = match_path(&route.path, path) {
            let rank = (segments, route.method == Method::Any);
            if best.as_ref().is_none_or(|(best, _)| rank < *best) {
                best = Some((rank, Match { route, parameters }));
            }
        }
    }
    if let Some((_, found)) = best {
        return Some(found);
    }
    let route = routes.iter().find(|route| route.path == "$default")?;
    Some(Match {
        route,
        parameters: BTreeMap::new(),
    })
}

fn match_path(pattern: &str, path: &str) -> Option<(Vec<Segment>, BTreeMap<String, String>)> {
    let mut segments = Vec::new();
    let mut parameters = BTreeMap::new();
    let mut rest = path.strip_prefix('/');
    for wanted in pattern.strip_prefix('/')?.split('/') {
        let remaining = rest?;
        let variable = wanted
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'));
        if let Some(name) = variable.and_then(|name| name.strip_suffix('+')) {
            if remaining.is_empty() {
                return None;
            }
            parameters.insert(name.to_owned(), remaining.to_owned());
            segments.push(Segment::Greedy);
            rest = None;
            break;
        }
        let (value, after) = match remaining.split_once('/') {
            Some((value, after)) => (value, Some(after)),
            None => (remaining, None),
        };
        match variable {
            Some(name) if !value.is_empty() => {
                parameters.insert(name.to_owned(), value.to_owned());
                segments.push(Segment::Variable);
            }
            None if value == wanted => segments.push(Segment::Literal),
            _ => return None,
        }
        rest = after;
    }
    rest.is_none().then_some((segments, parameters))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn route(key: &str) -> Route {
        let (method, path) = key.split_once(' ').unwrap_or(("ANY", key));
        Route {
            method: match method {
                "ANY" => Method::Any,
                method => Method::One(method.parse().unwrap()),
            },
            path: path.to_owned(),
            function: key.to_owned(),
            authorizer: None,
            scopes: Vec::new(),
            timeout: Duration::from_secs(30),
        }
    }

    fn table() -> Vec<Route> {
        let keys = [
            "$default",
            "ANY /v1/{proxy+}",
            "GET /v1/{proxy+}",
            "GET /v1/queries/{id}",
            "GET /v1/queries/{id}/results",
            "POST /v1/queries",
            "ANY /v1/queries/mine",
        ];
        keys.map(route).into()
    }

    #[test]
    fn the_most_specific_route_wins() {
        let routes = table();
        let chosen =
            |method: HttpMethod, path: &str| find(&routes, &method, path).unwrap().route.key();
        assert_eq!(
            chosen(HttpMethod::GET, "/v1/queries/q1"),
            "GET /v1/queries/{id}"
        );
        assert_eq!(
            chosen(HttpMethod::GET, "/v1/queries/mine"),
            "ANY /v1/queries/mine"
        );
        assert_eq!(
            chosen(HttpMethod::GET, "/v1/queries/q1/results"),
            "GET /v1/queries/{id}/results"
        );
        assert_eq!(
            chosen(HttpMethod::GET, "/v1/queries/q1/else"),
            "GET /v1/{proxy+}"
        );
        assert_eq!(
            chosen(HttpMethod::PUT, "/v1/queries/q1"),
            "ANY /v1/{proxy+}"
        );
        assert_eq!(chosen(HttpMethod::POST, "/v1/queries"), "POST /v1/queries");
        assert_eq!(chosen(HttpMethod::GET, "/v2"), "$default");
        assert_eq!(chosen(HttpMethod::GET, "/v1/"), "$default");
    }

    #[test]
    fn variables_take_their_segment_and_greedy_ones_the_rest() {
        let routes = table();
        let parameters = |path: &str| find(&routes, &HttpMethod::GET, path).unwrap().parameters;
        assert_eq!(parameters("/v1/queries/q 1")["id"], "q 1");
        assert_eq!(parameters("/v1/flows/f/runs")["proxy"], "flows/f/runs");
    }

    #[test]
    fn without_default_an_unknown_route_is_none() {
        assert_eq!(find(&[route("GET /a")], &HttpMethod::GET, "/b"), None);
        assert_eq!(find(&[route("GET /a")], &HttpMethod::POST, "/a"), None);
        assert_eq!(find(&[route("GET /a")], &HttpMethod::GET, "/a/"), None);
    }

    proptest! {
        #[test]
        fn any_path_is_matched_without_panic(path in "/[a-z/{}+$ ]{0,24}") {
            let routes = table();
            prop_assert!(find(&routes, &HttpMethod::GET, &path).is_some());
        }
    }
}
