use proptest::prelude::*;
use serde_json::json;
use tributary::error::Kind;

use super::*;

fn faults(source: Source<'_>, parameters: &Value) -> Vec<(String, String)> {
    let error = source
        .prepare(None, parameters.as_object().unwrap())
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (Kind::Unprocessable, "invalid_query")
    );
    error
        .faults()
        .iter()
        .map(|fault| (fault.pointer.clone(), fault.code.clone()))
        .collect()
}

#[test]
fn a_sound_statement_goes_with_its_values_as_text() {
    let given = json!({ "city": "Berlin", "least": 12.5, "open": true });
    let sql = "SELECT 1 WHERE city = :city AND amount > :least AND open = :open";
    let statement = Source::Sql(sql)
        .prepare(None, given.as_object().unwrap())
        .unwrap();
    assert_eq!(statement.sql, sql);
    assert_eq!(statement.author, Author::Caller);
    let expected = [("city", "Berlin"), ("least", "12.5"), ("open", "true")];
    assert!(
        statement
            .parameters
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .eq(expected)
    );
}

#[test]
fn every_fault_of_the_parameters_is_named_at_once() {
    let given = json!({ "empty": "", "unused": "x", "no name": "x", "none": null, "list": [1], "a/b": "x" });
    let found = faults(Source::Sql("SELECT :empty, :missing, :none, :list"), &given);
    let expected = [
        ("/parameters/a~1b", "invalid_name"),
        ("/parameters/empty", "empty_value"),
        ("/parameters/list", "unsupported_value"),
        ("/parameters/no name", "invalid_name"),
        ("/parameters/none", "unsupported_value"),
        ("/parameters/missing", "missing_parameter"),
        ("/parameters/a~1b", "unused_parameter"),
        ("/parameters/no name", "unused_parameter"),
        ("/parameters/unused", "unused_parameter"),
    ];
    for (pointer, code) in expected {
        assert!(
            found.iter().any(|(p, c)| p == pointer && c == code),
            "{pointer} {code}: {found:?}"
        );
    }
    assert_eq!(found.len(), expected.len(), "{found:?}");
}

#[test]
fn a_text_that_is_not_one_statement_is_refused_with_a_pointer() {
    let found = faults(Source::Sql("SELECT 1; SELECT 2"), &json!({}));
    assert_eq!(found, [("/sql".to_owned(), "second_statement".to_owned())]);
}

#[test]
fn registered_queries_refuse_unknown_names_parameters_and_types() {
    let by_city = Source::Registered("total-sales-by-city");
    assert_eq!(
        faults(Source::Registered("drop-everything"), &json!({})),
        [("/query".to_owned(), "unknown_query".to_owned())]
    );
    assert_eq!(
        faults(by_city, &json!({ "city": "x" })),
        [("/parameters/city".to_owned(), "unused_parameter".to_owned())]
    );
    assert_eq!(
        faults(by_city, &json!({ "minimum": "0) OR (1=1" })),
        [("/parameters/minimum".to_owned(), "wrong_type".to_owned())]
    );
    assert_eq!(
        faults(by_city, &json!({ "minimum": "" })),
        [("/parameters/minimum".to_owned(), "empty_value".to_owned())]
    );
}

#[test]
fn one_of_sql_and_query_is_given_and_decides_the_role() {
    assert!(Source::of(None, None).is_err());
    assert!(Source::of(Some("SELECT 1"), Some("total-sales-by-city")).is_err());
    assert_eq!(
        Source::of(Some("SELECT 1"), None).unwrap().role(),
        Role::Editor
    );
    assert_eq!(Source::of(None, Some("x")).unwrap().role(), Role::Viewer);
}

fn own(purpose: &str) -> QueryDefinition {
    serde_json::from_value(json!({
        "purpose": purpose, "sql": "SELECT :day, x WHERE x IN (:cities)",
        "parameters": [
            { "name": "day", "type": "date" },
            { "name": "cities", "type": "text", "many": 3 },
        ],
    }))
    .unwrap()
}

#[test]
fn a_tenants_own_query_is_typed_and_its_lists_get_a_place_for_each_value() {
    let given = json!({ "day": "2026-11-20", "cities": ["Lima", "Bonn"] });
    let statement = Source::Registered("sales-of-day")
        .prepare(Some(&own("query")), given.as_object().unwrap())
        .unwrap();
    assert_eq!(
        statement.sql,
        "SELECT :day, x WHERE x IN (:cities__0, :cities__1)"
    );
    assert_eq!(statement.parameters.len(), 3);
    assert_eq!(statement.author, Author::Tenant);
}

#[test]
fn what_runs_after_a_run_is_unknown_to_people() {
    let given = json!({ "day": "2026-11-20", "cities": ["Lima"] });
    let error = Source::Registered("sales-of-day")
        .prepare(Some(&own("afterRun")), given.as_object().unwrap())
        .unwrap_err();
    assert_eq!(error.faults()[0].code, "unknown_query");
}

#[test]
fn only_names_that_a_tenant_can_have_are_searched() {
    let name = |source: Source<'_>| source.name_to_find().map(|name| name.to_string());
    assert_eq!(name(Source::Sql("SELECT 1")), None);
    assert_eq!(name(Source::Registered("total-sales-by-city")), None);
    assert_eq!(name(Source::Registered("TENANT#x")), None);
    assert_eq!(
        name(Source::Registered("sales-of-day")).as_deref(),
        Some("sales-of-day")
    );
}

proptest! {
    /// Q4: whatever the values are, none of them stands in the statement, and the statement is the
    /// one that was written.
    #[test]
    fn q4_no_value_ever_stands_in_a_statement(value in "\\PC{9,40}", day in "[0-9-]{10}") {
        let sql = "SELECT 1 WHERE a = :a AND b = :b";
        let given = json!({ "a": value, "b": day });
        let statement = Source::Sql(sql).prepare(None, given.as_object().unwrap()).unwrap();
        prop_assert_eq!(&statement.sql, sql);
        prop_assert_eq!(&statement.parameters["a"], &value);

        let given = json!({ "day": day, "cities": [value, value] });
        let query = own("query");
        match Source::Registered("q").prepare(Some(&query), given.as_object().unwrap()) {
            Ok(statement) => prop_assert!(!statement.sql.contains(&value)),
            Err(error) => prop_assert_eq!(&error.faults()[0].pointer, "/parameters/day"),
        }
    }
}
