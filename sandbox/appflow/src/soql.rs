//! A Salesforce read as a SOQL query.

use crate::{
    tasks::filter::{Comparison, Filter, Kind, instant},
    window::Window,
    wire::iso,
};

/// Builds the query. Bounds of the window: lower included, upper excluded.
pub(crate) fn query(
    object: &str,
    fields: &[String],
    filters: &[Filter],
    window: Option<(&str, bool, Window)>,
) -> String {
    let mut conditions: Vec<String> = filters.iter().filter_map(condition).collect();
    if let Some((field, date_only, window)) = window {
        let literal = |at| if date_only { date(at) } else { iso(at) };
        conditions.push(format!("{field} >= {}", literal(window.from)));
        conditions.push(format!("{field} < {}", literal(window.to)));
    }
    let select = format!("SELECT {} FROM {object}", fields.join(","));
    if conditions.is_empty() {
        select
    } else {
        format!("{select} WHERE {}", conditions.join(" AND "))
    }
}

fn date(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

fn condition(filter: &Filter) -> Option<String> {
    let field = &filter.field;
    let kind = Kind::of(&filter.data_type);
    let values: Option<Vec<String>> = filter.values.iter().map(|v| literal(kind, v)).collect();
    let values = values?;
    let any = |operator: &str| {
        let each: Vec<String> = values
            .iter()
            .map(|v| format!("{field} {operator} {v}"))
            .collect();
        match each.as_slice() {
            [one] => one.clone(),
            _ => format!("({})", each.join(" OR ")),
        }
    };
    Some(match filter.comparison {
        Comparison::Equal if values.len() > 1 => format!("{field} IN ({})", values.join(",")),
        Comparison::NotEqual if values.len() > 1 => {
            format!("{field} NOT IN ({})", values.join(","))
        }
        Comparison::Equal => any("="),
        Comparison::NotEqual => any("!="),
        Comparison::Less => any("<"),
        Comparison::LessOrEqual => any("<="),
        Comparison::Greater => any(">"),
        Comparison::GreaterOrEqual => any(">="),
        Comparison::Between => {
            let [lower, upper] = values.as_slice() else {
                return None;
            };
            format!("{field} > {lower} AND {field} < {upper}")
        }
        Comparison::Contains => {
            let each: Vec<String> = filter
                .values
                .iter()
                .map(|v| format!("{field} LIKE {}", contains(v)))
                .collect();
            match each.as_slice() {
                [one] => one.clone(),
                _ => format!("({})", each.join(" OR ")),
            }
        }
    })
}

fn literal(kind: Kind, value: &str) -> Option<String> {
    Some(match kind {
        Kind::Text => quoted(value),
        // Checked as numbers and booleans when the task was compiled.
        Kind::Number | Kind::Boolean => value.to_owned(),
        Kind::DateTime => iso(instant(value)?),
        Kind::Date => date(instant(value)?),
    })
}

/// A string literal; the backslash escapes itself and the quote.
fn quoted(value: &str) -> String {
    format!("'{}'", escaped(value))
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('\'', "\\'")
}

/// A LIKE pattern for "contains": `%` and `_` of the value are taken literally.
fn contains(value: &str) -> String {
    let text = escaped(value).replace('%', "\\%").replace('_', "\\_");
    format!("'%{text}%'")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(field: &str, comparison: Comparison, data_type: &str, values: &[&str]) -> Filter {
        Filter {
            field: field.to_owned(),
            comparison,
            data_type: data_type.to_owned(),
            values: values.iter().map(|v| (*v).to_owned()).collect(),
        }
    }

    #[test]
    fn conditions_are_written_as_salesforce_reads_them() {
        use Comparison::{Between, Contains, Equal, Greater, LessOrEqual, NotEqual};
        for (filter, expected) in [
            (
                filter("Rating", Equal, "picklist", &["Hot"]),
                "Rating = 'Hot'",
            ),
            (
                filter("Rating", Equal, "picklist", &["Hot", "Warm"]),
                "Rating IN ('Hot','Warm')",
            ),
            (
                filter("Rating", NotEqual, "string", &["a", "b"]),
                "Rating NOT IN ('a','b')",
            ),
            (
                filter("Name", NotEqual, "string", &["O'Brien\\"]),
                "Name != 'O\\'Brien\\\\'",
            ),
            (
                filter("Sales__c", Greater, "currency", &["10.5"]),
                "Sales__c > 10.5",
            ),
            (
                filter("Sales__c", LessOrEqual, "int", &["1", "2"]),
                "(Sales__c <= 1 OR Sales__c <= 2)",
            ),
            (
                filter("IsDeleted", Equal, "boolean", &["false"]),
                "IsDeleted = false",
            ),
            (
                filter("Name", Contains, "string", &["son"]),
                "Name LIKE '%son%'",
            ),
            (
                filter("Name", Contains, "string", &["50%_'"]),
                "Name LIKE '%50\\%\\_\\'%'",
            ),
            (
                filter("Name", Contains, "string", &["a", "b"]),
                "(Name LIKE '%a%' OR Name LIKE '%b%')",
            ),
            (
                filter(
                    "CreatedDate",
                    Between,
                    "datetime",
                    &["1704067200000", "1735689600000"],
                ),
                "CreatedDate > 2024-01-01T00:00:00.000Z AND CreatedDate < 2025-01-01T00:00:00.000Z",
            ),
            (
                filter("Day__c", Equal, "date", &["1704067200000"]),
                "Day__c = 2024-01-01",
            ),
        ] {
            assert_eq!(condition(&filter).as_deref(), Some(expected));
        }
    }

    #[test]
    fn the_window_includes_its_start_and_excludes_its_end() {
        let at = |second| jiff::Timestamp::from_second(second).expect("time");
        let window = Window {
            from: at(0),
            to: at(60),
        };
        assert_eq!(
            query(
                "Account",
                &["Id".to_owned(), "Name".to_owned()],
                &[filter("Name", Comparison::Equal, "string", &["x"])],
                Some(("LastModifiedDate", false, window)),
            ),
            "SELECT Id,Name FROM Account WHERE Name = 'x' \
             AND LastModifiedDate >= 1970-01-01T00:00:00.000Z \
             AND LastModifiedDate < 1970-01-01T00:01:00.000Z"
        );
    }
}
