//! `identitystore`: the directory's people and groups.

mod groups;
mod people;

use sandbox_core::{AwsCall, AwsReply, VENDOR_ACCOUNT};
use serde_json::Value;

use super::{
    Directory,
    refusal::{Refusal, reply},
    state::{STORE_ID, State, store_arn},
};

/// Answers one request with signing name `identitystore`.
pub(super) fn handle(directory: &Directory, call: &AwsCall) -> AwsReply {
    reply(answer(directory, call))
}

fn answer(directory: &Directory, call: &AwsCall) -> Result<Value, Refusal> {
    let operation = call.target_operation().unwrap_or_default();
    let body = call
        .json()
        .map_err(|_| Refusal::new("SerializationException", "the body is not JSON"))?;
    let store = body["IdentityStoreId"].as_str().unwrap_or_default();
    if call.principal.account != VENDOR_ACCOUNT || (store != STORE_ID && store != store_arn()) {
        return Err(Refusal::not_found("Identity store"));
    }
    directory.change(|state| perform(state, operation, &body))
}

fn perform(state: &mut State, operation: &str, body: &Value) -> Result<Value, Refusal> {
    match operation {
        "CreateUser" => people::create(state, body),
        "DescribeUser" => people::describe(state, body),
        "ListUsers" => people::list(state, body),
        "GetUserId" => people::id(state, body),
        "DeleteUser" => people::delete(state, body),
        "CreateGroup" => groups::create(state, body),
        "ListGroups" => groups::list(state, body),
        "GetGroupId" => groups::id(state, body),
        "CreateGroupMembership" => groups::join(state, body),
        _ => Err(Refusal::unknown(operation)),
    }
}

/// The attribute and value by which `GetUserId` and `GetGroupId` look for something unique.
fn unique(body: &Value) -> Result<(&str, &str), Refusal> {
    let asked = &body["AlternateIdentifier"]["UniqueAttribute"];
    match (
        asked["AttributePath"].as_str(),
        asked["AttributeValue"].as_str(),
    ) {
        (Some(path), Some(value)) => Ok((path, value)),
        _ => Err(Refusal::validation(
            "AlternateIdentifier needs UniqueAttribute with AttributePath and AttributeValue",
        )),
    }
}

/// The one filter of a list, which must be of this attribute.
fn filter<'a>(body: &'a Value, attribute: &str) -> Result<Option<&'a str>, Refusal> {
    let Some(filter) = body["Filters"].get(0) else {
        return Ok(None);
    };
    if filter["AttributePath"] != attribute {
        return Err(Refusal::validation(format!(
            "only {attribute} can be filtered by"
        )));
    }
    Ok(filter["AttributeValue"].as_str())
}
