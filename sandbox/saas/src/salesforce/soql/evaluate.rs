//! From a query and rows to the rows that answer it.

use std::cmp::Ordering;

use super::{Condition, Literal, Number, Operator, Query, Selection, SoqlError, Text, like::like};
use crate::salesforce::table::{Cell, Kind, Object};

/// Columns and rows that answer a query, by position.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Selected {
    /// Positions of the asked fields, in the order asked.
    pub(in super::super) columns: Vec<usize>,
    /// Positions of the matching rows, in the order asked.
    pub(in super::super) rows: Vec<usize>,
}

/// Evaluates a query. Rows in the recycle bin count only with `deleted`.
pub(in super::super) fn select(
    query: &Query,
    object: &Object,
    rows: &[Vec<Cell>],
    deleted: bool,
) -> Result<Selected, SoqlError> {
    let columns = match &query.selection {
        Selection::Count => Vec::new(),
        Selection::Fields(fields) => fields
            .iter()
            .map(|field| column(object, field))
            .collect::<Result<_, _>>()?,
    };
    let mut seen = std::collections::HashSet::new();
    if let Some(twice) = columns.iter().find(|column| !seen.insert(**column)) {
        return Err(SoqlError {
            code: "MALFORMED_QUERY",
            message: format!("duplicate field selected: {}", object.fields[*twice].name),
        });
    }
    let predicate = query
        .condition
        .as_ref()
        .map(|condition| bind(condition, object))
        .transpose()?;
    let order = query
        .order
        .iter()
        .map(|order| Ok((column(object, &order.field)?, order)))
        .collect::<Result<Vec<_>, SoqlError>>()?;
    let bin = object.position("IsDeleted");
    let mut found: Vec<usize> = (0..rows.len())
        .filter(|at| deleted || bin.is_none_or(|bin| rows[*at][bin] != Cell::Bool(true)))
        .filter(|at| predicate.as_ref().is_none_or(|p| p.holds(&rows[*at])))
        .collect();
    found.sort_by(|left, right| {
        order
            .iter()
            .map(|(column, order)| {
                let (left, right) = (&rows[*left][*column], &rows[*right][*column]);
                match (left, right) {
                    (Cell::Null, Cell::Null) => Ordering::Equal,
                    (Cell::Null, _) if order.nulls_last => Ordering::Greater,
                    (_, Cell::Null) if order.nulls_last => Ordering::Less,
                    (Cell::Null, _) => Ordering::Less,
                    (_, Cell::Null) => Ordering::Greater,
                    _ if order.descending => between(right, left),
                    _ => between(left, right),
                }
            })
            .find(|ordering| *ordering != Ordering::Equal)
            .unwrap_or(Ordering::Equal)
    });
    let rows = found
        .into_iter()
        .skip(query.offset)
        .take(query.limit.unwrap_or(usize::MAX))
        .collect();
    Ok(Selected { columns, rows })
}

fn column(object: &Object, field: &str) -> Result<usize, SoqlError> {
    object.position(field).ok_or_else(|| {
        SoqlError::field(format!(
            "No such column '{field}' on entity '{}'. If you are attempting to use a custom field, be sure \
             to append the '__c' after the custom field name.",
            object.name
        ))
    })
}

/// A condition whose names and types were checked.
enum Predicate {
    All(Vec<Predicate>),
    Any(Vec<Predicate>),
    Not(Box<Predicate>),
    Compare(usize, Operator, Literal),
    Like(usize, Text),
    Within(usize, bool, Vec<Literal>),
}

fn bind(condition: &Condition, object: &Object) -> Result<Predicate, SoqlError> {
    let each = |conditions: &[Condition]| {
        conditions
            .iter()
            .map(|c| bind(c, object))
            .collect::<Result<Vec<_>, _>>()
    };
    Ok(match condition {
        Condition::All(conditions) => Predicate::All(each(conditions)?),
        Condition::Any(conditions) => Predicate::Any(each(conditions)?),
        Condition::Not(inner) => Predicate::Not(Box::new(bind(inner, object)?)),
        Condition::Compare {
            field,
            operator,
            value,
        } => {
            let at = column(object, field)?;
            check(object, at, *operator, value)?;
            match (operator, value) {
                (Operator::Like, Literal::Text(pattern)) => Predicate::Like(at, pattern.clone()),
                _ => Predicate::Compare(at, *operator, value.clone()),
            }
        }
        Condition::Within {
            field,
            negated,
            values,
        } => {
            let at = column(object, field)?;
            for value in values {
                check(object, at, Operator::Equal, value)?;
            }
            Predicate::Within(at, *negated, values.clone())
        }
    })
}

/// Refuses a comparison that the field's type does not have.
fn check(object: &Object, at: usize, operator: Operator, value: &Literal) -> Result<(), SoqlError> {
    let field = &object.fields[at];
    let text = matches!(field.kind, Kind::Text(_) | Kind::Email);
    let fits = match value {
        Literal::Null => true,
        Literal::Text(_) => text || field.kind == Kind::Id,
        Literal::Bool(_) => field.kind == Kind::Boolean,
        Literal::Number(_) => matches!(field.kind, Kind::Int | Kind::Currency),
        Literal::Time(_) => field.kind == Kind::Datetime,
    };
    let applies = match operator {
        Operator::Equal | Operator::NotEqual => true,
        Operator::Like => text && *value != Literal::Null,
        _ => field.kind != Kind::Boolean && *value != Literal::Null,
    };
    if fits && applies {
        return Ok(());
    }
    if fits {
        return Err(SoqlError::field(format!(
            "invalid operator on {} field '{}'",
            field.kind.name(),
            field.name
        )));
    }
    let expected = match field.kind {
        Kind::Id | Kind::Text(_) | Kind::Email => "string and should be enclosed in quotes",
        Kind::Boolean => "boolean and should not be enclosed in quotes",
        Kind::Int | Kind::Currency => "number and should not be enclosed in quotes",
        Kind::Datetime => "dateTime and should not be enclosed in quotes",
        Kind::Complex => "complex value, which cannot be filtered",
    };
    Err(SoqlError::field(format!(
        "value of filter criterion for field '{}' must be of type {expected}",
        field.name
    )))
}

impl Predicate {
    fn holds(&self, row: &[Cell]) -> bool {
        match self {
            Self::All(all) => all.iter().all(|p| p.holds(row)),
            Self::Any(any) => any.iter().any(|p| p.holds(row)),
            Self::Not(inner) => !inner.holds(row),
            Self::Compare(at, operator, value) => compares(&row[*at], *operator, value),
            Self::Like(at, pattern) => match &row[*at] {
                Cell::Text(text) => like(text, pattern),
                _ => false,
            },
            Self::Within(at, negated, values) => {
                *negated
                    != values
                        .iter()
                        .any(|value| compares(&row[*at], Operator::Equal, value))
            }
        }
    }
}

fn compares(cell: &Cell, operator: Operator, value: &Literal) -> bool {
    let ordering = against(cell, value);
    match operator {
        Operator::Equal => ordering == Some(Ordering::Equal),
        Operator::NotEqual => ordering != Some(Ordering::Equal),
        Operator::Less => ordering == Some(Ordering::Less),
        Operator::LessOrEqual => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
        Operator::Greater => ordering == Some(Ordering::Greater),
        Operator::GreaterOrEqual => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
        // Bound as a pattern before; without one nothing is alike.
        Operator::Like => false,
    }
}

/// How a cell stands to a literal; none if one of them is null and the other is not.
fn against(cell: &Cell, value: &Literal) -> Option<Ordering> {
    match (cell, value) {
        (Cell::Null, Literal::Null) => Some(Ordering::Equal),
        (Cell::Bool(cell), Literal::Bool(value)) => Some(cell.cmp(value)),
        (Cell::Text(cell), Literal::Text(value)) => Some(folded(cell).cmp(&folded(&value.plain()))),
        (Cell::Time(cell), Literal::Time(value)) => Some(cell.cmp(value)),
        (Cell::Int(_) | Cell::Cents(_), Literal::Number(value)) => {
            Some(billionths(cell)?.cmp(value))
        }
        _ => None,
    }
}

fn billionths(cell: &Cell) -> Option<Number> {
    match cell {
        Cell::Int(value) => Some(Number(i128::from(*value) * 1_000_000_000)),
        Cell::Cents(cents) => Some(Number(i128::from(*cents) * 10_000_000)),
        _ => None,
    }
}

fn between(left: &Cell, right: &Cell) -> Ordering {
    match (left, right) {
        (Cell::Text(left), Cell::Text(right)) => folded(left).cmp(&folded(right)),
        (Cell::Bool(left), Cell::Bool(right)) => left.cmp(right),
        (Cell::Time(left), Cell::Time(right)) => left.cmp(right),
        _ => billionths(left).cmp(&billionths(right)),
    }
}

fn folded(text: &str) -> String {
    text.to_lowercase()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::salesforce::{
        city_sales,
        soql::{self, parse},
        table::{OBJECTS, Object},
    };

    fn object(name: &str) -> Option<&'static Object> {
        OBJECTS.iter().find(|o| o.name.eq_ignore_ascii_case(name))
    }

    fn found(statement: &str) -> Result<usize, SoqlError> {
        let query = parse(statement)?;
        let object = object(&query.object).unwrap();
        select(&query, object, &object.rows(&city_sales()), false).map(|s| s.rows.len())
    }

    fn code(statement: &str) -> &'static str {
        found(statement).unwrap_err().code
    }

    #[test]
    fn conditions_select_the_records_that_rust_selects() {
        let sales = city_sales();
        let count = |f: &dyn Fn(&crate::salesforce::CitySale) -> bool| {
            sales.iter().filter(|s| f(s)).count()
        };
        let table: &[(&str, usize)] = &[
            (
                "Timezone__c LIKE 'america/%'",
                count(&|s| s.timezone.starts_with("America/")),
            ),
            ("Amount__c = null", count(&|s| s.amount_cents.is_none())),
            (
                "Amount__c != null AND Amount__c < 0",
                count(&|s| s.amount_cents < Some(0) && s.amount_cents.is_some()),
            ),
            (
                "NOT Amount__c >= 2500.55",
                count(&|s| s.amount_cents.is_none_or(|c| c < 250_055)),
            ),
            (
                "Country_Code__c IN ('DE', 'fr') AND (Units__c = 0 OR Units__c > 400)",
                count(&|s| {
                    ["DE", "FR"].contains(&s.country_code.as_str())
                        && (s.units == 0 || s.units > 400)
                }),
            ),
            (
                "Country_Code__c NOT IN ('CN')",
                count(&|s| s.country_code != "CN"),
            ),
            ("Email__c != 'nobody@example'", sales.len()),
            ("IsDeleted = FALSE", sales.len()),
            (
                "LastModifiedDate >= 2025-01-01T00:00:00Z",
                count(&|s| s.last_modified >= "2025-01-01T00:00:00Z".parse().unwrap()),
            ),
            (
                "CreatedDate < 2024-06-01T02:00:00.000+02:00",
                count(&|s| s.created < "2024-06-01T00:00:00Z".parse().unwrap()),
            ),
        ];
        for (condition, expected) in table {
            let statement = format!("SELECT Id FROM City_Sales__c WHERE {condition}");
            assert_eq!(found(&statement), Ok(*expected), "{condition}");
            assert!(*expected > 0, "{condition} proves nothing");
        }
    }

    #[test]
    fn order_limit_and_offset_choose_the_rows_in_order() {
        let object = object("City_Sales__c").unwrap();
        let rows = object.rows(&city_sales());
        let query = parse(
            "select Id from city_sales__c where Amount__c > 0 order by Amount__c desc nulls last, Id limit 3 offset 1",
        )
        .unwrap();
        let selected = select(&query, object, &rows, false).unwrap();
        let mut amounts: Vec<i64> = city_sales().iter().filter_map(|s| s.amount_cents).collect();
        amounts.sort_unstable_by(|a, b| b.cmp(a));
        let chosen: Vec<Cell> = selected.rows.iter().map(|r| rows[*r][7].clone()).collect();
        assert_eq!(
            chosen,
            amounts[1..4]
                .iter()
                .map(|c| Cell::Cents(*c))
                .collect::<Vec<_>>()
        );
    }

    #[test]
    fn what_is_wrong_is_told_apart_as_salesforce_tells_it() {
        for malformed in [
            "",
            "SELECT",
            "SELECT FROM Account",
            "SELECT Id FROM Account WHERE",
            "SELECT Id FROM Account WHERE Name = 'x",
            "SELECT Id FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'",
            "SELECT Id FROM Account WHERE Name = '\\q'",
            "SELECT Id FROM Account LIMIT -1",
            "SELECT Id FROM Account; DELETE",
            "SELECT Id, Id FROM Account",
            "SELECT Id FROM Account WHERE CreatedDate > 2024-13-45T00:00:00Z",
        ] {
            assert_eq!(code(malformed), "MALFORMED_QUERY", "{malformed}");
        }
        for field in [
            "SELECT Nope FROM Account",
            "SELECT Id FROM Account WHERE Nope = 1",
            "SELECT Id FROM Account ORDER BY Nope",
            "SELECT Id FROM Account WHERE Name = 1",
            "SELECT Id FROM Account WHERE AnnualRevenue = '1'",
            "SELECT Id FROM Account WHERE AnnualRevenue LIKE '1'",
            "SELECT Id FROM Account WHERE IsDeleted > false",
            "SELECT Id FROM Account WHERE CreatedDate > '2024-01-01T00:00:00Z'",
        ] {
            assert_eq!(code(field), "INVALID_FIELD", "{field}");
        }
        let deep = format!("SELECT Id FROM Account WHERE {}", "(".repeat(5000));
        assert_eq!(code(&deep), "MALFORMED_QUERY");
    }

    proptest! {
        /// Whatever arrives, the parser answers.
        #[test]
        fn the_parser_never_panics(statement in ".{0,200}") {
            let _ = soql::parse(&statement);
        }

        /// Statements near the grammar reach further in; what parses also evaluates without panic.
        #[test]
        fn statements_near_the_grammar_never_panic(
            words in proptest::collection::vec(
                prop_oneof![
                    Just("SELECT"), Just("FROM"), Just("WHERE"), Just("AND"), Just("OR"), Just("NOT"),
                    Just("IN"), Just("LIKE"), Just("("), Just(")"), Just(","), Just("="), Just("!="),
                    Just("<="), Just("Id"), Just("Name"), Just("AnnualRevenue"), Just("Account"),
                    Just("'a%'"), Just("'\\_'"), Just("-1.5"), Just("null"), Just("true"),
                    Just("2024-01-01T00:00:00Z"), Just("ORDER BY"), Just("LIMIT"), Just("3"), Just("'"),
                ],
                0..24,
            ),
            prefixed in any::<bool>(),
        ) {
            let prefix = if prefixed { "SELECT Id FROM Account WHERE " } else { "" };
            if let Ok(query) = soql::parse(&format!("{prefix}{}", words.join(" ")))
                && let Some(object) = object(&query.object)
            {
                let rows = object.rows(&city_sales()[..50]);
                let _ = select(&query, object, &rows, false);
            }
        }
    }
}
