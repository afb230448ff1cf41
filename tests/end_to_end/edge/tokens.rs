//! Tokens: what is not a good access token is 401 before anything is asked, and nothing but the token
//! says who calls.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use sandbox::Sandbox;
use sandbox_saas::oidc::{Signature, TokenUse};
use serde_json::{Value, json};

use super::wire::{self, Moment, Wire, answer, assert_gateways, assert_problem, header, pointers};
use crate::common;

/// What an intruder tries: one route of each function that checks tokens, reading and changing.
fn attempts() -> [(&'static str, &'static str, Option<Value>); 5] {
    let account = json!({ "awsAccountId": "444444444444", "region": "us-east-1" });
    [
        ("GET", "/v1/accounts", None),
        ("POST", "/v1/accounts", Some(account)),
        (
            "DELETE",
            "/v1/accounts/acc_0193d3f0aaaa7bbb8cccdddddddddddd",
            None,
        ),
        (
            "POST",
            "/v1/queries",
            Some(json!({ "query": "total-sales-by-city" })),
        ),
        ("GET", "/v1/no-such-route", None),
    ]
}

/// Done-when 3 and Q8: missing, garbled, expired, wrongly signed, unsigned, of another issuer or
/// audience: the gateway says 401, no function runs, AWS is not asked, nothing changes.
#[tokio::test(flavor = "multi_thread")]
async fn q8_a_token_that_is_not_good_gets_no_further_than_the_gateway() {
    let sandbox = common::start().await;
    let blue = common::tenant(&sandbox, "Blue", &[("frank", "admin")]).await;
    let wire = Wire::to(&sandbox);
    let good = blue.people["frank"].access_token.clone();
    for path in ["/v1/accounts", "/v1/me"] {
        assert_eq!(wire.call(&good, "GET", path, None).await.status, 200);
    }
    let before = Moment::of(&sandbox).await;
    let mut values: Vec<(&str, Option<String>)> = vec![
        ("no token", None),
        ("an empty header", Some(String::new())),
        ("a scheme alone", Some("Bearer".to_owned())),
        ("a scheme and a blank", Some("Bearer ".to_owned())),
        ("another scheme", Some("Basic ZnJhbms6ZnJhbms=".to_owned())),
    ];
    let bad = bad_tokens(&sandbox, &good);
    values.extend(
        bad.iter()
            .map(|(what, token)| (*what, Some(format!("Bearer {token}")))),
    );
    for (what, value) in &values {
        for (method, path, body) in attempts() {
            let mut request = wire.request(method, path);
            if let Some(value) = value {
                request = request.header("authorization", value);
            }
            if let Some(body) = &body {
                request = request.json(body);
            }
            let answer = answer(request).await;
            let what = format!("{what} on {method} {path}");
            assert_gateways(&answer, 401, "Unauthorized", &what);
            let challenge = header(&answer, "www-authenticate");
            assert!(challenge.starts_with("Bearer"), "{what}: {challenge}");
        }
    }
    // A token elsewhere than in its header is no token.
    for path in [
        format!("/v1/accounts?access_token={good}"),
        format!("/v1/accounts?token={good}"),
    ] {
        let answer = answer(wire.request("GET", &path)).await;
        assert_gateways(&answer, 401, "Unauthorized", "a token in the query");
    }
    let cookie = format!("authorization=Bearer {good}");
    let answer = answer(wire.request("GET", "/v1/accounts").header("cookie", cookie)).await;
    assert_gateways(&answer, 401, "Unauthorized", "a token in a cookie");

    before.assert_nothing_invoked(&sandbox, "a bad token");
    before.assert_nothing_changed(&sandbox, "a bad token").await;
    assert_eq!(
        before.asked_besides(&sandbox, &["oidc"]),
        Vec::<String>::new()
    );
    // The same client with the good token is let in: it was the tokens.
    assert_eq!(
        wire.call(&good, "GET", "/v1/accounts", None).await.status,
        200
    );
    common::no_leaks(&sandbox).await;
}

/// Tokens that look like Frank's and are not good.
fn bad_tokens(sandbox: &Sandbox, good: &str) -> Vec<(&'static str, String)> {
    let now = Timestamp::now().as_second();
    let mint = |overrides: Value, signature: Signature| {
        let token = sandbox
            .oidc
            .mint("frank", TokenUse::Access, overrides, signature);
        token.unwrap()
    };
    let with = |overrides: Value| mint(overrides, Signature::Current);
    let parts: Vec<&str> = good.split('.').collect();
    let (head, claims, signature) = (parts[0], parts[1], parts[2]);
    let mut changed: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    changed["tenant_roles"] = json!("viewer editor admin");
    let changed = URL_SAFE_NO_PAD.encode(changed.to_string());
    vec![
        ("garbage", "garbage".to_owned()),
        ("three parts of garbage", "a.b.c".to_owned()),
        ("a token without its signature", format!("{head}.{claims}.")),
        ("a token of two parts", format!("{head}.{claims}")),
        ("a truncated token", good[..good.len() - 8].to_owned()),
        (
            "changed claims under a good signature",
            format!("{head}.{changed}.{signature}"),
        ),
        (
            "expired a minute ago",
            with(json!({ "iat": now - 3_660, "exp": now - 60 })),
        ),
        ("without an end", with(json!({ "exp": null }))),
        ("not valid yet", with(json!({ "nbf": now + 600 }))),
        (
            "issued in the future",
            with(json!({ "iat": now + 600, "exp": now + 4_200 })),
        ),
        (
            "another issuer",
            with(json!({ "iss": "https://idp.evil.example" })),
        ),
        (
            "an issuer that begins like ours",
            with(json!({ "iss": format!("{}x", sandbox.oidc.issuer()) })),
        ),
        (
            "another client",
            with(json!({ "client_id": "somebody-elses-app" })),
        ),
        (
            "another audience",
            with(json!({ "aud": "somebody-elses-app" })),
        ),
        ("no client", with(json!({ "client_id": null }))),
        ("a foreign key", mint(json!({}), Signature::Foreign)),
        ("an unknown key", mint(json!({}), Signature::UnknownKeyId)),
        ("alg none", mint(json!({}), Signature::Absent)),
        (
            "the public key as a secret",
            mint(json!({}), Signature::PublicKeyAsSecret),
        ),
    ]
}

/// Q8 and design section 4: what the gateway lets through and we refuse, and claims that give nothing.
#[tokio::test(flavor = "multi_thread")]
async fn q8_only_an_access_token_with_our_own_claims_makes_an_identity() {
    let sandbox = common::start().await;
    let blue = common::tenant(&sandbox, "Blue", &[("frank", "admin"), ("ethan", "viewer")]).await;
    let wire = Wire::to(&sandbox);
    let frank = &blue.people["frank"];
    // The functions are warm, and what they fetch at their start is fetched.
    for path in ["/v1/accounts", "/v1/queries/qry_x"] {
        wire.call(&frank.access_token, "GET", path, None).await;
    }
    let before = Moment::of(&sandbox).await;
    let mint = |overrides: Value| {
        let token = sandbox
            .oidc
            .mint("frank", TokenUse::Access, overrides, Signature::Current);
        token.unwrap()
    };
    let operator = json!({
        "sub": sandbox::OPERATOR_CLIENT_ID, "client_id": sandbox::OPERATOR_CLIENT_ID, "username": null,
        "cognito:username": null, "tenant_id": blue.id,
    });
    let unauthenticated = [
        ("an ID token", frank.id_token.clone()),
        (
            "a token that says it is an ID token",
            mint(json!({ "token_use": "id", "tenant_id": blue.id })),
        ),
        (
            "a tenant that is no id",
            mint(json!({ "tenant_id": "Blue", "tenant_roles": "admin" })),
        ),
        (
            "two tenants",
            mint(json!({ "tenant_id": [blue.id, blue.id], "tenant_roles": "admin" })),
        ),
        ("an operator of a tenant", mint(operator)),
    ];
    for (what, token) in &unauthenticated {
        for (method, path, body) in attempts() {
            if path == "/v1/no-such-route" {
                continue;
            }
            let answer = wire.call(token, method, path, body.as_ref()).await;
            let what = format!("{what} on {method} {path}");
            assert_problem(&answer, 401, "unauthenticated", &what);
            assert_eq!(header(&answer, "www-authenticate"), "Bearer", "{what}");
        }
    }
    let refused = [
        ("no tenant", "no_tenant", json!({})),
        (
            "a claim that users can write",
            "no_tenant",
            json!({ "custom:tenant_id": blue.id, "custom:tenant_roles": "admin", "tenant_roles": "admin" }),
        ),
        (
            "a number as tenant",
            "no_tenant",
            json!({ "tenant_id": null, "tenant": blue.id }),
        ),
        ("no role", "role_required", json!({ "tenant_id": blue.id })),
        (
            "roles that are none",
            "role_required",
            json!({ "tenant_id": blue.id, "tenant_roles": "operator superadmin root ADMIN" }),
        ),
        (
            "a group that sounds like a role",
            "role_required",
            json!({ "tenant_id": blue.id, "cognito:groups": ["admin"] }),
        ),
    ];
    for (what, code, claims) in refused {
        let token = mint(claims);
        for (method, path, body) in attempts().into_iter().take(4) {
            let answer = wire.call(&token, method, path, body.as_ref()).await;
            assert_problem(&answer, 403, code, &format!("{what} on {method} {path}"));
        }
    }
    // Attempts are kept in the audit trail.
    let mut asked = before.asked_besides(&sandbox, &["oidc"]);
    asked.retain(|call| !call.starts_with("s3 PUT /audit-tributary-"));
    assert_eq!(
        asked,
        Vec::<String>::new(),
        "AWS was asked for somebody without an identity"
    );
    before
        .assert_nothing_changed(&sandbox, "tokens without an identity")
        .await;

    spoofed_identities_are_not_read(&sandbox, &wire, &blue.people["ethan"].access_token).await;
    before
        .assert_nothing_changed(&sandbox, "spoofed identities")
        .await;
    wire::assert_no_failures(&sandbox);
    common::no_leaks(&sandbox).await;
}

/// Headers, query strings and bodies that claim to be somebody change nothing.
async fn spoofed_identities_are_not_read(sandbox: &Sandbox, wire: &Wire, viewer: &str) {
    let me = wire.call(viewer, "GET", "/v1/me", None).await;
    assert_eq!(me.status, 200, "{}", me.body);
    assert_eq!(me.body["roles"], json!(["viewer"]));
    let other = "ten_0193d3f0aaaa7bbb8cccdddddddddddd";
    let claims = json!({ "sub": "root", "tenant_id": other, "tenant_roles": "admin", "token_use": "access" });
    let context = json!({ "authorizer": { "jwt": { "claims": claims } } }).to_string();
    let spoofs = [
        ("x-tenant-id", other),
        ("x-tributary-tenant", other),
        ("tenant_id", other),
        ("tenant_roles", "admin"),
        ("x-user-id", "root"),
        ("x-roles", "admin operator"),
        ("x-forwarded-user", "root"),
        ("x-amzn-oidc-identity", "root"),
        ("x-amzn-oidc-data", "e30.e30.e30"),
        ("x-amzn-request-context", context.as_str()),
        ("x-amzn-lambda-context", context.as_str()),
        ("requestcontext", context.as_str()),
        ("x-amzn-requestid", "chosen-by-the-caller"),
        ("x-original-url", "/v1/tenants"),
        ("x-rewrite-url", "/v1/tenants"),
        ("x-http-method-override", "DELETE"),
    ];
    let with_spoofs = |method: &str, path: &str| {
        let request = wire.request(method, path).bearer_auth(viewer);
        spoofs.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        })
    };
    let again = answer(with_spoofs("GET", "/v1/me")).await;
    assert_eq!(again.body, me.body);
    assert_ne!(header(&again, "x-request-id"), "chosen-by-the-caller");
    let body = json!({ "awsAccountId": "444444444444", "region": "us-east-1" });
    let register = answer(with_spoofs("POST", "/v1/accounts").json(&body)).await;
    assert_problem(&register, 403, "role_required", "spoofed headers");
    let tenants = answer(with_spoofs("GET", "/v1/tenants")).await;
    assert_problem(&tenants, 403, "operator_required", "spoofed headers");

    let path = format!("/v1/accounts?tenantId={other}");
    let answer = wire.call(viewer, "GET", &path, None).await;
    assert_problem(&answer, 400, "malformed_query", "a tenant in the query");
    let flow = json!({ "tenantId": other, "idToken": "x" });
    let answer = wire.call(viewer, "POST", "/v1/identity", Some(&flow)).await;
    assert_problem(&answer, 400, "malformed_body", "a tenant in the body");
    assert_eq!(pointers(&answer), ["/tenantId"]);
    assert!(sandbox.runtime.counters("FlowsFunction").invocations > 0);
}
