//! Results in pages.

use serde_json::{Value, json};

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

/// Q9: a million rows, each exactly once and in order, in the memory that the function has.
#[tokio::test(flavor = "multi_thread")]
async fn q9_a_million_rows_come_once_each_within_the_functions_memory() {
    const ROWS: u64 = 1_000_000;
    let world = World::new().await;
    world.sandbox.redshift.set_page_rows(10_000);
    let frank = world.session("frank").await;
    let sql = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS}) SELECT i FROM n"
    );
    let query = ask(&frank, &json!({ "sql": sql }))
        .await
        .expect(200)
        .unwrap();
    assert_eq!(query["rowCount"], ROWS, "{}", query["state"]);
    let path = format!("/v1/queries/{}/results", query["id"].as_str().unwrap());
    let (mut expected, mut question, mut requests) = (1..=ROWS, String::new(), 0);
    loop {
        // In turns as JSON and as CSV, which goes on where the other stopped.
        let is_json = requests % 2 == 0;
        let format = if is_json { "json" } else { "csv" };
        let address = format!("{path}?format={format}{question}");
        let page = frank.get(&address).await.unwrap();
        assert_eq!(page.status.as_u16(), 200, "{}", page.text);
        assert!(page.text.len() < 5 * 1024 * 1024, "{}", page.text.len());
        let numbers: Vec<u64> = if is_json {
            let rows = page.body["rows"].as_array().unwrap().iter();
            rows.map(|row| number(&row[0])).collect()
        } else {
            page.text
                .lines()
                .map(|line| line.parse().unwrap())
                .collect()
        };
        assert!(!numbers.is_empty());
        for found in numbers {
            assert_eq!(Some(found), expected.next());
        }
        requests += 1;
        let link = page.headers.get("link").map(|link| link.to_str().unwrap());
        let cursor = match link.and_then(|link| link.split_once("cursor=")) {
            Some((_, rest)) => rest.split('&').next(),
            None => page.body["nextCursor"].as_str(),
        };
        let Some(cursor) = cursor else { break };
        question = format!("&cursor={cursor}");
    }
    assert_eq!(expected.next(), None, "rows are missing");
    assert!(requests >= 100, "{requests}");

    let processes = world.sandbox.runtime.process_ids("QueriesFunction");
    let peaks: Vec<u64> = processes.into_iter().filter_map(peak_of).collect();
    assert!(!peaks.is_empty(), "no process was measured");
    let function = world.sandbox.stack.function("QueriesFunction").unwrap();
    let memory = u64::from(function.memory_mb) * 1024;
    for peak in peaks {
        assert!(peak < memory, "{peak} kB of {memory} kB");
    }
    common::no_leaks(&world.sandbox).await;
}

/// A number, or the text of one.
fn number(value: &Value) -> u64 {
    let number = value.as_u64();
    number.unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}

/// Peak resident memory of a process, in kB.
fn peak_of(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
