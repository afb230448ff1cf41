//! MERGE: updates or removes what is there already, and appends the rest.

use super::{
    Writer, alias, aliased,
    change::{assignments, may_set, selection},
    insert::columns,
    word,
};
use crate::{
    catalog::{Privilege, Relation},
    error::SqlError,
    sql::{Cursor, Token, translate::top_level},
};

/// Both halves of a MERGE.
struct Merge<'a> {
    relation: Relation,
    target: Token,
    source: Vec<Token>,
    condition: &'a [Token],
}

/// `target [AS alias] USING source [AS alias] ON condition WHEN MATCHED THEN UPDATE SET ... | DELETE
/// WHEN NOT MATCHED THEN INSERT [(columns)] VALUES (...)`.
pub(super) fn run(writer: &mut Writer<'_>, cursor: &mut Cursor<'_>) -> Result<u64, SqlError> {
    let relation = cursor.relation()?;
    writer.may(&relation, Privilege::Select)?;
    let target = alias(cursor, &relation.1, &["using"])?;
    cursor.expect("using")?;
    let source = source(cursor)?;
    cursor.expect("on")?;
    let rest = cursor.rest();
    let end = top_level(rest, "when").ok_or_else(|| SqlError::Syntax("ON".to_owned()))?;
    let (condition, branches) = rest.split_at(end);
    let merge = Merge {
        relation,
        target,
        source,
        condition,
    };
    let mut branches = Cursor::new(branches);
    let branches = &mut branches;
    // Both halves are worked out before either changes a row.
    let matched = matched(writer, &merge, branches)?;
    let missing = missing(writer, &merge, branches)?;
    branches.end()?;
    let (columns, rows) = matched;
    let changed = if columns.is_empty() {
        writer.remove(&merge.relation, &rows)?
    } else {
        writer.set(&merge.relation, &columns, rows)?
    };
    let (targets, rows) = missing;
    let (schema, name) = (&merge.relation.0, &merge.relation.1);
    let appended = writer
        .warehouse
        .append((schema, name), &targets, rows.into_iter())?;
    Ok(changed + appended)
}

type Planned = (
    Vec<crate::catalog::Column>,
    Vec<Vec<rusqlite::types::Value>>,
);

fn source(cursor: &mut Cursor<'_>) -> Result<Vec<Token>, SqlError> {
    let relation = cursor.relation()?;
    let name = alias(cursor, &relation.1, &["on"])?;
    Ok(aliased(&relation, &name).to_vec())
}

/// Rows that are there; no columns for the ones to remove.
fn matched(
    writer: &Writer<'_>,
    merge: &Merge<'_>,
    cursor: &mut Cursor<'_>,
) -> Result<Planned, SqlError> {
    cursor.expect("when")?;
    cursor.expect("matched")?;
    cursor.expect("then")?;
    let mut names = Vec::new();
    let mut values = Vec::new();
    if cursor.accept(&["update", "set"]) {
        let rest = cursor.rest();
        let end = top_level(rest, "when").unwrap_or(rest.len());
        for (name, value) in assignments(&rest[..end])? {
            names.push(name);
            values.push(value);
        }
        cursor.skip(end);
        let reached = writer.may(&merge.relation, Privilege::Update)?;
        may_set(&merge.relation, &names, &reached)?;
    } else {
        cursor.expect("delete")?;
        writer.may(&merge.relation, Privilege::Delete)?;
    }
    let columns = if names.is_empty() {
        Vec::new()
    } else {
        writer.columns(&merge.relation, &names)?
    };
    let mut query = selection(&merge.relation, &merge.target, &values);
    query.push(Token::Symbol(","));
    query.extend(merge.source.iter().cloned());
    query.push(word("WHERE"));
    query.extend(merge.condition.iter().cloned());
    let rows = writer.rows(&query, Some(&merge.relation))?;
    Ok((columns, rows))
}

/// Rows of the source that match nothing.
fn missing(
    writer: &Writer<'_>,
    merge: &Merge<'_>,
    cursor: &mut Cursor<'_>,
) -> Result<Planned, SqlError> {
    for keyword in ["when", "not", "matched", "then", "insert"] {
        cursor.expect(keyword)?;
    }
    let names = columns(cursor)?;
    cursor.expect("values")?;
    let values = cursor.group()?;
    writer.may(&merge.relation, Privilege::Insert)?;
    let targets = writer.columns(&merge.relation, &names)?;
    let mut query = vec![word("SELECT")];
    query.extend(values.iter().cloned());
    query.push(word("FROM"));
    query.extend(merge.source.iter().cloned());
    query.extend([
        word("WHERE"),
        word("NOT"),
        word("EXISTS"),
        Token::Symbol("("),
    ]);
    query.extend([word("SELECT"), Token::Number("1".to_owned()), word("FROM")]);
    query.extend(aliased(&merge.relation, &merge.target));
    query.push(word("WHERE"));
    query.extend(merge.condition.iter().cloned());
    query.push(Token::Symbol(")"));
    let rows = writer.rows(&query, Some(&merge.relation))?;
    Ok((targets, rows))
}
