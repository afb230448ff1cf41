//! Every file under `events/` that is an event of a function, fed to the real binary.

use std::collections::BTreeMap;

use sandbox::{Options, binaries::workspace_root};
use sandbox_core::{Functions, InvocationError, Queues, VENDOR_ACCOUNT};
use serde_json::{Value, json};

use crate::common;

/// What an event must come to.
enum Must {
    /// An HTTP answer with this status and, for refusals, this code.
    Answer(i64, &'static str),
    /// An answer that is this value.
    Return(&'static str),
    /// A function error of this type: the event goes to a dead-letter queue.
    Fail(&'static str),
}

use Must::{Answer, Fail, Return};

/// Function and directory, file, and what it must come to.
const EXPECTED: &[(&str, &str, Must)] = &[
    (
        "deliveries",
        "attempt-of-a-deleted-subscription",
        Return(r#"{"batchItemFailures":[]}"#),
    ),
    (
        "deliveries",
        "attempts-with-a-poison-message",
        Return(
            r#"{"batchItemFailures":[{"itemIdentifier":"059f36b4-87a3-44ab-83d2-661975650001"},{"itemIdentifier":"059f36b4-87a3-44ab-83d2-661975650002"}]}"#,
        ),
    ),
    (
        "deliveries",
        "notification-that-is-in-no-log",
        Return(
            r#"{"batchItemFailures":[{"itemIdentifier":"059f36b4-87a3-44ab-83d2-661975650000"}]}"#,
        ),
    ),
    (
        "deliveries",
        "publication-of-what-is-published",
        Return(r#"{"batchItemFailures":[]}"#),
    ),
    (
        "deliveries",
        "redelivery-to-a-deleted-subscription",
        Return(r#"{"batchItemFailures":[]}"#),
    ),
    ("deliveries", "tick", Return(r#"{"enqueued":0}"#)),
    ("deliveries", "tick-without-time", Fail("unknown_event")),
    ("deliveries", "unknown", Fail("unknown_event")),
    (
        "flows",
        "create-account-with-external-id",
        Answer(400, "malformed_body"),
    ),
    (
        "flows",
        "create-flow-truncated-body",
        Answer(400, "malformed_body"),
    ),
    (
        "flows",
        "create-tenant-as-member",
        Answer(403, "operator_required"),
    ),
    ("flows", "create-tenant-as-operator", Answer(201, "")),
    (
        "flows",
        "create-subscription-of-a-foreign-queue",
        Answer(422, "invalid_subscription"),
    ),
    ("flows", "get-me", Answer(200, "")),
    ("flows", "get-unknown-flow", Answer(404, "not_found")),
    ("flows", "list-flows", Answer(200, "")),
    ("flows", "tick-of-unknown-kind", Fail("Flows.UnknownEvent")),
    ("flows", "unknown-route", Answer(404, "not_found")),
    (
        "flows",
        "account-checks",
        Return(r#"{"accounts":0,"inconclusive":0,"failed":0}"#),
    ),
    (
        "flows",
        "watch",
        Return(r#"{"operations":0,"tenants":0,"accounts":0,"failed":0}"#),
    ),
    (
        "flows",
        "without-authorizer",
        Answer(401, "unauthenticated"),
    ),
    ("oauth-callback", "callback-without-cookie", Answer(403, "")),
    (
        "oauth-callback",
        "connect-callback-unknown-provider",
        Answer(404, ""),
    ),
    (
        "oauth-callback",
        "connect-start-without-session",
        Answer(401, "sign_in_required"),
    ),
    ("oauth-callback", "login", Answer(303, "")),
    ("oauth-callback", "login-open-redirect", Answer(400, "")),
    (
        "oauth-callback",
        "token-without-origin",
        Answer(403, "origin_refused"),
    ),
    ("oauth-callback", "unknown-route", Answer(404, "not_found")),
    ("queries", "cancel-foreign-id", Answer(404, "not_found")),
    (
        "queries",
        "create-registered",
        Answer(401, "identity_required"),
    ),
    ("queries", "create-sql", Answer(401, "identity_required")),
    (
        "queries",
        "create-sql-as-viewer",
        Answer(403, "role_required"),
    ),
    ("queries", "create-two-statements", Answer(422, "")),
    (
        "queries",
        "create-unknown-field",
        Answer(400, "malformed_body"),
    ),
    (
        "queries",
        "create-without-authorizer",
        Answer(401, "unauthenticated"),
    ),
    ("queries", "establish-identity", Answer(401, "")),
    ("queries", "create-registered-query", Answer(201, "")),
    (
        "queries",
        "create-registered-query-as-viewer",
        Answer(403, "role_required"),
    ),
    (
        "queries",
        "create-registered-query-broken",
        Answer(422, "invalid_query"),
    ),
    (
        "queries",
        "create-unknown-query",
        Answer(422, "invalid_query"),
    ),
    ("queries", "delete-built-in-query", Answer(409, "built_in")),
    ("queries", "forget-identity", Answer(204, "")),
    ("queries", "get-registered-query", Answer(200, "")),
    ("queries", "list-queries", Answer(200, "")),
    (
        "queries",
        "list-queries-of-unknown-state",
        Answer(400, "malformed_query"),
    ),
    ("queries", "list-registered-queries", Answer(200, "")),
    (
        "queries",
        "update-registered-query-without-if-match",
        Answer(428, "if_match_required"),
    ),
    ("queries", "get-foreign-id", Answer(404, "not_found")),
    (
        "queries",
        "results-as-csv-foreign-id",
        Answer(404, "not_found"),
    ),
    ("queries", "results-foreign-id", Answer(404, "not_found")),
    ("queries", "show-identity", Answer(200, "")),
    ("queries", "table-that-is-no-name", Answer(404, "not_found")),
    ("queries", "whoami", Answer(401, "identity_required")),
    (
        "run-events",
        "alarm-of-unknown-flow",
        Fail("RunEvents.UnknownFlow"),
    ),
    ("run-events", "end-failed", Fail("RunEvents.UnknownFlow")),
    (
        "run-events",
        "end-from-a-forged-account",
        Fail("RunEvents.UnknownFlow"),
    ),
    (
        "run-events",
        "end-successful",
        Fail("RunEvents.UnknownFlow"),
    ),
    (
        "run-events",
        "event-flow-report",
        Fail("RunEvents.UnknownFlow"),
    ),
    (
        "run-events",
        "malformed-without-execution",
        Fail("RunEvents.Malformed"),
    ),
    ("run-events", "reconcile", Return("null")),
    (
        "run-events",
        "scheduled-flow-deactivated",
        Fail("RunEvents.UnknownFlow"),
    ),
    ("run-events", "start", Fail("RunEvents.UnknownFlow")),
    (
        "run-events",
        "statement-aborted",
        Fail("RunEvents.UnknownStatement"),
    ),
    (
        "run-events",
        "statement-failed",
        Fail("RunEvents.UnknownStatement"),
    ),
    (
        "run-events",
        "statement-finished",
        Fail("RunEvents.UnknownStatement"),
    ),
    (
        "run-events",
        "statement-of-nobody",
        Fail("RunEvents.Malformed"),
    ),
    (
        "run-events",
        "statement-of-unknown-type",
        Fail("RunEvents.UnknownDetailType"),
    ),
    (
        "run-events",
        "unknown-type",
        Fail("RunEvents.UnknownDetailType"),
    ),
    (
        "run-events",
        "verification-from-a-forged-account",
        Fail("RunEvents.UnknownVerification"),
    ),
    (
        "run-events",
        "verification-without-nonce",
        Fail("RunEvents.Malformed"),
    ),
    (
        "run-events",
        "waiting",
        Return(
            r#"{"batchItemFailures":[{"itemIdentifier":"059f36b4-87a3-44ab-83d2-661975830a7d"}]}"#,
        ),
    ),
    (
        "token-claims",
        "hosted-auth",
        Fail("TokenClaims.NotAMember"),
    ),
    (
        "token-claims",
        "refresh-with-unknown-members",
        Fail("TokenClaims.NotAMember"),
    ),
    (
        "token-refresh",
        "batch-of-a-deleted-connection",
        Return(r#"{"batchItemFailures":[]}"#),
    ),
    (
        "token-refresh",
        "batch-with-a-poison-message",
        Return(
            r#"{"batchItemFailures":[{"itemIdentifier":"059f36b4-87a3-44ab-83d2-661975650001"}]}"#,
        ),
    ),
    ("token-refresh", "tick", Return(r#"{"enqueued":0}"#)),
    ("token-refresh", "tick-without-time", Fail("unknown_event")),
    ("token-refresh", "unknown", Fail("unknown_event")),
];

/// The events' issuer and audience are invented; the functions under test are told to take them.
fn options() -> Options {
    let auth = BTreeMap::from([
        (
            "AUTH_ISSUER".to_owned(),
            "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_ExAmPlE01".to_owned(),
        ),
        (
            "AUTH_AUDIENCE".to_owned(),
            "1h57kf5cpq17m0eml12EXAMPLE,7m2mEXAMPLEclientid".to_owned(),
        ),
        (
            "AUTH_OPERATOR_CLIENTS".to_owned(),
            "7m2mEXAMPLEclientid".to_owned(),
        ),
    ]);
    let environment =
        ["FlowsFunction", "QueriesFunction"].map(|function| (function.to_owned(), auth.clone()));
    Options {
        environment: environment.into(),
        run_schedules: false,
        ..Options::default()
    }
}

/// The tenant that the events' tokens name.
async fn put_tenant(sandbox: &sandbox::Sandbox) {
    let tenant = "ten_019364c0a1b27cc3a4d5e6f708192a3b";
    let put = json!({
        "TableName": sandbox.stack.resources["Table"].physical_id(),
        "Item": {
            "pk": { "S": "OPERATOR" }, "sk": { "S": format!("TENANT#{tenant}") },
            "id": { "S": tenant }, "state": { "S": "active" },
        },
    });
    let admin = sandbox.aws.admin(VENDOR_ACCOUNT);
    let reply = sandbox.aws.call(&admin, "dynamodb", "PutItem", &put).await;
    assert!(reply.status.is_success(), "{}", reply.status);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_comes_to_what_it_must() {
    let sandbox = common::start_with(options()).await;
    put_tenant(&sandbox).await;
    let mut wrong = Vec::new();
    for (function, file, must) in EXPECTED {
        let path = workspace_root().join(format!("events/{function}/{file}.json"));
        let event: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let got = sandbox.runtime.invoke(&logical_id(function), event).await;
        if let Some(difference) = difference(must, &got) {
            wrong.push(format!("{function}/{file}: {difference}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    common::no_leaks(&sandbox).await;
}

/// A file without a line in the table would be an event that nothing tests.
#[test]
fn every_event_is_expected_to_come_to_something() {
    let functions = [
        "deliveries",
        "flows",
        "oauth-callback",
        "queries",
        "run-events",
        "token-claims",
        "token-refresh",
    ];
    for function in functions {
        for entry in std::fs::read_dir(workspace_root().join("events").join(function)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let file = name.trim_end_matches(".json");
            let is_expected = EXPECTED
                .iter()
                .any(|(of, expected, _)| *of == function && *expected == file);
            assert!(
                is_expected,
                "events/{function}/{name} has no line in the table"
            );
        }
    }
}

/// `token-refresh` is `TokenRefreshFunction` in the template.
fn logical_id(package: &str) -> String {
    let words = package
        .split('-')
        .map(|word| word[..1].to_uppercase() + &word[1..]);
    words.collect::<String>() + "Function"
}

fn difference(must: &Must, got: &Result<Value, InvocationError>) -> Option<String> {
    match (must, got) {
        (Answer(status, code), Ok(answer)) => {
            let body: Value = serde_json::from_str(answer["body"].as_str().unwrap_or_default())
                .unwrap_or(Value::Null);
            let is_right =
                answer["statusCode"] == *status && (code.is_empty() || body["code"] == *code);
            (!is_right).then(|| {
                format!(
                    "expected {status} {code}, got {} {}",
                    answer["statusCode"], answer["body"]
                )
            })
        }
        (Return(text), Ok(answer)) => {
            let expected: Value = serde_json::from_str(text).unwrap();
            (*answer != expected).then(|| format!("expected {expected}, got {answer}"))
        }
        (Fail(expected), Err(InvocationError::Failed { error_type, .. })) => {
            (error_type != expected).then(|| format!("expected {expected}, got {error_type}"))
        }
        (_, got) => Some(format!("got {got:?}")),
    }
}

/// What a function fails on for good ends in its dead-letter queue, sent there with the function's own
/// rights, as Lambda does.
#[tokio::test(flavor = "multi_thread")]
async fn what_fails_for_good_ends_in_the_functions_dead_letter_queue() {
    let sandbox = common::start_with(Options {
        run_schedules: false,
        ..Options::default()
    })
    .await;
    for (function, queue) in [
        ("DeliveriesFunction", "ScheduleDeadLetterQueue"),
        ("FlowsFunction", "ScheduleDeadLetterQueue"),
        ("RunEventsFunction", "EventsDeadLetterQueue"),
        ("TokenRefreshFunction", "ScheduleDeadLetterQueue"),
    ] {
        let event = json!({ "kind": "nobody-knows-this", "source": "tests" });
        sandbox.runtime.invoke_async(function, event.clone()).await;
        sandbox.runtime.settled().await;
        let queue = sandbox.stack.resources[queue].arn().unwrap();
        let dead = sandbox.aws.receive(queue, 10).await.unwrap();
        assert_eq!(dead.len(), 1, "{function}: {dead:?}");
        let record: Value = serde_json::from_str(&dead[0].body).unwrap();
        assert_eq!(record["requestPayload"], event, "{function}");
        sandbox
            .aws
            .delete(queue, &dead[0].receipt_handle)
            .await
            .unwrap();
    }
}
