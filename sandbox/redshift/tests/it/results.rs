//! Values, types, pages and formats of results.

use serde_json::{Value, json};

use super::support::{Fixture, administrator, ethan, frank};

#[tokio::test]
async fn every_type_arrives_in_its_field() {
    let fixture = Fixture::new();
    fixture.admin(
        "CREATE TABLE kinds (b BOOLEAN, i BIGINT, d DECIMAL(10,2), f DOUBLE PRECISION, \
         t TIMESTAMP, y DATE, s VARCHAR(20), v VARBYTE(8)); GRANT SELECT ON kinds TO PUBLIC",
    );
    let columns = ["b", "i", "d", "f", "t", "y", "s", "v"].map(str::to_owned);
    let row = [
        "true",
        "9007199254740993",
        "12",
        "0.25",
        "2026-11-01T09:30:00Z",
        "2026-11-01",
        "",
        "ab",
    ]
    .map(|value| Some(value.to_owned()));
    let account = sandbox_core::VENDOR_ACCOUNT;
    let rows = [row.to_vec(), vec![None; 8]];
    fixture
        .redshift
        .insert_rows(account, "dev", "kinds", &columns, &rows)
        .unwrap();
    let described = fixture
        .run(&frank(), "SELECT * FROM kinds ORDER BY i NULLS LAST")
        .await;
    let body = json!({ "Id": described["Id"] });
    let result = fixture.ok(&frank(), "GetStatementResult", body).await;
    assert_eq!(
        result["Records"][0],
        json!([
            { "booleanValue": true },
            { "longValue": 9_007_199_254_740_993_i64 },
            { "stringValue": "12.00" },
            { "doubleValue": 0.25 },
            { "stringValue": "2026-11-01 09:30:00" },
            { "stringValue": "2026-11-01" },
            { "stringValue": "" },
            { "blobValue": "YWI=" },
        ])
    );
    assert_eq!(
        result["Records"][1],
        Value::from(vec![json!({ "isNull": true }); 8])
    );
    let names = |member: &str| -> Vec<String> {
        let columns = result["ColumnMetadata"].as_array().unwrap().iter();
        columns
            .map(|c| c[member].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names("label"), ["b", "i", "d", "f", "t", "y", "s", "v"]);
    assert_eq!(
        names("typeName"),
        [
            "bool",
            "int8",
            "numeric",
            "float8",
            "timestamp",
            "date",
            "varchar",
            "varbyte"
        ]
    );
    assert_eq!(result["ColumnMetadata"][2]["scale"], 2);
}

#[tokio::test]
async fn sums_of_decimals_are_exact_and_sort_as_numbers() {
    let fixture = Fixture::new();
    fixture.admin("CREATE TABLE public.prices (city VARCHAR(9), price DECIMAL(10,2))");
    let columns = ["city".to_owned(), "price".to_owned()];
    let mut cents = 0_i64;
    let rows: Vec<Vec<Option<String>>> = (0..20_000_i64)
        .map(|n| {
            let price = (n * 7919) % 1_000_003;
            cents += price;
            vec![
                Some("x".to_owned()),
                Some(format!("{}.{:02}", price / 100, price % 100)),
            ]
        })
        .collect();
    let account = sandbox_core::VENDOR_ACCOUNT;
    fixture
        .redshift
        .insert_rows(account, "dev", "prices", &columns, &rows)
        .unwrap();
    assert_eq!(
        fixture.oracle("SELECT sum(price) FROM prices"),
        [[Some(format!("{}.{:02}", cents / 100, cents % 100))]]
    );
    let sorted = "SELECT city, SUM(sales_price * quantity) AS total FROM app.sales_data \
                  GROUP BY city HAVING SUM(sales_price) > 0.1 ORDER BY total DESC";
    assert_eq!(
        fixture.rows(&ethan(), sorted).await,
        json!([
            [{ "stringValue": "Paris" }, { "stringValue": "199.98" }],
            [{ "stringValue": "Osaka" }, { "stringValue": "38.85" }],
            [{ "stringValue": "Boston" }, { "stringValue": "30.40" }],
            [{ "stringValue": "Lima" }, { "stringValue": "0.20" }],
        ])
    );
}

#[tokio::test]
async fn what_does_not_fit_a_column_is_refused_whole() {
    let fixture = Fixture::new();
    let account = sandbox_core::VENDOR_ACCOUNT;
    let columns = ["timezone".to_owned(), "region".to_owned()];
    let rows = [
        vec![Some("Africa/Cairo".to_owned()), Some("EMEA".to_owned())],
        vec![None, Some("EMEA".to_owned())],
    ];
    let before = fixture.oracle("SELECT count(*) FROM app.sales_region");
    let insert = |rows| {
        fixture
            .redshift
            .insert_rows(account, "dev", "app.sales_region", &columns, rows)
    };
    assert!(insert(&rows).is_err());
    assert_eq!(
        fixture.oracle("SELECT count(*) FROM app.sales_region"),
        before
    );
    assert_eq!(insert(&rows[..1]), Ok(1));
}

#[tokio::test]
async fn parameters_are_bound_cast_and_checked() {
    let fixture = Fixture::new();
    let execute = |sql: &str, parameters: Value| json!({ "WorkgroupName": "wg", "Database": "dev", "Sql": sql, "Parameters": parameters });
    let sql = "SELECT city FROM app.sales_data WHERE country = :country AND quantity > :least::int \
               AND :day::date = CAST('2026-11-20' AS date) LIMIT :n";
    let parameters = json!([
        { "name": "country", "value": "US' OR '1'='1" },
        { "name": "least", "value": "1" },
        { "name": "day", "value": "2026-11-20" },
        { "name": "n", "value": "5" },
    ]);
    let made = fixture
        .ok(
            &ethan(),
            "ExecuteStatement",
            execute(sql, parameters.clone()),
        )
        .await;
    let ended = fixture.ended(&ethan(), &made["Id"]).await;
    assert_eq!(
        (&ended["Status"], &ended["ResultRows"]),
        (&json!("FINISHED"), &json!(0))
    );
    let mut honest = parameters.clone();
    honest[0]["value"] = "US".into();
    let made = fixture
        .ok(&ethan(), "ExecuteStatement", execute(sql, honest))
        .await;
    let ended = fixture.ended(&ethan(), &made["Id"]).await;
    assert_eq!(ended["ResultRows"], 1);
    for (sql, parameters) in [
        ("SELECT 1", json!([{ "name": "a", "value": "1" }])),
        ("SELECT :a, :b", json!([{ "name": "a", "value": "1" }])),
        ("SELECT :a", json!([{ "name": "a", "value": "" }])),
        ("SELECT :a", json!([{ "name": "a b", "value": "1" }])),
        ("SELECT ':a'", json!([{ "name": "a", "value": "1" }])),
        (
            "SELECT :a",
            json!([{ "name": "a", "value": "1" }, { "name": "a", "value": "2" }]),
        ),
        ("SELECT 1", json!([])),
    ] {
        let refused = fixture
            .refused(&ethan(), "ExecuteStatement", execute(sql, parameters))
            .await;
        assert_eq!(refused, "ValidationException", "{sql}");
    }
    let bad = json!([{ "name": "n", "value": "ten" }]);
    let made = fixture
        .ok(&ethan(), "ExecuteStatement", execute("SELECT :n::int", bad))
        .await;
    assert_eq!(
        fixture.ended(&ethan(), &made["Id"]).await["Status"],
        "FAILED"
    );
}

/// Q9
#[tokio::test]
async fn pages_give_each_row_once_and_their_tokens_are_bound_to_the_statement() {
    let fixture = Fixture::new();
    fixture.redshift.set_page_rows(2);
    let sql = "SELECT sku FROM app.sales_data ORDER BY sku";
    let one = fixture.run(&ethan(), sql).await;
    let other = fixture.run(&ethan(), sql).await;
    let (mut seen, mut token) = (String::new(), None);
    loop {
        let mut body = json!({ "Id": one["Id"] });
        if let Some(token) = &token {
            body["NextToken"] = Value::clone(token);
        }
        let page = fixture.ok(&ethan(), "GetStatementResult", body).await;
        assert_eq!(page["TotalNumRows"], 5);
        for row in page["Records"].as_array().unwrap() {
            seen.push_str(row[0]["stringValue"].as_str().unwrap());
        }
        let Some(next) = page.get("NextToken").cloned() else {
            break;
        };
        let foreign = json!({ "Id": other["Id"], "NextToken": next });
        let refused = fixture
            .refused(&ethan(), "GetStatementResult", foreign)
            .await;
        assert_eq!(refused, "ValidationException");
        token = Some(next);
    }
    assert_eq!(seen, "abcde");
}

#[tokio::test]
async fn csv_is_read_with_the_second_version_only() {
    let fixture = Fixture::new();
    let body = json!({ "WorkgroupName": "wg", "Database": "dev", "ResultFormat": "CSV",
        "Sql": "SELECT 'a,\"b' AS x, sum(sales_price) AS total FROM app.sales_data" });
    let made = fixture.ok(&ethan(), "ExecuteStatement", body).await;
    fixture.ended(&ethan(), &made["Id"]).await;
    let id = json!({ "Id": made["Id"] });
    let result = fixture
        .ok(&ethan(), "GetStatementResultV2", id.clone())
        .await;
    assert_eq!(
        result["Records"][0]["CSVRecords"],
        "x,total\n\"a,\"\"b\",115.94\n"
    );
    let refused = fixture.refused(&ethan(), "GetStatementResult", id).await;
    assert_eq!(refused, "ValidationException");
}

#[tokio::test]
async fn failures_speak_redshifts_words() {
    let fixture = Fixture::new();
    for (sql, error) in [
        (
            "SELECT * FROM app.missing",
            "ERROR: relation \"app.missing\" does not exist",
        ),
        (
            "SELECT * FROM nowhere.t",
            "ERROR: schema \"nowhere\" does not exist",
        ),
        (
            "SELECT * FROM sales_data",
            "ERROR: relation \"sales_data\" does not exist",
        ),
        (
            "SELECT nonesuch FROM app.sales_data",
            "ERROR: column \"nonesuch\" does not exist",
        ),
        (
            "SELECT \"nonesuch\"",
            "ERROR: column \"nonesuch\" does not exist",
        ),
        ("SELECT magic(1)", "ERROR: function magic() does not exist"),
        ("SELEC 1", "ERROR: syntax error at or near \"SELEC\""),
        ("SELECT 1 FORM x y", "ERROR: syntax error at or near \"x\""),
        (
            "SELECT 'a'::int",
            "ERROR: invalid input syntax for type int4: \"a\"",
        ),
    ] {
        assert_eq!(fixture.error(&ethan(), sql).await, error, "{sql}");
    }
}

#[tokio::test]
async fn a_failed_script_leaves_nothing_behind() {
    let fixture = Fixture::new();
    let script = "CREATE SCHEMA later; CREATE TABLE later.t (a INT); INSERT INTO later.t VALUES (1); \
                  GRANT SELECT ON later.t TO ROLE nobody";
    let account = sandbox_core::VENDOR_ACCOUNT;
    assert_eq!(
        fixture.redshift.execute_as_admin(account, "dev", script),
        Err("ERROR: role \"nobody\" does not exist".to_owned())
    );
    assert_eq!(
        fixture
            .error(&administrator(), "SELECT * FROM later.t")
            .await,
        "ERROR: schema \"later\" does not exist"
    );
    fixture.admin("CREATE SCHEMA later; CREATE TABLE later.t (a INT)");
    assert_eq!(
        fixture.oracle("SELECT count(*) FROM later.t"),
        [[Some("0".to_owned())]]
    );
}
