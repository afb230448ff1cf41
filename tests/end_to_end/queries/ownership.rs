//! A query belongs to one person, and to nobody else of the tenant.

use http::Method;
use sandbox::client::{Answer, Api};

use super::world::{World, ask, pages, session, totals};
use crate::common;

/// Every way to ask for a query.
async fn all_ways(api: &Api, id: &str) -> Vec<Answer> {
    let path = format!("/v1/queries/{id}");
    let mut answers = Vec::new();
    for (method, path) in [
        (Method::GET, path.clone()),
        (Method::GET, format!("{path}/results")),
        (Method::POST, format!("{path}/cancel")),
    ] {
        answers.push(api.call(method, &path, None, &[]).await.unwrap());
    }
    answers
}

/// Q2: a colleague, a person of another tenant, and its owner under a forged id: not found, in the
/// same words as for an id that never was, and before the warehouse is asked.
#[tokio::test(flavor = "multi_thread")]
async fn q2_a_foreign_query_is_not_found_before_the_warehouse_is_asked() {
    let world = World::new().await;
    let others = common::tenant(&world.sandbox, "Others", &[("ming", "editor")]).await;
    let frank = world.session("frank").await;
    let ethan = world.session("ethan").await;
    let ming = session(&world.sandbox, &others.people["ming"]).await;
    let query = ask(&frank, &totals()).await.expect(200).unwrap();
    let id = query["id"].as_str().unwrap();
    for name in ["frank", "ethan", "alex", "ming"] {
        assert!(!id.contains(name));
    }

    let before = world.calls(&["redshift-data"]).len();
    let mut forged = id.to_owned();
    let last = if forged.pop() == Some('A') { 'B' } else { 'A' };
    forged.push(last);
    let mut details = Vec::new();
    for (api, id) in [
        (&ethan, id),
        (&ming, id),
        (&frank, forged.as_str()),
        (&ethan, "qry_nothing"),
        (&ethan, "nothing"),
    ] {
        for answer in all_ways(api, id).await {
            assert_eq!(
                (answer.status.as_u16(), answer.code()),
                (404, "not_found"),
                "{answer:?}"
            );
            details.push(answer.body["detail"].clone());
        }
    }
    assert!(
        details.windows(2).all(|pair| pair[0] == pair[1]),
        "{details:?}"
    );
    assert_eq!(
        world.calls(&["redshift-data"]).len(),
        before,
        "the warehouse was asked"
    );

    for answer in all_ways(&frank, id).await {
        assert!(answer.status.is_success(), "{answer:?}");
    }
    common::no_leaks(&world.sandbox).await;
}

/// Q2: the same person in a later sign-in still has their queries.
#[tokio::test(flavor = "multi_thread")]
async fn q2_a_query_is_its_persons_also_after_another_sign_in() {
    let world = World::new().await;
    let frank = world.session("frank").await;
    let query = ask(&frank, &totals()).await.expect(200).unwrap();
    let id = query["id"].as_str().unwrap();
    let first = pages(&frank, id).await;
    let again = world.sandbox.sign_in("frank").await.unwrap();
    let again = session(&world.sandbox, &again).await;
    assert_eq!(pages(&again, id).await, first);
    common::no_leaks(&world.sandbox).await;
}
