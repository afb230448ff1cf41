//! A registered query and somebody's values become one statement.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Parameter, QueryDefinition, SqlFault, scan};
use crate::error::Fault;

/// A statement that may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The SQL; no value stands in it.
    pub sql: String,
    /// Values by parameter name.
    pub parameters: BTreeMap<String, String>,
}

/// The statement for these values, or every rule that they break. `filled` are values of ours, which
/// nobody can give; `base` is the pointer of `given` in the request, such as `/parameters`.
pub fn bind(
    definition: &QueryDefinition,
    given: &Map<String, Value>,
    filled: &BTreeMap<String, String>,
    base: &str,
) -> Result<Bound, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut texts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for parameter in &definition.parameters {
        match texts_of(parameter, given.get(&parameter.name)) {
            Ok(found) => {
                texts.insert(&parameter.name, found);
            }
            Err((code, detail)) => faults.push(at(base, &parameter.name, code, &detail)),
        }
    }
    for name in given.keys() {
        if !definition.parameters.iter().any(|p| p.name == *name) {
            let detail = "The query does not have this parameter.";
            faults.push(at(base, name, "unused_parameter", detail));
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    expand(definition, &texts, filled)
        .map_err(|fault| vec![Fault::new("/sql", fault.code(), fault.to_string())])
}

/// Writes a place for each value of a list, `:name__0, :name__1`, and leaves the others.
fn expand(
    definition: &QueryDefinition,
    texts: &BTreeMap<&str, Vec<String>>,
    filled: &BTreeMap<String, String>,
) -> Result<Bound, SqlFault> {
    let found = scan(&definition.sql)?;
    let mut sql = String::with_capacity(definition.sql.len());
    let mut parameters = BTreeMap::new();
    let mut done = 0;
    for place in found.places {
        let name = &definition.sql[place.start + 1..place.end];
        sql.push_str(&definition.sql[done..place.start]);
        done = place.end;
        let is_list = definition
            .parameters
            .iter()
            .any(|p| p.name == name && p.many.is_some());
        match texts.get(name) {
            Some(values) if is_list => {
                for (index, value) in values.iter().enumerate() {
                    let name = format!("{name}__{index}");
                    sql.push_str(if index == 0 { ":" } else { ", :" });
                    sql.push_str(&name);
                    parameters.insert(name, value.clone());
                }
            }
            Some(values) => {
                sql.push(':');
                sql.push_str(name);
                parameters.extend(values.iter().map(|value| (name.to_owned(), value.clone())));
            }
            None => {
                sql.push(':');
                sql.push_str(name);
                let ours = filled.get_key_value(name);
                parameters.extend(ours.map(|(name, value)| (name.clone(), value.clone())));
            }
        }
    }
    sql.push_str(&definition.sql[done..]);
    Ok(Bound { sql, parameters })
}

type Broken = (&'static str, String);

/// The texts that are sent for a parameter; one unless it is a list.
pub(super) fn texts_of(
    parameter: &Parameter,
    given: Option<&Value>,
) -> Result<Vec<String>, Broken> {
    let missing = || {
        (
            "missing_parameter",
            "The query needs this parameter.".to_owned(),
        )
    };
    let value = given.or(parameter.default.as_ref()).ok_or_else(missing)?;
    let Some(most) = parameter.many else {
        return one(parameter, value).map(|text| vec![text]);
    };
    let wrong = || {
        let detail = format!("A list of 1 to {most} values.");
        ("wrong_count", detail)
    };
    let values = value.as_array().ok_or_else(wrong)?;
    if !(1..=usize::from(most)).contains(&values.len()) {
        return Err(wrong());
    }
    values.iter().map(|value| one(parameter, value)).collect()
}

fn one(parameter: &Parameter, value: &Value) -> Result<String, Broken> {
    let kind = parameter.kind;
    let text = kind
        .text_of(value)
        .ok_or_else(|| ("wrong_type", kind.rule().to_owned()))?;
    let is_allowed = parameter.allowed.is_empty()
        || parameter
            .allowed
            .iter()
            .any(|allowed| kind.text_of(allowed).as_deref() == Some(text.as_str()));
    if is_allowed {
        return Ok(text);
    }
    let detail = "This value is not among those that are allowed.".to_owned();
    Err(("not_allowed", detail))
}

fn at(base: &str, name: &str, code: &str, detail: &str) -> Fault {
    let escaped = name.replace('~', "~0").replace('/', "~1");
    Fault::new(format!("{base}/{escaped}"), code, detail)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn definition(sql: &str, parameters: &Value) -> QueryDefinition {
        let text = json!({ "purpose": "query", "sql": sql, "parameters": parameters });
        serde_json::from_value(text).unwrap()
    }

    fn bound(definition: &QueryDefinition, given: &Value) -> Result<Bound, Vec<(String, String)>> {
        bind(
            definition,
            given.as_object().unwrap(),
            &BTreeMap::new(),
            "/parameters",
        )
        .map_err(|faults| {
            faults
                .into_iter()
                .map(|fault| (fault.pointer, fault.code))
                .collect()
        })
    }

    #[test]
    fn lists_get_a_place_for_each_value_and_defaults_count() {
        let query = definition(
            "SELECT ':cities' WHERE city IN (:cities) AND day >= :day::date",
            &json!([
                { "name": "cities", "type": "text", "many": 3 },
                { "name": "day", "type": "date", "default": "2026-01-01" },
            ]),
        );
        let bound = bound(&query, &json!({ "cities": ["Köln", "x' OR 1=1"] })).unwrap();
        assert_eq!(
            bound.sql,
            "SELECT ':cities' WHERE city IN (:cities__0, :cities__1) AND day >= :day::date"
        );
        let values: Vec<(&str, &str)> = bound
            .parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            values,
            [
                ("cities__0", "Köln"),
                ("cities__1", "x' OR 1=1"),
                ("day", "2026-01-01")
            ]
        );
    }

    #[test]
    fn every_fault_of_the_values_is_told_at_once() {
        let query = definition(
            "SELECT :a, :b, :c, :d",
            &json!([
                { "name": "a", "type": "integer" },
                { "name": "b", "type": "text", "allowed": ["x", "y"] },
                { "name": "c", "type": "integer", "many": 2 },
                { "name": "d", "type": "date" },
            ]),
        );
        let given = json!({ "a": "many", "b": "z", "c": [1, 2, 3], "e/f": 1 });
        let faults = bound(&query, &given).unwrap_err();
        let expected = [
            ("/parameters/a", "wrong_type"),
            ("/parameters/b", "not_allowed"),
            ("/parameters/c", "wrong_count"),
            ("/parameters/d", "missing_parameter"),
            ("/parameters/e~1f", "unused_parameter"),
        ];
        assert!(
            faults
                .iter()
                .map(|(p, c)| (p.as_str(), c.as_str()))
                .eq(expected),
            "{faults:?}"
        );
    }

    #[test]
    fn values_of_ours_are_filled_in_and_cannot_be_given() {
        let query = definition("CALL load(:run_id)", &json!([]));
        let filled = BTreeMap::from([("run_id".to_owned(), "run_1".to_owned())]);
        let bound = bind(&query, &Map::new(), &filled, "/parameters").unwrap();
        assert_eq!(bound.parameters, filled);
        let given = json!({ "run_id": "run_2" });
        assert!(bind(&query, given.as_object().unwrap(), &filled, "/parameters").is_err());
    }

    proptest! {
        #[test]
        fn q4_no_value_ever_stands_in_the_statement(value in "[a-z' ;\"$-]{12,40}") {
            let query = definition(
                "SELECT x WHERE a = :a AND b IN (:b)",
                &json!([{ "name": "a", "type": "text" }, { "name": "b", "type": "text", "many": 2 }]),
            );
            let bound = bound(&query, &json!({ "a": value, "b": [value, value] })).unwrap();
            prop_assert!(!bound.sql.contains(&value));
            prop_assert_eq!(bound.parameters.values().filter(|text| **text == value).count(), 3);
        }
    }
}
