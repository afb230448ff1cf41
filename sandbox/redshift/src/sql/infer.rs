//! Labels and types of a query's columns. SQLite has values with types, Redshift has columns with
//! types; what an expression's column is called and what type it has is worked out here.

use std::collections::BTreeMap;

use super::{
    Cursor, Token,
    cursor::items,
    token::{closing, tokenise},
    translate::top_level,
};
use crate::types::SqlType;

/// Types of the columns that a statement can name, by lower-case name.
pub(crate) type Scope = BTreeMap<String, SqlType>;

/// One entry of a select list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    /// `*` or `t.*`.
    Star,
    /// An expression with its label and, if it can be told, its type.
    Column { label: String, ty: Option<SqlType> },
}

/// The select list of a (translated) query.
pub(crate) fn select_list(tokens: &[Token], scope: &Scope) -> Vec<Item> {
    let mut scope = scope.clone();
    derived(tokens, &mut scope);
    list(tokens, &scope)
}

/// Adds the labels of subqueries and common table expressions, inner ones first.
fn derived(tokens: &[Token], scope: &mut Scope) {
    for at in 0..tokens.len() {
        let opens = tokens[at].is_symbol("(")
            && tokens
                .get(at + 1)
                .is_some_and(|t| t.is_word("select") || t.is_word("with"));
        if !opens {
            continue;
        }
        let Ok(close) = closing(tokens, at) else {
            return;
        };
        let inner = &tokens[at + 1..close];
        derived(inner, scope);
        for item in list(inner, scope) {
            if let Item::Column {
                label,
                ty: Some(ty),
            } = item
            {
                scope.entry(label).or_insert(ty);
            }
        }
    }
}

fn list(tokens: &[Token], scope: &Scope) -> Vec<Item> {
    let Some(select) = top_level(tokens, "select") else {
        return Vec::new();
    };
    let rest = &tokens[select + 1..];
    let end = ["from", "where", "union", "order", "limit", "group"]
        .iter()
        .filter_map(|keyword| top_level(rest, keyword))
        .min()
        .unwrap_or(rest.len());
    let mut selected = &rest[..end];
    if selected
        .first()
        .is_some_and(|t| t.is_word("distinct") || t.is_word("all"))
    {
        selected = &selected[1..];
    }
    items(selected)
        .into_iter()
        .map(|item| {
            if item.last().is_some_and(|t| t.is_symbol("*")) {
                return Item::Star;
            }
            let (expression, alias) = split_alias(item);
            Item::Column {
                label: alias.unwrap_or_else(|| label(expression)),
                ty: type_of(expression, scope),
            }
        })
        .collect()
}

fn split_alias(item: &[Token]) -> (&[Token], Option<String>) {
    if let [expression @ .., keyword, alias] = item {
        if keyword.is_word("as") {
            return (expression, alias.name());
        }
        let ends = |token: &Token| {
            ["end", "null", "true", "false"]
                .iter()
                .any(|w| token.is_word(w))
        };
        let follows_operand = !matches!(keyword, Token::Symbol(s) if *s != ")")
            && !["not", "is", "like", "and", "or"]
                .iter()
                .any(|w| keyword.is_word(w));
        if follows_operand && !ends(alias) && alias.name().is_some() {
            return (&item[..item.len() - 1], alias.name());
        }
    }
    (item, None)
}

/// The name that Redshift gives a column without an alias.
fn label(expression: &[Token]) -> String {
    match expression {
        [
            Token::Word(function),
            Token::Symbol("("),
            inner @ ..,
            Token::Symbol(")"),
        ] => match function.to_lowercase().as_str() {
            "redshift_cast" => label(items(inner).first().copied().unwrap_or_default()),
            "redshift_current_user" => "current_user".to_owned(),
            "redshift_database" => "current_database".to_owned(),
            "redshift_now" => "getdate".to_owned(),
            "redshift_today" => "date".to_owned(),
            name => name.to_owned(),
        },
        [.., last] if is_reference(expression) => last.name().unwrap_or_default(),
        [Token::Word(word), ..] if word.eq_ignore_ascii_case("case") => "case".to_owned(),
        _ => "?column?".to_owned(),
    }
}

fn is_reference(tokens: &[Token]) -> bool {
    tokens.len() % 2 == 1
        && tokens.iter().enumerate().all(|(at, token)| {
            if at % 2 == 1 {
                token.is_symbol(".")
            } else {
                token.name().is_some()
            }
        })
}

/// Keywords and operators whose result is a truth value.
const TRUTHS: [&str; 9] = [
    "and", "or", "not", "like", "regexp", "in", "is", "between", "exists",
];
const COMPARISONS: [&str; 7] = ["=", "<", ">", "<=", ">=", "<>", "!="];

/// The type of an expression, if it can be told without running it.
pub(crate) fn type_of(tokens: &[Token], scope: &Scope) -> Option<SqlType> {
    let [first, ..] = tokens else { return None };
    if first.is_symbol("(") && closing(tokens, 0).ok()? == tokens.len() - 1 {
        let inner = &tokens[1..tokens.len() - 1];
        if let Some(Item::Column { ty, .. }) = list(inner, scope).into_iter().next() {
            return ty;
        }
        return type_of(inner, scope);
    }
    if first.is_word("case") && tokens.last()?.is_word("end") && case_end(tokens) == tokens.len() {
        return case(tokens, scope);
    }
    let tops = top_tokens(tokens);
    let has = |test: &dyn Fn(&Token) -> bool| tops.iter().any(|at| test(&tokens[*at]));
    if has(&|t| TRUTHS.iter().any(|w| t.is_word(w)) || COMPARISONS.iter().any(|s| t.is_symbol(s))) {
        return Some(SqlType::Boolean);
    }
    if has(&|t| t.is_symbol("||")) {
        return Some(SqlType::Varchar(65535));
    }
    for operators in [&["+", "-"][..], &["*", "/", "%"][..]] {
        let split = tops.iter().rev().copied().find(|at| {
            *at > 0
                && operators.iter().any(|s| tokens[*at].is_symbol(s))
                && !matches!(&tokens[*at - 1], Token::Symbol(s) if *s != ")")
        });
        if let Some(at) = split {
            let left = type_of(&tokens[..at], scope);
            let right = type_of(&tokens[at + 1..], scope);
            return arithmetic(&tokens[at], left, right);
        }
    }
    if first.is_symbol("-") || first.is_symbol("+") {
        return type_of(&tokens[1..], scope);
    }
    primary(tokens, scope)
}

fn primary(tokens: &[Token], scope: &Scope) -> Option<SqlType> {
    match tokens {
        [Token::Number(number)] => Some(literal(number)),
        [Token::Text(_) | Token::Parameter(_)] => Some(SqlType::Varchar(65535)),
        [word] if word.is_word("true") || word.is_word("false") => Some(SqlType::Boolean),
        [Token::Word(function), Token::Symbol("("), ..] => {
            let close = closing(tokens, 1).ok()?;
            let arguments = items(&tokens[2..close]);
            call(&function.to_lowercase(), &arguments, scope)
        }
        [.., last] if is_reference(tokens) => scope.get(&last.name()?).copied(),
        _ => None,
    }
}

fn literal(number: &str) -> SqlType {
    match number.split_once('.') {
        _ if number.contains(['e', 'E']) => SqlType::Double,
        Some((whole, fraction)) => {
            let length = |s: &str| u32::try_from(s.len()).unwrap_or(0);
            SqlType::Decimal {
                precision: length(whole) + length(fraction),
                scale: length(fraction),
            }
        }
        None if number.parse::<i32>().is_ok() => SqlType::Integer,
        None => SqlType::BigInt,
    }
}

/// Result types of the functions, as Redshift documents them.
fn call(function: &str, arguments: &[&[Token]], scope: &Scope) -> Option<SqlType> {
    let argument = || arguments.first().and_then(|a| type_of(a, scope));
    let any = || {
        arguments
            .iter()
            .filter_map(|a| type_of(a, scope))
            .reduce(|a, b| arithmetic(&Token::Symbol("+"), Some(a), Some(b)).unwrap_or(a))
    };
    match function {
        "count" | "row_number" | "rank" | "dense_rank" | "date_part" | "date_diff" => {
            Some(SqlType::BigInt)
        }
        "sum" => Some(match argument()? {
            SqlType::SmallInt | SqlType::Integer => SqlType::BigInt,
            SqlType::BigInt => wide(0),
            SqlType::Decimal { scale, .. } => wide(scale),
            _ => SqlType::Double,
        }),
        "avg" => Some(match argument()? {
            ty if ty.is_integer() => SqlType::BigInt,
            SqlType::Decimal { scale, .. } => wide(scale),
            _ => SqlType::Double,
        }),
        "ceil" | "ceiling" | "floor" => Some(match argument()? {
            SqlType::Decimal { .. } => wide(0),
            other => other,
        }),
        "min" | "max" | "abs" | "round" | "nullif" | "lag" | "lead" | "first_value"
        | "last_value" => argument(),
        "coalesce" => any(),
        "length" | "charindex" | "instr" => Some(SqlType::Integer),
        "lower"
        | "upper"
        | "trim"
        | "ltrim"
        | "rtrim"
        | "substring"
        | "substr"
        | "left"
        | "right"
        | "replace"
        | "concat"
        | "listagg"
        | "redshift_current_user"
        | "redshift_database" => Some(SqlType::Varchar(65535)),
        "date_trunc" | "redshift_now" => Some(SqlType::Timestamp),
        "redshift_today" => Some(SqlType::Date),
        "redshift_cast" => match arguments.last()? {
            [Token::Text(ty)] => SqlType::read(&mut Cursor::new(&tokenise(ty).ok()?)).ok(),
            _ => None,
        },
        _ => None,
    }
}

fn wide(scale: u32) -> SqlType {
    SqlType::Decimal {
        precision: 38,
        scale,
    }
}

fn case(tokens: &[Token], scope: &Scope) -> Option<SqlType> {
    let inner = &tokens[1..tokens.len() - 1];
    let tops: Vec<usize> = top_tokens(inner);
    let marks: Vec<usize> = tops
        .iter()
        .copied()
        .filter(|at| {
            ["when", "then", "else"]
                .iter()
                .any(|w| inner[*at].is_word(w))
        })
        .collect();
    marks
        .iter()
        .enumerate()
        .filter(|(_, at)| !inner[**at].is_word("when"))
        .filter_map(|(n, at)| {
            let end = marks.get(n + 1).copied().unwrap_or(inner.len());
            type_of(&inner[at + 1..end], scope)
        })
        .reduce(|a, b| arithmetic(&Token::Symbol("+"), Some(a), Some(b)).unwrap_or(a))
}

/// One past the END of the CASE that starts the tokens.
fn case_end(tokens: &[Token]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        if token.is_word("case") {
            depth += 1;
        } else if token.is_word("end") {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return at + 1;
            }
        }
    }
    tokens.len()
}

/// Positions of the tokens outside parentheses and CASE.
fn top_tokens(tokens: &[Token]) -> Vec<usize> {
    let mut depth = 0_usize;
    let mut tops = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if token.is_symbol("(") || token.is_word("case") {
            depth += 1;
        } else if token.is_symbol(")") || token.is_word("end") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 {
            tops.push(at);
        }
    }
    tops
}

/// Redshift's result type of an arithmetic operator.
fn arithmetic(operator: &Token, left: Option<SqlType>, right: Option<SqlType>) -> Option<SqlType> {
    let (left, right) = match (left, right) {
        (Some(left), Some(right)) => (left, right),
        (one, other) => return one.or(other),
    };
    let is_float = |ty| matches!(ty, SqlType::Real | SqlType::Double);
    if is_float(left) || is_float(right) {
        return Some(SqlType::Double);
    }
    if left.is_integer() && right.is_integer() {
        let widest = |a: SqlType, b: SqlType| {
            if a.precision_and_scale() >= b.precision_and_scale() {
                a
            } else {
                b
            }
        };
        return Some(widest(left, right));
    }
    let decimal = |ty: SqlType| {
        (ty.is_integer() || matches!(ty, SqlType::Decimal { .. })).then(|| ty.precision_and_scale())
    };
    let (Some((p1, s1)), Some((p2, s2))) = (decimal(left), decimal(right)) else {
        return (left == right).then_some(left).or_else(|| {
            let text = |ty| matches!(ty, SqlType::Varchar(_) | SqlType::Char(_));
            // A parameter or literal takes the type of what it meets.
            if text(left) {
                Some(right)
            } else if text(right) {
                Some(left)
            } else {
                None
            }
        });
    };
    let (precision, scale) = match operator {
        Token::Symbol("*") => (p1 + p2 + 1, s1 + s2),
        Token::Symbol("/") => {
            let scale = (s1 + p2 + 1).saturating_sub(s2).max(4);
            ((p1 + s2 + scale).saturating_sub(s1), scale)
        }
        _ => (
            p1.saturating_sub(s1).max(p2.saturating_sub(s2)) + s1.max(s2) + 1,
            s1.max(s2),
        ),
    };
    let over = precision.saturating_sub(38);
    let scale = if over > 0 {
        scale.saturating_sub(over).max(scale.min(4))
    } else {
        scale
    };
    Some(SqlType::Decimal {
        precision: precision.min(38),
        scale,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::translate::translate;

    fn columns(sql: &str) -> Vec<(String, String)> {
        let scope: Scope = [
            ("city".to_owned(), SqlType::Varchar(100)),
            ("quantity".to_owned(), SqlType::Integer),
            (
                "price".to_owned(),
                SqlType::Decimal {
                    precision: 10,
                    scale: 2,
                },
            ),
            ("ratio".to_owned(), SqlType::Double),
        ]
        .into();
        let tokens = translate(&tokenise(sql).unwrap()).unwrap();
        select_list(&tokens, &scope)
            .into_iter()
            .map(|item| match item {
                Item::Star => ("*".to_owned(), String::new()),
                Item::Column { label, ty } => (label, ty.map_or_else(String::new, SqlType::text)),
            })
            .collect()
    }

    #[test]
    fn labels_and_types_are_redshifts() {
        let table: [(&str, &str, &str); 16] = [
            ("City", "city", "varchar(100)"),
            ("t.city AS Town", "town", "varchar(100)"),
            ("count(*)", "count", "int8"),
            ("sum(price) total", "total", "numeric(38,2)"),
            ("SUM(quantity)", "sum", "int8"),
            ("sum(quantity * price)", "sum", "numeric(38,2)"),
            ("avg(price)", "avg", "numeric(38,2)"),
            ("avg(ratio)", "avg", "float8"),
            ("price > 3 AS dear", "dear", "bool"),
            ("CAST(city AS date)", "city", "date"),
            ("'a' || city", "?column?", "varchar(65535)"),
            ("case when price > 3 then 1 else 2 end", "case", "int4"),
            ("-price", "?column?", "numeric(10,2)"),
            ("(select max(price) from t)", "?column?", "numeric(10,2)"),
            (
                "sum(price) over (order by city) AS run",
                "run",
                "numeric(38,2)",
            ),
            ("current_user", "current_user", "varchar(65535)"),
        ];
        for (sql, label, ty) in table {
            assert_eq!(
                columns(&format!("SELECT {sql} FROM t")),
                [(label.to_owned(), ty.to_owned())],
                "{sql}"
            );
        }
    }

    #[test]
    fn types_pass_through_subqueries_and_common_table_expressions() {
        let sql = "WITH c AS (SELECT city, sum(price) AS total FROM t GROUP BY city) \
                   SELECT city, total, * FROM (SELECT total, city FROM c) d";
        assert_eq!(
            columns(sql),
            [
                ("city".to_owned(), "varchar(100)".to_owned()),
                ("total".to_owned(), "numeric(38,2)".to_owned()),
                ("*".to_owned(), String::new()),
            ]
        );
    }
}
