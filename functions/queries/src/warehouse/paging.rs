//! Q9 as a property: however the Data API cuts its pages and whatever limit and format each request
//! asks for, each row comes once, in order, and a place that is read again gives the same page.

use aws_sdk_redshiftdata::{
    operation::get_statement_result::GetStatementResultOutput,
    types::{ColumnMetadata, Field},
};
use proptest::prelude::*;

use super::{Cut, csv_page, page_within};
use crate::query_id::Place;

/// What the Data API answers to a token, when its pages have these sizes.
fn answer(sizes: &[usize], token: Option<&str>) -> GetStatementResultOutput {
    let index: usize = token.map_or(0, |token| token.parse().unwrap());
    let first: usize = sizes[..index].iter().sum();
    let row = |n: usize| vec![Field::StringValue(n.to_string())];
    let records = (first..first + sizes[index]).map(row).collect();
    let next = index + 1;
    let column = ColumnMetadata::builder().label("n").type_name("varchar");
    GetStatementResultOutput::builder()
        .set_records(Some(records))
        .column_metadata(column.build())
        .total_num_rows(i64::try_from(sizes.iter().sum::<usize>()).unwrap())
        .set_next_token((next < sizes.len()).then(|| next.to_string()))
        .build()
        .unwrap()
}

/// The rows of the page at a place, and the place of the next.
fn read(
    sizes: &[usize],
    place: &Place,
    limit: usize,
    is_csv: bool,
) -> (Vec<String>, Option<Place>) {
    let answer = answer(sizes, place.token.as_deref());
    let cut = Cut {
        skip: place.skip,
        limit,
    };
    if is_csv {
        let page = csv_page(answer, cut, false).unwrap();
        let rows = page.text.lines().map(str::to_owned).collect();
        return (rows, place.next(page.cut_at, page.next_token));
    }
    let page = page_within(answer, cut).unwrap();
    let texts = page
        .rows
        .iter()
        .map(|row| row[0].as_str().unwrap().to_owned());
    (texts.collect(), place.next(page.cut_at, page.next_token))
}

proptest! {
    #[test]
    fn q9_each_row_comes_once_and_in_order(
        sizes in prop::collection::vec(0_usize..40, 1..8),
        asked in prop::collection::vec((1_usize..50, any::<bool>()), 1..5),
    ) {
        let (mut seen, mut place, mut requests) = (Vec::new(), Some(Place::default()), 0);
        while let Some(here) = place {
            let (limit, is_csv) = asked[requests % asked.len()];
            let (rows, next) = read(&sizes, &here, limit, is_csv);
            prop_assert!(rows.len() <= limit);
            prop_assert_eq!(&read(&sizes, &here, limit, !is_csv), &(rows.clone(), next.clone()));
            seen.extend(rows);
            place = next;
            requests += 1;
            prop_assert!(requests <= 400, "no end");
        }
        let all: Vec<String> = (0..sizes.iter().sum()).map(|n: usize| n.to_string()).collect();
        prop_assert_eq!(seen, all);
    }
}
