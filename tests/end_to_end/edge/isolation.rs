//! Two tenants side by side: what belongs to one does not exist for the other.

use sandbox_core::OTHER_CUSTOMER_ACCOUNT;
use serde_json::{Value, json};

use super::{
    routes::{Ids, ROUTES, Who},
    wire::{self, Moment, Wire, answer, assert_problem, header, seen},
    world,
};
use crate::common;

/// I1: every route that names something, called by Red with Blue's ids, answers exactly as for an id
/// that never was, and nothing of Blue's changes or is even looked at outside of the table.
#[tokio::test(flavor = "multi_thread")]
async fn i1_another_tenants_ids_are_unknown_on_every_route() {
    let world = world::build().await;
    let (sandbox, blues) = (&world.sandbox, &world.blues);
    let wire = Wire::to(sandbox);
    let alex = &world.red.people["alex"];
    let token = alex.access_token.as_str();
    let own_account = common::customer_account_in(sandbox, &alex.api, OTHER_CUSTOMER_ACCOUNT).await;
    let own_connection = common::salesforce(sandbox, alex, &own_account).await;
    let own_definition = world::s3_flow_in(OTHER_CUSTOMER_ACCOUNT, &own_account, &own_connection);
    let own_flow = world::flow(&alex.api, &own_definition).await;

    let before = Moment::of(sandbox).await;
    let unknown = Ids::unknown();
    let mut walked = 0;
    for route in ROUTES
        .iter()
        .filter(|r| r.who != Who::Public && r.names_something())
    {
        let what = format!("{} {}", route.method, route.path);
        // The bodies name nothing of Blue's here: the path is what is asked about.
        let body = route.body_for(&unknown);
        let path = route.path_for(&Ids {
            connector: unknown.connector.clone(),
            ..blues.clone()
        });
        let theirs = wire.call(token, route.method, &path, body.as_ref()).await;
        let path = route.path_for(&Ids {
            entity: blues.entity.clone(),
            ..unknown.clone()
        });
        let nobodys = wire.call(token, route.method, &path, body.as_ref()).await;
        let (status, code) = match route.who {
            Who::Operator => (403, "operator_required"),
            _ => (404, "not_found"),
        };
        assert_problem(&theirs, status, code, &what);
        assert_eq!(seen(&theirs), seen(&nobodys), "{what}");
        walked += 1;
    }
    assert!(walked >= 25, "{walked} routes name something");

    // A run of Blue's under a flow of Red's own.
    let own = |run: &str| format!("/v1/flows/{own_flow}/runs/{run}");
    let theirs = wire.call(token, "GET", &own(&blues.run), None).await;
    let nobodys = wire.call(token, "GET", &own(&unknown.run), None).await;
    assert_problem(&theirs, 404, "not_found", "a run of another flow");
    assert_eq!(seen(&theirs), seen(&nobodys));

    // Ids in bodies: faults are the same as for ids that never were.
    let flow = |account: &str, connection: &str| {
        world::s3_flow_in(OTHER_CUSTOMER_ACCOUNT, account, connection)
    };
    let connection =
        |account: &str| json!({ "name": "Mine", "connector": "salesforce", "accountId": account });
    let bodies: [(&str, Value, Value); 5] = [
        (
            "/v1/connections",
            connection(&blues.account),
            connection(&unknown.account),
        ),
        (
            "/v1/flows",
            flow(&blues.account, &own_connection),
            flow(&unknown.account, &own_connection),
        ),
        (
            "/v1/flows",
            flow(&own_account, &blues.connection),
            flow(&own_account, &unknown.connection),
        ),
        (
            "/v1/flows",
            flow(&blues.account, &blues.connection),
            flow(&unknown.account, &unknown.connection),
        ),
        (
            "/v1/flows/compile",
            flow(&own_account, &blues.connection),
            flow(&own_account, &unknown.connection),
        ),
    ];
    for (path, naming_theirs, naming_nobodys) in bodies {
        let theirs = wire.call(token, "POST", path, Some(&naming_theirs)).await;
        let nobodys = wire.call(token, "POST", path, Some(&naming_nobodys)).await;
        assert_problem(&theirs, 422, theirs.code(), path);
        assert!(!wire::pointers(&theirs).is_empty(), "{}", theirs.body);
        assert_eq!(seen(&theirs), seen(&nobodys), "{path}");
    }
    before
        .assert_nothing_changed(sandbox, "Red, asking about Blue's")
        .await;
    let reached = before.asked_since(sandbox, &["appflow", "salesforce", "sqs", "redshift-data"]);
    assert_eq!(
        reached,
        Vec::<String>::new(),
        "Red's questions went further"
    );
    // With its own id the same question does go further.
    let own = format!("/v1/connections/{own_connection}/entities");
    assert_eq!(wire.call(token, "GET", &own, None).await.status, 200);
    assert!(!before.asked_since(sandbox, &["appflow"]).is_empty());

    // Lists show one's own only.
    for path in ["/v1/accounts", "/v1/connections", "/v1/flows"] {
        let list = wire.call(token, "GET", path, None).await;
        let items = list.body["items"].as_array().unwrap();
        assert_eq!(items.len(), 1, "{path}: {}", list.body);
        let text = list.body.to_string();
        for id in [
            &blues.account,
            &blues.connection,
            &blues.flow,
            &blues.tenant,
        ] {
            assert!(!text.contains(id.as_str()), "{path}: {text}");
        }
    }

    an_idempotency_key_belongs_to_its_tenant(&world).await;
    wire::assert_no_failures(sandbox);
    common::no_leaks(sandbox).await;
}

/// The same key and body of two tenants are two requests.
async fn an_idempotency_key_belongs_to_its_tenant(world: &world::World) {
    let wire = Wire::to(&world.sandbox);
    let body = json!({ "awsAccountId": "444444444444", "region": "us-east-1" });
    let register = async |token: &str| {
        let request = wire.request("POST", "/v1/accounts").bearer_auth(token);
        answer(
            request
                .header("idempotency-key", "shared-by-chance")
                .json(&body),
        )
        .await
    };
    let blue = register(&world.blue.people["frank"].access_token).await;
    let red = register(&world.red.people["alex"].access_token).await;
    assert_eq!((blue.status.as_u16(), red.status.as_u16()), (201, 201));
    assert_eq!(header(&red, "idempotency-replayed"), "");
    assert_ne!(blue.body["id"], red.body["id"]);
    assert_ne!(blue.body["externalId"], red.body["externalId"]);
    let again = register(&world.blue.people["frank"].access_token).await;
    assert_eq!(header(&again, "idempotency-replayed"), "true");
    assert_eq!(again.body, blue.body);
}
