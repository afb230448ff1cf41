//! Sessions with the warehouse: what they cost, how they are renewed, and how they end.

use std::collections::BTreeSet;

use http::Method;
use sandbox::client::Api;
use sandbox_core::{Fault, FaultRule, VENDOR_ACCOUNT};
use serde_json::{Value, json};

use super::world::{World, ask, directory_id, fresh, present, rows, session, totals};
use crate::common;

/// The keys of the stored sessions of the tenant's people.
async fn stored(world: &World) -> Vec<Value> {
    let admin = world.sandbox.aws.admin(VENDOR_ACCOUNT);
    let query = json!({
        "TableName": world.sandbox.stack.resources["Table"].physical_id(),
        "KeyConditionExpression": "pk = :pk AND begins_with(sk, :sk)",
        "ExpressionAttributeValues": {
            ":pk": { "S": format!("TENANT#{}", world.tenant.id) }, ":sk": { "S": "USERSESSION#" },
        },
    });
    let aws = &world.sandbox.aws;
    let reply = aws.call(&admin, "dynamodb", "Query", &query).await;
    let found: Value = serde_json::from_slice(&reply.body).unwrap();
    let items = found["Items"]
        .as_array()
        .unwrap_or_else(|| panic!("{found}"));
    items.clone()
}

/// Lets the only stored session end so many seconds from now, as another process's clock sees it.
async fn let_it_end_in(world: &World, seconds: i64) {
    let sessions = stored(world).await;
    let [item] = sessions.as_slice() else {
        panic!("one session is expected: {sessions:?}");
    };
    let end = jiff::Timestamp::now().as_millisecond() + seconds * 1000;
    let update = json!({
        "TableName": world.sandbox.stack.resources["Table"].physical_id(),
        "Key": { "pk": item["pk"], "sk": item["sk"] },
        "UpdateExpression": "SET valid_until = :end",
        "ConditionExpression": "attribute_exists(pk)",
        "ExpressionAttributeValues": { ":end": { "N": end.to_string() } },
    });
    let admin = world.sandbox.aws.admin(VENDOR_ACCOUNT);
    let aws = &world.sandbox.aws;
    let reply = aws.call(&admin, "dynamodb", "UpdateItem", &update).await;
    let said = String::from_utf8_lossy(&reply.body);
    assert!(reply.status.is_success(), "{said}");
}

fn exchanges(world: &World) -> usize {
    let journal = &world.sandbox.journal;
    journal.count("sso-oauth", "CreateTokenWithIAM")
}

fn fault(world: &World, service: &str, operation: &str, fault: Fault, times: u32) {
    world.sandbox.faults.add(FaultRule {
        service: service.to_owned(),
        operation: operation.to_owned(),
        fault,
        times,
    });
}

fn out_of_order() -> Fault {
    Fault::Status {
        status: 500,
        retry_after: None,
        body: r#"{"__type":"InternalServerException","error":"server_error"}"#.to_owned(),
    }
}

async fn forget(api: &Api) {
    let gone = api.call(Method::DELETE, "/v1/identity", None, &[]);
    assert_eq!(gone.await.unwrap().status, 204);
}

async fn state(api: &Api) -> Value {
    let shown = api.get("/v1/identity").await.unwrap();
    shown.expect(200).unwrap()
}

async fn refused(api: &Api) -> (u16, String) {
    let answer = ask(api, &totals()).await;
    (answer.status.as_u16(), answer.code().to_owned())
}

fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

fn disable(world: &World, name: &str) {
    world.directory(|entry| {
        entry.enabled = entry.user.user_name != name;
        true
    });
}

/// The browser can ask whether it has to bring an ID token, and sign-out forgets the credentials.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_sees_and_forgets_the_own_session_and_nobody_elses() {
    let world = World::new().await;
    let (frank, token) = world.fresh("frank").await;
    assert_eq!(state(&frank).await, json!({ "state": "needs_id_token" }));
    let made = present(&frank, &token).await.expect(200).unwrap();
    let shown = state(&frank).await;
    assert_eq!(
        shown,
        json!({ "state": "active", "expiresAt": made["expiresAt"] })
    );
    let ethan = world.session("ethan").await;

    // Another sign-in of the same person has a session of its own.
    let elsewhere = world.sandbox.sign_in("frank").await.unwrap();
    let elsewhere = session(&world.sandbox, &elsewhere).await;
    for _ in 0..2 {
        forget(&frank).await;
    }
    assert_eq!(state(&frank).await, json!({ "state": "needs_id_token" }));
    assert_eq!(refused(&frank).await, is(401, "identity_required"));
    assert!(!rows(&elsewhere, &totals()).await.is_empty());
    assert!(!rows(&ethan, &totals()).await.is_empty());
    assert_eq!(stored(&world).await.len(), 2);

    // The token was used; a fresh one is all it takes.
    assert_eq!(
        present(&frank, &token).await.code(),
        "reauthenticate",
        "a token that was used"
    );
    let frank = world.session("frank").await;
    assert_eq!(state(&frank).await["state"], "active");
    common::no_leaks(&world.sandbox).await;
}

/// A7: signing out ends the session with the warehouse too, although its credentials would still hold.
#[tokio::test(flavor = "multi_thread")]
async fn a7_a_sign_in_that_ended_cannot_use_its_stored_session() {
    let world = World::new().await;
    let frank = world.session("frank").await;
    rows(&frank, &totals()).await;
    let person = world.person("frank");
    let cookies = person.browser.cookies_for(&world.sandbox.api_url).unwrap();
    let headers = [
        ("cookie", cookies.as_str()),
        ("origin", world.sandbox.app_origin.as_str()),
    ];
    let nobody = Api::new(&world.sandbox.api_url, None);
    let out = nobody.call(Method::POST, "/auth/logout", None, &headers);
    assert_eq!(out.await.unwrap().status, 204);
    common::eventually("the end of the sign-in", || async {
        (refused(&frank).await == is(401, "signed_out")).then_some(())
    })
    .await;
    let before = world.calls(&["redshift-data", "sts"]).len();
    assert_eq!(refused(&frank).await, is(401, "signed_out"));
    assert_eq!(world.calls(&["redshift-data", "sts"]).len(), before);
    common::no_leaks(&world.sandbox).await;
}

/// What a query costs a warm process besides the warehouse: one read of the session, and neither KMS
/// nor STS nor Identity Center (ADR 0017).
#[tokio::test(flavor = "multi_thread")]
async fn a_warm_query_reads_the_session_once_and_opens_it_without_kms() {
    let world = World::new().await;
    let frank = world.session("frank").await;
    rows(&frank, &totals()).await;
    let before = world.sandbox.journal.entries().len();
    let answer = frank.post("/v1/queries", &totals()).await.unwrap();
    answer.expect(200).unwrap();
    let calls = world.sandbox.journal.entries().split_off(before);
    let of = |service: &str| calls.iter().filter(|call| call.service == service).count();
    for service in ["kms", "sts", "sso-oauth", "secretsmanager"] {
        assert_eq!(of(service), 0, "{service}: {calls:?}");
    }
    let asked = calls.iter().filter(|call| call.service == "redshift-data");
    let asked: BTreeSet<&str> = asked.map(|call| call.operation.as_str()).collect();
    let needed = ["ExecuteStatement", "GetStatementResult"];
    assert_eq!(asked, needed.into(), "{calls:?}");
    common::no_leaks(&world.sandbox).await;
}

/// Q7: a person who is disabled while a session is stored: whoever renews it is refused, and from then
/// on the stored credentials are used no more, although AWS would still take them.
#[tokio::test(flavor = "multi_thread")]
async fn q7_a_disabled_person_stops_when_the_session_is_to_be_renewed() {
    let world = World::new().await;
    world.directory(|_| true);
    let frank = world.session("frank").await;
    assert!(!rows(&frank, &totals()).await.is_empty());
    disable(&world, "frank");
    // STS never takes credentials back: with more than five minutes to go they are used.
    assert!(!rows(&frank, &totals()).await.is_empty());
    let before = exchanges(&world);
    let_it_end_in(&world, 120).await;
    assert_eq!(refused(&frank).await, is(401, "reauthenticate"));
    assert_eq!(exchanges(&world), before + 1);
    // Nobody asks again with the same refresh token.
    let statements = world.calls(&["redshift-data"]).len();
    assert_eq!(refused(&frank).await, is(401, "reauthenticate"));
    assert_eq!(exchanges(&world), before + 1);
    assert_eq!(world.calls(&["redshift-data"]).len(), statements);
    assert_eq!(state(&frank).await, json!({ "state": "needs_id_token" }));
    let (frank, token) = world.fresh("frank").await;
    let exchange = present(&frank, &token).await;
    assert_eq!(exchange.status.as_u16(), 401, "{}", exchange.body);

    // Enabled again, a fresh token is all it takes.
    world.directory(|_| true);
    let frank = world.session("frank").await;
    assert!(!rows(&frank, &totals()).await.is_empty());
    common::no_leaks(&world.sandbox).await;
}

/// Q7: whoever lost the assignment is told so at the renewal.
#[tokio::test(flavor = "multi_thread")]
async fn q7_a_person_who_lost_the_assignment_is_told_so_at_the_renewal() {
    let world = World::new().await;
    world.directory(|_| true);
    let frank = world.session("frank").await;
    world.directory(|entry| {
        entry.assigned = entry.user.user_name != "frank";
        true
    });
    let_it_end_in(&world, 10).await;
    assert_eq!(refused(&frank).await, is(403, "not_assigned"));
    assert_eq!(refused(&frank).await, is(401, "reauthenticate"));
    common::no_leaks(&world.sandbox).await;
}

/// Q7: credentials that AWS takes no more, although their time had not come: renewed once and the
/// statement runs; when the renewal is refused, the person is asked for a fresh token.
#[tokio::test(flavor = "multi_thread")]
async fn q7_credentials_that_aws_refuses_are_renewed_once() {
    let world = World::new().await;
    world.directory(|_| true);
    let frank = world.session("frank").await;
    let first = ask(&frank, &totals()).await.expect(200).unwrap();
    let before = exchanges(&world);
    let expired = world.sandbox.aws.expire_sessions_of(&directory_id("frank"));
    assert_eq!(expired, 1);
    assert!(!rows(&frank, &totals()).await.is_empty());
    assert_eq!(exchanges(&world), before + 1);
    // Also while polling: the new credentials are the same person's and see the same statement.
    world.sandbox.aws.expire_sessions_of(&directory_id("frank"));
    let path = format!("/v1/queries/{}", first["id"].as_str().unwrap());
    let seen = frank.get(&path).await.unwrap().expect(200).unwrap();
    assert_eq!(seen["state"], "finished", "{seen}");
    assert_eq!(exchanges(&world), before + 2);

    disable(&world, "frank");
    world.sandbox.aws.expire_sessions_of(&directory_id("frank"));
    assert_eq!(refused(&frank).await, is(401, "reauthenticate"));
    assert_eq!(exchanges(&world), before + 3);
    assert_eq!(refused(&frank).await, is(401, "reauthenticate"));
    assert_eq!(exchanges(&world), before + 3);
    common::no_leaks(&world.sandbox).await;
}

/// Twenty queries at once near the end of the session, and after it: one renewal.
#[tokio::test(flavor = "multi_thread")]
async fn q11_twenty_queries_near_the_end_renew_the_session_once() {
    let world = World::new().await;
    let frank = world.session("frank").await;
    for left in [120, -1] {
        let before = exchanges(&world);
        let_it_end_in(&world, left).await;
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let frank = frank.clone();
                tokio::spawn(async move { frank.post("/v1/queries", &totals()).await.unwrap() })
            })
            .collect();
        for task in tasks {
            let answer = task.await.unwrap();
            let status = answer.status.as_u16();
            assert!([200, 202].contains(&status), "{left}: {}", answer.body);
        }
        assert_eq!(exchanges(&world), before + 1, "{left} seconds left");
    }
    common::no_leaks(&world.sandbox).await;
}

/// A renewal whose answer is lost has used its token up: the credentials are used to their end, and
/// then a fresh ID token is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_renewal_costs_nothing_before_the_end_and_a_fresh_token_after_it() {
    let world = World::new().await;
    let frank = world.session("frank").await;
    let before = exchanges(&world);
    fault(
        &world,
        "sso-oauth",
        "CreateTokenWithIAM",
        Fault::DropAfter,
        1,
    );
    let_it_end_in(&world, 120).await;
    for _ in 0..2 {
        assert!(!rows(&frank, &totals()).await.is_empty());
    }
    assert_eq!(exchanges(&world), before + 1, "the call was repeated");
    let_it_end_in(&world, 10).await;
    assert_eq!(refused(&frank).await, is(401, "reauthenticate"));
    let frank = world.session("frank").await;
    assert!(!rows(&frank, &totals()).await.is_empty());
    common::no_leaks(&world.sandbox).await;
}

/// A9: Identity Center or STS out of order while a session is renewed, or KMS while it is opened: the
/// answer says to try again, and trying again helps. Nothing that Identity Center gave is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a9_trouble_at_a_renewal_passes() {
    let world = World::new().await;
    let frank = world.session("frank").await;
    let troubles = [
        ("sso-oauth", "CreateTokenWithIAM", 1, "identity_unavailable"),
        ("sts", "AssumeRole", 1, "identity_unavailable"),
    ];
    for (service, operation, times, code) in troubles {
        let_it_end_in(&world, -1).await;
        fault(&world, service, operation, out_of_order(), times);
        assert_eq!(refused(&frank).await, is(503, code), "{service}");
        assert!(!rows(&frank, &totals()).await.is_empty(), "{service}");
    }
    // While the credentials hold, nobody notices.
    let_it_end_in(&world, 120).await;
    fault(&world, "sso-oauth", "CreateTokenWithIAM", out_of_order(), 1);
    assert!(!rows(&frank, &totals()).await.is_empty());

    // A process that has no data key yet asks KMS.
    world.sandbox.runtime.kill_now("QueriesFunction");
    fault(&world, "kms", "Decrypt", out_of_order(), 3);
    assert_eq!(refused(&frank).await, is(503, "vault_unavailable"));
    assert!(!rows(&frank, &totals()).await.is_empty());
    common::no_leaks(&world.sandbox).await;
}

/// The nonce of a sign-in is part of what a browser presents, exactly when its token has one.
#[tokio::test(flavor = "multi_thread")]
async fn q8_a_nonce_must_be_the_browsers_own() {
    let world = World::new().await;
    let (frank, real) = fresh(&world.sandbox, world.person("frank")).await;
    let real = super::identity::claims(&real);
    let mint = |nonce: Value| {
        let claims = json!({
            "tenant_id": real["tenant_id"], "tenant_roles": real["tenant_roles"],
            "origin_jti": real["origin_jti"], "nonce": nonce,
        });
        let oidc = &world.sandbox.oidc;
        let (id, current) = (
            sandbox_saas::oidc::TokenUse::Id,
            sandbox_saas::oidc::Signature::Current,
        );
        oidc.mint("frank", id, claims, current).unwrap()
    };
    let present = async |token: String, nonce: Value| {
        let mut body = json!({ "idToken": token });
        if !nonce.is_null() {
            body["nonce"] = nonce;
        }
        let answer = frank.post("/v1/identity", &body).await.unwrap();
        (answer.status.as_u16(), answer.code().to_owned())
    };
    let wrong = is(401, "token_not_accepted");
    assert_eq!(present(mint(json!("n-1")), Value::Null).await, wrong);
    assert_eq!(present(mint(json!("n-1")), json!("n-2")).await, wrong);
    assert_eq!(present(mint(json!(["n-1"])), json!("n-1")).await, wrong);
    assert_eq!(present(mint(Value::Null), json!("n-1")).await, wrong);
    assert!(world.calls(&["sso-oauth"]).is_empty());
    assert_eq!(present(mint(json!("n-1")), json!("n-1")).await, is(200, ""));
    common::no_leaks(&world.sandbox).await;
}
