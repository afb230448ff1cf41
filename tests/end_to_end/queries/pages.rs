//! Results in pages.

use super::world::{World, ask, cents_by_city, pages, totals};
use crate::common;

/// Q9: each row exactly once, whatever the size of a page.
#[tokio::test(flavor = "multi_thread")]
async fn q9_pages_give_each_row_exactly_once() {
    let world = World::new().await;
    let frank = world.session("frank").await;
    let oracle = world.oracle("America/");
    for size in [7, 50] {
        world.sandbox.redshift.set_page_rows(size);
        let query = ask(&frank, &totals()).await.expect(200).unwrap();
        assert_eq!(query["rowCount"], oracle.len());
        let pages = pages(&frank, query["id"].as_str().unwrap()).await;
        assert_eq!(pages.len(), oracle.len().div_ceil(size), "pages of {size}");
        assert!(pages.iter().all(|page| page.len() <= size));
        // Also checks that no city comes twice.
        assert_eq!(cents_by_city(&pages.concat()), oracle, "pages of {size}");
    }
    common::no_leaks(&world.sandbox).await;
}

/// Q9, I6: a cursor is good for its own results only, and says nothing about others.
#[tokio::test(flavor = "multi_thread")]
async fn q9_a_cursor_of_other_results_is_refused() {
    let world = World::new().await;
    world.sandbox.redshift.set_page_rows(5);
    let frank = world.session("frank").await;
    let ethan = world.session("ethan").await;
    let own = ask(&frank, &totals()).await.expect(200).unwrap();
    let other = ask(&frank, &totals()).await.expect(200).unwrap();
    let colleagues = ask(&ethan, &totals()).await.expect(200).unwrap();
    let id = own["id"].as_str().unwrap();
    for cursor in [&other["nextCursor"], &colleagues["nextCursor"], &own["id"]] {
        let path = format!(
            "/v1/queries/{id}/results?cursor={}",
            cursor.as_str().unwrap()
        );
        let refused = frank.get(&path).await.unwrap();
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (400, "malformed_query"),
            "{refused:?}"
        );
        assert_eq!(refused.body["errors"][0]["pointer"], "query:cursor");
    }
    let path = format!(
        "/v1/queries/{id}/results?cursor={}",
        own["nextCursor"].as_str().unwrap()
    );
    let second = frank.get(&path).await.unwrap().expect(200).unwrap();
    assert_eq!(second["rows"].as_array().unwrap().len(), 5);
    let unknown = frank
        .get(&format!("/v1/queries/{id}/results?page=2"))
        .await
        .unwrap();
    assert_eq!(
        (unknown.status.as_u16(), unknown.code()),
        (400, "malformed_query")
    );
    common::no_leaks(&world.sandbox).await;
}
