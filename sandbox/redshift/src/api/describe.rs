//! DescribeStatement and CancelStatement.

use serde_json::{Map, Value, json};

use super::{ApiError, Asked, execute::has_result, seconds, statement};
use crate::{
    Inner,
    statements::{Format, Part, Status},
};

pub(super) async fn describe(inner: &Inner, asked: &Asked) -> Result<Value, ApiError> {
    let (found, part) = statement(inner, asked).await?;
    if part.is_some() {
        return Err(ApiError::no_statement(asked.required("Id")?));
    }
    let mut body = Map::new();
    let mut put = |member: &str, value: Value| body.insert(member.to_owned(), value);
    let whole = found
        .parts
        .iter()
        .map(|p| p.nanoseconds.max(0))
        .sum::<i64>();
    let finished = found.status == Status::Finished;
    put("Id", found.id.clone().into());
    put("Status", found.status.name().into());
    put("CreatedAt", seconds(found.created));
    put("UpdatedAt", seconds(found.updated));
    put("Database", found.request.database.clone().into());
    put(
        found.request.target.0,
        found.request.target.1.clone().into(),
    );
    put("Duration", if finished { whole } else { -1 }.into());
    put("HasResultSet", has_result(&found).into());
    put("RedshiftPid", (1_073_840_000 + found.number).into());
    put(
        "RedshiftQueryId",
        if finished { found.number } else { 0 }.into(),
    );
    put("ResultFormat", format_name(found.request.format).into());
    for (member, value) in found.request.identity() {
        put(member, value.into());
    }
    if let Some(error) = &found.error {
        put("Error", error.clone().into());
    }
    if !found.request.parameters.is_empty() {
        let parameters = found.request.parameters.iter();
        let list: Vec<Value> = parameters
            .map(|(name, value)| json!({ "name": name, "value": value }))
            .collect();
        put("QueryParameters", list.into());
    }
    if found.request.batch {
        let parts = found.parts.iter().enumerate();
        let list: Vec<Value> = parts
            .map(|(index, part)| sub_statement(&found.id, index, part, found.number))
            .collect();
        put("SubStatements", list.into());
    } else if let Some(part) = found.parts.first() {
        put("QueryString", shown(&part.sql).into());
        put("ResultRows", part.rows.into());
        put("ResultSize", size(part).into());
    }
    Ok(Value::Object(body))
}

fn sub_statement(id: &str, index: usize, part: &Part, number: i64) -> Value {
    let finished = part.status == Status::Finished;
    let mut body = json!({
        "Id": format!("{id}:{}", index + 1),
        "Status": part.status.name(),
        "CreatedAt": seconds(part.created),
        "UpdatedAt": seconds(part.updated),
        "Duration": part.nanoseconds,
        "HasResultSet": part.result.is_some(),
        "QueryString": shown(&part.sql),
        "RedshiftQueryId": if finished { number } else { -1 },
        "ResultRows": part.rows,
        "ResultSize": size(part),
    });
    if let Some(error) = &part.error {
        body["Error"] = error.clone().into();
    }
    body
}

fn size(part: &Part) -> i64 {
    let Some(result) = &part.result else {
        return if part.status == Status::Finished {
            0
        } else {
            -1
        };
    };
    i64::try_from(result.bytes).unwrap_or(i64::MAX)
}

/// The text of a statement, with passwords masked as Redshift masks them.
pub(super) fn shown(sql: &str) -> String {
    let mut shown = String::new();
    let mut rest = sql;
    while let Some(at) = rest.to_ascii_lowercase().find("password") {
        let (before, after) = rest.split_at(at + "password".len());
        shown.push_str(before);
        rest = after;
        let text = after.trim_start();
        if let Some(end) = text.strip_prefix('\'').and_then(|text| text.find('\'')) {
            shown.push_str(" '***'");
            rest = &text[end + 2..];
        }
    }
    shown + rest
}

fn format_name(format: Format) -> &'static str {
    match format {
        Format::Json => "JSON",
        Format::Csv => "CSV",
    }
}

pub(super) fn cancel(inner: &Inner, asked: &Asked) -> Result<Value, ApiError> {
    let id = asked.required("Id")?;
    if inner.statements.find(&asked.owner, id).is_none() {
        return Err(ApiError::no_statement(id));
    }
    if inner.statements.abort(id) {
        Ok(json!({ "Status": true }))
    } else {
        Err(ApiError::validation(
            "Could not cancel a query that is already in FINISHED state.",
        ))
    }
}
