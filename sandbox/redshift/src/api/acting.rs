//! Who a caller is in the database.

use sandbox_core::Principal;
use serde_json::Value;

use super::{ApiError, Asked};
use crate::{
    Inner,
    catalog::{Actor, NAMESPACE, User},
    error::SqlError,
    lock,
};

/// Why there is no connection.
const NO_IDENTITY: &str =
    "Redshift endpoint doesn't accept this session: it carries no identity of a user.";

/// Whom a caller acts for.
#[derive(Debug, Clone)]
pub(super) struct Acting {
    pub(super) actor: Actor,
    /// The database user of a secret.
    pub(super) database_user: Option<String>,
    pub(super) secret: Option<String>,
}

/// The person of an enhanced session, the user of a secret, or the superuser for IAM users and root.
/// `Err` says why nobody may connect; a role session has no rights of its own.
pub(super) async fn of(inner: &Inner, asked: &Asked, database: &str) -> Result<Acting, Refused> {
    let secret = asked.text("SecretArn");
    let principal = &asked.principal;
    if asked.text("DbUser").is_some() {
        let what = "DbUser is not played: use SecretArn, or the identity of a user.";
        return Err(Refused::Call(ApiError::validation(what)));
    }
    let plain = |actor| Acting {
        actor,
        database_user: None,
        secret: None,
    };
    match (secret, &principal.on_behalf_of) {
        (Some(_), Some(_)) => Err(Refused::Call(ApiError::validation(
            "DbUser and SecretArn cannot be used with a session that carries a user's identity.",
        ))),
        (None, Some(person)) => Ok(plain(Actor::User(User {
            name: format!("{NAMESPACE}:{}", person.user_name),
            groups: person.groups.clone(),
        }))),
        (None, None) if is_administrator(principal) => Ok(plain(Actor::Superuser)),
        (None, None) => Err(Refused::Connection(NO_IDENTITY.to_owned())),
        (Some(id), None) => {
            let (name, password) = credentials(inner, &principal.account, id).await?;
            let actor = log_in(inner, &principal.account, database, &name, &password)
                .map_err(|error| Refused::Connection(error.to_string()))?;
            Ok(Acting {
                actor,
                database_user: Some(name),
                secret: Some(id.to_owned()),
            })
        }
    }
}

/// Why a caller does not get into the database.
pub(super) enum Refused {
    /// The call itself is wrong.
    Call(ApiError),
    /// The database does not let it in.
    Connection(String),
}

impl Refused {
    /// The error of an operation, whose code for a failed connection this is.
    pub(super) fn into_error(self, code: &'static str) -> ApiError {
        match self {
            Self::Call(error) => error,
            Self::Connection(message) => ApiError {
                code,
                message,
                about: code
                    .starts_with(['E', 'B'])
                    .then(|| ("StatementId", uuid::Uuid::new_v4().to_string())),
            },
        }
    }
}

fn is_administrator(principal: &Principal) -> bool {
    principal.arn.contains(":user/") || principal.arn.ends_with(":root")
}

/// Name and password of a secret. That the caller may read it was IAM's question, asked at the edge
/// (`sandbox/aws`, table of permissions).
async fn credentials(inner: &Inner, account: &str, id: &str) -> Result<(String, String), Refused> {
    let missing = |code: &'static str, message: &str| {
        Refused::Call(ApiError {
            code,
            message: message.to_owned(),
            about: Some(("ResourceId", id.to_owned())),
        })
    };
    let services = inner.services.get().ok_or_else(|| {
        missing(
            "ValidationException",
            "Secrets Manager is not connected to this stand-in.",
        )
    })?;
    let text = services.get_secret(account, id).await.map_err(|_| {
        missing(
            "ResourceNotFoundException",
            "Secrets Manager can't find the specified secret.",
        )
    })?;
    let secret: Value = serde_json::from_str(&text).unwrap_or_default();
    match (secret["username"].as_str(), secret["password"].as_str()) {
        (Some(name), Some(password)) => Ok((name.to_owned(), password.to_owned())),
        _ => Err(missing(
            "ValidationException",
            "The secret has no username and password.",
        )),
    }
}

fn log_in(
    inner: &Inner,
    account: &str,
    database: &str,
    name: &str,
    password: &str,
) -> Result<Actor, SqlError> {
    let warehouse = inner.database(account, database)?;
    lock(&warehouse).catalog.log_in(name, password)
}
