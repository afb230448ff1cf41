//! Cursors are good for the tenant and the list that they were made for.

use http::Method;
use jiff::SignedDuration;
use sandbox::client::Api;
use sandbox_core::VENDOR_ACCOUNT;
use serde_json::json;

use super::{
    contract::{self, Ids, Operation},
    roles,
    routes::Who,
    wire::{self, Moment, Wire, assert_problem, pointers},
    world::{self, World},
};
use crate::{common, flows::world::Hosting};

/// I6 between two AWS accounts of customers'.
#[tokio::test(flavor = "multi_thread")]
async fn i6_a_cursor_of_another_tenant_or_list_is_refused_in_the_customers_accounts() {
    i6(Hosting::Customer).await;
}

/// I6 within the vendor's account.
#[tokio::test(flavor = "multi_thread")]
async fn i6_a_cursor_of_another_tenant_or_list_is_refused_in_the_vendors_account() {
    i6(Hosting::Vendor).await;
}

/// I6: on every list of the document, a cursor of another tenant's is refused byte for byte like one
/// that nobody ever gave, and so is one of the caller's own from another list.
async fn i6(hosting: Hosting) {
    let world = world::build(hosting).await;
    let (sandbox, blues, reds) = (&world.sandbox, &world.blues, &world.reds);
    let wire = Wire::to(sandbox);
    let frank = &world.blue.people["frank"];
    // A second of everything, so that a page of one has a page after it.
    world::registered(&frank.api, "444444444444").await;
    world::run(&frank.api, &blues["FlowId"]).await;
    world::query(sandbox, &world.blue, "frank").await;
    incidents(&world, 2).await;
    // Of the runs; all have come before anything is compared.
    let deliveries = format!("/v1/subscriptions/{}/deliveries", &blues["SubscriptionId"]);
    enough(&frank.api, &deliveries, 2).await;
    let another = json!({
        "name": "Audit",
        "target": { "kind": "https", "url": sandbox.webhooks.url("audit") },
    });
    let made = frank.api.post("/v1/subscriptions", &another).await.unwrap();
    made.expect(201).unwrap();
    sandbox.runtime.settled().await;
    let more = r#"
        CREATE SCHEMA second;
        CREATE TABLE public.second (id INTEGER);
        GRANT USAGE ON SCHEMA second TO ROLE "AWSIDC:amer-sales";
        GRANT SELECT ON TABLE public.second TO ROLE "AWSIDC:amer-sales";
    "#;
    let redshift = &sandbox.redshift;
    redshift
        .execute_as_admin(VENDOR_ACCOUNT, sandbox::warehouse::DATABASE, more)
        .unwrap();
    let again = format!("/v1/accounts/{}/verify", &blues["AccountId"]);
    let verified = frank.api.post(&again, &json!({})).await.unwrap();
    assert_eq!(verified.status, 200, "{}", verified.body);
    let admin = sandbox.aws.admin(world.aws_account);
    let second = sandbox.aws.call_rest(
        &admin,
        "s3",
        Method::PUT,
        "/tributary-second",
        String::new().into(),
    );
    assert!(second.await.status.is_success());

    let operator = roles::operator_token(&world).await;
    let (blue, red) = (&frank.access_token, &world.red.people["alex"].access_token);
    // Tenants are the operator's to list: who may not, is not told whether the cursor was one.
    let lists: Vec<Operation> = contract::operations()
        .into_iter()
        .filter(|operation| operation.query.contains("cursor") && world.shows(&operation.id))
        .collect();
    assert!(lists.len() >= 7, "{lists:?}");
    let mut theirs = Vec::new();
    for list in &lists {
        let token = if list.who == Who::Operator {
            &operator
        } else {
            blue
        };
        let path = list.request(blues).path;
        let first = if list.query.contains("limit") {
            asking(&path, "limit=1")
        } else {
            path.clone()
        };
        let page = wire.call(token, "GET", &first, None).await;
        assert_eq!(page.status, 200, "{}: {}", list.id, page.body);
        let cursor = page.body["nextCursor"].as_str();
        let cursor = cursor.unwrap_or_else(|| panic!("{} has one page: {}", list.id, page.body));
        theirs.push((&list.id, cursor.to_owned()));

        let next = asking(&path, &format!("cursor={cursor}"));
        let page = wire.call(token, "GET", &next, None).await;
        assert_eq!(page.status, 200, "{}: {}", list.id, page.body);
    }
    let before = Moment::of(sandbox).await;
    for list in &lists {
        let read = async |token: &str, ids: &Ids, cursor: &str| {
            let mut request = list.request(ids);
            request.path = asking(&request.path, &format!("cursor={cursor}"));
            wire.exactly(token, &request).await
        };
        let garbage = read(red, reds, "bm90IGEgY3Vyc29y").await;
        let refusal = if list.who == Who::Operator {
            (403, "operator_required")
        } else {
            (400, "malformed_query")
        };
        assert_eq!(
            (garbage.status, garbage.code().as_str()),
            refusal,
            "{}",
            list.id
        );
        for (of, cursor) in &theirs {
            let what = format!("a cursor of Blue's {of} at {}", list.id);
            assert_eq!(read(red, reds, cursor).await, garbage, "{what}");
            if of == &&list.id {
                continue;
            }
            let (token, what) = if list.who == Who::Operator {
                (&operator, format!("{what}, by the operator"))
            } else {
                (blue, format!("{what}, by Blue"))
            };
            let refused = read(token, blues, cursor).await;
            assert_eq!(
                refused,
                read(token, blues, "bm90IGEgY3Vyc29y").await,
                "{what}"
            );
            assert_eq!(refused.status, 400, "{what}");
        }
    }
    // One character changed.
    let (_, cursor) = theirs.iter().find(|(of, _)| *of == "list_flows").unwrap();
    let other = if cursor.ends_with('A') { "B" } else { "A" };
    for forged in [
        format!("{}{other}", &cursor[..cursor.len() / 2]),
        format!("{other}{cursor}"),
    ] {
        let path = format!("/v1/flows?cursor={forged}");
        let answer = wire.call(blue, "GET", &path, None).await;
        assert_problem(&answer, 400, "malformed_query", "a forged cursor");
        assert_eq!(pointers(&answer), ["query:cursor"]);
    }
    before
        .assert_nothing_changed(sandbox, "reading with foreign cursors")
        .await;
    wire::assert_no_failures(sandbox);
    common::no_leaks(sandbox).await;
}

/// Lets AppFlow report about Blue's flow until the flow has so many incidents.
async fn incidents(world: &World, number: usize) {
    let api = &world.blue.people["frank"].api;
    let flow = format!("/v1/flows/{}", &world.blues["FlowId"]);
    let shown = api.get(&flow).await.unwrap().expect(200).unwrap();
    for minutes in (0..).take(number) {
        let time = world.sandbox.clock.now() - SignedDuration::from_mins(minutes);
        let report = json!({
            "source": "aws.appflow", "time": time.to_string(),
            "detail-type": "AppFlow Event Flow Report",
            "resources": ["bd3275d267f032646f926d73a98d12c2"],
            "detail": { "flow-name": shown["appflowName"], "status-report": "1 event received" },
        });
        world.sandbox.events.put_event(world.aws_account, report);
    }
    enough(api, &format!("{flow}/incidents"), number).await;
}

/// Waits until so many things are in a list.
async fn enough(api: &Api, list: &str, number: usize) {
    common::eventually(list, || async {
        let listed = api.get(list).await.ok()?.expect(200).ok()?;
        (listed["items"].as_array()?.len() >= number).then_some(())
    })
    .await;
}

/// A path with one more parameter.
fn asking(path: &str, parameter: &str) -> String {
    let mark = if path.contains('?') { '&' } else { '?' };
    format!("{path}{mark}{parameter}")
}
