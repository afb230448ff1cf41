//! What a caller may run: one statement of SQL with named parameters, or a registered query.
//!
//! Everything here is pure and done before any call: a request that breaks rules is refused with
//! every fault at once.

mod registry;

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tributary::{
    error::{Error, Fault},
    identity::Role,
    query::{Purpose, QueryDefinition, QueryName, bind, mismatches, scan, values},
};

pub use registry::{REGISTERED, Registered, built_in};

/// A statement that may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The SQL.
    pub sql: String,
    /// Values by parameter name.
    pub parameters: BTreeMap<String, String>,
    /// Who wrote the SQL.
    pub author: Author,
}

/// Who wrote a statement, and so whose mistake it is when the warehouse rejects it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// The caller.
    Caller,
    /// An admin of the caller's tenant, who registered it.
    Tenant,
    /// We.
    Vendor,
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

    /// The name under which the tenant's own registered queries have to be searched, if they have.
    pub fn name_to_find(self) -> Option<QueryName> {
        match self {
            Self::Sql(_) => None,
            Self::Registered(name) if built_in(name).is_some() => None,
            Self::Registered(name) => name.parse().ok(),
        }
    }

    /// The name of the registered query.
    pub const fn name(self) -> Option<&'a str> {
        match self {
            Self::Sql(_) => None,
            Self::Registered(name) => Some(name),
        }
    }

    /// The statement with its parameters, if every rule is kept. `own` is the tenant's registered
    /// query of [`Self::name_to_find`]. What runs after a run is not known to people.
    pub fn prepare(
        self,
        own: Option<&QueryDefinition>,
        parameters: &Map<String, Value>,
    ) -> Result<Statement, Error> {
        let name = match self {
            Self::Sql(sql) => return free(sql, parameters),
            Self::Registered(name) => name,
        };
        if let Some(ours) = built_in(name) {
            return ours.prepare(parameters).map_err(invalid);
        }
        let own = own
            .filter(|definition| definition.purpose == Purpose::Query)
            .ok_or_else(unknown_query)?;
        let bound = bind(own, parameters, &BTreeMap::new(), "/parameters").map_err(invalid)?;
        Ok(Statement {
            sql: bound.sql,
            parameters: bound.parameters,
            author: Author::Tenant,
        })
    }
}

fn free(sql: &str, parameters: &Map<String, Value>) -> Result<Statement, Error> {
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
        author: Author::Caller,
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
