//! A small reader of SQL: enough to tell one statement from two, and which parameters it names.
//!
//! Where two readings of a text are possible (backslashes before quotes, comments in comments), the
//! text is refused: what we read must be what Redshift reads. Row-level security is the wall; this
//! keeps callers from leaning on it.

use std::{collections::BTreeSet, ops::Range};

/// Longest statement that Redshift's Data API takes, in bytes.
const LONGEST: usize = 100_000;

/// Why a text is not one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SqlFault {
    /// Nothing but blanks and comments.
    #[error("There is no statement.")]
    Empty,
    /// More than 100 KB.
    #[error("A statement may have 100,000 bytes at most.")]
    TooLong,
    /// A second statement follows.
    #[error("Only one statement is run.")]
    SecondStatement,
    /// A quote, a comment or a dollar quote does not end.
    #[error("A quote or a comment does not end.")]
    Unterminated,
    /// A text that could be read in two ways.
    #[error("This can be read in two ways: write '' for a quote, and no comment inside a comment.")]
    Ambiguous,
    /// A control character.
    #[error("A statement has no control characters.")]
    ControlCharacter,
}

impl SqlFault {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty_statement",
            Self::TooLong => "statement_too_long",
            Self::SecondStatement => "second_statement",
            Self::Unterminated => "unterminated",
            Self::Ambiguous => "ambiguous",
            Self::ControlCharacter => "control_character",
        }
    }
}

/// What was found in a text that is one statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scanned {
    /// Where parameters stand, in order: the colon and the name.
    pub places: Vec<Range<usize>>,
    /// The names of the parameters.
    pub names: BTreeSet<String>,
    /// Words outside quotes and comments, in lower case, up to the first thing that is none.
    pub first_words: Vec<String>,
    /// All words outside quotes and comments, in lower case.
    pub words: BTreeSet<String>,
}

/// Reads a text that must be one statement.
pub fn scan(sql: &str) -> Result<Scanned, SqlFault> {
    if sql.len() > LONGEST {
        return Err(SqlFault::TooLong);
    }
    if sql
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    {
        return Err(SqlFault::ControlCharacter);
    }
    let mut found = Scanned::default();
    let (mut rest, mut has_statement, mut has_ended) = (sql, false, false);
    let mut only_words = true;
    while let Some((piece, after)) = Piece::first_of(rest)? {
        let at = sql.len() - rest.len();
        rest = after;
        match piece {
            Piece::Space => continue,
            Piece::End => {
                has_ended = has_statement;
                continue;
            }
            _ if has_ended => return Err(SqlFault::SecondStatement),
            Piece::Parameter(name) => {
                found.places.push(at..at + 1 + name.len());
                found.names.insert(name.to_owned());
                only_words = false;
            }
            Piece::Word(word) => {
                let word = word.to_lowercase();
                if only_words {
                    found.first_words.push(word.clone());
                }
                found.words.insert(word);
            }
            Piece::Text(_) | Piece::Other => only_words = false,
        }
        has_statement = true;
    }
    if has_statement {
        return Ok(found);
    }
    Err(SqlFault::Empty)
}

/// A piece of a text of SQL.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    /// Blanks or a comment.
    Space,
    /// A semicolon.
    End,
    /// `:name`.
    Parameter(&'a str),
    /// A word.
    Word(&'a str),
    /// A text in single quotes, as it stands between them.
    Text(&'a str),
    /// Another quote, or a sign.
    Other,
}

impl<'a> Piece<'a> {
    /// The piece that a text begins with, and what follows it.
    pub(super) fn first_of(text: &'a str) -> Result<Option<(Self, &'a str)>, SqlFault> {
        let Some(first) = text.chars().next() else {
            return Ok(None);
        };
        let split = |piece, at: usize| Ok(Some((piece, &text[at..])));
        if first.is_whitespace() {
            return split(Self::Space, first.len_utf8());
        }
        if text.starts_with("--") {
            let end = text.find(['\n', '\r']).unwrap_or(text.len());
            return split(Self::Space, end);
        }
        if text.starts_with("/*") {
            return split(Self::Space, comment(text)?);
        }
        match first {
            ';' => split(Self::End, 1),
            '\'' => {
                let end = quoted(text, first)?;
                split(Self::Text(&text[1..end - 1]), end)
            }
            '"' => split(Self::Other, quoted(text, first)?),
            '$' => split(Self::Other, dollar_quoted(text)?),
            ':' => {
                if text.starts_with("::") {
                    return split(Self::Other, 2);
                }
                let name = word(&text[1..]);
                if name.is_empty() {
                    return split(Self::Other, 1);
                }
                split(Self::Parameter(name), 1 + name.len())
            }
            // A word is taken whole, so that a `$` inside it begins no quote.
            _ if first.is_alphanumeric() || first == '_' => {
                let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
                let end = end.unwrap_or(text.len());
                split(Self::Word(&text[..end]), end)
            }
            _ => split(Self::Other, first.len_utf8()),
        }
    }
}

/// The name at the beginning of a text, as the Data API takes names.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    &text[..end.unwrap_or(text.len())]
}

/// Length of the comment that the text begins with.
fn comment(text: &str) -> Result<usize, SqlFault> {
    let inside = &text[2..];
    let end = inside.find("*/").ok_or(SqlFault::Unterminated)?;
    if inside[..end].contains("/*") {
        return Err(SqlFault::Ambiguous);
    }
    Ok(2 + end + 2)
}

/// Length of the quoted text that the text begins with. A quote inside is written twice.
///
/// Whether a backslash escapes depends on settings, so one before a quote is refused; a pair of them
/// reads the same either way.
fn quoted(text: &str, quote: char) -> Result<usize, SqlFault> {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character == '\\' && quote == '\'' {
            match characters.next() {
                Some((_, '\'')) => return Err(SqlFault::Ambiguous),
                _ => continue,
            }
        }
        if character == quote && characters.next_if(|(_, next)| *next == quote).is_none() {
            return Ok(at + 1);
        }
    }
    Err(SqlFault::Unterminated)
}

/// Length of the dollar quote that the text begins with; of the `$` alone if it begins none.
fn dollar_quoted(text: &str) -> Result<usize, SqlFault> {
    let tag = word(&text[1..]);
    let is_quote = text[1 + tag.len()..].starts_with('$')
        && !tag.starts_with(|first: char| first.is_ascii_digit());
    if !is_quote {
        return Ok(1);
    }
    let opening = tag.len() + 2;
    let delimiter = &text[..opening];
    let end = text[opening..]
        .find(delimiter)
        .ok_or(SqlFault::Unterminated)?;
    Ok(opening + end + opening)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(sql: &str) -> Vec<String> {
        scan(sql).unwrap().names.into_iter().collect()
    }

    #[test]
    fn parameters_are_found_outside_quotes_comments_and_casts() {
        let cases: [(&str, &[&str]); 8] = [
            ("SELECT :a, :b_2, :a", &["a", "b_2"]),
            ("SELECT :day::date, x::int", &["day"]),
            ("SELECT ':no', \":no\" -- :no\n, :yes", &["yes"]),
            ("SELECT /* :no */ :yes", &["yes"]),
            ("SELECT $$ :no $$, $t$ :no $$ $t$, :yes", &["yes"]),
            ("SELECT 'it''s :no', :yes", &["yes"]),
            ("SELECT a$1 :yes", &["yes"]),
            ("SELECT 1", &[]),
        ];
        for (sql, expected) in cases {
            assert_eq!(names(sql), expected, "{sql}");
        }
    }

    #[test]
    fn places_and_words_are_told() {
        let sql = "-- :no\nRefresh /* x */ MATERIALIZED view a.b; ";
        let found = scan(sql).unwrap();
        assert_eq!(found.first_words, ["refresh", "materialized", "view", "a"]);
        let sql = "SELECT 'ä', :a + :b_2::int, ':a', :a";
        let found = scan(sql).unwrap();
        let texts: Vec<&str> = found.places.iter().map(|at| &sql[at.clone()]).collect();
        assert_eq!(texts, [":a", ":b_2", ":a"]);
        assert!(found.words.contains("int") && !found.words.contains("a"));
        assert!(scan("(SELECT 1)").unwrap().first_words.is_empty());
    }

    #[test]
    fn one_statement_may_end_in_semicolons_blanks_and_comments() {
        for sql in [
            "SELECT 1",
            "SELECT 1;",
            "SELECT 1 ; ; -- done",
            ";; SELECT 1; /* done */\n",
            "SELECT ';'",
            "SELECT \";\"",
            "SELECT $$;$$",
            "SELECT 1 -- ; DROP TABLE t",
            "SELECT 'a\\\\'",
        ] {
            assert!(scan(sql).is_ok(), "{sql}");
        }
    }

    #[test]
    fn q4_second_statements_are_found_behind_every_trick() {
        let cases = [
            ("SELECT 1; SELECT 2", SqlFault::SecondStatement),
            ("SELECT 1;SET ROLE x;", SqlFault::SecondStatement),
            ("SELECT 1; :a", SqlFault::SecondStatement),
            ("SELECT 1 -- x\n; SELECT 2", SqlFault::SecondStatement),
            ("SELECT 1 -- x\r; SELECT 2", SqlFault::SecondStatement),
            ("SELECT /* ' */ 1; SELECT 2 --'", SqlFault::SecondStatement),
            ("SELECT ''''; SELECT 2 --'", SqlFault::SecondStatement),
            (
                "SELECT $a$ $b$ $a$; SELECT 2 --$b$",
                SqlFault::SecondStatement,
            ),
            ("SELECT $1$; SELECT 2 --$1$", SqlFault::SecondStatement),
            ("SELECT x$$; SELECT 2 --$$", SqlFault::SecondStatement),
            ("SELECT '\\\\'; SELECT 2 --'", SqlFault::SecondStatement),
            ("SELECT '\\'; SELECT 2 --'", SqlFault::Ambiguous),
            ("SELECT '\\\\\\'; SELECT 2 --'", SqlFault::Ambiguous),
            ("SELECT /* /* */ 1; SELECT 2 */", SqlFault::Ambiguous),
            ("SELECT 'x", SqlFault::Unterminated),
            ("SELECT \"x", SqlFault::Unterminated),
            ("SELECT /* x", SqlFault::Unterminated),
            ("SELECT $t$ x $$", SqlFault::Unterminated),
            ("", SqlFault::Empty),
            (" ; -- nothing", SqlFault::Empty),
            ("SELECT\u{0} 1", SqlFault::ControlCharacter),
        ];
        for (sql, fault) in cases {
            assert_eq!(scan(sql), Err(fault), "{sql}");
        }
        assert_eq!(scan(&"x".repeat(LONGEST + 1)), Err(SqlFault::TooLong));
    }

    proptest! {
        #[test]
        fn a4_no_text_makes_it_panic(sql in "[ -~äß\n'\"$:;/*\\\\-]{0,80}") {
            let _ = scan(&sql);
        }

        #[test]
        fn q4_whatever_is_one_statement_becomes_two_by_another(sql in "[ -~\n'\"$:;/*\\\\-]{0,60}") {
            if scan(&sql).is_ok() {
                let two = scan(&format!("{sql}\n; SELECT 2"));
                prop_assert_eq!(two, Err(SqlFault::SecondStatement));
            }
        }
    }
}
