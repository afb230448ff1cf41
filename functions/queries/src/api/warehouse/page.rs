//! Pages of the warehouse's lists: a limit and a cursor that is one user's, for one list.

use tributary::{
    error::{Error, Fault},
    seal::Sealer,
};

use crate::{session::User, warehouse::Search};

/// Most that the Data API gives at once.
const MOST: i32 = 1000;
/// How many when the caller does not say.
const USUAL: i32 = 100;

/// A list as one user asks for it.
#[derive(Debug)]
pub(super) struct ListOf<'a> {
    sealer: &'a Sealer,
    user: &'a User,
    tenant: String,
    /// What is listed, with every filter: the Data API's token is good for the same question only.
    question: String,
}

/// The page that is meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// Most items of the page.
    pub(super) limit: i32,
    /// The Data API's token of the page; none for the first.
    pub(super) token: Option<String>,
    /// What names must have in them.
    pub(super) search: Option<Search>,
}

impl<'a> ListOf<'a> {
    /// The list that answers this question.
    pub(super) fn new(sealer: &'a Sealer, user: &'a User, question: &[&str]) -> Self {
        Self {
            sealer,
            user,
            tenant: user.tenant.to_string(),
            question: serde_json::Value::from(question).to_string(),
        }
    }

    fn context(&self) -> [&str; 5] {
        let User {
            issuer, subject, ..
        } = self.user;
        [
            "warehouse-list",
            &self.tenant,
            issuer,
            subject,
            &self.question,
        ]
    }

    /// The page that is meant, or every fault of how it was asked for.
    pub(super) fn asked(
        &self,
        limit: Option<&str>,
        unverified_cursor: Option<&str>,
        search: Option<&str>,
    ) -> Result<Asked, Error> {
        let mut faults = Vec::new();
        let limit = match limit.map(str::parse) {
            None => USUAL,
            Some(Ok(limit)) if (1..=MOST).contains(&limit) => limit,
            Some(_) => {
                faults.push(Fault::new(
                    "query:limit",
                    "out_of_range",
                    "limit is a whole number from 1 to 1000.",
                ));
                USUAL
            }
        };
        let token = unverified_cursor.and_then(|cursor| {
            let token = self.sealer.open(&self.context(), cursor);
            if token.is_err() {
                faults.push(Fault::new(
                    "query:cursor",
                    "invalid_cursor",
                    "This cursor does not belong to this list.",
                ));
            }
            token.ok()
        });
        let wanted = search.and_then(Search::parse);
        if search.is_some() && wanted.is_none() {
            faults.push(Fault::new(
                "query:search",
                "malformed",
                "A part of a name, of 1 to 127 bytes.",
            ));
        }
        if !faults.is_empty() {
            let text = "The query string cannot be read.";
            return Err(Error::malformed("malformed_query", text, faults));
        }
        Ok(Asked {
            limit,
            token,
            search: wanted,
        })
    }

    /// The cursor of the page that the Data API has this token for.
    pub(super) fn cursor(&self, token: Option<String>) -> Result<Option<String>, Error> {
        let sealed = token.map(|token| self.sealer.seal(&self.context(), &token));
        sealed.transpose().map_err(|error| {
            Error::internal("cursor_failed", "a cursor could not be sealed").with_source(error)
        })
    }
}

#[cfg(test)]
mod tests {
    use tributary::{id::TenantId, secret::Secret};

    use super::*;

    fn user(subject: &str) -> User {
        User {
            tenant: TenantId::new(),
            issuer: "https://idp.example".to_owned(),
            subject: subject.to_owned(),
            login: String::new(),
        }
    }

    #[test]
    fn i6_a_cursor_belongs_to_one_user_and_one_question() {
        let sealer = Sealer::new(&Secret::new("0123456789abcdef0123456789abcdef")).unwrap();
        let (ann, bob) = (user("ann"), user("bob"));
        let list = ListOf::new(&sealer, &ann, &["tables", "public", ""]);
        let cursor = list.cursor(Some("token".to_owned())).unwrap();
        let asked = list.asked(None, cursor.as_deref(), None).unwrap();
        assert_eq!(asked.token.as_deref(), Some("token"));
        let others = [
            ListOf::new(&sealer, &bob, &["tables", "public", ""]),
            ListOf::new(&sealer, &ann, &["tables", "public", "x"]),
            ListOf::new(&sealer, &ann, &["tables", "publi", "c"]),
            ListOf::new(&sealer, &ann, &["schemas", "public", ""]),
        ];
        for other in others {
            let refused = other.asked(None, cursor.as_deref(), None).unwrap_err();
            assert_eq!(refused.faults()[0].pointer, "query:cursor", "{other:?}");
        }
    }

    #[test]
    fn every_fault_of_a_question_is_named() {
        let sealer = Sealer::new(&Secret::new("0123456789abcdef0123456789abcdef")).unwrap();
        let ann = user("ann");
        let list = ListOf::new(&sealer, &ann, &["schemas"]);
        let refused = list.asked(Some("0"), Some("x"), Some("")).unwrap_err();
        let pointers: Vec<_> = refused.faults().iter().map(|f| f.pointer.clone()).collect();
        assert_eq!(pointers, ["query:limit", "query:cursor", "query:search"]);
        for limit in ["1001", "-1", "ten"] {
            assert!(list.asked(Some(limit), None, None).is_err(), "{limit}");
        }
        assert_eq!(list.asked(Some("1000"), None, None).unwrap().limit, 1000);
    }
}
