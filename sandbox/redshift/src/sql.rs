//! SQL text as tokens. Every statement is taken apart and written again, so that comments, odd
//! quoting and second statements are gone before SQLite sees anything.

pub(crate) mod cursor;
pub(crate) mod infer;
pub(crate) mod token;
pub(crate) mod translate;

pub(crate) use cursor::Cursor;
pub(crate) use token::Token;
