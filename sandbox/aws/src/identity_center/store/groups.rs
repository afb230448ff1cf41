//! Groups and who is in them.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    super::{
        refusal::{Refusal, page, text},
        state::{Group, STORE_ID, State},
    },
    filter, unique,
};

/// `CreateGroup`. Names are unique.
pub(super) fn create(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    let name = text(body, "DisplayName", 1024)?;
    if state.groups.values().any(|group| group.name == name) {
        return Err(Refusal::conflict("Duplicate GroupDisplayName"));
    }
    let id = Uuid::new_v4().to_string();
    let group = Group {
        id: id.clone(),
        name: name.to_owned(),
        description: body["Description"].as_str().map(str::to_owned),
        members: BTreeSet::new(),
    };
    state.groups.insert(id.clone(), group);
    Ok(with_arn(json!({ "Revision": "1" }), &id))
}

/// `ListGroups`
pub(super) fn list(state: &State, body: &Value) -> Result<Value, Refusal> {
    let name = filter(body, "DisplayName")?;
    let groups = state.groups.values();
    let list = groups
        .filter(|group| name.is_none_or(|name| group.name == name))
        .map(|group| {
            let mut shown = json!({ "DisplayName": group.name, "Revision": "1" });
            if let Some(description) = &group.description {
                shown["Description"] = description.clone().into();
            }
            with_arn(shown, &group.id)
        });
    page(body, "Groups", list.collect())
}

/// `GetGroupId`
pub(super) fn id(state: &State, body: &Value) -> Result<Value, Refusal> {
    let (path, value) = unique(body)?;
    if !path.eq_ignore_ascii_case("displayName") {
        return Err(Refusal::validation(format!("{path} is not unique")));
    }
    state
        .groups
        .values()
        .find(|group| group.name == value)
        .map(|group| with_arn(json!({}), &group.id))
        .ok_or_else(|| Refusal::not_found("GROUP"))
}

/// `CreateGroupMembership`
pub(super) fn join(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    let user = body["MemberId"]["UserId"].as_str().unwrap_or_default();
    if !state.people.contains_key(user) {
        return Err(Refusal::not_found("USER"));
    }
    let group = body["GroupId"]
        .as_str()
        .and_then(|id| state.groups.get_mut(id))
        .ok_or_else(|| Refusal::not_found("GROUP"))?;
    if !group.members.insert(user.to_owned()) {
        return Err(Refusal::conflict("Member and Group relationship exists"));
    }
    let id = Uuid::new_v4().to_string();
    Ok(json!({
        "IdentityStoreId": STORE_ID,
        "MembershipId": id,
        "MembershipArn": format!("arn:aws:identitystore:::membership/{id}"),
    }))
}

fn with_arn(mut answer: Value, id: &str) -> Value {
    answer["IdentityStoreId"] = STORE_ID.into();
    answer["GroupId"] = id.into();
    answer["GroupArn"] = format!("arn:aws:identitystore:::group/{id}").into();
    answer
}
