//! What a person may not do, however it is said.

use std::collections::BTreeSet;

use sandbox::warehouse;
use sandbox_core::VENDOR_ACCOUNT;
use serde_json::{Value, json};

use super::world::{World, ask, rows};
use crate::common;

/// The table and who may do what, as the administrator sees it.
fn state(world: &World) -> Vec<Vec<Option<String>>> {
    let count = "SELECT COUNT(*), SUM(units), COUNT(amount) FROM public.city_sales";
    world
        .sandbox
        .redshift
        .query_as_admin(VENDOR_ACCOUNT, warehouse::DATABASE, count)
        .unwrap()
}

/// Q4: a second statement and the tricks that hide one are refused before the warehouse is asked.
#[tokio::test(flavor = "multi_thread")]
async fn q4_second_statements_are_refused_before_the_warehouse_is_asked() {
    let world = World::new().await;
    let frank = world.session("frank").await;
    let before = world.calls(&["redshift-data"]).len();
    for (sql, code) in [
        (
            "SELECT 1; SELECT * FROM public.city_sales",
            "second_statement",
        ),
        (
            "SELECT 1;SET ROLE \"AWSIDC:exec-global\";",
            "second_statement",
        ),
        (
            "SELECT 1 -- all good\n; DROP TABLE public.city_sales",
            "second_statement",
        ),
        (
            "SELECT 1 /* ; */ ; GRANT SELECT ON public.city_sales TO PUBLIC",
            "second_statement",
        ),
        ("SELECT /* /* */ 1; SELECT 2 */", "ambiguous"),
        ("SELECT '\\'; SELECT 2 --'", "ambiguous"),
        ("SELECT $t$ x", "unterminated"),
        ("  -- nothing", "empty_statement"),
        ("SELECT\u{0} 1", "control_character"),
    ] {
        let refused = ask(&frank, &json!({ "sql": sql })).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (422, "invalid_query"),
            "{sql}"
        );
        let fault = &refused.body["errors"][0];
        assert_eq!(
            (&fault["pointer"], &fault["code"]),
            (&json!("/sql"), &json!(code)),
            "{sql}"
        );
    }
    assert_eq!(
        world.calls(&["redshift-data"]).len(),
        before,
        "the warehouse was asked"
    );
    common::no_leaks(&world.sandbox).await;
}

/// Q4: whoever a person says to be, they see their own rows.
#[tokio::test(flavor = "multi_thread")]
async fn q4_no_statement_shows_a_row_that_the_policy_hides() {
    let world = World::new().await;
    let frank = world.session("frank").await;
    let own: BTreeSet<String> = world
        .sandbox
        .salesforce
        .sales()
        .iter()
        .filter(|sale| sale.timezone.starts_with("America/"))
        .map(|sale| sale.id.clone())
        .collect();
    for sql in [
        "SELECT id FROM public.city_sales",
        "SELECT id FROM public.city_sales WHERE timezone LIKE 'Asia/%' OR 1 = 1 -- AND timezone LIKE 'America/%'",
        "SELECT a.id FROM public.city_sales a LEFT JOIN public.city_sales b ON a.id = b.id",
        "WITH everything AS (SELECT * FROM public.city_sales) SELECT id FROM everything",
        "SELECT id FROM (SELECT id, timezone FROM public.city_sales UNION ALL SELECT id, timezone FROM public.city_sales) x GROUP BY id",
    ] {
        let request = json!({ "sql": sql });
        let ids: BTreeSet<String> = rows(&frank, &request)
            .await
            .iter()
            .map(|row| row[0].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(ids, own, "{sql}");
    }
    for sql in [
        "SELECT set_config('role', 'superuser', false)",
        "SELECT SET_CONFIG('app.user', 'ethan', false), id FROM public.city_sales",
        "SET SESSION AUTHORIZATION 'root'",
        "SET SESSION AUTHORIZATION DEFAULT",
        "SET ROLE \"AWSIDC:exec-global\"",
        "RESET SESSION AUTHORIZATION",
        "ALTER TABLE public.city_sales ROW LEVEL SECURITY OFF",
        "DETACH RLS POLICY sales_amer ON TABLE public.city_sales FROM ROLE \"AWSIDC:amer-sales\"",
        "CREATE VIEW public.mine AS SELECT * FROM public.city_sales",
        "CREATE FUNCTION f() RETURNS INT STABLE AS $$ SELECT 1 $$ LANGUAGE sql",
    ] {
        let answer = ask(&frank, &json!({ "sql": sql })).await;
        assert_refused(sql, &answer.body);
    }
    // And the session is still the same person's.
    let ids = rows(
        &frank,
        &json!({ "sql": "SELECT id FROM public.city_sales" }),
    )
    .await;
    assert_eq!(ids.len(), own.len());
    common::no_leaks(&world.sandbox).await;
}

/// Q5: writing and giving are refused by privilege; nothing changes.
#[tokio::test(flavor = "multi_thread")]
async fn q5_writing_loading_unloading_creating_and_granting_are_refused() {
    let world = World::new().await;
    let before = state(&world);
    for name in ["frank", "ethan"] {
        let api = world.session(name).await;
        for sql in [
            "INSERT INTO public.city_sales (id, timezone) VALUES ('x', 'America/Lima')",
            "INSERT INTO public.city_sales SELECT * FROM public.city_sales",
            "UPDATE public.city_sales SET units = 0",
            "DELETE FROM public.city_sales",
            "TRUNCATE public.city_sales",
            "COPY public.city_sales FROM 's3://somewhere/x' IAM_ROLE default",
            "UNLOAD ('SELECT * FROM public.city_sales') TO 's3://somewhere/x' IAM_ROLE default",
            "CREATE TABLE public.copied AS SELECT * FROM public.city_sales",
            "SELECT * INTO public.copied FROM public.city_sales",
            "DROP TABLE public.city_sales",
            "GRANT SELECT ON TABLE public.city_sales TO PUBLIC",
            "GRANT ROLE \"AWSIDC:exec-global\" TO \"AWSIDC:frank\"",
        ] {
            let answer = ask(&api, &json!({ "sql": sql })).await;
            assert_refused(sql, &answer.body);
            assert_eq!(
                answer.body["error"]["code"], "forbidden_data",
                "{name}: {sql}: {}",
                answer.body
            );
        }
    }
    assert_eq!(state(&world), before);
    common::no_leaks(&world.sandbox).await;
}

/// Only an editor writes SQL; a viewer runs what is registered.
#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_runs_registered_queries_only() {
    let world = World::new().await;
    let alex = world.session("alex").await;
    let before = world.calls(&["redshift-data"]).len();
    let refused = ask(&alex, &json!({ "sql": "SELECT 1" })).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (403, "role_required")
    );
    assert_eq!(
        world.calls(&["redshift-data"]).len(),
        before,
        "the warehouse was asked"
    );
    assert!(!rows(&alex, &super::world::totals()).await.is_empty());
    common::no_leaks(&world.sandbox).await;
}

/// A statement that ran and failed, without rows and without the warehouse's words.
fn assert_refused(sql: &str, body: &Value) {
    assert_eq!(body["state"], "failed", "{sql}: {body}");
    assert!(body.get("rows").is_none(), "{sql}: {body}");
    for word in ["city_sales", "ERROR"] {
        assert!(!body.to_string().contains(word), "{sql}: {body}");
    }
}
