//! A reader of token lists, for the administrator's statements.

use super::{
    Token,
    token::{closing, render},
};
use crate::error::SqlError;

/// Reads tokens from left to right.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(tokens: &'a [Token]) -> Self {
        Self { tokens, at: 0 }
    }

    pub(crate) fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    pub(crate) fn is_done(&self) -> bool {
        self.at >= self.tokens.len()
    }

    pub(crate) fn next(&mut self) -> Option<&'a Token> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    /// Leaves so many tokens out.
    pub(crate) fn skip(&mut self, tokens: usize) {
        self.at += tokens;
    }

    /// What is left.
    pub(crate) fn rest(&self) -> &'a [Token] {
        &self.tokens[self.at.min(self.tokens.len())..]
    }

    /// Takes the keywords if they are all next, or nothing.
    pub(crate) fn accept(&mut self, keywords: &[&str]) -> bool {
        let rest = self.rest();
        let matches = rest.len() >= keywords.len()
            && keywords.iter().zip(rest).all(|(k, token)| token.is_word(k));
        if matches {
            self.at += keywords.len();
        }
        matches
    }

    pub(crate) fn accept_symbol(&mut self, symbol: &str) -> bool {
        let matches = self.peek().is_some_and(|token| token.is_symbol(symbol));
        self.at += usize::from(matches);
        matches
    }

    pub(crate) fn expect(&mut self, keyword: &str) -> Result<(), SqlError> {
        if self.accept(&[keyword]) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    /// Refuses what is left over.
    pub(crate) fn end(&self) -> Result<(), SqlError> {
        if self.is_done() {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    pub(crate) fn unexpected(&self) -> SqlError {
        self.peek().map_or_else(
            || SqlError::Other("syntax error at end of input".to_owned()),
            |token| SqlError::Syntax(token.shown()),
        )
    }

    /// A schema, table, column or policy name, folded to lower case.
    pub(crate) fn name(&mut self) -> Result<String, SqlError> {
        let name = self.peek().and_then(Token::name);
        let name = name.ok_or_else(|| self.unexpected())?;
        self.at += 1;
        Ok(name)
    }

    /// A role or user name: case is kept, because group names have it.
    pub(crate) fn role(&mut self) -> Result<String, SqlError> {
        let name = match self.peek() {
            Some(Token::Quoted(name)) => name.clone(),
            Some(Token::Word(name)) => name.to_lowercase(),
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(name)
    }

    /// `schema.table`, or `table` of schema `public`.
    pub(crate) fn relation(&mut self) -> Result<(String, String), SqlError> {
        let first = self.name()?;
        if self.accept_symbol(".") {
            return Ok((first, self.name()?));
        }
        Ok(("public".to_owned(), first))
    }

    /// The inside of the parentheses that start here.
    pub(crate) fn group(&mut self) -> Result<&'a [Token], SqlError> {
        if !self.peek().is_some_and(|token| token.is_symbol("(")) {
            return Err(self.unexpected());
        }
        let close = closing(self.tokens, self.at)?;
        let inside = &self.tokens[self.at + 1..close];
        self.at = close + 1;
        Ok(inside)
    }

    /// The rest as text, for messages.
    pub(crate) fn shown(&self) -> String {
        render(self.tokens)
    }
}

/// Splits at commas that are not inside parentheses.
pub(crate) fn items(tokens: &[Token]) -> Vec<&[Token]> {
    let mut depth = 0_usize;
    tokens
        .split(|token| {
            if token.is_symbol("(") {
                depth += 1;
            } else if token.is_symbol(")") {
                depth = depth.saturating_sub(1);
            }
            depth == 0 && token.is_symbol(",")
        })
        .collect()
}
