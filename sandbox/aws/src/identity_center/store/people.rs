//! People.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    super::{
        refusal::{Refusal, page, text},
        state::{Person, STORE_ID, State},
    },
    filter, unique,
};

/// `CreateUser`. User names and addresses are unique.
pub(super) fn create(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    let name = text(body, "UserName", 128)?;
    let display_name = text(body, "DisplayName", 1024)?;
    for part in ["GivenName", "FamilyName"] {
        text(&body["Name"], part, 1024)?;
    }
    let emails: Vec<String> = body["Emails"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|email| email["Value"].as_str().map(str::to_owned))
        .collect();
    if emails.len() > 1 {
        return Err(Refusal::validation("a user has one address at most"));
    }
    let is_taken = state.people.values().any(|person| {
        person.name.eq_ignore_ascii_case(name)
            || emails.iter().any(|email| person.emails.contains(email))
    });
    if is_taken {
        return Err(Refusal::conflict("Duplicate UserName or e-mail address"));
    }
    let id = Uuid::new_v4().to_string();
    let person = Person {
        id: id.clone(),
        name: name.to_owned(),
        display_name: display_name.to_owned(),
        emails,
        external_ids: Vec::new(),
        enabled: true,
    };
    state.people.insert(id.clone(), person);
    Ok(with_arn(json!({ "Revision": "1" }), &id))
}

/// `DescribeUser`
pub(super) fn describe(state: &State, body: &Value) -> Result<Value, Refusal> {
    person(state, body).map(shown)
}

/// `ListUsers`
pub(super) fn list(state: &State, body: &Value) -> Result<Value, Refusal> {
    let name = filter(body, "UserName")?;
    let people = state.people.values();
    let list = people
        .filter(|person| name.is_none_or(|name| person.name == name))
        .map(shown);
    page(body, "Users", list.collect())
}

/// `GetUserId`
pub(super) fn id(state: &State, body: &Value) -> Result<Value, Refusal> {
    let external = &body["AlternateIdentifier"]["ExternalId"];
    let found: Vec<&Person> = if external.is_object() {
        let wanted = (external["Issuer"].as_str(), external["Id"].as_str());
        let people = state.people.values();
        people
            .filter(|person| {
                person
                    .external_ids
                    .iter()
                    .any(|(issuer, id)| wanted == (Some(issuer.as_str()), Some(id.as_str())))
            })
            .collect()
    } else {
        let (path, value) = unique(body)?;
        if !["username", "emails.value"].contains(&path.to_ascii_lowercase().as_str()) {
            return Err(Refusal::validation(format!("{path} is not unique")));
        }
        state.people_with(path, value)
    };
    match found.as_slice() {
        [person] => Ok(with_arn(json!({}), &person.id)),
        _ => Err(Refusal::not_found("USER")),
    }
}

/// `DeleteUser`: memberships and assignments go, too.
pub(super) fn delete(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    let id = person(state, body)?.id.clone();
    state.people.remove(&id);
    for group in state.groups.values_mut() {
        group.members.remove(&id);
    }
    for application in state.applications.values_mut() {
        application
            .assigned
            .remove(&("USER".to_owned(), id.clone()));
    }
    Ok(json!({}))
}

fn person<'a>(state: &'a State, body: &Value) -> Result<&'a Person, Refusal> {
    body["UserId"]
        .as_str()
        .and_then(|id| state.people.get(id))
        .ok_or_else(|| Refusal::not_found("USER"))
}

fn shown(person: &Person) -> Value {
    let emails = person
        .emails
        .iter()
        .map(|email| json!({ "Value": email, "Primary": true }));
    let mut shown = json!({
        "UserName": person.name,
        "DisplayName": person.display_name,
        "UserStatus": if person.enabled { "ENABLED" } else { "DISABLED" },
        "Emails": emails.collect::<Vec<_>>(),
        "Revision": "1",
    });
    if !person.external_ids.is_empty() {
        let ids = person.external_ids.iter();
        let ids = ids.map(|(issuer, id)| json!({ "Issuer": issuer, "Id": id }));
        shown["ExternalIds"] = ids.collect();
    }
    with_arn(shown, &person.id)
}

fn with_arn(mut answer: Value, id: &str) -> Value {
    answer["IdentityStoreId"] = STORE_ID.into();
    answer["UserId"] = id.into();
    answer["UserArn"] = format!("arn:aws:identitystore:::user/{id}").into();
    answer
}
