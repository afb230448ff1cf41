//! Access scopes: what an application's tokens may be used for, and where.

use serde_json::{Value, json};

use super::{
    super::{
        refusal::{Refusal, pattern},
        state::State,
    },
    application,
};

/// `PutApplicationAccessScope`
pub(super) fn put(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    application(state, body)?;
    let scope = scope(body)?.to_owned();
    let targets = match &body["AuthorizedTargets"] {
        Value::Null => Vec::new(),
        Value::Array(list) if (1..=10).contains(&list.len()) => list.clone(),
        _ => {
            return Err(Refusal::validation(
                "AuthorizedTargets must have between 1 and 10 targets",
            ));
        }
    };
    let mut arns = Vec::new();
    for target in targets {
        let arn = target
            .as_str()
            .filter(|arn| state.applications.contains_key(*arn))
            .ok_or_else(|| Refusal::not_found("Authorized target"))?;
        arns.push(arn.to_owned());
    }
    application(state, body)?.scopes.insert(scope, arns);
    Ok(json!({}))
}

/// `GetApplicationAccessScope`
pub(super) fn get(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    let scope = scope(body)?;
    let targets = application(state, body)?
        .scopes
        .get(scope)
        .ok_or_else(|| Refusal::not_found("Scope"))?;
    let mut answer = json!({ "Scope": scope });
    if !targets.is_empty() {
        answer["AuthorizedTargets"] = json!(targets);
    }
    Ok(answer)
}

/// `DeleteApplicationAccessScope`
pub(super) fn delete(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    let scope = scope(body)?;
    application(state, body)?
        .scopes
        .remove(scope)
        .map(|_| json!({}))
        .ok_or_else(|| Refusal::not_found("Scope"))
}

/// Up to three words with a colon between them.
fn scope(body: &Value) -> Result<&str, Refusal> {
    let scope = body["Scope"].as_str().unwrap_or_default();
    pattern(scope, "scope", |scope| {
        let words: Vec<&str> = scope.split(':').collect();
        let is_word = |word: &&str| {
            (1..=50).contains(&word.len())
                && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        words.len() <= 3 && words.iter().all(is_word)
    })?;
    Ok(scope)
}
