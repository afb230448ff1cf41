use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::{
    compile::samples::{flow, full_flow},
    model::FlowDefinition,
};

fn field(name: &str, kind: &str, operators: &[Comparison]) -> Field {
    Field {
        name: name.to_owned(),
        label: None,
        description: None,
        kind: Some(kind.to_owned()),
        class: FieldClass::of(kind),
        parent: None,
        filter_operators: operators.to_vec(),
        write_operations: vec![WriteOperation::Insert, WriteOperation::Update],
        id_for: Vec::new(),
        values: Vec::new(),
        length: None,
        range: None,
        pattern: None,
        date_format: None,
        default_value: None,
        nullable: None,
        required_on_create: false,
        primary_key: false,
        retrievable: true,
        queryable: true,
        deprecated: false,
        timestamp_for_incremental: kind == "datetime",
        example: json!(1),
    }
}

fn fields() -> Vec<Field> {
    let mut id = field("Id", "id", &[Comparison::Equals]);
    id.id_for = vec![WriteOperation::Update];
    id.write_operations.clear();
    let mut street = field("Street", "string", &[Comparison::Equals]);
    street.parent = Some("Address".to_owned());
    vec![
        id,
        street,
        field(
            "Name",
            "string",
            &[Comparison::Contains, Comparison::Equals],
        ),
        field(
            "Amount__c",
            "double",
            &[Comparison::Equals, Comparison::GreaterThan],
        ),
        field("Notes", "textarea", &[]),
        field("LastModifiedDate", "datetime", &[Comparison::Between]),
    ]
}

fn changed(change: &serde_json::Value) -> FlowDefinition {
    let mut whole = serde_json::to_value(flow(|_| ())).unwrap();
    for (member, value) in change.as_object().unwrap() {
        whole[member] = value.clone();
    }
    serde_json::from_value(whole).unwrap()
}

fn found(definition: &FlowDefinition, at_destination: bool) -> BTreeSet<String> {
    let fields = fields();
    let known = Known {
        source: (!at_destination).then_some(fields.as_slice()),
        destination: at_destination.then_some(fields.as_slice()),
    };
    let faults = unknown_fields(definition, known);
    faults
        .iter()
        .map(|fault| format!("{} {}", fault.pointer, fault.code))
        .collect()
}

fn set(faults: &[&str]) -> BTreeSet<String> {
    faults.iter().map(|fault| (*fault).to_owned()).collect()
}

#[test]
fn f8_every_use_of_an_unknown_source_field_is_a_fault() {
    let definition = changed(&json!({
        "mappings": [
            { "type": "all", "exclude": ["Nmae", "Id"] },
            { "type": "field", "from": "Amount", "to": "amount" },
            { "type": "field", "from": "Address.Street", "to": "street" },
            { "type": "concatenate", "from": ["Id", "Nothing"], "format": "x", "to": "t", "toType": "string" },
            { "type": "calculate", "operation": "add", "left": "A", "right": "Amount__c", "to": "n", "toType": "double" },
        ],
        "transforms": [{ "type": "truncate", "field": "Nam", "length": 3 }],
        "validations": [{ "field": "Nope", "must": "beNumeric", "otherwise": "dropRecord" }],
    }));
    let faults = unknown_fields(
        &definition,
        Known {
            source: Some(&fields()),
            destination: None,
        },
    );
    assert_eq!(
        found(&definition, false),
        set(&[
            "/mappings/0/exclude/0 unknown_field",
            "/mappings/1/from unknown_field",
            "/mappings/3/from/1 unknown_field",
            "/mappings/4/left unknown_field",
            "/transforms/0/field unknown_field",
            "/validations/0/field unknown_field",
        ])
    );
    let detail = |pointer: &str| {
        faults
            .iter()
            .find(|fault| fault.pointer == pointer)
            .unwrap()
            .detail
            .clone()
    };
    assert!(detail("/mappings/0/exclude/0").contains("Is Name meant?"));
    assert!(!detail("/validations/0/field").contains("meant"));
}

#[test]
fn filters_must_fit_the_fields_own_operators_and_type() {
    let filter = |name: &str, kind: &str, operator: &str| json!({ "field": name, "fieldType": kind, "operator": operator, "value": "x" });
    let definition = changed(&json!({ "filters": [
        filter("Name", "string", "contains"),
        filter("Name", "String", "notEquals"),
        filter("Notes", "textarea", "equals"),
        filter("Amount__c", "string", "equals"),
        filter("Absent", "string", "equals"),
    ] }));
    assert_eq!(
        found(&definition, false),
        set(&[
            "/filters/1/operator operator_not_offered",
            "/filters/2/operator not_filterable",
            "/filters/3/fieldType wrong_field_type",
            "/filters/4/field unknown_field",
        ])
    );
}

#[test]
fn from_type_and_timestamp_field_are_the_sources() {
    let definition = changed(&json!({
        "mappings": [{ "type": "field", "from": "Amount__c", "to": "n", "fromType": "string" }],
        "trigger": { "type": "scheduled", "every": "rate(1 hour)", "pull": "incremental", "timestampField": "Name" },
    }));
    assert_eq!(
        found(&definition, false),
        set(&[
            "/mappings/0/fromType wrong_field_type",
            "/trigger/timestampField not_for_incremental",
        ])
    );
}

#[test]
fn f8_destinations_take_what_their_fields_say() {
    let to = |write: &str, ids: &[&str]| {
        changed(&json!({
            "mappings": [{ "type": "field", "from": "x", "to": "Nmae" }],
            "destination": { "connector": "salesforce", "connectionId": "con_019364c0a1b27cc3a4d5e6f708192a3b",
                "object": "Account", "write": write, "idFields": ids },
        }))
    };
    assert_eq!(
        found(&to("update", &["Name", "Missing", "Id"]), true),
        set(&[
            "/mappings/0/to unknown_field",
            "/destination/idFields/0 not_an_id_field",
            "/destination/idFields/1 unknown_field",
        ])
    );
    assert_eq!(
        found(&to("upsert", &["Id"]), true),
        set(&[
            "/mappings/0/to unknown_field",
            "/destination/write write_not_offered"
        ])
    );
    assert_eq!(
        found(&to("delete", &["Id"]), true),
        set(&["/mappings/0/to unknown_field"])
    );
    // Without the object's fields nothing can be said.
    assert_eq!(unknown_fields(&to("delete", &["Id"]), Known::default()), []);
}

#[test]
fn a_flow_whose_fields_all_exist_has_no_faults() {
    let definition = full_flow();
    let mut names: BTreeSet<String> = definition
        .mappings
        .iter()
        .flat_map(|m| m.source_fields().cloned())
        .collect();
    names.extend(definition.transforms.iter().map(|t| t.field().clone()));
    names.extend(definition.validations.iter().map(|v| v.field.clone()));
    let mut fields: Vec<Field> = names
        .iter()
        .map(|name| Field {
            kind: None,
            ..field(name, "string", &[])
        })
        .collect();
    for filter in &definition.filters {
        fields.retain(|field| field.name != filter.field);
        fields.push(field(&filter.field, &filter.field_type, &[filter.operator]));
    }
    let known = Known {
        source: Some(&fields),
        destination: None,
    };
    assert_eq!(unknown_fields(&definition, known), []);
}
