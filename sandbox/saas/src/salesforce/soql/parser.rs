//! From tokens to a query.

use super::{
    Condition, Literal, Operator, Order, Query, Selection, SoqlError,
    lexer::{Token, tokens},
};

/// How deep parentheses and `NOT` may nest; deeper statements would only serve to exhaust the stack.
const MAX_DEPTH: usize = 32;

/// Parses one statement.
pub(in super::super) fn parse(statement: &str) -> Result<Query, SoqlError> {
    let mut parser = Parser {
        tokens: tokens(statement)?,
        at: 0,
    };
    let query = parser.query()?;
    match parser.tokens.get(parser.at) {
        None => Ok(query),
        Some(token) => Err(unexpected(Some(token))),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

fn unexpected(token: Option<&Token>) -> SoqlError {
    SoqlError::malformed(match token {
        Some(token) => format!("unexpected token: '{token}'"),
        None => "unexpected token: '<EOF>'".to_owned(),
    })
}

impl Parser {
    fn query(&mut self) -> Result<Query, SoqlError> {
        self.expect("SELECT")?;
        let selection = self.selection()?;
        self.expect("FROM")?;
        let object = self.name()?;
        let condition = if self.keyword("WHERE") {
            Some(self.condition(0)?)
        } else {
            None
        };
        let order = if self.keyword("ORDER") {
            self.expect("BY")?;
            self.order()?
        } else {
            Vec::new()
        };
        let limit = if self.keyword("LIMIT") {
            Some(self.count()?)
        } else {
            None
        };
        let offset = if self.keyword("OFFSET") {
            self.count()?
        } else {
            0
        };
        Ok(Query {
            selection,
            object,
            condition,
            order,
            limit,
            offset,
        })
    }

    fn selection(&mut self) -> Result<Selection, SoqlError> {
        let first = self.name()?;
        if first.eq_ignore_ascii_case("count") && self.symbol("(") {
            return if self.symbol(")") {
                Ok(Selection::Count)
            } else {
                Err(unexpected(self.tokens.get(self.at)))
            };
        }
        let mut fields = vec![first];
        while self.symbol(",") {
            fields.push(self.name()?);
        }
        Ok(Selection::Fields(fields))
    }

    fn condition(&mut self, depth: usize) -> Result<Condition, SoqlError> {
        let first = self.term(depth)?;
        let (word, other) = if self.keyword("AND") {
            ("AND", "OR")
        } else if self.keyword("OR") {
            ("OR", "AND")
        } else {
            return Ok(first);
        };
        let mut terms = vec![first, self.term(depth)?];
        while self.keyword(word) {
            terms.push(self.term(depth)?);
        }
        // Salesforce gives neither precedence over the other.
        if self.keyword(other) {
            return Err(SoqlError::malformed(format!("unexpected token: '{other}'")));
        }
        Ok(if word == "AND" {
            Condition::All(terms)
        } else {
            Condition::Any(terms)
        })
    }

    fn term(&mut self, depth: usize) -> Result<Condition, SoqlError> {
        if depth > MAX_DEPTH {
            return Err(SoqlError::malformed("the condition is nested too deeply"));
        }
        if self.symbol("(") {
            let inner = self.condition(depth + 1)?;
            return if self.symbol(")") {
                Ok(inner)
            } else {
                Err(unexpected(self.tokens.get(self.at)))
            };
        }
        if self.keyword("NOT") {
            return Ok(Condition::Not(Box::new(self.term(depth + 1)?)));
        }
        let field = self.name()?;
        if self.keyword("NOT") {
            self.expect("IN")?;
            return self.within(field, true);
        }
        if self.keyword("IN") {
            return self.within(field, false);
        }
        let operator = self.operator()?;
        let value = self.literal()?;
        Ok(Condition::Compare {
            field,
            operator,
            value,
        })
    }

    fn within(&mut self, field: String, negated: bool) -> Result<Condition, SoqlError> {
        if !self.symbol("(") {
            return Err(unexpected(self.tokens.get(self.at)));
        }
        let mut values = vec![self.literal()?];
        while self.symbol(",") {
            values.push(self.literal()?);
        }
        if !self.symbol(")") {
            return Err(unexpected(self.tokens.get(self.at)));
        }
        Ok(Condition::Within {
            field,
            negated,
            values,
        })
    }

    fn operator(&mut self) -> Result<Operator, SoqlError> {
        if self.keyword("LIKE") {
            return Ok(Operator::Like);
        }
        let token = self.next();
        match &token {
            Some(Token::Symbol("=")) => Ok(Operator::Equal),
            Some(Token::Symbol("!=")) => Ok(Operator::NotEqual),
            Some(Token::Symbol("<")) => Ok(Operator::Less),
            Some(Token::Symbol("<=")) => Ok(Operator::LessOrEqual),
            Some(Token::Symbol(">")) => Ok(Operator::Greater),
            Some(Token::Symbol(">=")) => Ok(Operator::GreaterOrEqual),
            other => Err(unexpected(other.as_ref())),
        }
    }

    fn literal(&mut self) -> Result<Literal, SoqlError> {
        let token = self.next();
        match token {
            Some(Token::Text(text)) => Ok(Literal::Text(text)),
            Some(Token::Number(number)) => Ok(Literal::Number(number)),
            Some(Token::Time(time)) => Ok(Literal::Time(time)),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("null") => Ok(Literal::Null),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("true") => Ok(Literal::Bool(true)),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("false") => {
                Ok(Literal::Bool(false))
            }
            other => Err(unexpected(other.as_ref())),
        }
    }

    fn order(&mut self) -> Result<Vec<Order>, SoqlError> {
        let mut order = Vec::new();
        loop {
            let field = self.name()?;
            let descending = self.keyword("DESC");
            if !descending {
                self.keyword("ASC");
            }
            let mut nulls_last = false;
            if self.keyword("NULLS") {
                nulls_last = self.keyword("LAST");
                if !nulls_last {
                    self.expect("FIRST")?;
                }
            }
            order.push(Order {
                field,
                descending,
                nulls_last,
            });
            if !self.symbol(",") {
                return Ok(order);
            }
        }
    }

    fn count(&mut self) -> Result<usize, SoqlError> {
        const BILLION: i128 = 1_000_000_000;
        let token = self.next();
        match &token {
            Some(Token::Number(number)) if number.0 % BILLION == 0 => {
                usize::try_from(number.0 / BILLION).map_err(|_| unexpected(token.as_ref()))
            }
            other => Err(unexpected(other.as_ref())),
        }
    }

    fn name(&mut self) -> Result<String, SoqlError> {
        const RESERVED: &[&str] = &["SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "IN", "LIKE"];
        match self.next() {
            Some(Token::Word(word)) if !RESERVED.iter().any(|r| r.eq_ignore_ascii_case(&word)) => {
                Ok(word)
            }
            other => Err(unexpected(other.as_ref())),
        }
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn keyword(&mut self, word: &str) -> bool {
        let here = matches!(self.tokens.get(self.at), Some(Token::Word(w)) if w.eq_ignore_ascii_case(word));
        self.at += usize::from(here);
        here
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        let here = matches!(self.tokens.get(self.at), Some(Token::Symbol(s)) if *s == symbol);
        self.at += usize::from(here);
        here
    }

    fn expect(&mut self, word: &str) -> Result<(), SoqlError> {
        if self.keyword(word) {
            Ok(())
        } else {
            Err(unexpected(self.tokens.get(self.at)))
        }
    }
}
