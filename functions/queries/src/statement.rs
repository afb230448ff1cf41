//! What a caller may run: one statement of SQL with named parameters, or a registered query.
//!
//! Everything here is pure and done before any call: a request that breaks rules is refused with
//! every fault at once.

mod registry;

use std::collections::BTreeMap;

use serde_json::Value;
use tributary::{
    error::{Error, Fault},
    identity::Role,
    query::{mismatches, scan, values},
};

pub use registry::{REGISTERED, Registered};

/// A statement that may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The SQL.
    pub sql: String,
    /// Values by parameter name.
    pub parameters: BTreeMap<String, String>,
    /// Whether the SQL is the caller's own.
    pub is_free: bool,
}

/// What a caller asks to run.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// SQL of the caller's own.
    Sql(&'a str),
    /// A registered query, by name.
    Registered(&'a str),
}

impl<'a> Source<'a> {
    /// What is asked for: one of the two.
    pub fn of(sql: Option<&'a str>, query: Option<&'a str>) -> Result<Self, Error> {
        match (sql, query) {
            (Some(sql), None) => Ok(Self::Sql(sql)),
            (None, Some(query)) => Ok(Self::Registered(query)),
            (Some(_), Some(_)) => Err(invalid(vec![Fault::new(
                "/query",
                "conflicting",
                "Give sql or query, not both.",
            )])),
            (None, None) => Err(invalid(vec![Fault::new(
                "/query",
                "required",
                "Give the name of a registered query as query, or a statement as sql.",
            )])),
        }
    }

    /// The role that it takes to run it.
    pub const fn role(self) -> Role {
        match self {
            Self::Sql(_) => Role::Editor,
            Self::Registered(_) => Role::Viewer,
        }
    }

    /// The statement with its parameters, if every rule is kept.
    pub fn prepare(self, parameters: &serde_json::Map<String, Value>) -> Result<Statement, Error> {
        match self {
            Self::Sql(sql) => free(sql, parameters),
            Self::Registered(name) => registry::find(name)
                .ok_or_else(unknown_query)?
                .prepare(parameters)
                .map_err(invalid),
        }
    }
}

fn free(sql: &str, parameters: &serde_json::Map<String, Value>) -> Result<Statement, Error> {
    let (values, mut faults) = values(parameters);
    match scan(sql) {
        Ok(used) => faults.extend(mismatches(&used.names, parameters)),
        Err(fault) => faults.insert(0, Fault::new("/sql", fault.code(), fault.to_string())),
    }
    if !faults.is_empty() {
        return Err(invalid(faults));
    }
    Ok(Statement {
        sql: sql.to_owned(),
        parameters: values,
        is_free: true,
    })
}

/// The refusal of a query that breaks rules.
pub(crate) fn invalid(faults: Vec<Fault>) -> Error {
    Error::unprocessable("invalid_query", "The query breaks rules.", faults)
}

fn unknown_query() -> Error {
    invalid(vec![Fault::new(
        "/query",
        "unknown_query",
        "There is no registered query of this name.",
    )])
}

#[cfg(test)]
mod tests;
