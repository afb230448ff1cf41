//! Each way in which Identity Center or STS refuses a person's session, and what the person is told:
//! the product's table, row by row.

use sandbox_core::{Fault, FaultRule};
use serde_json::{Value, json};

use super::world::{World, present, rows, totals};
use crate::common;

/// Stands in every description: the texts of the services are no contract and go nowhere.
const TEXT: &str = "canary-words-of-the-service";

/// One refusal of `CreateTokenWithIAM`: exception, HTTP status, `error`, `reason`, and the answer.
struct Exchange(
    &'static str,
    u16,
    Option<&'static str>,
    Option<&'static str>,
    (u16, &'static str),
);

/// Every row of the table of exceptions. The last member is the answer to a first refusal.
const EXCHANGES: [Exchange; 19] = [
    Exchange(
        "ExpiredTokenException",
        400,
        Some("expired_token"),
        None,
        (401, "reauthenticate"),
    ),
    Exchange(
        "AccessDeniedException",
        400,
        Some("access_denied"),
        None,
        (403, "not_assigned"),
    ),
    // IAM's refusal of the function itself has no OAuth error.
    Exchange(
        "AccessDeniedException",
        400,
        None,
        None,
        (500, "identity_config"),
    ),
    Exchange(
        "AccessDeniedException",
        400,
        Some("access_denied"),
        Some("KMS_AccessDeniedException"),
        (500, "identity_config"),
    ),
    // Its 401 is not passed on: a browser would sign the person in again for ever.
    Exchange(
        "InvalidClientException",
        401,
        Some("invalid_client"),
        None,
        (500, "identity_config"),
    ),
    Exchange(
        "UnauthorizedClientException",
        400,
        Some("unauthorized_client"),
        None,
        (500, "identity_config"),
    ),
    Exchange(
        "InvalidRequestException",
        400,
        Some("invalid_request"),
        None,
        (500, "identity_config"),
    ),
    Exchange(
        "InvalidRequestException",
        400,
        Some("invalid_request"),
        Some("KMS_NotFoundException"),
        (500, "identity_config"),
    ),
    Exchange(
        "InvalidRequestException",
        400,
        Some("invalid_request"),
        Some("KMS_InvalidKeyUsageException"),
        (500, "identity_config"),
    ),
    Exchange(
        "InvalidRequestException",
        400,
        Some("invalid_request"),
        Some("KMS_InvalidStateException"),
        (500, "identity_config"),
    ),
    Exchange(
        "InvalidRequestException",
        400,
        Some("invalid_request"),
        Some("KMS_DisabledException"),
        (500, "identity_config"),
    ),
    Exchange(
        "InvalidRequestRegionException",
        400,
        Some("invalid_request"),
        None,
        (500, "identity_config"),
    ),
    Exchange(
        "InvalidScopeException",
        400,
        Some("invalid_scope"),
        None,
        (500, "identity_config"),
    ),
    Exchange(
        "UnsupportedGrantTypeException",
        400,
        Some("unsupported_grant_type"),
        None,
        (500, "identity_config"),
    ),
    Exchange(
        "AuthorizationPendingException",
        400,
        Some("authorization_pending"),
        None,
        (500, "identity_config"),
    ),
    Exchange(
        "SlowDownException",
        400,
        Some("slow_down"),
        None,
        (503, "identity_busy"),
    ),
    Exchange(
        "ThrottlingException",
        429,
        None,
        None,
        (503, "identity_busy"),
    ),
    Exchange(
        "InternalServerException",
        500,
        Some("server_error"),
        None,
        (503, "identity_unavailable"),
    ),
    Exchange(
        "InvalidGrantException",
        400,
        Some("invalid_grant"),
        None,
        (401, "reauthenticate"),
    ),
];

/// Codes of `AssumeRole`, with their status and the answer.
const ASSUMPTIONS: [(&str, u16, (u16, &str)); 11] = [
    ("AccessDenied", 403, (500, "identity_role_misconfigured")),
    ("ExpiredTokenException", 400, (401, "reauthenticate")),
    ("RegionDisabledException", 403, (500, "identity_config")),
    ("MalformedPolicyDocument", 400, (500, "identity_config")),
    ("PackedPolicyTooLarge", 400, (500, "identity_config")),
    ("ValidationError", 400, (500, "identity_config")),
    ("InvalidClientTokenId", 403, (500, "identity_config")),
    ("Throttling", 400, (503, "identity_busy")),
    ("ThrottlingException", 429, (503, "identity_busy")),
    ("ServiceUnavailable", 503, (503, "identity_busy")),
    ("InternalFailure", 500, (503, "identity_unavailable")),
];

fn refuse(world: &World, service: &str, operation: &str, status: u16, body: String) {
    world.sandbox.faults.add(FaultRule {
        service: service.to_owned(),
        operation: operation.to_owned(),
        fault: Fault::Status {
            status,
            retry_after: None,
            body,
        },
        // More often than a client of the SDK tries.
        times: 9,
    });
}

/// Log lines of the function at `ERROR` that name this.
fn alarms(world: &World, what: &str) -> usize {
    let lines = world.sandbox.logs.lines_of("QueriesFunction");
    let lines = lines
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines
        .filter(|line| line["level"] == "ERROR" && line.to_string().contains(what))
        .count()
}

/// Presents a fresh token while a refusal is due, and compares the answer with the table.
async fn check(world: &World, what: &str, expected: (u16, &str)) {
    let (frank, token) = world.fresh("frank").await;
    let before = alarms(world, what);
    let answer = present(&frank, &token).await;
    world.sandbox.faults.clear();
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        expected,
        "{what}: {}",
        answer.body
    );
    assert!(!answer.body.to_string().contains(TEXT), "{what}");
    assert!(!answer.body.to_string().contains(what), "{what}");
    if expected.0 == 503 {
        assert!(answer.headers.contains_key("retry-after"), "{what}");
    }
    // What is set up wrongly is told to who can set it right, and nothing else is.
    if expected.0 == 500 {
        common::eventually("the log line", || async {
            (alarms(world, what) > before).then_some(())
        })
        .await;
    } else {
        assert_eq!(alarms(world, what), before, "{what}");
    }
}

/// Q6: each exception of `CreateTokenWithIAM`.
#[tokio::test(flavor = "multi_thread")]
async fn q6_each_refusal_of_the_exchange_has_its_own_answer() {
    let world = World::new().await;
    for Exchange(exception, status, error, reason, expected) in EXCHANGES {
        let mut body = json!({ "__type": exception, "message": TEXT });
        if let Some(error) = error {
            body["error"] = error.into();
            body["error_description"] = TEXT.into();
        }
        if let Some(reason) = reason {
            body["reason"] = reason.into();
        }
        if exception == "InvalidRequestRegionException" {
            body["endpoint"] = "https://oidc.eu-west-1.amazonaws.com".into();
            body["region"] = "eu-west-1".into();
        }
        refuse(
            &world,
            "sso-oauth",
            "CreateTokenWithIAM",
            status,
            body.to_string(),
        );
        check(&world, exception, expected).await;
    }
    // The last row was the first refusal of a grant; a fresh token that is refused too is another thing.
    let body = json!({ "__type": "InvalidGrantException", "error": "invalid_grant" });
    refuse(
        &world,
        "sso-oauth",
        "CreateTokenWithIAM",
        400,
        body.to_string(),
    );
    check(
        &world,
        "InvalidGrantException",
        (403, "user_not_provisioned"),
    )
    .await;
    let text = world.sandbox.logs.text();
    assert!(!text.contains(TEXT), "the service's text is in a log");
    let frank = world.session("frank").await;
    assert!(!rows(&frank, &totals()).await.is_empty());
    common::no_leaks(&world.sandbox).await;
}

/// An answer without an identity context makes no session, whatever else it brings.
#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_without_an_identity_context_is_no_session() {
    let world = World::new().await;
    let body = json!({
        "accessToken": "a", "idToken": "b", "refreshToken": "c", "tokenType": "Bearer", "expiresIn": 3600,
    });
    refuse(
        &world,
        "sso-oauth",
        "CreateTokenWithIAM",
        200,
        body.to_string(),
    );
    check(
        &world,
        "CreateTokenWithIAM answered without",
        (500, "identity_config"),
    )
    .await;
    assert!(world.calls(&["redshift-data"]).is_empty());
    common::no_leaks(&world.sandbox).await;
}

/// Each code of `AssumeRole`.
#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_of_the_role_has_its_own_answer() {
    let world = World::new().await;
    // From here on the function has its session of the tenant's data, and asks STS for the person's only.
    world.session("frank").await;
    for (code, status, expected) in ASSUMPTIONS {
        let body = format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
             <Code>{code}</Code><Message>{TEXT}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
        );
        refuse(&world, "sts", "AssumeRole", status, body);
        check(&world, code, expected).await;
    }
    let text = world.sandbox.logs.text();
    assert!(!text.contains(TEXT), "the service's text is in a log");
    common::no_leaks(&world.sandbox).await;
}
