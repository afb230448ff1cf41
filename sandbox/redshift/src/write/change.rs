//! UPDATE and DELETE: a query finds the rows that the actor sees, and only those change.

use super::{Writer, alias, aliased, word};
use crate::{
    catalog::{Columns, Privilege, Relation},
    error::SqlError,
    sql::{Cursor, Token, cursor::items, translate::top_level},
};

/// `table [[AS] alias] SET column = value, ... [FROM others] [WHERE condition]`.
pub(super) fn update(writer: &mut Writer<'_>, cursor: &mut Cursor<'_>) -> Result<u64, SqlError> {
    let (relation, reached) = writer.target(cursor, Privilege::Update)?;
    let alias = alias(cursor, &relation.1, &["set"])?;
    cursor.expect("set")?;
    let rest = cursor.rest();
    let end = ["from", "where"]
        .iter()
        .filter_map(|keyword| top_level(rest, keyword))
        .min()
        .unwrap_or(rest.len());
    let (sets, rest) = rest.split_at(end);
    let assignments = assignments(sets)?;
    let (names, values): (Vec<String>, Vec<&[Token]>) = assignments.into_iter().unzip();
    may_set(&relation, &names, &reached)?;
    let columns = writer.columns(&relation, &names)?;
    let mut query = selection(&relation, &alias, &values);
    match rest {
        [from, others @ ..] if from.is_word("from") => {
            query.push(Token::Symbol(","));
            query.extend(others.iter().cloned());
        }
        others => query.extend(others.iter().cloned()),
    }
    let rows = writer.rows(&query, Some(&relation))?;
    writer.set(&relation, &columns, rows)
}

/// `[FROM] table [[AS] alias] [USING others] [WHERE condition]`.
pub(super) fn delete(writer: &mut Writer<'_>, cursor: &mut Cursor<'_>) -> Result<u64, SqlError> {
    cursor.accept(&["from"]);
    let (relation, _) = writer.target(cursor, Privilege::Delete)?;
    let alias = alias(cursor, &relation.1, &["using", "where"])?;
    let mut query = selection(&relation, &alias, &[]);
    if cursor.accept(&["using"]) {
        query.push(Token::Symbol(","));
    }
    query.extend(cursor.rest().iter().cloned());
    let rows = writer.rows(&query, Some(&relation))?;
    writer.remove(&relation, &rows)
}

/// `SELECT alias.rowid, values FROM relation AS alias`.
pub(super) fn selection(relation: &Relation, alias: &Token, values: &[&[Token]]) -> Vec<Token> {
    let mut query = vec![
        word("SELECT"),
        alias.clone(),
        Token::Symbol("."),
        word("rowid"),
    ];
    for value in values {
        query.push(Token::Symbol(","));
        query.extend(value.iter().cloned());
    }
    query.push(word("FROM"));
    query.extend(aliased(relation, alias));
    query
}

/// `column = value, ...`.
pub(super) fn assignments(tokens: &[Token]) -> Result<Vec<(String, &[Token])>, SqlError> {
    items(tokens)
        .into_iter()
        .map(|item| {
            let mut item = Cursor::new(item);
            let mut column = item.name()?;
            // `SET t.a = ...` in MERGE.
            if item.accept_symbol(".") {
                column = item.name()?;
            }
            if !item.accept_symbol("=") || item.is_done() {
                return Err(item.unexpected());
            }
            Ok((column, item.rest()))
        })
        .collect()
}

/// UPDATE may be granted on some columns.
pub(super) fn may_set(
    (_, name): &Relation,
    columns: &[String],
    reached: &Columns,
) -> Result<(), SqlError> {
    if columns.iter().all(|column| reached.has(column)) {
        Ok(())
    } else {
        Err(SqlError::denied("relation", name))
    }
}
