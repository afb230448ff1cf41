//! `GET /v1/warehouse/whoami`: proves that the caller arrives in the warehouse as the person.

use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use tributary::{
    error::Error,
    http::{Problem, Viewer},
};
use utoipa::ToSchema;

use crate::{
    App,
    session::User,
    warehouse::{State as QueryState, UserWarehouse, page},
};

/// Who one is.
const WHO: &str = "SELECT current_user";
/// Which roles the directory gave for this session.
const ROLES: &str = "SELECT * FROM pg_get_session_roles() AS roles(name name, roleid integer)";
/// How long is waited for an answer, in seconds.
const WAIT: i32 = 20;

/// Who the caller is in the warehouse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WarehouseUser {
    /// The database user, as Redshift names it.
    #[schema(example = "AWSIDC:ana@example.com")]
    pub database_user: String,
    /// Always true: a user that is no person is answered as an error.
    pub is_person: bool,
    /// The roles that the person's groups have in the warehouse; absent where the warehouse does not
    /// say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = json!(["AWSIDC:amer-sales"]))]
    pub roles: Option<Vec<String>>,
}

/// Tells who the caller is in the warehouse.
///
/// Runs a statement as the caller: when it answers, the way from sign-in to warehouse is set up
/// right.
#[utoipa::path(
    get,
    path = "/v1/warehouse/whoami",
    tag = "queries",
    responses(
        (status = 200, body = WarehouseUser),
        (status = 401, description = "`identity_required`: call /v1/identity; `reauthenticate`", body = Problem),
        (status = 429, body = Problem),
        (status = 500, description = "`identity_lost`: the warehouse saw a role and not the person", body = Problem),
        (status = 502, description = "`query_start_failed`", body = Problem),
        (status = 503, body = Problem),
    )
)]
pub async fn show_warehouse_user(
    State(app): State<App>,
    viewer: Viewer,
) -> Result<axum::Json<WarehouseUser>, Error> {
    let user = User::of(&viewer.caller, viewer.tenant);
    let current = app.sessions.of(&viewer.scope).current(&user).await?;
    let warehouse = app.warehouse.as_user(&current);
    let (who, roles) = tokio::join!(
        first_column(&warehouse, WHO),
        first_column(&warehouse, ROLES)
    );
    let database_user = who?.into_iter().next().unwrap_or_default();
    if !is_person(&database_user, app.warehouse.namespace()) {
        return Err(Error::internal(
            "identity_lost",
            format!(
                "the warehouse took a user's session for {database_user}: its Identity Center application is not in force, or has another namespace"
            ),
        ));
    }
    Ok(axum::Json(WarehouseUser {
        database_user,
        is_person: true,
        roles: roles
            .inspect_err(|error| {
                tracing::warn!(
                    error.code = error.code(),
                    error.chain = error.chain(),
                    "the warehouse does not tell the session's roles"
                );
            })
            .ok(),
    }))
}

/// The texts of a statement's first column.
async fn first_column(warehouse: &UserWarehouse, sql: &'static str) -> Result<Vec<String>, Error> {
    let progress = warehouse.ask(sql, WAIT).await?;
    match progress.state {
        QueryState::Finished => {}
        QueryState::Running => {
            let log = "a statement of our own did not end in time";
            return Err(Error::unavailable("warehouse_busy", log));
        }
        QueryState::Failed | QueryState::Cancelled => {
            let log = format!("a statement of our own failed: {:?}", progress.failure);
            return Err(Error::internal("warehouse_config", log));
        }
    }
    let page = page(warehouse.results(&progress.statement, None).await?, 0)?;
    let first = page
        .rows
        .into_iter()
        .filter_map(|row| row.into_iter().next());
    let texts = first.filter_map(|value| match value {
        Value::String(text) => Some(text),
        _ => None,
    });
    Ok(texts.collect())
}

/// Whether a database user is a person of the directory. Roles are `IAMR:...`, users of the database
/// itself have no namespace.
fn is_person(database_user: &str, namespace: &str) -> bool {
    database_user
        .split_once(':')
        .is_some_and(|(before, name)| before.eq_ignore_ascii_case(namespace) && !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q3_a_role_is_told_from_a_person() {
        for user in ["AWSIDC:ana@example.com", "awsidc:ana", "AWSIDC:a:b"] {
            assert!(is_person(user, "AWSIDC"), "{user}");
        }
        for user in [
            "IAMR:tributary-warehouse-user",
            "IAM:admin",
            "admin",
            "AWSIDC",
            "AWSIDC:",
            "AWSIDCX:ana",
            "",
        ] {
            assert!(!is_person(user, "AWSIDC"), "{user}");
        }
        assert!(is_person("sports:ana", "sports") && !is_person("AWSIDC:ana", "sports"));
    }
}
