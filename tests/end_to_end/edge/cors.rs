//! Cross-origin calls: the vendor's applications and nobody else's.

use reqwest::RequestBuilder;
use sandbox::client::Answer;

use super::wire::{Moment, Wire, answer, header};
use crate::common;

/// Origins that look like the application's and are not.
pub(super) const FOREIGN_ORIGINS: [&str; 7] = [
    "https://evil.example",
    "http://127.0.0.1:5173.evil.example",
    "http://127.0.0.1:51730",
    "https://127.0.0.1:5173",
    "http://127.0.0.1",
    "http://localhost:5173",
    "null",
];

/// C3-like: a preflight names what the template allows to the application's origin, nothing to any
/// other, and reaches no function; answers carry the origin, and never a wildcard.
#[tokio::test(flavor = "multi_thread")]
async fn c3_the_applications_origin_may_call_and_others_may_not() {
    let sandbox = common::start().await;
    let blue = common::tenant(&sandbox, "Blue", &[("frank", "admin")]).await;
    let wire = Wire::to(&sandbox);
    let before = Moment::of(&sandbox).await;
    let preflight =
        async |path: &str, origin: &str| preflight(wire.request("OPTIONS", path), origin).await;
    for path in [
        "/v1/accounts",
        "/v1/flows/flw_x",
        "/auth/token",
        "/v1/nothing",
    ] {
        let answer = preflight(path, &sandbox.app_origin).await;
        assert_eq!(answer.status, 204, "{path}");
        assert_eq!(
            header(&answer, "access-control-allow-origin"),
            sandbox.app_origin
        );
        assert_eq!(header(&answer, "access-control-allow-credentials"), "true");
        assert_eq!(header(&answer, "access-control-max-age"), "600");
        let allowed = |name: &str| -> Vec<String> {
            let mut values: Vec<String> = header(&answer, name)
                .split(',')
                .map(|value| value.trim().to_ascii_lowercase())
                .collect();
            values.sort();
            values
        };
        assert_eq!(
            allowed("access-control-allow-methods"),
            ["delete", "get", "patch", "post", "put"]
        );
        assert_eq!(
            allowed("access-control-allow-headers"),
            [
                "authorization",
                "content-type",
                "idempotency-key",
                "if-match",
                "prefer",
                "x-correlation-id"
            ]
        );
    }
    for origin in FOREIGN_ORIGINS {
        let answer = preflight("/v1/accounts", origin).await;
        assert_no_cors(&answer, origin);
    }
    before.assert_nothing_invoked(&sandbox, "a preflight");

    let token = &blue.people["frank"].access_token;
    let read = |origin: &str| {
        let request = wire.request("GET", "/v1/accounts").bearer_auth(token);
        answer(request.header("origin", origin))
    };
    let ours = read(&sandbox.app_origin).await;
    assert_eq!(ours.status, 200);
    assert_eq!(
        header(&ours, "access-control-allow-origin"),
        sandbox.app_origin
    );
    for name in [
        "etag",
        "location",
        "retry-after",
        "x-correlation-id",
        "x-request-id",
    ] {
        let exposed = header(&ours, "access-control-expose-headers").to_ascii_lowercase();
        assert!(exposed.contains(name), "{exposed}");
    }
    for origin in FOREIGN_ORIGINS {
        assert_no_cors(&read(origin).await, origin);
    }
    // Refusals too: an application must be able to read why.
    let refused = wire
        .request("GET", "/v1/accounts")
        .header("origin", &sandbox.app_origin);
    let refused = answer(refused).await;
    assert_eq!(refused.status, 401);
    assert_eq!(
        header(&refused, "access-control-allow-origin"),
        sandbox.app_origin
    );
    before
        .assert_nothing_changed(&sandbox, "cross-origin calls")
        .await;
    common::no_leaks(&sandbox).await;
}

async fn preflight(request: RequestBuilder, origin: &str) -> Answer {
    let request = request
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization,content-type",
        );
    answer(request).await
}

#[track_caller]
fn assert_no_cors(answer: &Answer, origin: &str) {
    let named = answer
        .headers
        .keys()
        .find(|name| name.as_str().starts_with("access-control-"));
    assert_eq!(named, None, "{origin}: {:?}", answer.headers);
}
