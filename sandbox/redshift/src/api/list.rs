//! ListStatements.

use serde_json::{Value, json};

use super::{ApiError, Asked, describe::shown, page, seconds};
use crate::{Inner, statements::Statement};

/// What can be asked for; `PICKED` is a moment that this stand-in skips.
const STATUSES: [&str; 7] = [
    "SUBMITTED",
    "PICKED",
    "STARTED",
    "FINISHED",
    "ABORTED",
    "FAILED",
    "ALL",
];

pub(super) fn statements(inner: &Inner, asked: &Asked) -> Result<Value, ApiError> {
    let most = asked
        .number("MaxResults", 0, 100)?
        .filter(|most| *most > 0)
        .unwrap_or(100);
    if asked.principal.on_behalf_of.is_some() {
        // With enhanced credentials the target is a must.
        asked.target()?;
    }
    let status = asked.text("Status").unwrap_or("FINISHED");
    if !STATUSES.contains(&status) {
        return Err(ApiError::validation(format!("Status {status} is unknown.")));
    }
    let elsewhere = |statement: &Statement| {
        let target = asked.text(statement.request.target.0);
        let database = asked.text("Database");
        target.is_some_and(|name| name != statement.request.target.1)
            || database.is_some_and(|name| name != statement.request.database)
    };
    let prefix = asked.text("StatementName").unwrap_or_default();
    let matches = |statement: &Statement| {
        !elsewhere(statement)
            && (status == "ALL" || statement.status.name() == status)
            && statement
                .request
                .name
                .as_deref()
                .unwrap_or_default()
                .starts_with(prefix)
    };
    let own = inner.statements.list(&asked.owner);
    let own: Vec<Statement> = own.into_iter().filter(matches).collect();
    let scope = format!("statements:{:?}:{status}:{prefix}", asked.owner);
    let size = usize::try_from(most).unwrap_or(100);
    let (list, next) = page(inner, asked, &scope, size, own)?;
    let list: Vec<Value> = list.iter().map(entry).collect();
    Ok(json!({ "Statements": list, "NextToken": next }))
}

fn entry(statement: &Statement) -> Value {
    let texts: Vec<String> = statement
        .request
        .sqls
        .iter()
        .map(|sql| shown(sql))
        .collect();
    json!({
        "Id": statement.id,
        "Status": statement.status.name(),
        "CreatedAt": seconds(statement.created),
        "UpdatedAt": seconds(statement.updated),
        "StatementName": statement.request.name,
        "QueryString": texts.first(),
        "QueryStrings": texts,
        "SecretArn": statement.request.secret,
        "IsBatchStatement": statement.request.batch,
    })
}
