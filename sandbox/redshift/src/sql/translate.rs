//! Redshift's SQL in SQLite's: casts, ILIKE, typed literals, EXTRACT, session functions.
//! Names that start with `redshift_` are functions of `crate::functions`.

use super::{
    Cursor, Token,
    cursor::items,
    token::{closing, render},
};
use crate::{error::SqlError, types::SqlType};

/// Rewrites a statement.
pub(crate) fn translate(tokens: &[Token]) -> Result<Vec<Token>, SqlError> {
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let token = &tokens[at];
        let next = tokens.get(at + 1);
        let calls = next.is_some_and(|t| t.is_symbol("("));
        let qualified =
            at > 0 && tokens[at - 1].is_symbol(".") || next.is_some_and(|t| t.is_symbol("."));
        if token.is_symbol("::") {
            let (ty, used) = read_type(&tokens[at + 1..])?;
            let start = operand_start(&out)?;
            let operand = out.split_off(start);
            out.extend(cast(operand, ty));
            at += 1 + used;
            continue;
        }
        let Token::Word(word) = token else {
            out.push(token.clone());
            at += 1;
            continue;
        };
        let word = word.to_lowercase();
        match word.as_str() {
            _ if qualified => out.push(token.clone()),
            // SQLite has keywords that Redshift has not: a name is a name.
            _ if out.last().is_some_and(|last| last.is_word("as")) => {
                out.push(Token::Quoted(word));
            }
            "cast" if calls => {
                let close = closing(tokens, at + 1)?;
                let inside = &tokens[at + 2..close];
                let split = top_level(inside, "as").ok_or_else(|| SqlError::Syntax(")".into()))?;
                let (ty, used) = read_type(&inside[split + 1..])?;
                if split + 1 + used != inside.len() {
                    return Err(SqlError::Syntax(inside[split + 1 + used].shown()));
                }
                out.extend(cast(translate(&inside[..split])?, ty));
                at = close;
            }
            "extract" if calls => {
                let close = closing(tokens, at + 1)?;
                let inside = &tokens[at + 2..close];
                let split =
                    top_level(inside, "from").ok_or_else(|| SqlError::Syntax(")".into()))?;
                out.extend(call("date_part"));
                out.push(Token::Text(render(&inside[..split]).to_lowercase()));
                out.push(Token::Symbol(","));
                out.extend(translate(&inside[split + 1..])?);
                out.push(Token::Symbol(")"));
                at = close;
            }
            "date" | "timestamp" | "timestamptz" if matches!(next, Some(Token::Text(_))) => {
                let (ty, _) = read_type(&tokens[at..=at])?;
                out.extend(cast(tokens[at + 1..=at + 1].to_vec(), ty));
                at += 1;
            }
            "ilike" => out.push(Token::Word("REGEXP".to_owned())),
            "nvl" if calls => out.push(Token::Word("coalesce".to_owned())),
            "len" if calls => out.push(Token::Word("length".to_owned())),
            // As a word or called.
            "current_user" | "session_user" if calls => {
                out.push(Token::Word("redshift_current_user".to_owned()));
            }
            "current_user" | "session_user" => {
                out.extend(call("redshift_current_user"));
                out.push(Token::Symbol(")"));
            }
            "current_database" if calls => {
                out.push(Token::Word("redshift_database".to_owned()));
            }
            "pg_get_session_roles" if calls => {
                let (rows, used) = session_roles(&tokens[at..])?;
                out.extend(rows);
                at += used - 1;
            }
            "sysdate" => {
                out.extend(call("redshift_now"));
                out.push(Token::Symbol(")"));
            }
            "getdate" if calls => out.push(Token::Word("redshift_now".to_owned())),
            "current_date" => {
                out.extend(call("redshift_today"));
                out.push(Token::Symbol(")"));
            }
            _ => out.push(token.clone()),
        }
        at += 1;
    }
    Ok(out)
}

fn call(function: &str) -> [Token; 2] {
    [Token::Word(function.to_owned()), Token::Symbol("(")]
}

/// `pg_get_session_roles() [[AS] alias (name type, roleid type)]`, as a subquery over the system
/// view; answers how many tokens it took.
fn session_roles(tokens: &[Token]) -> Result<(Vec<Token>, usize), SqlError> {
    let mut cursor = Cursor::new(tokens);
    cursor.next();
    cursor.group()?;
    let named = cursor.accept(&["as"]);
    let mut alias = Token::Word("pg_get_session_roles".to_owned());
    let mut names = vec!["name".to_owned(), "roleid".to_owned()];
    if named || defines_columns(cursor.rest()) {
        alias = Token::Quoted(cursor.name()?);
        if cursor.peek().is_some_and(|t| t.is_symbol("(")) {
            let mut columns = items(cursor.group()?).into_iter();
            for name in &mut names {
                let column = columns.next().unwrap_or_default();
                *name = Cursor::new(column).name()?;
            }
        }
    }
    let word = |word: &str| Token::Word(word.to_owned());
    let mut rows = vec![Token::Symbol("("), word("SELECT")];
    for (column, name) in ["name", "roleid"].into_iter().zip(names) {
        if column == "roleid" {
            rows.push(Token::Symbol(","));
        }
        rows.extend([word(column), word("AS"), Token::Quoted(name)]);
    }
    rows.extend([word("FROM"), word("pg_catalog"), Token::Symbol(".")]);
    rows.extend([word("session_roles"), Token::Symbol(")"), word("AS"), alias]);
    Ok((rows, tokens.len() - cursor.rest().len()))
}

/// `alias (name type, ...)`.
fn defines_columns(tokens: &[Token]) -> bool {
    matches!(
        tokens,
        [Token::Word(_) | Token::Quoted(_), Token::Symbol("("), ..]
    )
}

fn cast(operand: Vec<Token>, ty: SqlType) -> Vec<Token> {
    let mut out = call("redshift_cast").to_vec();
    out.extend(operand);
    out.push(Token::Symbol(","));
    out.push(Token::Text(ty.text()));
    out.push(Token::Symbol(")"));
    out
}

fn read_type(tokens: &[Token]) -> Result<(SqlType, usize), SqlError> {
    let mut cursor = Cursor::new(tokens);
    let ty = SqlType::read(&mut cursor)?;
    Ok((ty, tokens.len() - cursor.rest().len()))
}

/// Where the operand of a `::` begins, seen from its end.
fn operand_start(out: &[Token]) -> Result<usize, SqlError> {
    let nothing = || SqlError::Syntax("::".to_owned());
    let last = out.len().checked_sub(1).ok_or_else(nothing)?;
    let mut start = last;
    match &out[last] {
        Token::Symbol(")") => {
            let mut depth = 0_usize;
            for at in (0..out.len()).rev() {
                if out[at].is_symbol(")") {
                    depth += 1;
                } else if out[at].is_symbol("(") {
                    depth -= 1;
                    if depth == 0 {
                        start = at;
                        break;
                    }
                }
            }
            let is_function = start > 0
                && matches!(&out[start - 1], Token::Word(word) if !is_operator_word(word));
            start -= usize::from(is_function);
        }
        Token::Symbol(_) => return Err(nothing()),
        _ => {}
    }
    while start >= 2 && out[start - 1].is_symbol(".") {
        start -= 2;
    }
    Ok(start)
}

/// Keywords that can stand before a parenthesis without calling anything.
fn is_operator_word(word: &str) -> bool {
    const WORDS: [&str; 16] = [
        "and", "or", "not", "in", "like", "regexp", "between", "is", "when", "then", "else",
        "select", "where", "on", "having", "by",
    ];
    WORDS.iter().any(|w| word.eq_ignore_ascii_case(w))
}

/// Position of a keyword outside parentheses.
pub(crate) fn top_level(tokens: &[Token], keyword: &str) -> Option<usize> {
    let mut depth = 0_usize;
    tokens.iter().position(|token| {
        if token.is_symbol("(") {
            depth += 1;
        } else if token.is_symbol(")") {
            depth = depth.saturating_sub(1);
        }
        depth == 0 && token.is_word(keyword)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::token::tokenise;

    fn translated(sql: &str) -> String {
        render(&translate(&tokenise(sql).unwrap()).unwrap())
    }

    #[test]
    fn casts_of_both_kinds_become_one_function() {
        let one = "redshift_cast ( :day , 'date' )";
        assert_eq!(translated(":day::date"), one);
        assert_eq!(translated("CAST(:day AS DATE)"), one);
        assert_eq!(
            translated("x > (a + b)::decimal(10,2)"),
            "x > redshift_cast ( ( a + b ) , 'numeric(10,2)' )"
        );
        assert_eq!(
            translated("sum(t.x)::int"),
            "redshift_cast ( sum ( t.x ) , 'int4' )"
        );
        assert_eq!(
            translated("a IN (1)::int"),
            "a IN redshift_cast ( ( 1 ) , 'int4' )"
        );
        assert_eq!(
            translated("s.t.x::varchar(9)"),
            "redshift_cast ( s.t.x , 'varchar(9)' )"
        );
    }

    #[test]
    fn session_words_are_functions_and_columns_are_left_alone() {
        assert_eq!(translated("current_user"), "redshift_current_user ( )");
        assert_eq!(translated("\"current_user\""), "\"current_user\"");
        assert_eq!(translated("t.sysdate"), "t.sysdate");
        assert_eq!(
            translated("EXTRACT(year FROM sold_at)"),
            "date_part ( 'year' , sold_at )"
        );
        assert_eq!(translated("city ILIKE 'a%'"), "city REGEXP 'a%'");
        assert_eq!(translated("1 AS Nothing"), "1 AS \"nothing\"");
    }
}
