//! What may be registered: every rule that a definition breaks, at once.

use super::{
    Parameter, Purpose, QueryDefinition, RUN_PARAMETERS, Scanned, bind::texts_of, foreign_sources,
    scan,
};
use crate::{error::Fault, id::TenantId};

const LONGEST_TITLE: usize = 256;
const LONGEST_DESCRIPTION: usize = 2048;
const MOST_PARAMETERS: usize = 50;
const MOST_ALLOWED: usize = 100;
const MOST_VALUES: u16 = 100;
const LONGEST_PARAMETER: usize = 60;
/// Largest definition, as JSON, in bytes: far below what an item of the table may have (400 KB).
const LARGEST: usize = 200_000;

/// How statements begin that read.
const READING: [&[&str]; 2] = [&["select"], &["with"]];
/// How statements begin that load, refresh or clear.
const WRITING: [&[&str]; 9] = [
    &["copy"],
    &["insert", "into"],
    &["merge", "into"],
    &["update"],
    &["delete"],
    &["truncate"],
    &["call"],
    &["analyze"],
    &["refresh", "materialized", "view"],
];
/// Words with which COPY takes AWS keys. A statement is read by editors; keys do not belong there.
const KEYS: [&str; 5] = [
    "access_key_id",
    "secret_access_key",
    "session_token",
    "token",
    "credentials",
];

/// Every rule that a definition of this tenant's breaks.
pub fn check(definition: &QueryDefinition, tenant: TenantId) -> Vec<Fault> {
    let mut faults = Vec::new();
    if serde_json::to_string(definition).is_ok_and(|text| text.len() > LARGEST) {
        let detail = format!("At most {LARGEST} bytes of JSON, all together.");
        faults.push(Fault::new("", "too_large", detail));
    }
    let texts = [
        ("/title", definition.title.as_deref(), LONGEST_TITLE),
        (
            "/description",
            definition.description.as_deref(),
            LONGEST_DESCRIPTION,
        ),
    ];
    for (pointer, text, most) in texts {
        faults.extend(text.and_then(|text| length(pointer, text, most)));
    }
    if definition.parameters.len() > MOST_PARAMETERS {
        let detail = format!("At most {MOST_PARAMETERS} parameters.");
        faults.push(Fault::new("/parameters", "too_many", detail));
    }
    for (index, parameter) in definition.parameters.iter().enumerate() {
        let earlier = &definition.parameters[..index];
        faults.extend(of_parameter(index, parameter, earlier));
    }
    match scan(&definition.sql) {
        Err(fault) => faults.push(Fault::new("/sql", fault.code(), fault.to_string())),
        Ok(found) => {
            faults.extend(of_statement(definition.purpose, &found));
            faults.extend(of_use(definition, &found));
            faults.extend(foreign_sources(&definition.sql, tenant));
        }
    }
    faults
}

fn of_statement(purpose: Purpose, found: &Scanned) -> Option<Fault> {
    let (beginnings, detail): (&[&[&str]], _) = match purpose {
        Purpose::Query => (
            &READING,
            "A query that people run begins with SELECT or WITH.",
        ),
        Purpose::AfterRun => (
            &WRITING,
            "What runs after a run is COPY, INSERT, MERGE, UPDATE, DELETE, TRUNCATE, CALL, ANALYZE \
             or REFRESH MATERIALIZED VIEW.",
        ),
    };
    let begins = |words: &&[&str]| {
        let first = found.first_words.iter().map(String::as_str);
        first.take(words.len()).eq(words.iter().copied())
    };
    if !beginnings.iter().any(begins) {
        return Some(Fault::new("/sql", "wrong_statement", detail));
    }
    let is_copy = found.first_words.first().is_some_and(|word| word == "copy");
    (is_copy && KEYS.iter().any(|word| found.words.contains(*word))).then(|| {
        let detail = "COPY takes IAM_ROLE here; keys do not belong into a statement.";
        Fault::new("/sql", "credentials_in_statement", detail)
    })
}

/// Parameters that are declared and not used, and the reverse.
fn of_use(definition: &QueryDefinition, found: &Scanned) -> Vec<Fault> {
    let declared = |name: &str| definition.parameters.iter().any(|p| p.name == name);
    let is_ours =
        |name: &str| definition.purpose == Purpose::AfterRun && RUN_PARAMETERS.contains(&name);
    let undeclared = found
        .names
        .iter()
        .filter(|name| !declared(name) && !is_ours(name))
        .map(|name| {
            let detail = format!("The statement names :{name}, which is not among the parameters.");
            Fault::new("/sql", "undeclared_parameter", detail)
        });
    let unused = definition
        .parameters
        .iter()
        .enumerate()
        .filter(|(_, parameter)| !found.names.contains(&parameter.name))
        .map(|(index, _)| {
            let detail = "The statement does not name this parameter.";
            Fault::new(format!("/parameters/{index}"), "unused_parameter", detail)
        });
    undeclared.chain(unused).collect()
}

fn of_parameter(index: usize, parameter: &Parameter, earlier: &[Parameter]) -> Vec<Fault> {
    let at = |member: &str| format!("/parameters/{index}/{member}");
    let mut faults = Vec::new();
    if !is_name(&parameter.name) {
        let detail = "A name has 1 to 60 lower-case letters, digits and single underscores, and begins with a letter.";
        faults.push(Fault::new(at("name"), "invalid_name", detail));
    } else if RUN_PARAMETERS.contains(&parameter.name.as_str()) {
        let detail = "This name is filled in by the service.";
        faults.push(Fault::new(at("name"), "reserved_name", detail));
    } else if earlier.iter().any(|p| p.name == parameter.name) {
        let detail = "A parameter stands here once.";
        faults.push(Fault::new(at("name"), "duplicate", detail));
    }
    let description = parameter.description.as_deref();
    faults
        .extend(description.and_then(|text| length(&at("description"), text, LONGEST_DESCRIPTION)));
    if parameter
        .many
        .is_some_and(|many| !(1..=MOST_VALUES).contains(&many))
    {
        let detail = format!("1 to {MOST_VALUES}.");
        faults.push(Fault::new(at("many"), "out_of_range", detail));
    }
    if parameter.allowed.len() > MOST_ALLOWED {
        let detail = format!("At most {MOST_ALLOWED} values.");
        faults.push(Fault::new(at("allowed"), "too_many", detail));
    }
    for (place, value) in parameter.allowed.iter().enumerate() {
        if parameter.kind.text_of(value).is_none() {
            let pointer = at(&format!("allowed/{place}"));
            faults.push(Fault::new(pointer, "wrong_type", parameter.kind.rule()));
        }
    }
    if parameter.default.is_some()
        && let Err((code, detail)) = texts_of(parameter, None)
    {
        faults.push(Fault::new(at("default"), code, detail));
    }
    faults
}

/// Two underscores are what lists are expanded with.
fn is_name(name: &str) -> bool {
    name.len() <= LONGEST_PARAMETER
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.contains("__")
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn length(pointer: &str, text: &str, most: usize) -> Option<Fault> {
    let fits = (1..=most).contains(&text.chars().count());
    (!fits).then(|| Fault::new(pointer, "out_of_range", format!("1 to {most} characters.")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn faults(definition: Value) -> Vec<(String, String)> {
        check(
            &serde_json::from_value(definition).unwrap(),
            TenantId::new(),
        )
        .into_iter()
        .map(|fault| (fault.pointer, fault.code))
        .collect()
    }

    fn codes(purpose: &str, sql: &str) -> Vec<String> {
        let definition = json!({ "purpose": purpose, "sql": sql });
        faults(definition)
            .into_iter()
            .map(|(_, code)| code)
            .collect()
    }

    #[test]
    fn sound_definitions_break_no_rule() {
        let query = json!({
            "purpose": "query", "title": "Sales",
            "sql": "SELECT 1 WHERE a = :a AND b IN (:b)",
            "parameters": [
                { "name": "a", "type": "integer", "default": 1, "allowed": [1, "2"] },
                { "name": "b", "type": "text", "many": 2, "default": ["x"] },
            ],
        });
        assert_eq!(faults(query), []);
        for sql in [
            "COPY s.t FROM 's3://b/token/credentials' IAM_ROLE default FORMAT CSV",
            "insert into s.t select :run_id, :run_ended_at::timestamp",
            "REFRESH MATERIALIZED VIEW s.v",
            "CALL s.load(:run_flow_id)",
        ] {
            assert!(codes("afterRun", sql).is_empty(), "{sql}");
        }
    }

    #[test]
    fn a_purpose_has_its_statements() {
        for sql in [
            "INSERT INTO t SELECT 1",
            "(SELECT 1)",
            "SET ROLE x",
            "EXPLAIN SELECT 1",
            "GRANT SELECT ON t TO PUBLIC",
            "SHOW timezone",
        ] {
            assert_eq!(codes("query", sql), ["wrong_statement"], "{sql}");
        }
        for sql in [
            "SELECT 1",
            "UNLOAD ('SELECT 1') TO 's3://b/'",
            "GRANT ROLE x TO y",
            "CREATE USER x PASSWORD DISABLE",
            "REFRESH",
            "ALTER TABLE t ROW LEVEL SECURITY OFF",
            "VACUUM",
        ] {
            assert_eq!(codes("afterRun", sql), ["wrong_statement"], "{sql}");
        }
        assert_eq!(
            codes("query", "SELECT :run_id"),
            ["undeclared_parameter"],
            "what a run fills in is nothing that people have"
        );
        let copy = "COPY t FROM 's3://b' ACCESS_KEY_ID 'x' SECRET_ACCESS_KEY 'y'";
        assert_eq!(codes("afterRun", copy), ["credentials_in_statement"]);
        let foreign = "COPY t FROM 's3://tributary-landing-1/ten_other/' IAM_ROLE default";
        assert_eq!(codes("afterRun", foreign), ["not_your_folder"]);
    }

    #[test]
    fn every_broken_rule_is_named_at_once() {
        let broken = json!({
            "purpose": "query", "title": "", "sql": "SELECT :a; SELECT 2",
            "parameters": [
                { "name": "A", "type": "text" },
                { "name": "run_id", "type": "text" },
                { "name": "b", "type": "integer", "default": "x", "allowed": [1, "y"], "many": 0 },
                { "name": "b", "type": "date", "default": ["2026-01-01"] },
                { "name": "c__0", "type": "date" },
            ],
        });
        let expected = [
            ("/title", "out_of_range"),
            ("/parameters/0/name", "invalid_name"),
            ("/parameters/1/name", "reserved_name"),
            ("/parameters/2/many", "out_of_range"),
            ("/parameters/2/allowed/1", "wrong_type"),
            ("/parameters/2/default", "wrong_count"),
            ("/parameters/3/name", "duplicate"),
            ("/parameters/3/default", "wrong_type"),
            ("/parameters/4/name", "invalid_name"),
            ("/sql", "second_statement"),
        ];
        let found = faults(broken);
        assert!(
            found
                .iter()
                .map(|(p, c)| (p.as_str(), c.as_str()))
                .eq(expected),
            "{found:?}"
        );
    }

    #[test]
    fn what_would_be_too_large_to_be_kept_is_refused() {
        let allowed = |count| vec!["x".repeat(9_900); count];
        let of = |count| {
            faults(json!({
                "purpose": "query", "sql": "SELECT :a",
                "parameters": [{ "name": "a", "type": "text", "allowed": allowed(count) }],
            }))
        };
        assert_eq!(of(20), []);
        assert_eq!(of(21), [(String::new(), "too_large".to_owned())]);
    }

    #[test]
    fn parameters_are_declared_and_used() {
        let definition = json!({
            "purpose": "query", "sql": "SELECT :a",
            "parameters": [{ "name": "b", "type": "text" }],
        });
        assert_eq!(
            faults(definition),
            [
                ("/sql".to_owned(), "undeclared_parameter".to_owned()),
                ("/parameters/0".to_owned(), "unused_parameter".to_owned())
            ]
        );
    }
}
