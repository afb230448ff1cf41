//! Cursors are good for the tenant and the list that they were made for.

use std::collections::BTreeSet;

use http::Method;
use sandbox_core::{CUSTOMER_ACCOUNT, OTHER_CUSTOMER_ACCOUNT};

use super::{
    routes::{Ids, ROUTES, Who, document},
    wire::{self, Moment, Wire, assert_problem, pointers, seen},
    world::{self, World},
};
use crate::common;

/// I6: on every list of the document, a cursor of another tenant's is refused like one that nobody
/// ever gave, and so is one of the caller's own from another list.
#[tokio::test(flavor = "multi_thread")]
async fn i6_a_cursor_of_another_tenant_or_list_is_refused() {
    let world = world::build().await;
    let (sandbox, blues) = (&world.sandbox, &world.blues);
    let wire = Wire::to(sandbox);
    let frank = &world.blue.people["frank"];
    // A second of everything, so that a page of one has a page after it.
    world::registered(&frank.api, "444444444444").await;
    world::pending(&frank.api, &blues.account).await;
    world::flow(&frank.api, &blues.definition).await;
    world::run(&frank.api, &blues.flow).await;
    let admin = sandbox.aws.admin(CUSTOMER_ACCOUNT);
    let second = sandbox.aws.call_rest(
        &admin,
        "s3",
        Method::PUT,
        "/tributary-second",
        String::new().into(),
    );
    assert!(second.await.status.is_success());
    let reds = reds(&world).await;

    let lists = lists();
    assert!(lists.len() >= 6, "{lists:?}");
    let (blue, red) = (&frank.access_token, &world.red.people["alex"].access_token);
    let mut theirs = Vec::new();
    for (route, takes_limit) in &lists {
        let path = route.path_for(blues);
        let path = if *takes_limit {
            asking(&path, "limit=1")
        } else {
            path
        };
        let page = wire.call(blue, "GET", &path, None).await;
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        let cursor = page.body["nextCursor"].as_str();
        let cursor = cursor.unwrap_or_else(|| panic!("{path} has one page: {}", page.body));
        theirs.push((route.path, cursor.to_owned()));

        let next = asking(&route.path_for(blues), &format!("cursor={cursor}"));
        let page = wire.call(blue, "GET", &next, None).await;
        assert_eq!(page.status, 200, "{next}: {}", page.body);
    }
    let before = Moment::of(sandbox).await;
    for (route, _) in &lists {
        let read = async |token: &str, ids: &Ids, cursor: &str| {
            let path = asking(&route.path_for(ids), &format!("cursor={cursor}"));
            wire.call(token, "GET", &path, None).await
        };
        let garbage = read(red, &reds, "bm90IGEgY3Vyc29y").await;
        assert_problem(&garbage, 400, "malformed_query", route.path);
        assert_eq!(pointers(&garbage), ["query:cursor"], "{}", route.path);
        for (of, cursor) in &theirs {
            let what = format!("a cursor of Blue's {of} at {}", route.path);
            let answer = read(red, &reds, cursor).await;
            assert_eq!(seen(&answer), seen(&garbage), "{what}");
            if of != &route.path {
                let answer = read(blue, blues, cursor).await;
                assert_eq!(seen(&answer), seen(&garbage), "{what}, by Blue");
            }
        }
    }
    // One character changed.
    let (of, cursor) = &theirs[0];
    let other = if cursor.ends_with('A') { "B" } else { "A" };
    for forged in [
        format!("{}{other}", &cursor[..cursor.len() / 2]),
        format!("{other}{cursor}"),
    ] {
        let answer = wire
            .call(blue, "GET", &format!("{of}?cursor={forged}"), None)
            .await;
        assert_problem(&answer, 400, "malformed_query", "a forged cursor");
    }
    before
        .assert_nothing_changed(sandbox, "reading with foreign cursors")
        .await;
    wire::assert_no_failures(sandbox);
    common::no_leaks(sandbox).await;
}

/// A path with one more parameter.
fn asking(path: &str, parameter: &str) -> String {
    let mark = if path.contains('?') { '&' } else { '?' };
    format!("{path}{mark}{parameter}")
}

/// What Red has: enough to ask every list for itself.
async fn reds(world: &World) -> Ids {
    let sandbox = &world.sandbox;
    let alex = &world.red.people["alex"];
    let account = common::customer_account_in(sandbox, &alex.api, OTHER_CUSTOMER_ACCOUNT).await;
    let connection = common::salesforce(sandbox, alex, &account).await;
    let definition = world::s3_flow_in(OTHER_CUSTOMER_ACCOUNT, &account, &connection);
    Ids {
        flow: world::flow(&alex.api, &definition).await,
        query: world::query(sandbox, &world.red, "alex").await,
        account,
        connection,
        definition,
        ..Ids::unknown()
    }
}

/// The tenant's routes that take a cursor, and whether they take a limit too.
fn lists() -> Vec<(super::routes::Route, bool)> {
    let document = document();
    let parameters = |path: &str| -> BTreeSet<String> {
        let given = document["paths"][path]["get"]["parameters"].as_array();
        given
            .into_iter()
            .flatten()
            .filter_map(|parameter| parameter["name"].as_str().map(str::to_owned))
            .collect()
    };
    ROUTES
        .iter()
        .filter(|route| route.method == "GET" && route.who == Who::Viewer)
        .filter(|route| parameters(route.path).contains("cursor"))
        .map(|route| (*route, parameters(route.path).contains("limit")))
        .collect()
}
