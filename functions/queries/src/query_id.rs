//! Ids of queries and cursors of their results: sealed for one user, so that a foreign one is
//! unknown before AWS is asked (scenario Q2).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tributary::{
    error::{Error, Fault},
    seal::{Sealer, Unsealable},
};

use crate::session::User;

const PREFIX: &str = "qry_";

/// What an id of a query holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Contents {
    statement: String,
    role: String,
    /// When it was run; ids that were given before this was kept have none.
    #[serde(default)]
    at: Timestamp,
}

/// The statement that an id stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The Data API's id.
    pub statement: String,
    /// When it was run.
    pub at: Timestamp,
}

/// Where a page of results begins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The Data API's token; none for its first page.
    pub token: Option<String>,
    /// Rows of that page that were shown before.
    pub skip: usize,
}

impl Place {
    /// Where the page behind this one begins: at the rest of the Data API's page if it was cut, else
    /// at its next one.
    pub fn next(&self, cut_at: Option<usize>, next_token: Option<String>) -> Option<Self> {
        match (cut_at, next_token) {
            (Some(skip), _) => Some(Self {
                token: self.token.clone(),
                skip,
            }),
            (None, Some(token)) => Some(Self {
                token: Some(token),
                skip: 0,
            }),
            (None, None) => None,
        }
    }
}

/// The id under which a user sees a statement.
pub fn seal(sealer: &Sealer, user: &User, role: &str, asked: &Asked) -> Result<String, Error> {
    let contents = Contents {
        statement: asked.statement.clone(),
        role: role.to_owned(),
        at: asked.at,
    };
    let tenant = user.tenant.to_string();
    sealer
        .seal(&["query", &tenant, &user.issuer, &user.subject], &contents)
        .map(|sealed| format!("{PREFIX}{sealed}"))
        .map_err(not_sealed)
}

/// The statement behind an id of this user's, run under this role. Everything else is not found.
pub fn open(
    sealer: &Sealer,
    user: &User,
    role: &str,
    unverified_id: &str,
) -> Result<String, Error> {
    asked(sealer, user, role, unverified_id).map(|asked| asked.statement)
}

/// Like [`open`], with the time.
pub(crate) fn asked(
    sealer: &Sealer,
    user: &User,
    role: &str,
    unverified_id: &str,
) -> Result<Asked, Error> {
    let sealed = unverified_id
        .strip_prefix(PREFIX)
        .ok_or_else(Error::not_found)?;
    let tenant = user.tenant.to_string();
    let contents: Contents = sealer
        .open(&["query", &tenant, &user.issuer, &user.subject], sealed)
        .map_err(|_| Error::not_found())?;
    if contents.role != role {
        return Err(Error::not_found());
    }
    Ok(Asked {
        statement: contents.statement,
        at: contents.at,
    })
}

/// The cursor of a place in the results of a statement.
pub fn seal_place(
    sealer: &Sealer,
    user: &User,
    statement: &str,
    place: &Place,
) -> Result<String, Error> {
    let tenant = user.tenant.to_string();
    sealer
        .seal(&place_context(user, &tenant, statement), place)
        .map_err(not_sealed)
}

/// The place that a cursor stands for, if it was made for this user and statement.
pub fn open_place(
    sealer: &Sealer,
    user: &User,
    statement: &str,
    unverified_cursor: &str,
) -> Result<Place, Error> {
    let tenant = user.tenant.to_string();
    let context = place_context(user, &tenant, statement);
    sealer.open(&context, unverified_cursor).map_err(|_| {
        Error::malformed(
            "malformed_query",
            "The query string cannot be read.",
            vec![Fault::new(
                "query:cursor",
                "invalid_cursor",
                "This cursor does not belong to these results.",
            )],
        )
    })
}

fn place_context<'a>(user: &'a User, tenant: &'a str, statement: &'a str) -> [&'a str; 5] {
    [
        "query-results",
        tenant,
        &user.issuer,
        &user.subject,
        statement,
    ]
}

fn not_sealed(error: Unsealable) -> Error {
    Error::internal("seal_failed", "an id could not be sealed").with_source(error)
}

#[cfg(test)]
mod tests {
    use tributary::{id::TenantId, secret::Secret};

    use super::*;

    fn user(tenant: TenantId, subject: &str) -> User {
        User {
            tenant,
            issuer: "https://idp.example".to_owned(),
            subject: subject.to_owned(),
            login: "login".to_owned(),
        }
    }

    fn statement() -> Asked {
        Asked {
            statement: "statement-1".to_owned(),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn q2_an_id_opens_for_its_user_tenant_and_role_only() {
        let sealer = Sealer::new(&Secret::new("0123456789abcdef0123456789abcdef")).unwrap();
        let tenant = TenantId::new();
        let ann = user(tenant, "ann");
        let id = seal(&sealer, &ann, "role-1", &statement()).unwrap();
        assert!(!id.contains("statement"));
        assert_eq!(open(&sealer, &ann, "role-1", &id).unwrap(), "statement-1");
        let of_another_issuer = User {
            issuer: "https://other.example".to_owned(),
            ..ann.clone()
        };
        let foreign = [
            open(&sealer, &user(tenant, "bob"), "role-1", &id),
            open(&sealer, &user(TenantId::new(), "ann"), "role-1", &id),
            open(&sealer, &of_another_issuer, "role-1", &id),
            open(&sealer, &ann, "role-2", &id),
            open(&sealer, &ann, "role-1", &id[4..]),
            open(&sealer, &ann, "role-1", "qry_"),
        ];
        for answer in foreign {
            assert_eq!(answer.unwrap_err().code(), "not_found");
        }
    }

    #[test]
    fn a_cursor_belongs_to_one_statement_of_one_user() {
        let sealer = Sealer::new(&Secret::new("0123456789abcdef0123456789abcdef")).unwrap();
        let ann = user(TenantId::new(), "ann");
        let place = Place {
            token: Some("next".to_owned()),
            skip: 3,
        };
        let cursor = seal_place(&sealer, &ann, "statement-1", &place).unwrap();
        assert_eq!(
            open_place(&sealer, &ann, "statement-1", &cursor).unwrap(),
            place
        );
        assert!(open_place(&sealer, &ann, "statement-2", &cursor).is_err());
        let id = seal(&sealer, &ann, "role-1", &statement()).unwrap();
        assert!(open_place(&sealer, &ann, "statement-1", &id[4..]).is_err());
    }
}
