//! `POST /v1/identity`: an ID token becomes a session, once, for its own person.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use sandbox_saas::oidc::{Signature, TokenUse};
use serde_json::{Value, json};

use super::world::{World, ask, present, rows, totals};
use crate::common;

/// Everything that is AWS here.
const AWS: [&str; 7] = [
    "sso-oauth",
    "sts",
    "redshift-data",
    "dynamodb",
    "kms",
    "secretsmanager",
    "unsigned",
];

fn exchanges(world: &World) -> usize {
    world
        .sandbox
        .journal
        .count("sso-oauth", "CreateTokenWithIAM")
}

/// What a token says.
pub(super) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// Without a session a query is told what to do, and the warehouse is not asked.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_session_the_person_is_told_to_present_an_id_token() {
    let world = World::new().await;
    let frank = world.tenant.api("frank");
    let refused = ask(frank, &totals()).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (401, "identity_required")
    );
    assert!(world.calls(&["redshift-data", "sso-oauth"]).is_empty());
    common::no_leaks(&world.sandbox).await;
}

/// Q6: not in the directory: at first a fresh token is asked for, then it is clear; nobody else's
/// role steps in.
#[tokio::test(flavor = "multi_thread")]
async fn q6_a_person_who_is_not_in_the_directory_is_told_so() {
    let world = World::new().await;
    world.directory(|entry| entry.user.user_name != "frank");
    let (_, first) = world.fresh("frank").await;
    let refused = present(world.tenant.api("frank"), &first).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (401, "reauthenticate")
    );
    let (frank, second) = world.fresh("frank").await;
    let refused = present(&frank, &second).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (403, "user_not_provisioned")
    );
    let refused = ask(&frank, &totals()).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (401, "identity_required")
    );
    assert!(
        world.calls(&["redshift-data"]).is_empty(),
        "somebody stepped in"
    );
    assert!(
        world
            .calls(&["sts"])
            .iter()
            .all(|call| call.on_behalf_of.is_none())
    );

    // Once the directory knows the person, a fresh token is all it takes.
    world.directory(|_| true);
    let frank = world.session("frank").await;
    assert!(!rows(&frank, &totals()).await.is_empty());
    common::no_leaks(&world.sandbox).await;
}

/// Q6: in the directory, but not assigned to the application.
#[tokio::test(flavor = "multi_thread")]
async fn q6_a_person_who_is_not_assigned_is_told_so() {
    let world = World::new().await;
    world.directory(|entry| {
        entry.assigned = entry.user.user_name != "frank";
        true
    });
    let (frank, token) = world.fresh("frank").await;
    let refused = present(&frank, &token).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (403, "not_assigned"),
        "{}",
        refused.body
    );
    assert!(world.calls(&["redshift-data"]).is_empty());
    common::no_leaks(&world.sandbox).await;
}

/// Q8: every kind of wrong token is refused without any call of AWS; the same token, right, is
/// taken.
#[tokio::test(flavor = "multi_thread")]
async fn q8_a_token_that_is_not_right_is_refused_without_any_aws_call() {
    let world = World::new().await;
    let (frank, real) = world.fresh("frank").await;
    let real = claims(&real);
    // A first request, so that the process has read its configuration.
    let malformed = present(&frank, "not a token").await;
    assert_eq!(
        (malformed.status.as_u16(), malformed.code()),
        (401, "token_not_accepted"),
        "{}",
        malformed.body
    );

    let now = Timestamp::now().as_second();
    let mint = |name: &str, token_use, more: Value, signature| {
        let mut overrides = json!({
            "tenant_id": real["tenant_id"], "tenant_roles": real["tenant_roles"], "origin_jti": real["origin_jti"],
        });
        overrides
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        world
            .sandbox
            .oidc
            .mint(name, token_use, overrides, signature)
            .unwrap()
    };
    let id = |more: Value| mint("frank", TokenUse::Id, more, Signature::Current);
    let signed = |signature| mint("frank", TokenUse::Id, json!({}), signature);
    let other_sub = &world.sandbox.oidc.user("ethan").unwrap().sub;
    let wrong = [
        (
            "foreign signature",
            signed(Signature::Foreign),
            401,
            "token_not_accepted",
        ),
        (
            "unknown key",
            signed(Signature::UnknownKeyId),
            401,
            "token_not_accepted",
        ),
        (
            "alg none",
            signed(Signature::Absent),
            401,
            "token_not_accepted",
        ),
        (
            "public key as secret",
            signed(Signature::PublicKeyAsSecret),
            401,
            "token_not_accepted",
        ),
        (
            "wrong audience",
            id(json!({ "aud": "somebody-else" })),
            401,
            "token_not_accepted",
        ),
        (
            "wrong issuer",
            id(json!({ "iss": "https://issuer.example" })),
            401,
            "token_not_accepted",
        ),
        (
            "no end",
            id(json!({ "exp": null })),
            401,
            "token_not_accepted",
        ),
        (
            "expired a minute ago",
            id(json!({ "iat": now - 3_660, "exp": now - 60 })),
            401,
            "token_expired",
        ),
        (
            "issued in the future",
            id(json!({ "iat": now + 600 })),
            401,
            "token_not_accepted",
        ),
        (
            "not yet valid",
            id(json!({ "nbf": now + 600 })),
            401,
            "token_not_accepted",
        ),
        (
            "issuers in a list",
            id(json!({ "iss": [real["iss"]] })),
            401,
            "token_not_accepted",
        ),
        (
            "an end in words",
            id(json!({ "exp": (now + 600).to_string() })),
            401,
            "token_not_accepted",
        ),
        (
            "two audiences and no party",
            id(json!({ "aud": [real["aud"], "somebody-else"] })),
            401,
            "token_not_accepted",
        ),
        (
            "another party",
            id(json!({ "azp": "somebody-else" })),
            401,
            "token_not_accepted",
        ),
        (
            "no id of its own",
            id(json!({ "jti": null })),
            401,
            "reauthenticate",
        ),
        (
            "longer than any token",
            id(json!({ "padding": "x".repeat(16 * 1024) })),
            401,
            "token_not_accepted",
        ),
        (
            "an access token",
            mint("frank", TokenUse::Access, json!({}), Signature::Current),
            401,
            "token_not_accepted",
        ),
        (
            "another person's",
            mint("ethan", TokenUse::Id, json!({}), Signature::Current),
            403,
            "identity_mismatch",
        ),
        (
            "another subject",
            id(json!({ "sub": other_sub })),
            403,
            "identity_mismatch",
        ),
        (
            "another tenant",
            id(json!({ "tenant_id": "ten_00000000000000000000000000000000" })),
            403,
            "identity_mismatch",
        ),
        (
            "no tenant",
            id(json!({ "tenant_id": null })),
            403,
            "identity_mismatch",
        ),
        (
            "another sign-in",
            id(json!({ "origin_jti": "another" })),
            403,
            "identity_mismatch",
        ),
        (
            "address not verified",
            id(json!({ "email_verified": false })),
            403,
            "email_not_verified",
        ),
    ];
    let before = world.calls(&AWS).len();
    for (what, token, status, code) in &wrong {
        let refused = present(&frank, token).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (*status, *code),
            "{what}: {}",
            refused.body
        );
        assert!(!refused.body.to_string().contains(token.as_str()), "{what}");
    }
    let mut calls = world.calls(&AWS).split_off(before);
    // The limits of the tenant count every request.
    calls.retain(|call| call.operation != "UpdateItem");
    assert!(calls.is_empty(), "AWS was called: {calls:?}");

    let right = present(&frank, &id(json!({}))).await;
    assert_eq!(right.status.as_u16(), 200, "{}", right.body);
    let members: Vec<&String> = right.body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["expiresAt"], "no credentials leave");
    common::no_leaks(&world.sandbox).await;
}

/// One ID token, presented twenty times at once, is exchanged once, and the session works.
#[tokio::test(flavor = "multi_thread")]
async fn q11_one_id_token_presented_twenty_times_at_once_is_exchanged_once() {
    let world = World::new().await;
    let (frank, token) = world.fresh("frank").await;
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (frank, token) = (frank.clone(), token.clone());
            tokio::spawn(async move { present(&frank, &token).await })
        })
        .collect();
    let mut codes: BTreeMap<(u16, String), usize> = BTreeMap::new();
    for task in tasks {
        let answer = task.await.unwrap();
        *codes
            .entry((answer.status.as_u16(), answer.code().to_owned()))
            .or_default() += 1;
    }
    assert_eq!(exchanges(&world), 1, "{codes:?}");
    // Who waits longer than the winner takes is told that it is being done.
    let expected = [
        (200, String::new()),
        (409, "exchange_in_progress".to_owned()),
        // Twenty at once on a slow machine wait for the tenant's limits too.
        (503, "limits_unavailable".to_owned()),
    ];
    assert!(
        codes.keys().all(|code| expected.contains(code)),
        "{codes:?}"
    );
    assert!(codes.contains_key(&expected[0]), "{codes:?}");
    assert!(!rows(&frank, &totals()).await.is_empty());

    // Later the token is no longer news: the session is still there, and nothing is exchanged.
    let again = present(&frank, &token).await;
    assert_eq!(again.status.as_u16(), 200, "{}", again.body);
    assert_eq!(exchanges(&world), 1);
    common::no_leaks(&world.sandbox).await;
}

/// An answer that was lost is never asked for again with the same token: a fresh one is needed.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_exchange_is_not_repeated_and_a_fresh_token_helps() {
    let world = World::new().await;
    let (frank, token) = world.fresh("frank").await;
    world.sandbox.faults.add(sandbox_core::FaultRule {
        service: "sso-oauth".to_owned(),
        operation: "CreateTokenWithIAM".to_owned(),
        fault: sandbox_core::Fault::DropAfter,
        times: 1,
    });
    for _ in 0..2 {
        let refused = present(&frank, &token).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (401, "reauthenticate"),
            "{}",
            refused.body
        );
    }
    assert_eq!(exchanges(&world), 1, "the call was repeated");
    let frank = world.session("frank").await;
    assert!(!rows(&frank, &totals()).await.is_empty());
    common::no_leaks(&world.sandbox).await;
}
