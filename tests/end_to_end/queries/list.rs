//! The list of one's own queries.

use std::time::Duration;

use http::Method;
use sandbox::client::Api;
use sandbox_core::{Fault, FaultRule};
use serde_json::{Value, json};

use super::world::{World, ask, fresh, pages, session, totals};
use crate::common;

/// A statement that goes on until it is cancelled.
const LONG: &str = "SELECT COUNT(*) FROM public.city_sales a, public.city_sales b, public.city_sales c, public.city_sales d \
                    WHERE a.units + b.units + c.units > d.units";

async fn list(api: &Api, query: &str) -> Value {
    let answer = api.get(&format!("/v1/queries?{query}")).await.unwrap();
    answer.expect(200).unwrap()
}

fn ids(list: &Value) -> Vec<&Value> {
    let items = list["items"].as_array().unwrap();
    items.iter().map(|query| &query["id"]).collect()
}

async fn start(api: &Api) -> Value {
    let request = json!({ "sql": LONG, "waitSeconds": 0 });
    let started = api.post("/v1/queries", &request).await.unwrap();
    started.expect(202).unwrap()
}

/// What the warehouse was asked from that entry of the journal on.
fn operations(world: &World, from: usize) -> Vec<String> {
    let entries = world.calls(&["redshift-data"]).split_off(from);
    entries.into_iter().map(|entry| entry.operation).collect()
}

async fn cancel(api: &Api, id: &Value) {
    let path = format!("/v1/queries/{}/cancel", id.as_str().unwrap());
    let cancelled = api.call(Method::POST, &path, None, &[]).await.unwrap();
    assert_eq!(cancelled.status.as_u16(), 202, "{}", cancelled.body);
}

/// Q10: the client went away without the id. After another sign-in the query is in its person's
/// list, still running; it is cancelled from there, and an ended one is read from there.
#[tokio::test(flavor = "multi_thread")]
async fn q10_a_client_that_went_away_finds_its_queries_in_its_list() {
    let world = World::new().await;
    let ethan = world.session("ethan").await;
    let ended = ask(&ethan, &totals()).await.expect(200).unwrap();
    let started = start(&ethan).await;
    drop(ethan);

    let again = world.sandbox.sign_in("ethan").await.unwrap();
    let again = session(&world.sandbox, &again).await;
    let all = list(&again, "").await;
    assert_eq!(ids(&all), [&started["id"], &ended["id"]], "newest first");
    let items = all["items"].as_array().unwrap();
    assert_eq!(
        (&items[0]["kind"], &items[0]["state"]),
        (&json!("sql"), &json!("running"))
    );
    assert!(items[0]["query"].is_null(), "{all}");
    assert_eq!(
        (&items[1]["kind"], &items[1]["query"], &items[1]["state"]),
        (
            &json!("registered"),
            &json!("total-sales-by-city"),
            &json!("finished")
        )
    );
    assert_eq!(ids(&list(&again, "state=running").await), [&started["id"]]);
    assert_eq!(ids(&list(&again, "state=finished").await), [&ended["id"]]);
    pages(&again, ended["id"].as_str().unwrap()).await;

    cancel(&again, &started["id"]).await;
    common::eventually("the cancelled query in the list", || async {
        let list = list(&again, "state=cancelled").await;
        (ids(&list) == [&started["id"]]).then_some(())
    })
    .await;
    assert!(ids(&list(&again, "state=running").await).is_empty());
    common::no_leaks(&world.sandbox).await;
}

/// Q10: the workgroup's limit ends what nobody cancels, and the list says why.
#[tokio::test(flavor = "multi_thread")]
async fn q10_a_statement_beyond_the_workgroups_limit_fails_with_a_code() {
    let world = World::new().await;
    let limit = Some(Duration::from_millis(50));
    world.sandbox.redshift.set_statement_timeout(limit);
    let ethan = world.session("ethan").await;
    let ended = ask(&ethan, &json!({ "sql": LONG })).await.expect(200);
    let ended = ended.unwrap();
    assert_eq!(
        (&ended["state"], &ended["error"]["code"]),
        (&json!("failed"), &json!("timeout")),
        "{ended}"
    );
    let failed = list(&ethan, "state=failed").await;
    assert_eq!(ids(&failed), [&ended["id"]]);
    assert_eq!(failed["items"][0]["error"]["code"], "timeout");
    common::no_leaks(&world.sandbox).await;
}

/// Q2, I1: nobody sees another's queries, and nobody's cursor is good for another's list.
#[tokio::test(flavor = "multi_thread")]
async fn q2_i1_a_list_is_ones_own() {
    let world = World::new().await;
    let others = common::tenant(&world.sandbox, "Others", &[("ming", "admin")]).await;
    let ming = session(&world.sandbox, &others.people["ming"]).await;
    let frank = world.session("frank").await;
    let ethan = world.session("ethan").await;
    let mut franks = Vec::new();
    for _ in 0..3 {
        let query = ask(&frank, &totals()).await.expect(200).unwrap();
        franks.insert(0, query["id"].clone());
    }
    for api in [&ethan, &ming] {
        assert_eq!(list(api, "").await, json!({ "items": [] }));
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = list(&frank, &format!("limit=1{cursor}")).await;
        seen.extend(ids(&page).into_iter().cloned());
        let Some(next) = page["nextCursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
        for api in [&ethan, &ming] {
            let foreign = api.get(&format!("/v1/queries?limit=1{cursor}")).await;
            let foreign = foreign.unwrap();
            assert_eq!(
                (foreign.status.as_u16(), foreign.code()),
                (400, "malformed_query")
            );
            assert_eq!(foreign.body["errors"][0]["pointer"], "query:cursor");
        }
    }
    assert_eq!(seen, franks);
    for wrong in ["state=gone", "limit=0", "limit=101", "cursor=x", "of=ethan"] {
        let refused = frank.get(&format!("/v1/queries?{wrong}")).await.unwrap();
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (400, "malformed_query"),
            "{wrong}"
        );
    }
    common::no_leaks(&world.sandbox).await;
}

/// Without a session the warehouse cannot be asked: the list tells what was seen last, and when.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_session_queries_are_listed_as_last_seen() {
    let world = World::new().await;
    let ethan = world.session("ethan").await;
    let started = start(&ethan).await;
    let again = world.sandbox.sign_in("ethan").await.unwrap();
    let (bare, id_token) = fresh(&world.sandbox, &again).await;
    let before = world.calls(&["redshift-data"]).len();
    let seen = list(&bare, "").await;
    assert_eq!(ids(&seen), [&started["id"]]);
    assert_eq!(seen["items"][0]["state"], "running");
    let first = seen["items"][0]["asOf"].clone();
    assert_eq!(list(&bare, "").await["items"][0]["asOf"], first);
    assert_eq!(world.calls(&["redshift-data"]).len(), before);

    super::world::present(&bare, &id_token)
        .await
        .expect(200)
        .unwrap();
    let later = list(&bare, "").await["items"][0]["asOf"].clone();
    assert!(later.is_string() && later != first, "{later}");
    let asked = operations(&world, before);
    cancel(&bare, &started["id"]).await;
    assert_eq!(asked, ["DescribeStatement"]);
    common::no_leaks(&world.sandbox).await;
}

/// Issue 6, speed: what ended within the wait costs two calls of the warehouse, and its line none.
#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_ends_within_the_wait_costs_two_calls_of_the_warehouse() {
    let world = World::new().await;
    let frank = world.session("frank").await;
    let operations = |from: usize| operations(&world, from);
    let before = world.calls(&["redshift-data"]).len();
    let answer = frank.post("/v1/queries", &totals()).await.unwrap();
    let answer = answer.expect(200).unwrap();
    assert!(answer["rows"].is_array(), "{answer}");
    assert_eq!(
        operations(before),
        ["ExecuteStatement", "GetStatementResult"]
    );
    assert_eq!(ids(&list(&frank, "").await), [&answer["id"]]);
    assert_eq!(
        operations(before).len(),
        2,
        "what has ended is not asked for"
    );
    common::no_leaks(&world.sandbox).await;
}

/// Our records hold neither SQL nor values; and a repeat with its key is one line and one id.
#[tokio::test(flavor = "multi_thread")]
async fn no_sql_and_no_value_is_kept_and_a_repeat_is_the_same_line() {
    let world = World::new().await;
    let ethan = world.session("ethan").await;
    let request = json!({
        "sql": "SELECT city FROM public.city_sales WHERE city = :city /* canary4711 */",
        "parameters": { "city": "canary4712" },
    });
    let post = async || {
        let headers = [("idempotency-key", "once")];
        let body = Some(request.to_string());
        let answer = ethan
            .call(Method::POST, "/v1/queries", body, &headers)
            .await;
        answer.unwrap().expect(200).unwrap()
    };
    let first = post().await;
    assert_eq!(post().await["id"], first["id"]);
    assert_eq!(ids(&list(&ethan, "").await), [&first["id"]]);
    let items = world.sandbox.table_items().await;
    let lines: Vec<_> = items
        .iter()
        .filter(|item| item["sk"]["S"].as_str().unwrap().starts_with("QUERYLOG#"))
        .collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0]["expires_at"]["N"].is_string(), "{lines:?}");
    let all = json!(items.iter().collect::<Vec<_>>()).to_string();
    assert!(!all.contains("canary471"), "the table has SQL or a value");
    common::no_leaks(&world.sandbox).await;
}

/// A line that cannot be written costs nobody the query.
#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_not_written_does_not_lose_the_query() {
    let world = World::new().await;
    let frank = world.session("frank").await;
    world.sandbox.faults.add(FaultRule {
        service: "dynamodb".to_owned(),
        operation: "PutItem".to_owned(),
        fault: Fault::Status {
            status: 500,
            retry_after: None,
            body: r#"{"__type":"InternalServerError"}"#.to_owned(),
        },
        times: u32::MAX,
    });
    let answer = frank.post("/v1/queries", &totals()).await.unwrap();
    world.sandbox.faults.clear();
    let answer = answer.expect(200).unwrap();
    assert!(answer["rows"].is_array(), "{answer}");
    pages(&frank, answer["id"].as_str().unwrap()).await;
    assert!(ids(&list(&frank, "").await).is_empty());
    common::no_leaks(&world.sandbox).await;
}

/// Issue 6: after a day results are gone, in the words for an id that never was.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_day_a_query_is_an_unknown_id() {
    let world = World::new().await;
    let frank = world.session("frank").await;
    let query = ask(&frank, &totals()).await.expect(200).unwrap();
    let id = query["id"].as_str().unwrap();
    pages(&frank, id).await;
    world.sandbox.clock.advance(Duration::from_hours(25));
    let again = world.sandbox.sign_in("frank").await.unwrap();
    let again = session(&world.sandbox, &again).await;
    for path in [
        format!("/v1/queries/{id}"),
        format!("/v1/queries/{id}/results"),
    ] {
        let gone = again.get(&path).await.unwrap();
        assert_eq!(
            (gone.status.as_u16(), gone.code()),
            (404, "not_found"),
            "{path}: {}",
            gone.body
        );
    }
    common::no_leaks(&world.sandbox).await;
}
