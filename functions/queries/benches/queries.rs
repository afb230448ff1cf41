//! What a query costs beside the calls of AWS, in time and allocations.
//!
//! ```sh
//! cargo bench -p queries --bench queries
//! ```

#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot be set up is not run"
)]

use std::collections::BTreeMap;

use aws_sdk_redshiftdata::{
    operation::get_statement_result::GetStatementResultOutput,
    types::{ColumnMetadata, Field},
};
use divan::{AllocProfiler, Bencher, black_box};
use jiff::Timestamp;
use queries::{
    query_id::{self, Asked, Place},
    session::User,
    warehouse::{Cut, csv_page, page_within},
};
use serde_json::json;
use tributary::{
    id::TenantId,
    query::{QueryDefinition, bind, scan},
    seal::Sealer,
    secret::Secret,
};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const ROLE: &str = "arn:aws:iam::111111111111:role/tributary/prod-warehouse-user";
const STATEMENT: &str = "d9b6c0c9-0747-4bf4-b142-e8883122f766";
const SQL: &str = "SELECT city, SUM(amount) AS total FROM public.city_sales \
    WHERE country IN (:countries) AND amount >= :minimum GROUP BY city ORDER BY city";
const ROWS: usize = 1_000;

fn main() {
    divan::main();
}

fn sealer() -> Sealer {
    Sealer::new(&Secret::new("0123456789abcdef0123456789abcdef")).expect("a key")
}

fn user() -> User {
    User {
        tenant: TenantId::new(),
        issuer: "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_ExAmPlE01".to_owned(),
        subject: "a4f8c4d8-10e1-7001-9c1f-2f6d0b7a11aa".to_owned(),
        login: "b7f6a1c2-3d4e-4f5a-9b8c-7d6e5f4a3b2c".to_owned(),
    }
}

/// Seven columns of the kinds that sales have.
fn result() -> GetStatementResultOutput {
    let kinds = [
        ("id", "varchar"),
        ("city", "varchar"),
        ("country", "varchar"),
        ("timezone", "varchar"),
        ("amount", "numeric"),
        ("units", "int4"),
        ("email", "varchar"),
    ];
    let columns = kinds.map(|(name, kind)| {
        let column = ColumnMetadata::builder().name(name).label(name);
        column.type_name(kind).build()
    });
    let text = |text: String| Field::StringValue(text);
    let row = |n: usize| {
        vec![
            text(format!("a00xx{n:013}")),
            text(format!("City, number {n}")),
            text("United States".to_owned()),
            text("America/New_York".to_owned()),
            text(format!("{n}.50")),
            Field::LongValue(i64::try_from(n).unwrap_or_default()),
            Field::IsNull(true),
        ]
    };
    GetStatementResultOutput::builder()
        .set_column_metadata(Some(columns.to_vec()))
        .set_records(Some((0..ROWS).map(row).collect()))
        .total_num_rows(i64::try_from(ROWS).unwrap_or_default())
        .build()
        .expect("a result")
}

const ALL: Cut = Cut {
    skip: 0,
    limit: usize::MAX,
};

#[divan::bench]
fn opening_an_id(bencher: Bencher<'_, '_>) {
    let (sealer, user) = (sealer(), user());
    let asked = Asked {
        statement: STATEMENT.to_owned(),
        at: Timestamp::UNIX_EPOCH,
    };
    let id = query_id::seal(&sealer, &user, ROLE, &asked).expect("an id");
    bencher.bench(|| query_id::open(&sealer, &user, ROLE, black_box(&id)));
}

#[divan::bench]
fn opening_a_cursor(bencher: Bencher<'_, '_>) {
    let (sealer, user) = (sealer(), user());
    let place = Place {
        token: Some("x".repeat(200)),
        skip: 4_711,
    };
    let cursor = query_id::seal_place(&sealer, &user, STATEMENT, &place).expect("a cursor");
    bencher.bench(|| query_id::open_place(&sealer, &user, STATEMENT, black_box(&cursor)));
}

#[divan::bench]
fn scanning_sql_of_ones_own(bencher: Bencher<'_, '_>) {
    bencher.bench(|| scan(black_box(SQL)));
}

#[divan::bench]
fn binding_a_registered_query(bencher: Bencher<'_, '_>) {
    let definition: QueryDefinition = serde_json::from_value(json!({
        "purpose": "query", "sql": SQL,
        "parameters": [
            { "name": "countries", "type": "text", "many": 20 },
            { "name": "minimum", "type": "decimal", "default": "0" },
        ],
    }))
    .expect("a definition");
    let given = json!({ "countries": ["DE", "FR", "US"], "minimum": "12.50" });
    let given = given.as_object().expect("an object");
    let filled = BTreeMap::new();
    bind(&definition, given, &filled, "/parameters").expect("good values");
    bencher.bench(|| bind(&definition, black_box(given), &filled, "/parameters"));
}

#[divan::bench]
fn a_thousand_rows_to_json(bencher: Bencher<'_, '_>) {
    bencher.with_inputs(result).bench_values(|result| {
        let page = page_within(result, ALL).expect("a page");
        serde_json::to_vec(&page.rows)
    });
}

#[divan::bench]
fn a_thousand_rows_to_csv(bencher: Bencher<'_, '_>) {
    bencher
        .with_inputs(result)
        .bench_values(|result| csv_page(result, ALL, true));
}
