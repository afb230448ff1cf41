use serde_json::json;
use tributary::error::Kind;

use super::*;

fn faults(source: Source<'_>, parameters: &Value) -> Vec<(String, String)> {
    let error = source.prepare(parameters.as_object().unwrap()).unwrap_err();
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
        .prepare(given.as_object().unwrap())
        .unwrap();
    assert_eq!(statement.sql, sql);
    assert!(statement.is_free);
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
