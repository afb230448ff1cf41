//! `POST /v1/connect-tokens` and `POST /v1/tenants/{id}/connect-tokens`: for pages whose users do not
//! sign in through us.

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tributary::{
    connection::{Connection, attempt::Attempt},
    connector::{AuthKind, connector},
    error::{Error, Fault, Kind},
    http::{IdempotencyKey, Json, Problem},
    id::{AttemptId, ConnectionId, TenantId},
    oauth::{ConnectToken, random_token},
    store::Key,
    tenancy::TenantState,
};
use utoipa::ToSchema;

use super::{consented, start_link};
use crate::{
    App, BrowserConfig, TenantApp,
    edge::{Editor, Operator, id_in_path, json},
};

const OPERATION: &str = "connect-token";
/// How long a token works.
const LIFE: SignedDuration = SignedDuration::from_mins(15);
/// Longest subject.
const SUBJECT_LENGTH: usize = 255;

/// What a token is for: one connection, or the tenant's connections of some connectors.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ConnectTokenInput {
    /// The connection that it is for.
    #[serde(default)]
    connection: Option<ConnectionId>,
    /// Keys of the connectors that it is for; the page names the connection.
    #[serde(default)]
    #[schema(example = json!(["salesforce"]))]
    connectors: Vec<String>,
    /// The one origin whose pages may present it; one of the configured applications.
    #[schema(example = "https://app.example")]
    origin: String,
    /// The application's user for whom it is; the caller when absent.
    #[serde(default)]
    #[schema(example = "user-17")]
    subject: Option<String>,
    /// Where the browser goes afterwards; on one of the configured origins.
    #[serde(default)]
    return_to: Option<String>,
}

/// A token to hand to the page.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConnectTokenView {
    /// The token: once, in a form that the page posts to `connect/start`.
    #[schema(example = "kq0oXr...")]
    token: String,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// Under which the result can be asked for, once the token was presented.
    attempt_id: AttemptId,
}

/// Makes a connect token for the caller's tenant.
#[utoipa::path(post, path = "/v1/connect-tokens", tag = "connections", params(IdempotencyKey), request_body = ConnectTokenInput, responses(
    (status = 201, body = ConnectTokenView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn make_connect_token(
    State(app): State<App>,
    editor: Editor,
    key: IdempotencyKey,
    Json { value, bytes }: Json<ConnectTokenInput>,
) -> Result<Response, Error> {
    let app = app.within(&editor.scope);
    let subject = value
        .subject
        .clone()
        .unwrap_or_else(|| editor.subject().to_owned());
    let bound = check(&app, editor.tenant, value, subject).await?;
    let nothing = async { Ok(StatusCode::OK.into_response()) };
    let (scope, caller) = (editor.partition(), editor.subject());
    key.once(&app.store, &scope, OPERATION, caller, &bytes, nothing)
        .await?;
    hand_out(&app, bound, caller).await
}

/// Makes a connect token for a user of a tenant: for the vendor's own back end.
#[utoipa::path(post, path = "/v1/tenants/{id}/connect-tokens", tag = "tenants", params(
    ("id" = TenantId, Path, description = "The tenant"),
    IdempotencyKey,
), request_body = ConnectTokenInput, responses(
    (status = 201, body = ConnectTokenView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn make_connect_token_for_tenant(
    State(app): State<App>,
    operator: Operator,
    key: IdempotencyKey,
    Path(id): Path<String>,
    Json { value, bytes }: Json<ConnectTokenInput>,
) -> Result<Response, Error> {
    let tenant: TenantId = id_in_path(&id)?;
    let known = TenantState::of(&app.shared, tenant).await?;
    if known.ok_or_else(Error::not_found)? != TenantState::Active {
        return Err(Error::new(
            Kind::Conflict,
            "tenant_not_active",
            "This tenant is suspended, is leaving or has left.",
        ));
    }
    let app = app.for_operator(tenant).await?;
    let Some(subject) = value.subject.clone() else {
        let fault = Fault::new("/subject", "required", "The user for whom the token is.");
        return Err(invalid(vec![fault]));
    };
    let bound = check(&app, tenant, value, subject).await?;
    let nothing = async { Ok(StatusCode::OK.into_response()) };
    let (scope, caller) = (Key::operator_partition(), operator.subject());
    key.once(&app.store, &scope, OPERATION, caller, &bytes, nothing)
        .await?;
    hand_out(&app, bound, caller).await
}

/// Checks everything, all faults at once.
async fn check(
    app: &TenantApp,
    tenant: TenantId,
    input: ConnectTokenInput,
    subject: String,
) -> Result<ConnectToken, Error> {
    let mut faults = faults(&app.config.browser, &input, &subject);
    if let Some(id) = input.connection {
        let found = Connection::load(&app.store, tenant, id).await?;
        if found.is_none_or(|found| consented(&found).is_err()) {
            faults.push(Fault::new(
                "/connection",
                "unknown",
                "There is no such connection, or nobody consents to it.",
            ));
        }
    }
    let return_to = start_link::return_to(&app.config.browser, input.return_to.as_deref())
        .map_err(|fault| faults.push(fault));
    match return_to {
        Ok(return_to) if faults.is_empty() => Ok(ConnectToken {
            tenant_id: tenant,
            subject,
            connection_id: input.connection,
            connectors: input.connectors,
            // Without a wish the page that presented it gets the browser back.
            return_to: Some(if input.return_to.is_some() {
                return_to
            } else {
                format!("{}/", input.origin)
            }),
            origin: input.origin,
            attempt_id: AttemptId::new(),
            expires_at: Timestamp::now().as_second() + LIFE.as_secs(),
        }),
        _ => Err(invalid(faults)),
    }
}

/// What is wrong with the request itself.
fn faults(browser: &BrowserConfig, input: &ConnectTokenInput, subject: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    if input.connection.is_some() != input.connectors.is_empty() {
        faults.push(Fault::new(
            "/connectors",
            "one_of",
            "Either a connection or connectors.",
        ));
    }
    for (index, key) in input.connectors.iter().enumerate() {
        let by_consent = connector(key)
            .is_some_and(|row| row.method(AuthKind::OauthAuthorizationCode).is_some());
        if !by_consent {
            faults.push(Fault::new(
                format!("/connectors/{index}"),
                "not_connectable",
                "The catalogue has no such connector, or nobody consents to it.",
            ));
        }
    }
    if !browser.app_origins.contains(&input.origin) {
        faults.push(Fault::new(
            "/origin",
            "origin_not_allowed",
            "One of the configured applications' origins.",
        ));
    }
    let sound =
        (1..=SUBJECT_LENGTH).contains(&subject.len()) && !subject.chars().any(char::is_control);
    if !sound {
        faults.push(Fault::new(
            "/subject",
            "invalid_subject",
            "1 to 255 bytes, no control characters.",
        ));
    }
    faults
}

async fn hand_out(app: &TenantApp, bound: ConnectToken, caller: &str) -> Result<Response, Error> {
    let token = random_token()?;
    if let Some(connection) = bound.connection_id {
        Attempt::begin(&app.store, bound.tenant_id, connection, bound.attempt_id).await?;
    }
    app.shared
        .insert(&Key::connect_token(token.expose()), &bound)
        .await?;
    tracing::info!(
        tenant.id = %bound.tenant_id, user.subject = bound.subject, made_by = caller,
        origin = bound.origin, "connect token made"
    );
    let answer = ConnectTokenView {
        token: token.expose().to_owned(),
        expires_at: Timestamp::from_second(bound.expires_at).unwrap_or(Timestamp::MAX),
        attempt_id: bound.attempt_id,
    };
    json(StatusCode::CREATED, &answer)
}

fn invalid(faults: Vec<Fault>) -> Error {
    Error::unprocessable("invalid_connect_token", "The request breaks rules.", faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn browser() -> BrowserConfig {
        BrowserConfig {
            public_base_url: "https://api.example".to_owned(),
            app_origins: vec!["https://app.example".to_owned()],
        }
    }

    fn input(origin: &str, connectors: &[&str]) -> ConnectTokenInput {
        ConnectTokenInput {
            connection: None,
            connectors: connectors.iter().map(ToString::to_string).collect(),
            origin: origin.to_owned(),
            subject: None,
            return_to: None,
        }
    }

    #[test]
    fn c1_a_token_lives_a_quarter_of_an_hour_at_most() {
        assert!(LIFE <= SignedDuration::from_mins(15));
    }

    #[test]
    fn c3_a_token_is_bound_to_a_configured_origin_exactly() {
        let wrong = |origin: &str| {
            let faults = faults(&browser(), &input(origin, &["salesforce"]), "u");
            faults.iter().any(|fault| fault.pointer == "/origin")
        };
        assert!(!wrong("https://app.example"));
        for origin in [
            "https://app.example.evil.com",
            "http://app.example",
            "https://app.example:8443",
            "https://app.example/",
            "null",
            "",
        ] {
            assert!(wrong(origin), "{origin}");
        }
    }

    #[test]
    fn a_token_is_for_a_connection_or_for_connectors_that_somebody_consents_to() {
        let faults = |input: &ConnectTokenInput| faults(&browser(), input, "u").len();
        let origin = "https://app.example";
        assert_eq!(faults(&input(origin, &["salesforce"])), 0);
        assert_eq!(faults(&input(origin, &[])), 1);
        assert_eq!(faults(&input(origin, &["redshift", "nothing"])), 2);
        let mut both = input(origin, &["salesforce"]);
        both.connection = Some(ConnectionId::new());
        assert_eq!(faults(&both), 1);
    }
}
