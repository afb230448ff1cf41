use serde_json::{Value, json};

use super::{
    apply::{DatasetDropped, Table, apply},
    *,
};

fn task(kind: &str, fields: &[&str], operator: &str, properties: impl Into<Value>) -> Task {
    serde_json::from_value(json!({
        "taskType": kind,
        "sourceFields": fields,
        "connectorOperator": { "Salesforce": operator },
        "taskProperties": properties.into(),
    }))
    .expect("task")
}

fn project(fields: &[&str]) -> Task {
    task("Filter", fields, "PROJECTION", json!({}))
}

fn map(from: &str, to: &str) -> Task {
    let mut made = task("Map", &[from], "NO_OP", json!({}));
    made.destination_field = Some(to.to_owned());
    made
}

fn run(tasks: &[Task], records: Value) -> Result<Table, DatasetDropped> {
    let plan = Plan::compile(tasks, "Salesforce").expect("plan");
    let fields: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
    let records = serde_json::from_value(records).expect("records");
    let local = plan.filters.clone();
    apply(&plan, &fields, &local, records)
}

/// One value `a` through one task and back out.
fn through(step: Task, value: &Value) -> Value {
    let table = run(
        &[project(&["a"]), map("a", "a"), step],
        json!([{ "a": value }]),
    )
    .expect("run");
    table
        .rows
        .into_iter()
        .next()
        .map_or(json!("dropped"), |r| r[0].clone())
}

#[test]
fn transforms_change_values_as_the_table_says() {
    let mask = |op, n: &str| {
        task(
            "Mask",
            &["a"],
            op,
            json!({ "MASK_LENGTH": n, "MASK_VALUE": "*" }),
        )
    };
    let cut = |n: &str| task("Truncate", &["a"], "NO_OP", json!({ "TRUNCATE_LENGTH": n }));
    for (step, before, after) in [
        (
            mask("MASK_ALL", "5"),
            json!("secret@example.com"),
            json!("*****"),
        ),
        (
            mask("MASK_FIRST_N", "6"),
            json!("0123456789"),
            json!("******6789"),
        ),
        (
            mask("MASK_LAST_N", "4"),
            json!("0123456789"),
            json!("012345****"),
        ),
        (mask("MASK_LAST_N", "40"), json!("abc"), json!("***")),
        (mask("MASK_FIRST_N", "2"), json!("Žižek"), json!("**žek")),
        (mask("MASK_ALL", "5"), Value::Null, Value::Null),
        (cut("3"), json!("Zürich"), json!("Zür")),
        (cut("30"), json!("Zürich"), json!("Zürich")),
        (cut("2"), json!(12345), json!("12")),
    ] {
        assert_eq!(through(step.clone(), &before), after, "{step:?} {before}");
    }
}

#[test]
fn validations_drop_what_the_table_says() {
    let check = |op| {
        task(
            "Validate",
            &["a"],
            op,
            json!({ "VALIDATION_ACTION": "DropRecord" }),
        )
    };
    for (operator, value, kept) in [
        ("VALIDATE_NON_NULL", Value::Null, false),
        ("VALIDATE_NON_NULL", json!(0), true),
        ("VALIDATE_NON_ZERO", json!(0), false),
        ("VALIDATE_NON_ZERO", json!("0.0"), false),
        ("VALIDATE_NON_ZERO", json!(-1), true),
        ("VALIDATE_NON_NEGATIVE", json!(-0.5), false),
        ("VALIDATE_NON_NEGATIVE", json!(0), true),
        ("VALIDATE_NUMERIC", json!("12x"), false),
        ("VALIDATE_NUMERIC", json!("12.5"), true),
        ("VALIDATE_NUMERIC", Value::Null, false),
    ] {
        let expected = if kept {
            value.clone()
        } else {
            json!("dropped")
        };
        assert_eq!(
            through(check(operator), &value),
            expected,
            "{operator} {value}"
        );
    }
}

#[test]
fn drop_dataset_ends_the_run() {
    let check = task(
        "Validate",
        &["a"],
        "VALIDATE_NON_NULL",
        json!({ "VALIDATION_ACTION": "DropDataset" }),
    );
    let records = json!([{ "a": 1 }, { "a": null }]);
    let dropped = run(&[project(&["a"]), map("a", "a"), check], records).expect_err("dropped");
    assert_eq!(dropped.field, "a");
}

#[test]
fn filters_compare_by_data_type() {
    let filter = |op, properties| task("Filter", &["a"], op, properties);
    let dates = json!({ "DATA_TYPE": "datetime", "LOWER_BOUND": "1000", "UPPER_BOUND": "3000" });
    for (step, value, kept) in [
        (
            filter(
                "EQUAL_TO",
                json!({ "DATA_TYPE": "picklist", "VALUES": "Hot,Warm" }),
            ),
            json!("Warm"),
            true,
        ),
        (
            filter(
                "EQUAL_TO",
                json!({ "DATA_TYPE": "string", "VALUE": "Hot,Warm" }),
            ),
            json!("Warm"),
            false,
        ),
        (
            filter(
                "NOT_EQUAL_TO",
                json!({ "DATA_TYPE": "string", "VALUES": "x,y" }),
            ),
            json!("x"),
            false,
        ),
        (
            filter(
                "NOT_EQUAL_TO",
                json!({ "DATA_TYPE": "string", "VALUES": "x,y" }),
            ),
            Value::Null,
            true,
        ),
        (
            filter(
                "GREATER_THAN",
                json!({ "DATA_TYPE": "double", "VALUE": "9" }),
            ),
            json!(10),
            true,
        ),
        (
            filter(
                "GREATER_THAN",
                json!({ "DATA_TYPE": "string", "VALUE": "9" }),
            ),
            json!("10"),
            false,
        ),
        (
            filter(
                "LESS_THAN_OR_EQUAL_TO",
                json!({ "DATA_TYPE": "int", "VALUE": "9" }),
            ),
            json!("9"),
            true,
        ),
        (
            filter("CONTAINS", json!({ "DATA_TYPE": "string", "VALUE": "son" })),
            json!("Jonsson"),
            true,
        ),
        (
            filter(
                "EQUAL_TO",
                json!({ "DATA_TYPE": "boolean", "VALUE": "true" }),
            ),
            json!(true),
            true,
        ),
        (
            filter("BETWEEN", dates.clone()),
            json!("1970-01-01T00:00:02.000+0000"),
            true,
        ),
        (
            filter("BETWEEN", dates.clone()),
            json!("1970-01-01T00:00:01.000Z"),
            false,
        ),
        (
            filter("BETWEEN", dates),
            json!("1970-01-01T00:00:03.000Z"),
            false,
        ),
    ] {
        let expected = if kept {
            value.clone()
        } else {
            json!("dropped")
        };
        assert_eq!(through(step.clone(), &value), expected, "{step:?} {value}");
    }
}

#[test]
fn arithmetic_and_merge_make_fields_named_by_their_inputs() {
    for (operator, a, b, result) in [
        ("ADDITION", json!(1.5), json!("2.5"), json!(4)),
        ("SUBTRACTION", json!(1), json!(2.5), json!(-1.5)),
        ("MULTIPLICATION", json!(3), json!(4), json!(12)),
        ("DIVISION", json!(1), json!(0), Value::Null),
        ("DIVISION", json!(9), json!(2), json!(4.5)),
        ("ADDITION", Value::Null, json!(1), Value::Null),
    ] {
        let step = task(
            "Arithmetic",
            &["a", "b"],
            operator,
            json!({ "MATH_OPERATION_FIELDS_ORDER": "a,b" }),
        );
        let tasks = [project(&["a", "b"]), step, map("a,b", "sum")];
        let table = run(&tasks, json!([{ "a": a, "b": b }])).expect("run");
        assert_eq!(table.columns, ["sum"]);
        assert_eq!(table.rows[0][0], result, "{operator}");
    }
    let step = task(
        "Merge",
        &["a", "b"],
        "NO_OP",
        json!({ "CONCAT_FORMAT": "${b}, ${a}" }),
    );
    let table = run(
        &[project(&["a", "b"]), step, map("a,b", "name")],
        json!([{ "a": "Ada", "b": "L" }]),
    );
    assert_eq!(table.expect("run").rows[0][0], json!("L, Ada"));
}

#[test]
fn map_all_leaves_out_what_is_excluded_and_keeps_the_sources_order() {
    let all = task(
        "Map_all",
        &[],
        "NO_OP",
        json!({ "EXCLUDE_SOURCE_FIELDS_LIST": "[\"b\"]" }),
    );
    let table = run(&[all], json!([{ "c": 3, "a": 1, "b": 2 }])).expect("run");
    assert_eq!(table.columns, ["a", "c"]);
    assert_eq!(table.rows, [[json!(1), json!(3)]]);
}

#[test]
fn a_saas_source_needs_a_projection_or_a_map_all_and_s3_does_not() {
    let faults = Plan::compile(&[map("a", "a")], "Salesforce").expect_err("refused");
    assert_eq!(
        faults,
        ["Task Validation Error: You must specify a projection task or a MAP_ALL task"]
    );
    assert!(Plan::compile(&[map("a", "a")], "S3").is_ok());
}

#[test]
fn a_filter_under_a_foreign_key_is_read_as_no_op() {
    let mut wrong = task(
        "Filter",
        &["a"],
        "EQUAL_TO",
        json!({ "DATA_TYPE": "string", "VALUE": "x" }),
    );
    wrong.connector_operator = [("Zendesk".to_owned(), "EQUAL_TO".to_owned())].into();
    let faults = Plan::compile(&[project(&["a"]), wrong], "Salesforce").expect_err("refused");
    assert_eq!(
        faults,
        [
            "Task Validation Error: The operator NO_OP is not valid for filtering tasks.  The task \
          sourceConnectorType is FILTERING and the task operator is NO_OP"
        ]
    );
}

#[test]
fn every_faulty_task_is_named() {
    let faults = Plan::compile(
        &[
            project(&["a"]),
            task("Map", &["a", "b"], "NO_OP", json!({})),
            task("Mask", &["a"], "MASK_ALL", json!({ "MASK_VALUE": "**" })),
            task(
                "Truncate",
                &["a"],
                "NO_OP",
                json!({ "TRUNCATE_LENGTH": "0" }),
            ),
            task(
                "Validate",
                &["a"],
                "VALIDATE_NUMERIC",
                json!({ "VALIDATION_ACTION": "Ignore" }),
            ),
            task("Arithmetic", &["a"], "ADDITION", json!({})),
            task(
                "Filter",
                &["a"],
                "EQUAL_TO",
                json!({ "DATA_TYPE": "int", "VALUE": "many" }),
            ),
            task(
                "Filter",
                &["a"],
                "BETWEEN",
                json!({ "DATA_TYPE": "int", "LOWER_BOUND": "1" }),
            ),
        ],
        "Salesforce",
    )
    .expect_err("refused");
    assert_eq!(faults.len(), 7, "{faults:#?}");
}

#[test]
fn only_mappings_types_and_partitions_make_a_new_schema() {
    let before = [project(&["a"]), map("a", "a")];
    assert!(Plan::same_schema(
        &before,
        &[map("a", "a"), project(&["a", "b"])]
    ));
    assert!(!Plan::same_schema(
        &before,
        &[project(&["a"]), map("a", "z")]
    ));
    assert!(Plan::same_schema(
        &[map("a", "a"), map("b", "b")],
        &[map("b", "b"), map("a", "a")]
    ));
}
