//! Who is assigned to an application.

use serde_json::{Value, json};

use super::{
    super::{
        refusal::{Refusal, page},
        state::{Assignee, State},
    },
    application,
};

/// `PutApplicationAssignmentConfiguration`
pub(super) fn configure(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    let required = body["AssignmentRequired"]
        .as_bool()
        .ok_or_else(|| Refusal::validation("AssignmentRequired must be true or false"))?;
    application(state, body)?.assignment_required = required;
    Ok(json!({}))
}

/// `GetApplicationAssignmentConfiguration`
pub(super) fn configuration(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    Ok(json!({ "AssignmentRequired": application(state, body)?.assignment_required }))
}

/// `CreateApplicationAssignment`
pub(super) fn create(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    let assignee = assignee(body)?;
    let (kind, id) = &assignee;
    let exists = if kind == "USER" {
        state.people.contains_key(id)
    } else {
        state.groups.contains_key(id)
    };
    if !exists {
        return Err(Refusal::not_found("Principal"));
    }
    if application(state, body)?.assigned.insert(assignee) {
        Ok(json!({}))
    } else {
        Err(Refusal::conflict("the principal is assigned already"))
    }
}

/// `DeleteApplicationAssignment`
pub(super) fn delete(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    let assignee = assignee(body)?;
    if application(state, body)?.assigned.remove(&assignee) {
        Ok(json!({}))
    } else {
        Err(Refusal::not_found("Assignment"))
    }
}

/// `ListApplicationAssignments`
pub(super) fn list(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    let application = application(state, body)?;
    let list = application.assigned.iter().map(|(kind, id)| {
        json!({ "ApplicationArn": application.arn, "PrincipalType": kind, "PrincipalId": id })
    });
    let list = list.collect();
    page(body, "ApplicationAssignments", list)
}

fn assignee(body: &Value) -> Result<Assignee, Refusal> {
    let kind = body["PrincipalType"].as_str().unwrap_or_default();
    let id = body["PrincipalId"].as_str().unwrap_or_default();
    if !["USER", "GROUP"].contains(&kind) || id.is_empty() {
        return Err(Refusal::validation(
            "PrincipalType must be USER or GROUP, and PrincipalId its id",
        ));
    }
    Ok((kind.to_owned(), id.to_owned()))
}
