//! Salesforce as AppFlow talks to it: bearer calls to the REST API v58.0 and, for profiles that own
//! a refresh token, the token endpoint.

pub(crate) mod oauth;

use reqwest::{
    Method, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use serde_json::Value;

use crate::{
    error::{ApiError, Exception},
    service::Inner,
    state::{Home, Profile},
};
use oauth::Credentials;

/// The API version of connections made since June 2023.
pub(crate) const API: &str = "/services/data/v58.0";

/// Why a call to the application failed. Messages hold no credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConnectorFault {
    /// The access token is refused and there is nothing to renew it with.
    #[error("{0}")]
    Unauthorized(String),
    /// The grant itself is gone: no retry will help.
    #[error("{0}")]
    Revoked(String),
    /// The application cannot be reached, or refuses for another reason.
    #[error("{0}")]
    Server(String),
}

impl ConnectorFault {
    /// Text of a run record or event.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Unauthorized(text) | Self::Revoked(text) => {
                format!("Error authenticating to connector: {text}")
            }
            Self::Server(text) => format!("Error while communicating to connector: {text}"),
        }
    }
}

impl From<ConnectorFault> for ApiError {
    fn from(fault: ConnectorFault) -> Self {
        let exception = match fault {
            ConnectorFault::Unauthorized(_) | ConnectorFault::Revoked(_) => {
                Exception::ConnectorAuthentication
            }
            ConnectorFault::Server(_) => Exception::ConnectorServer,
        };
        Self::new(exception, fault.message())
    }
}

/// One call of the REST API.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
}

impl Ask {
    fn get(path: &str) -> Self {
        Self {
            method: Method::GET,
            path: path.to_owned(),
            body: None,
        }
    }
}

/// A GET with the profile's access token; see [`call`].
pub(crate) async fn get(
    inner: &Inner,
    home: &Home,
    profile: &Profile,
    path: &str,
) -> Result<Value, ConnectorFault> {
    call(inner, home, profile, &Ask::get(path)).await
}

/// A call with the profile's access token. When Salesforce refuses the token and the profile has a
/// refresh token, it is renewed once, stored, and the call repeated.
pub(crate) async fn call(
    inner: &Inner,
    home: &Home,
    profile: &Profile,
    ask: &Ask,
) -> Result<Value, ConnectorFault> {
    let credentials = stored(inner, home, profile).await?;
    let instance = instance_url(inner, profile);
    let refused = match bearer_call(inner, &instance, ask, &credentials).await {
        Err(ConnectorFault::Unauthorized(text)) => ConnectorFault::Unauthorized(text),
        other => return other,
    };
    if !credentials.renewable() {
        return Err(refused);
    }
    let _one_at_a_time = profile.refreshing.lock().await;
    let current = stored(inner, home, profile).await?;
    if current.access_token != credentials.access_token {
        // Another call renewed it while this one waited.
        return bearer_call(inner, &instance, ask, &current).await;
    }
    let renewed = oauth::renew(inner, home, &instance, current).await?;
    inner
        .services
        .put_secret(&home.account, &profile.secret_name, renewed.to_json())
        .await
        .map_err(|code| ConnectorFault::Server(format!("Secrets Manager answered {code}")))?;
    bearer_call(inner, &instance, ask, &renewed).await
}

/// One GET with an access token, as profile validation makes it.
pub(crate) async fn bearer_get(
    inner: &Inner,
    instance: &str,
    path: &str,
    credentials: &Credentials,
) -> Result<Value, ConnectorFault> {
    bearer_call(inner, instance, &Ask::get(path), credentials).await
}

async fn bearer_call(
    inner: &Inner,
    instance: &str,
    ask: &Ask,
    credentials: &Credentials,
) -> Result<Value, ConnectorFault> {
    let token = credentials.access_token.as_deref().unwrap_or_default();
    let url = format!("{}{}", instance.trim_end_matches('/'), ask.path);
    let mut request = inner
        .http
        .request(ask.method.clone(), url)
        .header(AUTHORIZATION, format!("Bearer {token}"));
    if let Some(body) = &ask.body {
        request = request
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_string());
    }
    let response = request.send().await.map_err(|e| unreachable_host(&e))?;
    let status = response.status();
    let body = response.bytes().await.map_err(|e| unreachable_host(&e))?;
    if status.is_success() {
        return serde_json::from_slice(&body)
            .map_err(|_| ConnectorFault::Server("The answer of Salesforce is not JSON".into()));
    }
    Err(refusal(status, &body, token))
}

/// Salesforce answers `[{"errorCode":..,"message":..}]`; only these two members are passed on.
fn refusal(status: StatusCode, body: &[u8], token: &str) -> ConnectorFault {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let part = |name: &str| {
        body.pointer(&format!("/0/{name}"))
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let text = format!(
        "Status Code: {}: {}: {}",
        status.as_u16(),
        part("errorCode"),
        part("message")
    );
    let text = if token.is_empty() {
        text
    } else {
        text.replace(token, "[redacted]")
    };
    if status == StatusCode::UNAUTHORIZED {
        ConnectorFault::Unauthorized(text)
    } else {
        ConnectorFault::Server(text)
    }
}

/// The profile's base URL: its own, or the login host of its kind of org.
pub(crate) fn instance_url(inner: &Inner, profile: &Profile) -> String {
    profile.text("Salesforce", "instanceUrl").map_or_else(
        || login_url(inner, &profile.properties["Salesforce"]),
        str::to_owned,
    )
}

/// Where tokens come from when a profile names no instance.
pub(crate) fn login_url(inner: &Inner, properties: &Value) -> String {
    if let Some(url) = &inner.options.salesforce_login_url {
        return url.clone();
    }
    let sandbox = properties["isSandboxEnvironment"].as_bool();
    let host = if sandbox == Some(true) {
        "test"
    } else {
        "login"
    };
    format!("https://{host}.salesforce.com")
}

async fn stored(
    inner: &Inner,
    home: &Home,
    profile: &Profile,
) -> Result<Credentials, ConnectorFault> {
    let text = inner
        .services
        .get_secret(&home.account, &profile.credentials_arn)
        .await
        .map_err(|code| ConnectorFault::Server(format!("Secrets Manager answered {code}")))?;
    serde_json::from_str(&text)
        .map_err(|_| ConnectorFault::Server("The profile's secret is not readable".into()))
}

/// A transport failure, without the URL (which may carry a query).
fn unreachable_host(error: &reqwest::Error) -> ConnectorFault {
    let why = if error.is_timeout() {
        "timed out"
    } else if error.is_connect() {
        "could not connect"
    } else {
        "the connection broke"
    };
    ConnectorFault::Server(format!("Salesforce: {why}"))
}
