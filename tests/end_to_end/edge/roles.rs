//! Roles times operations, as the OpenAPI document has them.

use sandbox_saas::oidc::{Signature, TokenUse};
use serde_json::json;

use super::{
    contract::{self, Ids, Operation},
    routes::Who,
    wire::{self, Moment, Wire, answer, assert_gateways, assert_problem},
    world::{self, World},
};
use crate::{common, flows::world::Hosting};

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Calling {
    /// Without a token.
    Nobody,
    /// Signed in, of no tenant.
    Stranger,
    /// A machine client that is nobody's.
    Machine,
    /// A member without a role.
    Roleless,
    Viewer,
    Editor,
    Admin,
    Operator,
}

use Calling::{Admin, Editor, Machine, Nobody, Operator, Roleless, Stranger, Viewer};

const CALLERS: [Calling; 8] = [
    Nobody, Stranger, Machine, Roleless, Viewer, Editor, Admin, Operator,
];

impl Calling {
    /// Status and code of the refusal, if this caller is refused. The gateway's own has no code.
    fn refusal(self, who: Who) -> Option<(u16, &'static str)> {
        let code = match (who, self) {
            (Who::Public, _) => return None,
            (_, Nobody) => return Some((401, "")),
            (Who::Anyone, _) | (Who::Operator, Operator) => return None,
            (Who::Operator, _) => "operator_required",
            (_, Stranger | Machine | Operator) => "no_tenant",
            (_, Admin) | (Who::Viewer, Viewer | Editor) | (Who::Editor, Editor) => return None,
            (Who::Viewer | Who::Editor | Who::Admin, _) => "role_required",
        };
        Some((403, code))
    }
}

/// A6: a viewer changes nothing: whatever is not a question takes more than a viewer.
#[test]
fn a6_every_operation_that_changes_something_takes_more_than_a_viewer() {
    let operations = contract::operations();
    let changing = operations.iter().filter(|operation| !operation.is_read());
    let changing: Vec<&Operation> = changing.filter(|o| o.who != Who::Public).collect();
    assert!(changing.len() >= 25, "{}", changing.len());
    for operation in changing {
        let refusal = Viewer.refusal(operation.who);
        let status = refusal.map(|(status, _)| status);
        assert_eq!(status, Some(403), "{} changes something", operation.id);
    }
}

/// A6: on every operation of the document, who may not gets 403 (401 without a token) with real ids and
/// good bodies, and nothing changes; who may is let through to the next question.
#[tokio::test(flavor = "multi_thread")]
async fn a6_every_role_on_every_route() {
    let world = world::build(Hosting::Customer).await;
    let sandbox = &world.sandbox;
    let wire = Wire::to(sandbox);
    let tokens = tokens(&world).await;
    let before = Moment::of(sandbox).await;
    let unknown = Ids::unknown();
    let (mut refused, mut let_in) = (0, 0);
    let operations = contract::operations();
    let guarded: Vec<&Operation> = operations.iter().filter(|o| o.who != Who::Public).collect();
    for operation in &guarded {
        for (caller, token) in &tokens {
            let what = format!("{caller:?} on {}", operation.id);
            let Some((status, code)) = caller.refusal(operation.who) else {
                let_through(&wire, operation, &unknown, token, &what).await;
                let_in += 1;
                continue;
            };
            for request in operation.requests(&world.blues) {
                let (method, path, body) = (&request.method, &request.path, request.body.as_ref());
                if *caller == Nobody {
                    let mut anonymous = wire.request(method, path);
                    if let Some(body) = body {
                        anonymous = anonymous.json(body);
                    }
                    assert_gateways(&answer(anonymous).await, status, "Unauthorized", &what);
                } else {
                    let answer = wire.call(token, method, path, body).await;
                    assert_problem(&answer, status, code, &what);
                }
            }
            refused += 1;
        }
    }
    // Registered queries are a viewer's, own SQL takes an editor.
    let sql = json!({ "sql": "SELECT 1" });
    let viewer = &world.blue.people["ethan"].access_token;
    let answer = wire.call(viewer, "POST", "/v1/queries", Some(&sql)).await;
    assert_problem(&answer, 403, "role_required", "SQL of a viewer");

    // Signing out of the warehouse is everybody's own: it forgets the session, and marks the ID token as
    // spent for whoever still waits for it.
    let sessions = format!("item \"TENANT#{}\" \"USERSESSION#", world.blue.id);
    before
        .assert_nothing_changed_but(
            sandbox,
            "the matrix of roles and routes",
            &[&sessions, "item \"JTI#"],
        )
        .await;
    assert_eq!(
        before.asked_since(sandbox, &["appflow", "salesforce", "sts"]),
        Vec::<String>::new()
    );
    assert_eq!(refused + let_in, guarded.len() * CALLERS.len());
    assert!(refused > 250 && let_in > 100, "{refused} and {let_in}");
    wire::assert_no_failures(sandbox);
    common::no_leaks(sandbox).await;
}

/// A token of every caller; empty for nobody.
async fn tokens(world: &World) -> Vec<(Calling, String)> {
    let sandbox = &world.sandbox;
    let mint = |claims| {
        let token = sandbox
            .oidc
            .mint("alex", TokenUse::Access, claims, Signature::Current);
        token.unwrap()
    };
    let client = sandbox::APP_CLIENT_ID;
    let machine = json!({ "sub": client, "client_id": client, "username": null });
    let person = |name: &str| world.blue.people[name].access_token.clone();
    let mut tokens = Vec::new();
    for caller in CALLERS {
        let token = match caller {
            Nobody => String::new(),
            Stranger => mint(json!({})),
            Machine => mint(machine.clone()),
            Roleless => mint(json!({ "tenant_id": world.blue.id })),
            Viewer => person("ethan"),
            Editor => person("ming"),
            Admin => person("frank"),
            Operator => operator_token(world).await,
        };
        tokens.push((caller, token));
    }
    tokens
}

/// The caller passes, and the answer is about what they asked.
async fn let_through(wire: &Wire, operation: &Operation, unknown: &Ids, token: &str, what: &str) {
    let request = operation.request(unknown);
    let (method, path) = (&request.method, &request.path);
    if operation.names_something() {
        let answer = wire.call(token, method, path, request.body.as_ref()).await;
        assert_problem(&answer, 404, "not_found", what);
    } else if operation.method == "DELETE" {
        let answer = wire.call(token, method, path, None).await;
        assert_eq!(answer.status, 204, "{what}: {}", answer.body);
    } else if operation.method == "GET" {
        let answer = wire.call(token, method, path, None).await;
        // Who may look into the warehouse is asked for an ID token first.
        let is_let_in = answer.status == 200
            || path.starts_with("/v1/warehouse") && answer.code() == "identity_required";
        assert!(is_let_in, "{what}: {}", answer.body);
    } else {
        // An empty object is nobody's good body: what is refused now is the body.
        let answer = wire.call(token, method, path, Some(&json!({}))).await;
        let status = answer.status.as_u16();
        assert!([400, 422].contains(&status), "{what}: {}", answer.body);
        assert_problem(&answer, status, answer.code(), what);
    }
}

/// A token of the vendor's machine client, as the identity provider gives it.
pub(super) async fn operator_token(world: &World) -> String {
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
