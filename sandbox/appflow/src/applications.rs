//! Every application but Salesforce: one small set of entities and records that all of them share.
//!
//! A connector profile sees records of its own, which start as the table has them and which runs
//! read and write. Credentials are taken on trust, save one value: [`WRONG_CREDENTIAL`]; unless the
//! application is one that checks ([`live`]).

mod data;
mod describe;
pub(crate) mod live;
mod store;
mod write;

pub(crate) use data::{find, listed};
pub(crate) use describe::field;
pub(crate) use store::Applications;
pub(crate) use write::{Operation, Write};

use serde_json::Value;

use crate::{
    error::{ApiError, Exception},
    state::Home,
};

/// The credential that every application refuses, in whichever member it stands.
pub const WRONG_CREDENTIAL: &str = "wrong-credential";

/// Whose records: a connector profile's, or for connectors without one the connector's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Owner {
    pub(crate) home: Home,
    pub(crate) name: String,
}

/// Checks the credentials of a profile as far as a shared application can.
pub(crate) fn authenticate(kind: &str, credentials: &Value) -> Result<(), ApiError> {
    let texts = texts(credentials);
    if texts.is_empty() {
        return Err(ApiError::validation(format!(
            "Validation exception: ConnectorProfileCredentials cannot be blank for connector: {}",
            kind.to_uppercase()
        )));
    }
    if texts.contains(&WRONG_CREDENTIAL) {
        return Err(ApiError::new(
            Exception::ConnectorAuthentication,
            format!(
                "Error authenticating to connector: Failed to validate Connection while attempting \
                 \"ValidateCredentials with {kind}\" with connector failure Status Code: 401"
            ),
        ));
    }
    Ok(())
}

/// Every text in credentials but the name of their kind.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) if !text.is_empty() => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| {
                *name != "authenticationType" && *name != "customAuthenticationType"
            })
            .flat_map(|(_, value)| texts(value))
            .collect(),
        _ => Vec::new(),
    }
}
