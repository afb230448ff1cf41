//! Roles times routes, as the OpenAPI document has them.

use sandbox_saas::oidc::{Signature, TokenUse};
use serde_json::json;

use super::{
    routes::{Ids, ROUTES, Route, Who},
    wire::{self, Moment, Wire, assert_problem},
    world::{self, World},
};
use crate::common;

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Calling {
    /// Signed in, of no tenant.
    Stranger,
    Viewer,
    Editor,
    Admin,
    Operator,
}

const CALLERS: [Calling; 5] = [
    Calling::Stranger,
    Calling::Viewer,
    Calling::Editor,
    Calling::Admin,
    Calling::Operator,
];

impl Calling {
    /// The code of the refusal, if this caller is refused.
    fn refusal(self, who: Who) -> Option<&'static str> {
        match (who, self) {
            (Who::Public | Who::Anyone, _) | (Who::Operator, Self::Operator) => None,
            (Who::Operator, _) => Some("operator_required"),
            (_, Self::Stranger | Self::Operator) => Some("no_tenant"),
            (Who::Viewer, _) | (Who::Editor, Self::Editor) | (_, Self::Admin) => None,
            (Who::Editor | Who::Admin, _) => Some("role_required"),
        }
    }
}

/// A6: who may not gets 403 with the real ids and good bodies, and nothing changes; who may is let
/// through to the next question.
#[tokio::test(flavor = "multi_thread")]
async fn a6_every_role_on_every_route() {
    let world = world::build().await;
    let sandbox = &world.sandbox;
    let wire = Wire::to(sandbox);
    let operator = operator_token(&world).await;
    let stranger = sandbox
        .oidc
        .mint("alex", TokenUse::Access, json!({}), Signature::Current)
        .unwrap();
    let token = |caller: Calling| match caller {
        Calling::Stranger => stranger.as_str(),
        Calling::Viewer => world.blue.people["ethan"].access_token.as_str(),
        Calling::Editor => world.blue.people["ming"].access_token.as_str(),
        Calling::Admin => world.blue.people["frank"].access_token.as_str(),
        Calling::Operator => operator.as_str(),
    };
    let before = Moment::of(sandbox).await;
    let unknown = Ids::unknown();
    let (mut refused, mut let_in) = (0, 0);
    for route in ROUTES.iter().filter(|route| route.who != Who::Public) {
        for caller in CALLERS {
            let what = format!("{caller:?} on {} {}", route.method, route.path);
            if let Some(code) = caller.refusal(route.who) {
                let path = route.path_for(&world.blues);
                let body = route.body_for(&world.blues);
                let answer = wire
                    .call(token(caller), route.method, &path, body.as_ref())
                    .await;
                assert_problem(&answer, 403, code, &what);
                refused += 1;
            } else {
                let_through(&wire, *route, &unknown, token(caller), &what).await;
                let_in += 1;
            }
        }
    }
    // Registered queries are a viewer's, own SQL takes an editor.
    let sql = json!({ "sql": "SELECT 1" });
    let viewer = token(Calling::Viewer);
    let answer = wire.call(viewer, "POST", "/v1/queries", Some(&sql)).await;
    assert_problem(&answer, 403, "role_required", "SQL of a viewer");

    before
        .assert_nothing_changed(sandbox, "the matrix of roles and routes")
        .await;
    assert_eq!(
        before.asked_since(sandbox, &["appflow", "salesforce", "sts"]),
        Vec::<String>::new()
    );
    assert_eq!(refused + let_in, (ROUTES.len() - 9) * CALLERS.len());
    assert!(refused > 80 && let_in > 80, "{refused} and {let_in}");
    wire::assert_no_failures(sandbox);
    common::no_leaks(sandbox).await;
}

/// The caller passes, and the answer is about what they asked.
async fn let_through(wire: &Wire, route: Route, unknown: &Ids, token: &str, what: &str) {
    let path = route.path_for(unknown);
    if route.names_something() {
        let body = route.body_for(unknown);
        let answer = wire.call(token, route.method, &path, body.as_ref()).await;
        assert_problem(&answer, 404, "not_found", what);
    } else if route.method == "GET" {
        let answer = wire.call(token, route.method, &path, None).await;
        assert_eq!(answer.status, 200, "{what}: {}", answer.body);
    } else {
        // An empty object is nobody's good body: what is refused now is the body.
        let answer = wire
            .call(token, route.method, &path, Some(&json!({})))
            .await;
        let status = answer.status.as_u16();
        assert!([400, 422].contains(&status), "{what}: {}", answer.body);
        assert_problem(&answer, status, answer.code(), what);
    }
}

/// A token of the vendor's machine client, as the identity provider gives it.
async fn operator_token(world: &World) -> String {
    let answer: serde_json::Value = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .post(world.sandbox.oidc_url.join("/oauth2/token").unwrap())
        .basic_auth(sandbox::OPERATOR_CLIENT_ID, Some(sandbox::OPERATOR_SECRET))
        .form(&[("grant_type", "client_credentials")])
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}
