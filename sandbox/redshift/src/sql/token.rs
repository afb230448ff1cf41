//! The tokeniser, and the way back from tokens to text.

use std::fmt::Write as _;

use crate::error::SqlError;

/// One token of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A keyword or an identifier without quotes, as written.
    Word(String),
    /// An identifier in double quotes.
    Quoted(String),
    /// A string literal.
    Text(String),
    /// A number.
    Number(String),
    /// A named parameter, without its colon.
    Parameter(String),
    /// Punctuation or an operator.
    Symbol(&'static str),
}

/// Operators and punctuation, longer ones first.
const SYMBOLS: [&str; 23] = [
    "::", "||", "<=", ">=", "<>", "!=", "(", ")", ",", ".", ";", "+", "-", "*", "/", "%", "=", "<",
    ">", "[", "]", "~", "^",
];

impl Token {
    /// Whether this is the keyword (never true of a quoted identifier).
    pub(crate) fn is_word(&self, keyword: &str) -> bool {
        matches!(self, Self::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    pub(crate) fn is_symbol(&self, symbol: &str) -> bool {
        matches!(self, Self::Symbol(s) if *s == symbol)
    }

    /// The name of a schema, table or column: Redshift folds them to lower case, quoted or not.
    pub(crate) fn name(&self) -> Option<String> {
        match self {
            Self::Word(word) | Self::Quoted(word) => Some(word.to_lowercase()),
            _ => None,
        }
    }

    /// The token as Redshift's error texts show it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Word(s) | Self::Quoted(s) | Self::Number(s) => s.clone(),
            Self::Text(s) => format!("'{s}'"),
            Self::Parameter(s) => format!(":{s}"),
            Self::Symbol(s) => (*s).to_owned(),
        }
    }
}

/// Takes SQL text apart. Comments are dropped.
pub(crate) fn tokenise(sql: &str) -> Result<Vec<Token>, SqlError> {
    let mut tokens = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        if first.is_whitespace() {
            rest = &rest[first.len_utf8()..];
        } else if rest.starts_with("--") {
            rest = rest.find('\n').map_or("", |at| &rest[at..]);
        } else if rest.starts_with("/*") {
            rest = after_comment(rest)?;
        } else if first == '\'' || first == '"' {
            let (text, after) = quoted(rest, first)?;
            tokens.push(if first == '"' {
                Token::Quoted(text)
            } else {
                Token::Text(text)
            });
            rest = after;
        } else if first.is_ascii_digit() || (first == '.' && starts_digit(&rest[1..])) {
            let length = number_length(rest);
            tokens.push(Token::Number(rest[..length].to_owned()));
            rest = &rest[length..];
        } else if first.is_alphabetic() || first == '_' {
            let length = word_length(rest);
            tokens.push(Token::Word(rest[..length].to_owned()));
            rest = &rest[length..];
        } else if first == ':' && !rest.starts_with("::") && word_length(&rest[1..]) > 0 {
            let length = word_length(&rest[1..]);
            tokens.push(Token::Parameter(rest[1..=length].to_owned()));
            rest = &rest[1 + length..];
        } else if let Some(symbol) = SYMBOLS.into_iter().find(|s| rest.starts_with(s)) {
            tokens.push(Token::Symbol(symbol));
            rest = &rest[symbol.len()..];
        } else {
            return Err(SqlError::Syntax(first.to_string()));
        }
    }
    Ok(tokens)
}

/// Block comments nest, as in PostgreSQL.
fn after_comment(text: &str) -> Result<&str, SqlError> {
    let mut depth = 0_u32;
    let mut at = 0;
    while at < text.len() {
        let here = &text[at..];
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Ok(&text[at..]);
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    Err(SqlError::Other("unterminated /* comment".to_owned()))
}

fn quoted(text: &str, quote: char) -> Result<(String, &str), SqlError> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != quote {
            value.push(c);
        } else if chars.peek().is_some_and(|(_, next)| *next == quote) {
            value.push(quote);
            chars.next();
        } else {
            return Ok((value, &text[at + 1..]));
        }
    }
    Err(SqlError::Other("unterminated quoted string".to_owned()))
}

fn starts_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    let mut at = digits(0);
    if bytes.get(at) == Some(&b'.') {
        at = digits(at + 1);
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        if bytes.get(at + 1 + sign).is_some_and(u8::is_ascii_digit) {
            at = digits(at + 1 + sign);
        }
    }
    at
}

fn word_length(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len())
}

/// Statements of a script, without their semicolons; empty ones are left out.
pub(crate) fn statements(tokens: &[Token]) -> Vec<Vec<Token>> {
    tokens
        .split(|token| token.is_symbol(";"))
        .filter(|statement| !statement.is_empty())
        .map(<[Token]>::to_vec)
        .collect()
}

/// Writes tokens as SQL text again, with fresh quoting.
pub(crate) fn render(tokens: &[Token]) -> String {
    let mut sql = String::new();
    for token in tokens {
        if !sql.is_empty() && !token.is_symbol(".") && !sql.ends_with('.') {
            sql.push(' ');
        }
        let _ = match token {
            Token::Word(s) | Token::Number(s) => write!(sql, "{s}"),
            Token::Quoted(s) => write!(sql, "\"{}\"", s.replace('"', "\"\"")),
            Token::Text(s) => write!(sql, "'{}'", s.replace('\'', "''")),
            Token::Parameter(s) => write!(sql, ":{s}"),
            Token::Symbol(s) => write!(sql, "{s}"),
        };
    }
    sql
}

/// Index of the parenthesis that closes the one at `open`.
pub(crate) fn closing(tokens: &[Token], open: usize) -> Result<usize, SqlError> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if token.is_symbol("(") {
            depth += 1;
        } else if token.is_symbol(")") {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return Ok(at);
            }
        }
    }
    Err(SqlError::Syntax("(".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_vanish_and_strings_keep_what_looks_like_one() {
        let sql = "SELECT 'a--b''c' /* x /* y */ ; DROP */ , \"Q\" -- end\n FROM t WHERE n=:n::int";
        assert_eq!(
            render(&tokenise(sql).unwrap()),
            "SELECT 'a--b''c' , \"Q\" FROM t WHERE n = :n :: int"
        );
    }

    #[test]
    fn a_semicolon_in_a_string_does_not_split() {
        let tokens = tokenise("SELECT ';'; ; SELECT 2;").unwrap();
        assert_eq!(statements(&tokens).len(), 2);
    }

    #[test]
    fn a_hash_is_a_syntax_error() {
        assert_eq!(tokenise("# no"), Err(SqlError::Syntax("#".to_owned())));
    }

    #[test]
    fn numbers_end_where_they_should() {
        let tokens = tokenise("1.5e-3+.5 t1.c").unwrap();
        assert_eq!(render(&tokens), "1.5e-3 + .5 t1.c");
    }
}
