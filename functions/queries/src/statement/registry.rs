//! The vendor's registered queries, which every tenant has. A table, not code.

use serde_json::{Map, Value};
use tributary::{
    error::Fault,
    query::{self, Purpose, QueryDefinition, fault, values},
};

use super::{Author, Statement};

/// A registered query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registered {
    /// Its name in the API.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// What it answers.
    pub description: &'static str,
    /// Its SQL, in parts; a part with a parameter is there when the parameter is given.
    pub parts: &'static [Part],
}

/// A part of a registered query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// SQL.
    pub sql: &'static str,
    /// The optional parameter that the part is about.
    pub when: Option<Parameter>,
}

/// An optional parameter of a registered query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub description: &'static str,
    /// What its values look like.
    pub kind: ParameterKind,
}

/// What the values of a parameter look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// At most 16 digits and two decimals.
    Decimal,
}

/// All registered queries.
pub const REGISTERED: &[Registered] = &[Registered {
    name: "total-sales-by-city",
    title: "Total sales by city",
    description: "Cities with the sum of their sales, largest first.",
    parts: &[
        Part {
            sql: "SELECT city, SUM(amount) AS total FROM public.city_sales GROUP BY city",
            when: None,
        },
        Part {
            sql: " HAVING SUM(amount) >= CAST(:minimum AS DECIMAL(18,2))",
            when: Some(Parameter {
                name: "minimum",
                description: "Only cities with at least this; all when left out. At most 16 digits and two decimals.",
                kind: ParameterKind::Decimal,
            }),
        },
        Part {
            sql: " ORDER BY total DESC, city",
            when: None,
        },
    ],
}];

/// The vendor's registered query of a name.
pub fn built_in(name: &str) -> Option<&'static Registered> {
    REGISTERED.iter().find(|query| query.name == name)
}

impl Registered {
    /// It as a definition, for people to read: the statement with all its conditions.
    pub fn definition(&self) -> QueryDefinition {
        let parameters = self.parts.iter().filter_map(|part| part.when);
        QueryDefinition {
            purpose: Purpose::Query,
            title: Some(self.title.to_owned()),
            description: Some(self.description.to_owned()),
            sql: self.parts.iter().map(|part| part.sql).collect(),
            parameters: parameters.map(Parameter::shown).collect(),
        }
    }

    /// The statement for these parameters.
    pub(super) fn prepare(&self, given: &Map<String, Value>) -> Result<Statement, Vec<Fault>> {
        let (values, mut faults) = values(given);
        let known = self.parts.iter().filter_map(|part| part.when);
        for name in given.keys() {
            match known.clone().find(|parameter| parameter.name == name) {
                None => faults.push(fault(
                    name,
                    "unused_parameter",
                    "The query does not have this parameter.",
                )),
                Some(parameter) => faults.extend(
                    values
                        .get(name)
                        .filter(|value| !parameter.kind.admits(value))
                        .map(|_| fault(name, "wrong_type", parameter.kind.rule())),
                ),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let sql = self
            .parts
            .iter()
            .filter(|part| {
                part.when
                    .is_none_or(|parameter| values.contains_key(parameter.name))
            })
            .map(|part| part.sql)
            .collect();
        Ok(Statement {
            sql,
            parameters: values,
            author: Author::Vendor,
        })
    }
}

impl Parameter {
    fn shown(self) -> query::Parameter {
        query::Parameter {
            name: self.name.to_owned(),
            kind: match self.kind {
                ParameterKind::Decimal => query::ParameterKind::Decimal,
            },
            description: Some(self.description.to_owned()),
            default: None,
            allowed: Vec::new(),
            many: None,
        }
    }
}

impl ParameterKind {
    const fn rule(self) -> &'static str {
        match self {
            Self::Decimal => "A number of at most 16 digits and two decimals.",
        }
    }

    fn admits(self, value: &str) -> bool {
        match self {
            Self::Decimal => is_decimal(value),
        }
    }
}

fn is_decimal(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    all_digits(whole, 16) && all_digits(decimals, 2)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use tributary::query::{QueryName, check, scan};

    #[test]
    fn every_registered_query_is_one_statement_that_names_its_parameters_and_no_others() {
        for query in REGISTERED {
            let parameters: Vec<Parameter> =
                query.parts.iter().filter_map(|part| part.when).collect();
            let whole: String = query.parts.iter().map(|part| part.sql).collect();
            let used: Vec<String> = scan(&whole).unwrap().names.into_iter().collect();
            let mut names: Vec<&str> = parameters.iter().map(|parameter| parameter.name).collect();
            names.sort_unstable();
            assert_eq!(used, names, "{}", query.name);
            let bare = query.prepare(&Map::new()).unwrap();
            assert!(scan(&bare.sql).unwrap().names.is_empty(), "{}", bare.sql);
            assert_eq!(
                check(&query.definition(), tributary::id::TenantId::new()),
                [],
                "{}",
                query.name
            );
            assert!(query.name.parse::<QueryName>().is_ok());
        }
    }

    #[test]
    fn an_optional_parameter_brings_its_condition() {
        let query = built_in("total-sales-by-city").unwrap();
        let all = query.prepare(&Map::new()).unwrap();
        assert_eq!(
            all.sql,
            "SELECT city, SUM(amount) AS total FROM public.city_sales GROUP BY city ORDER BY total DESC, city"
        );
        let given = json!({ "minimum": 100.5 });
        let some = query.prepare(given.as_object().unwrap()).unwrap();
        assert!(
            some.sql.contains("HAVING SUM(amount) >= CAST(:minimum"),
            "{}",
            some.sql
        );
        assert_eq!(some.parameters["minimum"], "100.5");
    }

    #[test]
    fn decimals_are_plain_numbers() {
        for value in ["0", "-12", "9999999999999999.99", "1.5"] {
            assert!(is_decimal(value), "{value}");
        }
        for value in [
            "",
            "-",
            "1.",
            ".5",
            "1e5",
            "1.234",
            "12345678901234567",
            "1'",
            "NaN",
            "--1",
        ] {
            assert!(!is_decimal(value), "{value}");
        }
    }
}
