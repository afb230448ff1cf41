//! A field as AppFlow describes it, in our words.

use aws_sdk_appflow::types::{
    ConnectorEntityField, DestinationFieldProperties, Operator, Range, WriteOperationType,
};
use tributary::connector::{Connector, WriteOperation};

use crate::compile::known::{Bounds, Field, FieldClass, comparisons, example, writes};

/// Type of fields that AppFlow describes without one.
const PLAIN: &str = "string";

pub(super) fn of(field: ConnectorEntityField, row: &Connector) -> Field {
    let details = field
        .supported_field_type_details
        .and_then(|details| details.v1);
    let source = field.source_properties;
    let destination = field.destination_properties.as_ref();
    let (length, range) = details.as_ref().map_or((None, None), |details| {
        (
            bounds(details.field_length_range.as_ref()),
            bounds(details.field_value_range.as_ref()),
        )
    });
    let kind = details.as_ref().map(|details| details.field_type.clone());
    let words = details
        .as_ref()
        .map(|details| details.filter_operators.as_slice())
        .unwrap_or_default();
    let queryable = source.as_ref().is_none_or(|source| source.is_queryable);
    let values = details
        .as_ref()
        .and_then(|details| details.supported_values.clone())
        .unwrap_or_default();
    let required_on_create = destination.is_some_and(|destination| {
        destination.is_creatable && !destination.is_nullable && !destination.is_defaulted_on_create
    }) && field.default_value.is_none();
    Field {
        name: field.identifier,
        label: field.label,
        description: field.description,
        class: FieldClass::of(kind.as_deref().unwrap_or(PLAIN)),
        parent: field.parent_identifier,
        filter_operators: if queryable {
            comparisons(&words.iter().map(Operator::as_str), row.comparisons)
        } else {
            Vec::new()
        },
        write_operations: destination
            .map_or_else(Vec::new, |destination| writable(destination, row)),
        id_for: destination.map_or_else(Vec::new, |destination| id_for(destination, row)),
        example: example(kind.as_deref().unwrap_or(PLAIN), &values, length, range),
        values,
        length,
        range,
        pattern: details
            .as_ref()
            .and_then(|details| details.value_regex_pattern.clone()),
        date_format: details.and_then(|details| details.supported_date_format),
        kind,
        default_value: field.default_value,
        nullable: destination.map(|destination| destination.is_nullable),
        required_on_create,
        primary_key: field.is_primary_key,
        retrievable: source.as_ref().is_none_or(|source| source.is_retrievable),
        queryable,
        deprecated: field.is_deprecated,
        timestamp_for_incremental: source
            .is_some_and(|source| source.is_timestamp_field_for_incremental_queries),
    }
}

/// How many bytes a field takes, about.
pub(super) fn size(field: &Field) -> usize {
    let texts = [
        &field.label,
        &field.description,
        &field.kind,
        &field.pattern,
        &field.default_value,
    ];
    let texts: usize = texts.into_iter().flatten().map(String::len).sum();
    size_of::<Field>()
        + field.name.len()
        + texts
        + field
            .values
            .iter()
            .map(|value| 24 + value.len())
            .sum::<usize>()
}

fn bounds(range: Option<&Range>) -> Option<Bounds> {
    // The service sends zeros where it has nothing to say.
    range
        .filter(|range| range.maximum > range.minimum)
        .map(|range| Bounds {
            minimum: range.minimum,
            maximum: range.maximum,
        })
}

fn writable(field: &DestinationFieldProperties, row: &Connector) -> Vec<WriteOperation> {
    [
        (WriteOperation::Insert, field.is_creatable),
        (WriteOperation::Update, field.is_updatable),
        (WriteOperation::Upsert, field.is_upsertable),
    ]
    .into_iter()
    .filter(|(write, can)| *can && row.writes.contains(write))
    .map(|(write, _)| write)
    .collect()
}

/// `supportedWriteOperations` of a field are those in which it can tell records apart.
fn id_for(field: &DestinationFieldProperties, row: &Connector) -> Vec<WriteOperation> {
    let words = field
        .supported_write_operations
        .as_deref()
        .unwrap_or_default();
    let mut ids = writes(words.iter().map(WriteOperationType::as_str));
    ids.retain(|write| row.writes.contains(write));
    ids
}

#[cfg(test)]
mod tests {
    use aws_sdk_appflow::types::{
        FieldTypeDetails, SourceFieldProperties, SupportedFieldTypeDetails,
    };
    use tributary::connector::{self, Comparison};

    use super::*;

    fn described() -> ConnectorEntityField {
        let range = |maximum| Range::builder().minimum(0.0).maximum(maximum).build();
        let details = FieldTypeDetails::builder()
            .field_type("double")
            .filter_operators(Operator::Between)
            .filter_operators(Operator::EqualTo)
            .filter_operators(Operator::Contains)
            .filter_operators(Operator::Projection)
            .field_value_range(range(10.0))
            .field_length_range(range(0.0))
            .build()
            .unwrap();
        ConnectorEntityField::builder()
            .identifier("Rate__c")
            .label("Rate")
            .parent_identifier("Terms")
            .is_primary_key(false)
            .supported_field_type_details(SupportedFieldTypeDetails::builder().v1(details).build())
            .source_properties(
                SourceFieldProperties::builder()
                    .is_queryable(true)
                    .is_retrievable(true)
                    .is_timestamp_field_for_incremental_queries(true)
                    .build(),
            )
            .destination_properties(
                DestinationFieldProperties::builder()
                    .is_creatable(true)
                    .is_upsertable(true)
                    .supported_write_operations(WriteOperationType::Upsert)
                    .build(),
            )
            .build()
            .unwrap()
    }

    #[test]
    fn f12_a_form_can_be_drawn_from_a_field() {
        let field = of(described(), &connector::SALESFORCE);
        assert_eq!(
            (field.name.as_str(), field.kind.as_deref(), field.class),
            ("Rate__c", Some("double"), FieldClass::Number)
        );
        assert_eq!(field.parent.as_deref(), Some("Terms"));
        assert_eq!(
            field.filter_operators,
            [
                Comparison::Contains,
                Comparison::Equals,
                Comparison::Between
            ]
        );
        assert_eq!(
            field.write_operations,
            [WriteOperation::Insert, WriteOperation::Upsert]
        );
        assert_eq!(field.id_for, [WriteOperation::Upsert]);
        assert_eq!(
            (field.length, field.range.map(|range| range.maximum)),
            (None, Some(10.0))
        );
        assert!(field.required_on_create && field.timestamp_for_incremental);
        assert_eq!(field.example, 10);
    }

    #[test]
    fn the_catalogues_row_narrows_what_a_field_offers() {
        let field = of(described(), &connector::SLACK);
        assert_eq!(
            field.filter_operators,
            [Comparison::Equals, Comparison::Between]
        );
        assert_eq!((field.write_operations, field.id_for), (vec![], vec![]));
    }
}
