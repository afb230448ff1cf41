//! A7: what was taken back stops working within a minute, everywhere.

use reqwest::Method;
use sandbox::client::{Api, Person};
use serde_json::json;

use super::{call, within_a_minute};
use crate::{
    common,
    edge::wire::{self, assert_problem},
};

/// Until a token is refused by both functions that take it.
async fn ends_everywhere(person: &Person) {
    for path in ["/v1/flows", "/v1/queries/qry_1", "/v1/me"] {
        within_a_minute(path, || async {
            person.api.get(path).await.unwrap().status.as_u16() == 401
        })
        .await;
        let answer = person.api.get(path).await.unwrap();
        assert_problem(&answer, 401, "signed_out", path);
    }
}

async fn works(api: &Api) -> bool {
    api.get("/v1/flows").await.unwrap().status.as_u16() == 200
}

/// A7: signing out ends the tokens of that sign-in, and of no other.
#[tokio::test(flavor = "multi_thread")]
async fn a7_a_sign_in_that_was_ended_stops_working_within_a_minute() {
    let sandbox = common::start().await;
    let blue = common::tenant(&sandbox, "Blue", &[("frank", "admin")]).await;
    let person = &blue.people["frank"];
    let elsewhere = sandbox.sign_in("frank").await.unwrap();
    assert!(works(&person.api).await && works(&elsewhere.api).await);

    let cookies = person.browser.cookies_for(&sandbox.api_url).unwrap();
    let headers = [
        ("cookie", cookies.as_str()),
        ("origin", sandbox.app_origin.as_str()),
    ];
    let nobody = Api::new(&sandbox.api_url, None);
    for _ in 0..2 {
        let out = nobody.call(Method::POST, "/auth/logout", None, &headers);
        assert_eq!(out.await.unwrap().status, 204);
    }
    ends_everywhere(person).await;
    assert!(
        works(&elsewhere.api).await,
        "another sign-in of the same person"
    );
    wire::assert_no_failures(&sandbox);
    common::no_leaks(&sandbox).await;
}

/// A7: who is taken out of a tenant keeps no token, and gets none for the session; other roles mean
/// other tokens.
#[tokio::test(flavor = "multi_thread")]
async fn a7_a_member_who_was_removed_or_changed_has_no_token_any_more() {
    let sandbox = common::start().await;
    let operator = sandbox.operator().await.unwrap();
    let members = [("frank", "admin"), ("ming", "admin"), ("ethan", "viewer")];
    let blue = common::tenant(&sandbox, "Blue", &members).await;
    let path = |name: &str| {
        let subject = &sandbox.oidc.user(name).unwrap().sub;
        format!("/v1/tenants/{}/members/{subject}", blue.id)
    };
    for name in ["frank", "ming", "ethan"] {
        assert!(works(blue.api(name)).await);
    }
    let gone = call(&operator, Method::DELETE, &path("frank"), None).await;
    assert_eq!(gone.status, 204);
    // Also what the session had in store is not handed out any more.
    let browser = &blue.people["frank"].browser;
    assert!(sandbox.tokens(browser, false).await.is_err());

    // Another address only: nothing ends.
    let same = json!({ "roles": ["viewer"], "email": "ethan@acme.example" });
    let put = call(&operator, Method::PUT, &path("ethan"), Some(same)).await;
    put.expect(200).unwrap();
    let changed = json!({ "roles": ["viewer"] });
    let put = call(&operator, Method::PUT, &path("ming"), Some(changed)).await;
    put.expect(200).unwrap();

    ends_everywhere(&blue.people["frank"]).await;
    ends_everywhere(&blue.people["ming"]).await;
    assert!(works(blue.api("ethan")).await);

    // The session stays good for a token with the new roles.
    let ming = &blue.people["ming"].browser;
    within_a_minute("a token with the new roles", || async {
        let tokens = sandbox.tokens(ming, false).await.unwrap();
        let api = Api::new(&sandbox.api_url, tokens["accessToken"].as_str());
        let me = api.get("/v1/me").await.unwrap();
        me.status.as_u16() == 200 && me.body["roles"] == json!(["viewer"])
    })
    .await;
    wire::assert_no_failures(&sandbox);
    common::no_leaks(&sandbox).await;
}

/// A7: a signing key that the issuer took back, which the gateway may keep for two hours.
#[tokio::test(flavor = "multi_thread")]
async fn a7_a_signing_key_that_was_taken_back_stops_working_within_a_minute() {
    let sandbox = common::start().await;
    let blue = common::tenant(&sandbox, "Blue", &[("frank", "admin")]).await;
    let person = &blue.people["frank"];
    assert!(works(&person.api).await);
    sandbox.oidc.rotate_keys().unwrap();
    // A key that nobody knew is asked for once in ten seconds.
    let newer = common::eventually("a sign-in with the new keys", || async {
        sandbox.sign_in("frank").await.ok()
    })
    .await;
    assert!(works(&person.api).await, "a key that is still published");
    sandbox.oidc.drop_old_keys();
    ends_everywhere(person).await;
    assert!(works(&newer.api).await);
    let operator = sandbox.operator().await.unwrap();
    operator
        .get("/v1/tenants")
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    common::no_leaks(&sandbox).await;
}

/// A7: an issuer that is away takes nothing back: the last good copy of its keys counts.
#[tokio::test(flavor = "multi_thread")]
async fn a7_an_issuer_that_is_away_ends_nobodys_sign_in() {
    use sandbox_core::{Fault, FaultRule};

    let sandbox = common::start().await;
    let blue = common::tenant(&sandbox, "Blue", &[("frank", "admin")]).await;
    assert!(works(blue.api("frank")).await);
    sandbox.faults.add(FaultRule {
        service: "oidc".to_owned(),
        operation: "/.well-known".to_owned(),
        fault: Fault::Status {
            status: 503,
            retry_after: None,
            body: String::new(),
        },
        times: u32::MAX,
    });
    assert!(works(blue.api("frank")).await, "with the copy");
    assert!(sandbox.runtime.kill_now("FlowsFunction") > 0);
    assert!(
        works(blue.api("frank")).await,
        "with the gateway's word alone"
    );
    common::no_leaks(&sandbox).await;
}
