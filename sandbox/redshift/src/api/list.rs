//! ListStatements.

use serde_json::{Value, json};

use super::{ApiError, Asked, page, seconds};
use crate::{Inner, statements::Statement};

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
    let prefix = asked.text("StatementName").unwrap_or_default();
    let matches = |statement: &Statement| {
        (status == "ALL" || statement.status.name() == status)
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
    json!({
        "Id": statement.id,
        "Status": statement.status.name(),
        "CreatedAt": seconds(statement.created),
        "UpdatedAt": seconds(statement.updated),
        "StatementName": statement.request.name,
        "QueryString": statement.request.sqls.first(),
        "QueryStrings": statement.request.sqls,
        "IsBatchStatement": statement.request.batch,
    })
}
