//! Tokens of SOQL.

use super::{Number, SoqlError, Text};

/// The longest statement Salesforce takes.
const MAX_LENGTH: usize = 100_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A keyword or a name, dots included.
    Word(String),
    Text(Text),
    Number(Number),
    Time(jiff::Timestamp),
    /// One of `= != < <= > >= ( ) ,`.
    Symbol(&'static str),
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Text(text) => write!(f, "'{}'", text.plain()),
            Self::Number(_) => f.write_str("number"),
            Self::Time(time) => write!(f, "{time}"),
            Self::Symbol(symbol) => f.write_str(symbol),
        }
    }
}

/// Splits a statement into tokens.
pub(super) fn tokens(statement: &str) -> Result<Vec<Token>, SoqlError> {
    if statement.len() > MAX_LENGTH {
        return Err(SoqlError::malformed(
            "SOQL statements cannot be longer than 100000 characters.",
        ));
    }
    let chars: Vec<char> = statement.chars().collect();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        match c {
            c if c.is_whitespace() => at += 1,
            '\'' => {
                let (text, next) = quoted(&chars, at + 1)?;
                out.push(Token::Text(text));
                at = next;
            }
            c if c.is_ascii_digit() || c == '-' || c == '+' => {
                let end = end_of(&chars, at + 1, |c| {
                    c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-' | '+')
                });
                out.push(number_or_time(&chars[at..end].iter().collect::<String>())?);
                at = end;
            }
            c if c.is_ascii_alphabetic() => {
                let end = end_of(&chars, at, |c| {
                    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':')
                });
                out.push(Token::Word(chars[at..end].iter().collect()));
                at = end;
            }
            c => {
                let symbol = match (c, chars.get(at + 1)) {
                    ('!', Some('=')) | ('<', Some('>')) => "!=",
                    ('<', Some('=')) => "<=",
                    ('>', Some('=')) => ">=",
                    ('<', _) => "<",
                    ('>', _) => ">",
                    ('=', _) => "=",
                    ('(', _) => "(",
                    (')', _) => ")",
                    (',', _) => ",",
                    _ => {
                        return Err(SoqlError::malformed(format!(
                            "line 1:{at} no viable alternative at character '{c}'"
                        )));
                    }
                };
                out.push(Token::Symbol(symbol));
                at += symbol.len();
            }
        }
    }
    Ok(out)
}

fn end_of(chars: &[char], from: usize, belongs: impl Fn(char) -> bool) -> usize {
    chars[from..]
        .iter()
        .position(|c| !belongs(*c))
        .map_or(chars.len(), |length| from + length)
}

/// Reads a string from behind its opening quote; gives it and the position behind the closing one.
fn quoted(chars: &[char], mut at: usize) -> Result<(Text, usize), SoqlError> {
    let mut text = Text::default();
    loop {
        match (chars.get(at), chars.get(at + 1)) {
            (Some('\''), _) => return Ok((text, at + 1)),
            (Some('\\'), Some(escaped)) => {
                text.0.push(match escaped {
                    'n' | 'N' => ('\n', false),
                    'r' | 'R' => ('\r', false),
                    't' | 'T' => ('\t', false),
                    'b' | 'B' => ('\u{8}', false),
                    'f' | 'F' => ('\u{c}', false),
                    '\'' | '"' | '\\' => (*escaped, false),
                    '%' | '_' => (*escaped, true),
                    other => {
                        return Err(SoqlError::malformed(format!(
                            "Illegal string literal: invalid string escape '\\{other}'"
                        )));
                    }
                });
                at += 2;
            }
            (Some('\\') | None, _) => {
                return Err(SoqlError::malformed(
                    "expecting a single quote, found '<EOF>'",
                ));
            }
            (Some(c), _) => {
                text.0.push((*c, false));
                at += 1;
            }
        }
    }
}

fn number_or_time(word: &str) -> Result<Token, SoqlError> {
    if let Some(number) = number(word) {
        return Ok(Token::Number(number));
    }
    word.parse()
        .map(Token::Time)
        .map_err(|_| SoqlError::malformed(format!("unexpected token: '{word}'")))
}

fn number(word: &str) -> Option<Number> {
    let (negative, digits) = match word.as_bytes().first()? {
        b'-' => (true, &word[1..]),
        b'+' => (false, &word[1..]),
        _ => (false, word),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 18 || fraction.len() > 9 {
        return None;
    }
    if !all_digits(whole) || !all_digits(fraction) || digits.ends_with('.') {
        return None;
    }
    let billionths: i128 = format!("{whole}{fraction:0<9}").parse().ok()?;
    Some(Number(if negative { -billionths } else { billionths }))
}
