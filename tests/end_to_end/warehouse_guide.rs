//! `docs/WAREHOUSE.md`, followed command by command: its `sh` and `sql` blocks run in their order against a
//! sandbox in which nothing of it is there yet.
//!
//! It needs the AWS CLI beside the Python that `TRIBUTARY_PYTHON` names (`pip install awscli`); CI has
//! one, so there the test fails without it.

mod blocks;
mod faults;
mod guide;

use std::{path::PathBuf, sync::Arc};

use sandbox::{
    Options, Sandbox,
    client::{Answer, Api, Person},
    warehouse,
};
use sandbox_core::VENDOR_ACCOUNT;
use serde_json::{Value, json};

use crate::common::{self, Tenant};
use guide::Guide;

/// Where the AWS CLI is, if it is there at all.
fn cli() -> Option<PathBuf> {
    let python = std::env::var_os("TRIBUTARY_PYTHON").map(PathBuf::from);
    let folder = python.as_deref().and_then(|python| python.parent());
    let found = folder.filter(|folder| folder.join("aws").exists());
    if found.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "TRIBUTARY_PYTHON must name a Python with awscli (.ci/requirements.txt)"
        );
        eprintln!("not run: TRIBUTARY_PYTHON names no Python with awscli");
    }
    found.map(PathBuf::from)
}

/// A sandbox whose Identity Center and database are empty, and a tenant that will query.
async fn empty() -> (Arc<Sandbox>, Tenant) {
    let sandbox = common::start_with(Options {
        run_schedules: false,
        set_up_warehouse: false,
        ..Options::default()
    })
    .await;
    let members = [("frank", "admin"), ("ethan", "editor"), ("ming", "editor")];
    let tenant = common::tenant(&sandbox, "Sports Gear", &members).await;
    (sandbox, tenant)
}

/// A person's API and ID token, both fresh.
async fn fresh(sandbox: &Sandbox, person: &Person) -> (Api, String, String) {
    let tokens = sandbox.tokens(&person.browser, true).await.unwrap();
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let api = Api::new(&sandbox.api_url, tokens["accessToken"].as_str());
    (api, text("accessToken"), text("idToken"))
}

/// Presents a fresh ID token.
async fn present(sandbox: &Sandbox, person: &Person) -> (Api, Answer) {
    let (api, _, id_token) = fresh(sandbox, person).await;
    let answer = api
        .post("/v1/identity", &json!({ "idToken": id_token }))
        .await
        .unwrap();
    (api, answer)
}

/// How a query ended, or the problem with which it was refused.
async fn ask(api: &Api, sql: &str) -> Answer {
    let answer = api
        .post("/v1/queries", &json!({ "sql": sql }))
        .await
        .unwrap();
    if answer.status.as_u16() != 202 {
        return answer;
    }
    let path = format!("/v1/queries/{}", answer.body["id"].as_str().unwrap());
    common::eventually("the query's end", || async {
        let answer = api.get(&path).await.unwrap();
        (answer.body["state"] != "running").then_some(answer)
    })
    .await
}

/// Rows of a query that must succeed.
async fn rows(api: &Api, sql: &str) -> Vec<Vec<Value>> {
    let ended = ask(api, sql).await.expect(200).unwrap();
    assert_eq!(ended["state"], "finished", "{sql}: {ended}");
    let path = format!("/v1/queries/{}/results", ended["id"].as_str().unwrap());
    let page = api.get(&path).await.unwrap().expect(200).unwrap();
    serde_json::from_value(page["rows"].clone()).unwrap()
}

/// One sale in each of the zones, and one in a zone that is in no region.
fn fill(sandbox: &Sandbox) {
    let sales = [
        ("America/Lima", "Lima", "PE"),
        ("Europe/Berlin", "Berlin", "DE"),
        ("Asia/Tokyo", "Tokyo", "JP"),
        ("Africa/Cairo", "Cairo", "EG"),
    ];
    let insert = |table: &str, columns: &[&str], row: &dyn Fn(usize) -> Vec<String>| {
        let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        let rows: Vec<Vec<Option<String>>> = (0..sales.len())
            .map(|at| row(at).into_iter().map(Some).collect())
            .collect();
        sandbox
            .redshift
            .insert_rows(VENDOR_ACCOUNT, warehouse::DATABASE, table, &columns, &rows)
            .unwrap();
    };
    insert(
        "public.city_sales",
        &["id", "timezone", "city", "country"],
        &|at| {
            let (zone, city, country) = sales[at];
            [&at.to_string(), zone, city, country]
                .map(str::to_owned)
                .to_vec()
        },
    );
    insert(
        "app.sales_data",
        &["sku", "timezone", "city", "population"],
        &|at| {
            let (zone, city, _) = sales[at];
            [&format!("sku-{at}"), zone, city, "1000000"]
                .map(str::to_owned)
                .to_vec()
        },
    );
}

/// The guide leads to a person's first query, and what it says of rows and columns holds (Q1, Q5).
#[tokio::test(flavor = "multi_thread")]
async fn q1_the_guide_leads_from_nothing_to_a_persons_first_query() {
    let Some(cli) = cli() else { return };
    let (sandbox, tenant) = empty().await;
    let guide = Guide::new(&sandbox, &tenant.id, cli);
    let (_, access_token, id_token) = fresh(&sandbox, &tenant.people["frank"]).await;
    let said = guide.follow(&access_token, &id_token).await;
    assert!(said.contains("\"databaseUser\":\"AWSIDC:frank\""), "{said}");

    fill(&sandbox);
    let cities = "SELECT city FROM public.city_sales ORDER BY city";
    let skus = "SELECT city FROM app.sales_data ORDER BY city";
    for (name, expected) in [
        ("frank", &["Lima"][..]),
        ("ming", &["Tokyo"]),
        ("ethan", &["Berlin", "Cairo", "Lima", "Tokyo"]),
    ] {
        let (api, answer) = present(&sandbox, &tenant.people[name]).await;
        answer.expect(200).unwrap();
        for sql in [cities, skus] {
            assert_eq!(rows(&api, sql).await.concat(), expected, "{name}: {sql}");
        }
        let population = ask(&api, "SELECT population FROM app.sales_data").await;
        let population = population.expect(200).unwrap();
        if name == "ethan" {
            assert_eq!(population["state"], "finished", "{population}");
        } else {
            assert_eq!(
                population["error"]["code"], "forbidden_data",
                "{population}"
            );
        }
        let regions = ask(&api, "SELECT region FROM app.sales_region").await;
        assert_eq!(regions.body["error"]["code"], "forbidden_data", "{name}");
    }
    common::no_leaks(&sandbox).await;
}

/// A second run changes nothing; the check names each fault; the script mends what it made.
#[tokio::test(flavor = "multi_thread")]
async fn the_script_runs_twice_and_its_check_names_each_fault() {
    let Some(cli) = cli() else { return };
    let (sandbox, tenant) = empty().await;
    let guide = Guide::new(&sandbox, &tenant.id, cli);
    guide.run("1. Names", "2. The directory").await;

    let nothing = guide.script("--check", "").await;
    assert_eq!(nothing.status, 1);
    nothing.must_say("FAULT  there is no application");

    let first = guide.script("", "").await;
    assert_eq!(first.status, 0, "{}", first.told);
    assert!(!first.told.contains("LATER"), "{}", first.told);
    let changes = |sandbox: &Sandbox| {
        let entries = sandbox.journal.entries();
        let is_change = |entry: &&sandbox_core::Entry| {
            ["sso", "redshift"].contains(&entry.service.as_str())
                && ["Create", "Put", "Update", "Delete"]
                    .iter()
                    .any(|verb| entry.operation.starts_with(verb))
        };
        entries.iter().filter(is_change).count()
    };
    let before = changes(&sandbox);
    let second = guide.script("", "").await;
    assert_eq!((second.status, &second.printed), (0, &first.printed));
    assert_eq!(changes(&sandbox), before, "{}", second.told);
    assert!(!second.told.contains("made "), "{}", second.told);
    let green = guide
        .script("--check", "--person frank@sports.example")
        .await;
    assert_eq!(green.status, 0, "{}", green.told);
    assert!(!green.told.contains("FAULT"), "{}", green.told);

    faults::each_is_named(&sandbox, &tenant, &guide).await;
    // What somebody took away, but for what they switched off, the script makes again.
    let application = first.printed.split("IdentityCenterApplicationArn=").nth(1);
    let application = application.and_then(|rest| rest.lines().next()).unwrap();
    let admin = sandbox.aws.admin(VENDOR_ACCOUNT);
    let scope = json!({ "ApplicationArn": application, "Scope": "redshift:connect" });
    let taken = sandbox
        .aws
        .call(&admin, "sso", "DeleteApplicationAccessScope", &scope)
        .await;
    assert!(taken.status.is_success(), "{taken:?}");
    let mended = guide.script("", "--groups amer-sales").await;
    mended.must_say("made   access scope redshift:connect");
    assert_eq!(mended.told.matches("made ").count(), 1, "{}", mended.told);
    common::no_leaks(&sandbox).await;
}

/// Before the stack is there the script makes what it can, and says what waits.
#[tokio::test(flavor = "multi_thread")]
async fn before_the_first_deployment_the_script_says_what_waits() {
    let Some(cli) = cli() else { return };
    let (sandbox, tenant) = empty().await;
    let guide = Guide::new(&sandbox, &tenant.id, cli);
    guide.run("1. Names", "2. The directory").await;
    let early = guide.script("", "--stack not-deployed").await;
    assert_eq!(early.status, 0, "{}", early.told);
    assert!(
        early.printed.contains("IdentityCenterApplicationArn=arn:"),
        "{}",
        early.printed
    );
    early.must_say("LATER  authentication method");
    early.must_say("LATER  Redshift's application");
    early.must_say("run this script again");
    for wrong in [
        "--issuer 'https://x\"y.example'",
        "--groups 'a,b\"'",
        "--stack 'Up'",
        "--nonsense x",
        "--claim",
    ] {
        assert_eq!(guide.script("", wrong).await.status, 2, "{wrong}");
    }
    let help = guide.script("--help", "").await;
    assert_eq!(help.status, 0);
    assert!(help.printed.contains("--check"), "{}", help.printed);
}

/// The guide shows the file that the sandbox runs.
#[test]
fn the_guide_shows_the_sql_that_is_run() {
    let shown: Vec<String> = blocks::of(&blocks::text())
        .into_iter()
        .filter(|block| block.language == "sql")
        .map(|block| block.text)
        .collect();
    assert_eq!(shown.concat().trim(), warehouse::SETUP.trim());
}
