//! ExecuteStatement and BatchExecuteStatement.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Map, Value};

use super::{ApiError, Asked, acting, run, seconds};
use crate::{
    Inner,
    query::Parameters,
    sql::{
        Token,
        token::{statements, tokenise},
    },
    statements::{Format, Request, Statement, Status},
};

/// Limit of a statement's text.
const MOST_BYTES: usize = 100 * 1024;
/// Limit of a batch.
const MOST_STATEMENTS: usize = 40;

pub(super) async fn execute(inner: &Arc<Inner>, asked: &Asked) -> Result<Value, ApiError> {
    let sql = asked.required("Sql")?.to_owned();
    submit(inner, asked, vec![sql], false).await
}

pub(super) async fn batch(inner: &Arc<Inner>, asked: &Asked) -> Result<Value, ApiError> {
    if asked
        .text("ExecutionMode")
        .is_some_and(|mode| mode != "TRANSACTION")
    {
        return Err(ApiError::validation(
            "Only ExecutionMode TRANSACTION is played.",
        ));
    }
    let sqls: Vec<String> = asked
        .body
        .get("Sqls")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|sql| sql.as_str().map(str::to_owned))
        .collect();
    if sqls.is_empty() || sqls.len() > MOST_STATEMENTS {
        return Err(ApiError::validation(
            "Sqls must have between 1 and 40 statements.",
        ));
    }
    submit(inner, asked, sqls, true).await
}

async fn submit(
    inner: &Arc<Inner>,
    asked: &Asked,
    sqls: Vec<String>,
    batch: bool,
) -> Result<Value, ApiError> {
    let wait = asked.wait()?;
    let client_token = client_token(asked)?;
    let mut request = read(inner, asked, sqls, batch)?;
    let code = if batch {
        "BatchExecuteStatementException"
    } else {
        "ExecuteStatementException"
    };
    let acting = acting::of(inner, asked, &request.database).await;
    let acting = acting.map_err(|refused| refused.into_error(code))?;
    request.database_user.clone_from(&acting.database_user);
    request.secret.clone_from(&acting.secret);
    let earlier = client_token
        .as_ref()
        .and_then(|token| inner.statements.made_by(&asked.owner, token));
    let statement = match earlier {
        Some(earlier) if !same(&earlier.request, &request) => {
            return Err(ApiError::validation(
                "ClientToken was used for a statement with other parameters.",
            ));
        }
        Some(earlier) => earlier,
        None => {
            let most = inner.limits().active_statements;
            if inner.statements.active(&asked.owner) >= most {
                return Err(ApiError {
                    code: "ActiveStatementsExceededException",
                    message: "The number of active statements exceeds the limit.".to_owned(),
                    about: None,
                });
            }
            let statement = inner
                .statements
                .submit(asked.owner.clone(), request, client_token);
            run::start(inner, &statement, acting.actor, asked);
            statement
        }
    };
    let mut current = statement;
    if let Some(wait) = wait {
        inner.statements.wait(&current.id, wait).await;
        if let Some(found) = inner.statements.find(&asked.owner, &current.id) {
            current = found;
        }
    }
    Ok(answer(&current))
}

fn answer(statement: &Statement) -> Value {
    let mut body = Map::new();
    body.insert("Id".into(), statement.id.clone().into());
    body.insert("CreatedAt".into(), seconds(statement.created));
    body.insert("Database".into(), statement.request.database.clone().into());
    let (member, value) = &statement.request.target;
    body.insert((*member).into(), value.clone().into());
    for (member, value) in statement.request.identity() {
        body.insert(member.into(), value.into());
    }
    body.insert("Status".into(), statement.status.name().into());
    body.insert("HasResultSet".into(), has_result(statement).into());
    Value::Object(body)
}

/// A batch has a result set if one of its parts has.
pub(super) fn has_result(statement: &Statement) -> bool {
    statement.status == Status::Finished && statement.parts.iter().any(|p| p.result.is_some())
}

fn same(one: &Request, other: &Request) -> bool {
    one.sqls == other.sqls
        && one.parameters == other.parameters
        && one.database == other.database
        && one.target == other.target
        && one.batch == other.batch
}

fn client_token(asked: &Asked) -> Result<Option<String>, ApiError> {
    match asked.text("ClientToken") {
        Some(token) if token.is_empty() || token.len() > 64 => Err(ApiError::validation(
            "ClientToken must have between 1 and 64 characters.",
        )),
        token => Ok(token.map(str::to_owned)),
    }
}

fn read(inner: &Inner, asked: &Asked, sqls: Vec<String>, batch: bool) -> Result<Request, ApiError> {
    let sessions = ["SessionId", "SessionKeepAliveSeconds"];
    if sessions
        .iter()
        .any(|member| asked.body.get(*member).is_some_and(|v| !v.is_null()))
    {
        return Err(ApiError::validation(
            "Sessions are not played by this stand-in.",
        ));
    }
    let target = asked.target()?;
    let database = asked.required("Database")?.to_owned();
    if sqls.iter().map(String::len).sum::<usize>() > MOST_BYTES {
        return Err(ApiError::validation("The statement is longer than 100 KB."));
    }
    let parameters = parameters(asked)?;
    check_parameters(&sqls, &parameters)?;
    let with_event = asked.flag("WithEvent");
    if with_event && inner.services.get().is_none() {
        return Err(ApiError::validation(
            "WithEvent needs an event bus, and none is connected.",
        ));
    }
    let format = match asked.text("ResultFormat") {
        None | Some("JSON") => Format::Json,
        Some("CSV") => Format::Csv,
        Some(_) => return Err(ApiError::validation("ResultFormat must be JSON or CSV.")),
    };
    let name = asked.text("StatementName").map(str::to_owned);
    if name.as_ref().is_some_and(|name| name.len() > 2048) {
        return Err(ApiError::validation(
            "StatementName has more than 2048 characters.",
        ));
    }
    Ok(Request {
        database,
        target,
        name,
        parameters,
        format,
        batch,
        sqls,
        with_event,
        database_user: None,
        secret: None,
    })
}

fn parameters(asked: &Asked) -> Result<Parameters, ApiError> {
    let mut parameters = Parameters::new();
    let list = match asked.body.get("Parameters") {
        None | Some(Value::Null) => return Ok(parameters),
        Some(Value::Array(list)) if !list.is_empty() => list,
        Some(_) => {
            return Err(ApiError::validation(
                "Parameters must have at least one entry.",
            ));
        }
    };
    for entry in list {
        let member = |name| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        let (name, value) = (member("name"), member("value"));
        let valid = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(valid) {
            return Err(ApiError::validation(
                "A parameter's name must match [0-9a-zA-Z_]+.",
            ));
        }
        if value.is_empty() {
            return Err(ApiError::validation(format!(
                "Parameter {name}: the value must have a length of at least 1."
            )));
        }
        if parameters
            .insert(name.to_owned(), value.to_owned())
            .is_some()
        {
            return Err(ApiError::validation(format!(
                "Parameter {name} is given twice."
            )));
        }
    }
    Ok(parameters)
}

/// Every parameter is used, every name in the SQL has a value, and there is one statement per text.
fn check_parameters(sqls: &[String], parameters: &Parameters) -> Result<(), ApiError> {
    let mut used = BTreeSet::new();
    for sql in sqls {
        // Text that cannot be read fails as a statement, with the database's own words.
        let Ok(tokens) = tokenise(sql) else { continue };
        if statements(&tokens).len() > 1 {
            return Err(ApiError::validation(
                "Multiple sql statements are not allowed.",
            ));
        }
        used.extend(tokens.into_iter().filter_map(|token| match token {
            Token::Parameter(name) => Some(name),
            _ => None,
        }));
    }
    let given: BTreeSet<String> = parameters.keys().cloned().collect();
    let unused: Vec<&str> = given.difference(&used).map(String::as_str).collect();
    if !unused.is_empty() {
        return Err(ApiError::validation(format!(
            "Parameters list contains unused parameters. Unused parameters: [{}]",
            unused.join(", ")
        )));
    }
    let missing: Vec<&str> = used.difference(&given).map(String::as_str).collect();
    if !missing.is_empty() {
        return Err(ApiError::validation(format!(
            "Parameters list is missing parameters. Missing parameters: [{}]",
            missing.join(", ")
        )));
    }
    Ok(())
}
