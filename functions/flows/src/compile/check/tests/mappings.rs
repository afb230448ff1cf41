//! flow-model section 3: mappings, transforms, filters and validations of each source.

use tributary::connector::{CONNECTORS, Comparison};

use super::*;
use arbitrary::SOURCES;

fn mapped(mappings: Value) -> Vec<String> {
    let members = serde_json::Map::from_iter([("mappings".to_owned(), mappings)]);
    faults_with(members.into())
}

fn concatenation(from: &[&str], to: &str) -> Value {
    json!({ "type": "concatenate", "from": from, "format": "${a}", "to": to, "toType": "string" })
}

fn calculation(left: &str, right: &str, to: &str) -> Value {
    json!({ "type": "calculate", "operation": "add", "left": left, "right": right, "to": to, "toType": "double" })
}

fn long(characters: usize) -> String {
    "x".repeat(characters)
}

/// flow-model 3, mappings: map all, map one, with the limits of section 12
#[test]
fn f8_names_and_types_of_fields_keep_their_limits() {
    let one = |member: &str, value: &str| {
        let mut mapping =
            json!({ "type": "field", "from": "a", "to": "b", "fromType": "t", "toType": "t" });
        mapping[member] = value.into();
        mapped(json!([mapping]))
    };
    for (member, most, code) in [
        ("from", 2048, "invalid_field"),
        ("to", 256, "invalid_field"),
        ("fromType", 2048, "invalid_type"),
        ("toType", 2048, "invalid_type"),
    ] {
        assert_eq!(one(member, &long(most)), NONE, "{member}");
        for wrong in [String::new(), long(most + 1), "a\nb".to_owned()] {
            assert_eq!(
                one(member, &wrong),
                [format!("/mappings/0/{member} {code}")]
            );
        }
    }
    assert_eq!(
        mapped(json!([{ "type": "all", "exclude": [long(2044)] }])),
        NONE
    );
    assert_eq!(
        mapped(json!([{ "type": "all", "exclude": [long(2045)] }])),
        ["/mappings/0/exclude too_long"]
    );
    assert_eq!(
        mapped(json!([{ "type": "all", "exclude": ["a", "a"] }])),
        ["/mappings/0/exclude/1 repeated"]
    );
    assert_eq!(mapped(json!([])), ["/mappings required"]);
}

/// flow-model 3, row concatenate
#[test]
fn f8_a_concatenation_has_two_fields_a_format_and_a_type() {
    assert_eq!(mapped(json!([concatenation(&["a", "b"], "t")])), NONE);
    for (from, expected) in [
        (vec!["a"], vec!["/mappings/0/from too_few"]),
        (vec![], vec!["/mappings/0/from too_few"]),
        (
            vec!["a", "a"],
            vec!["/mappings/0/from/1 repeated", "/mappings/0/from too_few"],
        ),
        (vec!["a", "b", "a"], vec!["/mappings/0/from/2 repeated"]),
        (vec!["a,b", "c"], vec!["/mappings/0/from/0 comma_in_name"]),
        (vec!["", "c"], vec!["/mappings/0/from/0 invalid_field"]),
    ] {
        assert_eq!(
            mapped(json!([concatenation(&from, "t")])),
            expected,
            "{from:?}"
        );
    }
    let (half, rest) = (long(128), "y".repeat(127));
    assert_eq!(mapped(json!([concatenation(&[&half, &rest], "t")])), NONE);
    let rest = "y".repeat(128);
    assert_eq!(
        mapped(json!([concatenation(&[&half, &rest], "t")])),
        ["/mappings/0/from too_long"]
    );
    let with = |member: &str, value: &str| {
        let mut mapping = concatenation(&["a", "b"], "t");
        mapping[member] = value.into();
        mapped(json!([mapping]))
    };
    assert_eq!(with("format", &long(2048)), NONE);
    for wrong in [String::new(), long(2049), "a\tb".to_owned()] {
        assert_eq!(
            with("format", &wrong),
            ["/mappings/0/format invalid_format"]
        );
    }
    assert_eq!(with("to", ""), ["/mappings/0/to invalid_field"]);
    assert_eq!(with("toType", "a b"), ["/mappings/0/toType invalid_type"]);
}

/// flow-model 3, row add, subtract, multiply, divide
#[test]
fn f8_a_calculation_has_two_fields_and_a_type() {
    for operation in ["add", "subtract", "multiply", "divide"] {
        let mut mapping = calculation("a", "a", "t");
        mapping["operation"] = operation.into();
        assert_eq!(mapped(json!([mapping])), NONE, "{operation}");
    }
    assert_eq!(
        mapped(json!([calculation("a,b", "", "t")])),
        [
            "/mappings/0/left comma_in_name",
            "/mappings/0/right invalid_field"
        ]
    );
    assert_eq!(
        mapped(json!([calculation(&long(128), &long(127), "t")])),
        NONE
    );
    assert_eq!(
        mapped(json!([calculation(&long(128), &long(128), "t")])),
        ["/mappings/0/right too_long"]
    );
    let mut mapping = calculation("a", "b", "");
    mapping["toType"] = "".into();
    assert_eq!(
        mapped(json!([mapping])),
        [
            "/mappings/0/to invalid_field",
            "/mappings/0/toType invalid_type"
        ]
    );
}

/// flow-model 3: the result is known by its parts, joined by commas
#[test]
fn f8_results_that_appflow_would_mix_up_are_refused() {
    let repeated = ["/mappings/1/left parts_repeated"];
    assert_eq!(
        mapped(json!([
            concatenation(&["a", "b"], "s"),
            calculation("a", "b", "t")
        ])),
        repeated
    );
    assert_eq!(
        mapped(json!([
            calculation("a", "b", "s"),
            calculation("a", "b", "t")
        ])),
        repeated
    );
    assert_eq!(
        mapped(json!([{ "type": "field", "from": "a,b", "to": "s" }, calculation("a", "b", "t")])),
        repeated
    );
    assert_eq!(
        mapped(json!([{ "type": "field", "from": "c", "to": "a,b" }, calculation("a", "b", "t")])),
        repeated
    );
    assert_eq!(
        mapped(json!([
            calculation("a", "b", "s"),
            concatenation(&["a", "b"], "t")
        ])),
        ["/mappings/1/from parts_repeated"]
    );
    assert_eq!(
        mapped(json!([
            calculation("a", "b", "s"),
            calculation("b", "a", "t")
        ])),
        NONE
    );
}

#[test]
fn f8_a_field_that_comes_with_all_the_others_is_not_filled_again() {
    let all = |exclude: &[&str], mapping: Value| {
        mapped(json!([{ "type": "all", "exclude": exclude }, mapping]))
    };
    let same = || json!({ "type": "field", "from": "a", "to": "a" });
    assert_eq!(all(&[], same()), ["/mappings/1/to repeated"]);
    assert_eq!(all(&["a"], same()), NONE);
    assert_eq!(
        all(&[], calculation("a", "b", "b")),
        ["/mappings/1/to repeated"]
    );
    assert_eq!(all(&["b"], calculation("a", "b", "b")), NONE);
    assert_eq!(all(&[], calculation("a", "b", "c")), NONE);
}

/// flow-model 3: "GoogleAnalytics … only projection and between, Amplitude only between"
#[test]
fn f8_sources_without_changes_bring_values_as_they_are() {
    for row in CONNECTORS.iter().filter(|row| row.source) {
        let (_, members) = SOURCES.iter().find(|(key, _)| *key == row.key).unwrap();
        let flow = |more: Value| {
            let mut flow =
                json!({ "source": arbitrary::end(row.key, members), "trigger": every_day() });
            flow.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            faults_with(flow)
        };
        let field = flow(json!({ "mappings": [{ "type": "field", "from": "a", "to": "b" }] }));
        let code = |code: &str, pointers: &[&str]| {
            pointers
                .iter()
                .map(|at| format!("{at} {code}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            field,
            code(
                "only_all_fields",
                if row.projects {
                    &[]
                } else {
                    &["/mappings/0/type"]
                }
            ),
            "{}",
            row.key
        );
        let changed = flow(json!({
            "mappings": [{ "type": "all" }],
            "transforms": [{ "type": "mask", "field": "a", "part": "all" }],
            "validations": [{ "field": "a", "must": "notBeNull", "otherwise": "stopRun" }],
        }));
        let refused: &[&str] = if row.changes_values {
            &[]
        } else {
            &["/transforms", "/validations"]
        };
        assert_eq!(changed, code("changes_not_offered", refused), "{}", row.key);
    }
    let analytics = |mapping: Value| {
        faults_with(json!({
            "source": end("googleAnalytics", json!({ "object": "reports" })), "mappings": [mapping],
        }))
    };
    assert_eq!(
        analytics(concatenation(&["a", "b"], "t")),
        ["/mappings/0/type changes_not_offered"]
    );
    assert_eq!(
        analytics(calculation("a", "b", "t")),
        ["/mappings/0/type changes_not_offered"]
    );
}

/// flow-model 3, filters: "Not every source has every operator", all 28 sources by 8 comparisons
#[test]
fn f8_each_source_compares_only_as_its_row_says() {
    for row in CONNECTORS.iter().filter(|row| row.source) {
        let (_, members) = SOURCES.iter().find(|(key, _)| *key == row.key).unwrap();
        for (word, comparison, kind) in [
            ("contains", Comparison::Contains, "string"),
            ("equals", Comparison::Equals, "string"),
            ("notEquals", Comparison::NotEquals, "string"),
            ("lessThan", Comparison::LessThan, "date"),
            ("lessThanOrEquals", Comparison::LessThanOrEquals, "date"),
            ("greaterThan", Comparison::GreaterThan, "date"),
            (
                "greaterThanOrEquals",
                Comparison::GreaterThanOrEquals,
                "date",
            ),
            ("between", Comparison::Between, "date"),
        ] {
            let mut filter = json!({ "field": "f", "fieldType": kind, "operator": word });
            if comparison == Comparison::Between {
                filter["lower"] = "2026-01-01".into();
                filter["upper"] = "2026-01-02".into();
            } else {
                filter["value"] = "2026-01-01".into();
            }
            let found = faults_with(json!({
                "source": arbitrary::end(row.key, members), "trigger": every_day(), "filters": [filter],
            }));
            let expected: &[&str] = if row.comparisons.contains(&comparison) {
                &[]
            } else {
                &["/filters/0/operator operator_not_offered"]
            };
            assert_eq!(found, expected, "{} {word}", row.key);
        }
    }
}

/// flow-model 3, transforms and validations: each once for a field
#[test]
fn f8_what_is_done_to_a_field_is_done_once() {
    let filter = json!({ "field": "a", "fieldType": "string", "operator": "equals", "value": "x" });
    let mask = json!({ "type": "mask", "field": "a", "part": "all" });
    let cut = json!({ "type": "truncate", "field": "a", "length": 1 });
    let ask = |must: &str| json!({ "field": "a", "must": must, "otherwise": "dropRecord" });
    for (flow, expected) in [
        (json!({ "transforms": [mask, cut] }), vec![]),
        (
            json!({ "transforms": [mask, mask] }),
            vec!["/transforms/1/field repeated"],
        ),
        (
            json!({ "transforms": [cut, mask, cut] }),
            vec!["/transforms/2/field repeated"],
        ),
        (
            json!({ "validations": [ask("notBeNull"), ask("notBeZero"), ask("notBeNegative"), ask("beNumeric")] }),
            vec![],
        ),
        (
            json!({ "validations": [ask("notBeNull"), ask("notBeNull")] }),
            vec!["/validations/1/must repeated"],
        ),
        (
            json!({ "filters": [filter, filter] }),
            vec!["/filters/1 repeated"],
        ),
    ] {
        assert_eq!(faults_with(flow.clone()), expected, "{flow}");
    }
}

/// appflow 12, row Filters: ten of ten is the console's limit, not the API's
#[test]
fn more_filters_than_the_console_takes_are_sound() {
    let values: Vec<i32> = (0..11).collect();
    let filters: Vec<Value> = (0..11)
        .map(|n| json!({ "field": format!("f{n}"), "fieldType": "int", "operator": "equals", "values": values }))
        .collect();
    assert_eq!(faults_with(json!({ "filters": filters })), NONE);
}
