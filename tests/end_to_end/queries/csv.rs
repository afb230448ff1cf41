//! Results as CSV: the same rows as in JSON, as texts.

use sandbox::{
    client::{Answer, Api},
    warehouse::DATABASE,
};
use sandbox_core::VENDOR_ACCOUNT;
use serde_json::{Value, json};

use super::world::{World, ask, totals};
use crate::common;

/// A table with a value of each kind, a null, and texts that need care.
const KINDS: &str = r#"
CREATE TABLE public.kinds (n INTEGER, big BIGINT, money DECIMAL(12,2), comma VARCHAR(20),
    blank VARCHAR(20), absent VARCHAR(20), quoted VARCHAR(20), formula VARCHAR(20));
GRANT SELECT ON TABLE public.kinds TO ROLE "AWSIDC:amer-sales";
"#;
const COLUMNS: [&str; 8] = [
    "n", "big", "money", "comma", "blank", "absent", "quoted", "formula",
];
const ROW: [Option<&str>; 8] = [
    Some("1"),
    Some("9007199254740993"),
    Some("12.30"),
    Some("a,b"),
    Some(""),
    None,
    Some("say \"so\""),
    Some("=1+1"),
];

async fn csv(api: &Api, path: &str) -> Answer {
    let answer = api.get(path).await.unwrap();
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    answer
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let value = answer.headers.get(name);
    value.map_or("", |value| value.to_str().unwrap())
}

/// The address in `Link`, if there is a next page.
fn next(answer: &Answer) -> Option<&str> {
    let (address, relation) = header(answer, "link").split_once(">; ")?;
    assert_eq!(relation, "rel=\"next\"");
    address.strip_prefix('<')
}

/// Fields of the lines of a text without line breaks in fields; nothing for null.
fn lines(text: &str) -> Vec<Vec<Option<String>>> {
    let field = |field: &str| match field.strip_prefix('"') {
        Some(quoted) => Some(quoted.strip_suffix('"').unwrap().replace("\"\"", "\"")),
        None => (!field.is_empty()).then(|| field.to_owned()),
    };
    let lines = text.split_terminator("\r\n");
    let comma_outside_quotes = |line: &str| {
        let mut fields = vec![String::new()];
        let mut is_quoted = false;
        for c in line.chars() {
            is_quoted ^= c == '"';
            if c == ',' && !is_quoted {
                fields.push(String::new());
            } else {
                fields.last_mut().unwrap().push(c);
            }
        }
        fields
    };
    lines
        .map(|line| {
            comma_outside_quotes(line)
                .iter()
                .map(|f| field(f))
                .collect()
        })
        .collect()
}

/// Every kind of value as its exact text; null and the empty text are told apart.
#[tokio::test(flavor = "multi_thread")]
async fn values_are_exact_texts_and_null_is_not_the_empty_text() {
    let world = World::new().await;
    let redshift = &world.sandbox.redshift;
    redshift
        .execute_as_admin(VENDOR_ACCOUNT, DATABASE, KINDS)
        .unwrap();
    let row = ROW.map(|value| value.map(str::to_owned)).to_vec();
    let columns = COLUMNS.map(str::to_owned);
    redshift
        .insert_rows(VENDOR_ACCOUNT, DATABASE, "public.kinds", &columns, &[row])
        .unwrap();
    let frank = world.session("frank").await;
    let sql = json!({ "sql": "SELECT n, big, money, comma, blank, absent, quoted, formula FROM public.kinds" });
    let query = ask(&frank, &sql).await.expect(200).unwrap();
    assert_eq!(query["state"], "finished", "{query}");
    let path = format!("/v1/queries/{}/results", query["id"].as_str().unwrap());
    let by_parameter = csv(&frank, &format!("{path}?format=csv")).await;
    assert_eq!(
        header(&by_parameter, "content-type"),
        "text/csv; charset=utf-8; header=present"
    );
    assert_eq!(
        by_parameter.text,
        "n,big,money,comma,blank,absent,quoted,formula\r\n\
         1,9007199254740993,12.30,\"a,b\",\"\",,\"say \"\"so\"\"\",=1+1\r\n"
    );
    assert_eq!(next(&by_parameter), None);
    let accept = [("accept", "text/csv")];
    let by_header = frank.call(http::Method::GET, &path, None, &accept);
    assert_eq!(by_header.await.unwrap().text, by_parameter.text);
    // The parameter goes before the header.
    let json_path = format!("{path}?format=json");
    let json = frank.call(http::Method::GET, &json_path, None, &accept);
    let json = json.await.unwrap().expect(200).unwrap();
    assert_eq!(
        json["rows"],
        json!([[
            1,
            "9007199254740993",
            "12.30",
            "a,b",
            "",
            null,
            "say \"so\"",
            "=1+1"
        ]])
    );
    for wrong in ["format=xml", "limit=0", "limit=10001", "limit=some"] {
        let refused = frank.get(&format!("{path}?{wrong}")).await.unwrap();
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (400, "malformed_query"),
            "{wrong}"
        );
    }
    common::no_leaks(&world.sandbox).await;
}

/// Q9: CSV and JSON give the same rows, each once, and a cursor goes on in either format and with
/// any limit; reading a page again gives the same page.
#[tokio::test(flavor = "multi_thread")]
async fn q9_pages_of_csv_and_json_go_on_from_each_other() {
    let world = World::new().await;
    let frank = world.session("frank").await;
    world.sandbox.redshift.set_page_rows(9);
    let query = ask(&frank, &totals()).await.expect(200).unwrap();
    let path = format!("/v1/queries/{}/results", query["id"].as_str().unwrap());
    let all = super::world::pages(&frank, query["id"].as_str().unwrap())
        .await
        .concat();

    // As CSV, following the links.
    let mut address = format!("{path}?format=csv&limit=4");
    let mut rows = Vec::new();
    loop {
        let page = csv(&frank, &address).await;
        let again = csv(&frank, &address).await;
        assert_eq!(page.text, again.text, "a page read twice");
        let mut lines = lines(&page.text);
        if rows.is_empty() {
            assert_eq!(
                lines.remove(0),
                [Some("city".to_owned()), Some("total".to_owned())]
            );
        } else {
            assert!(header(&page, "content-type").ends_with("header=absent"));
        }
        assert!((1..=4).contains(&lines.len()), "{lines:?}");
        rows.extend(lines);
        match next(&page) {
            Some(next) => next.clone_into(&mut address),
            None => break,
        }
    }
    let texts = |rows: &[Vec<Value>]| -> Vec<Vec<Option<String>>> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        rows.iter()
            .map(|row| row.iter().map(text).collect())
            .collect()
    };
    assert_eq!(rows, texts(&all));

    // In turns.
    let (mut rows, mut question, mut turn) = (Vec::new(), "limit=5".to_owned(), 0);
    loop {
        let cursor = if turn % 2 == 0 {
            let page = frank.get(&format!("{path}?{question}")).await.unwrap();
            let page = page.expect(200).unwrap();
            let values: Vec<Vec<Value>> = serde_json::from_value(page["rows"].clone()).unwrap();
            rows.extend(texts(&values));
            page["nextCursor"].as_str().map(str::to_owned)
        } else {
            let page = csv(&frank, &format!("{path}?{question}&format=csv")).await;
            rows.extend(lines(&page.text));
            next(&page).map(|next| {
                let (_, query) = next.split_once("cursor=").unwrap();
                query.split('&').next().unwrap().to_owned()
            })
        };
        turn += 1;
        let Some(cursor) = cursor else { break };
        question = format!("cursor={cursor}&limit={}", 1 + turn % 7);
    }
    assert!(turn > 4, "{turn}");
    assert_eq!(rows, texts(&all));
    common::no_leaks(&world.sandbox).await;
}
