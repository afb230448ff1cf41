//! Who sees which rows.

use std::collections::BTreeSet;

use serde_json::json;

use super::world::{World, ask, cents_by_city, directory_id, rows, session, totals};
use crate::common;

/// Q1: four people ask the same; each sees their own rows, and all of them.
#[tokio::test(flavor = "multi_thread")]
async fn q1_each_person_sees_their_own_rows_and_all_of_them() {
    let world = World::new().await;
    let zones = [("frank", "America/"), ("alex", "Europe/"), ("ethan", "")];
    let mut seen = Vec::new();
    for (name, zone) in zones {
        let api = world.session(name).await;
        let sums = cents_by_city(&rows(&api, &totals()).await);
        assert_eq!(sums, world.oracle(zone), "{name}");
        seen.push(sums.len());
    }
    assert!(
        seen.iter().collect::<BTreeSet<_>>().len() == 3,
        "the people see different things: {seen:?}"
    );
    common::no_leaks(&world.sandbox).await;
}

/// Q1: a person in no group of the warehouse is let in by nothing.
#[tokio::test(flavor = "multi_thread")]
async fn q1_a_person_in_no_group_sees_nothing() {
    let world = World::new().await;
    world.directory(|entry| {
        if entry.user.user_name == "ethan" {
            entry.user.groups.clear();
        }
        true
    });
    let ethan = world.session("ethan").await;
    for request in [
        totals(),
        json!({ "sql": "SELECT COUNT(*) FROM public.city_sales" }),
    ] {
        let refused = ask(&ethan, &request).await.expect(200).unwrap();
        assert_eq!(
            (&refused["state"], &refused["error"]["code"]),
            (&json!("failed"), &json!("forbidden_data")),
            "{refused}"
        );
        assert!(refused.get("rows").is_none(), "{refused}");
        // Nothing of the warehouse's own words, which name tables.
        assert!(!refused.to_string().contains("city_sales"), "{refused}");
    }
    let frank = world.session("frank").await;
    assert_eq!(
        cents_by_city(&rows(&frank, &totals()).await),
        world.oracle("America/")
    );
    common::no_leaks(&world.sandbox).await;
}

/// Q1, Q11: people of two tenants in one warehouse, also one after the other in one process.
#[tokio::test(flavor = "multi_thread")]
async fn q11_sessions_of_two_tenants_are_never_mixed_up() {
    let world = World::new().await;
    let others = common::tenant(&world.sandbox, "Others", &[("ming", "viewer")]).await;
    let frank = world.session("frank").await;
    let ming = session(&world.sandbox, &others.people["ming"]).await;
    let ethan = world.session("ethan").await;
    for _ in 0..3 {
        for (api, zone) in [(&frank, "America/"), (&ming, "Asia/"), (&ethan, "")] {
            assert_eq!(
                cents_by_city(&rows(api, &totals()).await),
                world.oracle(zone)
            );
        }
    }
    common::no_leaks(&world.sandbox).await;
}

/// Q3: every call of the warehouse is the person's own.
#[tokio::test(flavor = "multi_thread")]
async fn q3_the_warehouse_is_asked_on_the_persons_behalf() {
    let world = World::new().await;
    world.directory(|_| true);
    for name in ["frank", "alex"] {
        let before = world.calls(&["redshift-data"]).len();
        let api = world.session(name).await;
        rows(&api, &totals()).await;
        let calls = world.calls(&["redshift-data"]).split_off(before);
        let operations: BTreeSet<&str> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert!(
            operations.contains("ExecuteStatement") && operations.contains("GetStatementResult"),
            "{operations:?}"
        );
        for call in &calls {
            assert_eq!(call.on_behalf_of, Some(directory_id(name)), "{call:?}");
        }
    }
    common::no_leaks(&world.sandbox).await;
}
