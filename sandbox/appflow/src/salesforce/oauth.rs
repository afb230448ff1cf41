//! Salesforce credentials of a profile, and the grants that make tokens out of them.

use reqwest::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{API, ConnectorFault, bearer_get, login_url, unreachable_host};
use crate::{error::ApiError, service::Inner, state::Home};

/// What the profile's secret holds.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Credentials {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) access_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_credentials_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwt_token: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials([redacted])")
    }
}

impl Credentials {
    /// Whether AppFlow itself can get a new access token. A refresh token without the connected
    /// app's secret is of no use: it was issued to another client.
    pub(crate) fn renewable(&self) -> bool {
        self.jwt_token.is_some()
            || (self.refresh_token.is_some() && self.client_credentials_arn.is_some())
    }

    /// The text of the secret.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A token endpoint's answer; other members are ignored.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    refresh_token: Option<String>,
    instance_url: Option<String>,
}

/// Validates the credentials of a new or changed profile with live calls. Answers what to store,
/// and the instance that the token endpoint named.
pub(crate) async fn validate(
    inner: &Inner,
    home: &Home,
    properties: &Value,
    given: &Value,
) -> Result<(Credentials, Option<String>), ApiError> {
    let credentials: Credentials = serde_json::from_value(given.clone()).unwrap_or_default();
    let code = given
        .pointer("/oAuthRequest/authCode")
        .and_then(Value::as_str);
    let grant = given["oAuth2GrantType"]
        .as_str()
        .unwrap_or("AUTHORIZATION_CODE");
    let instance = properties["instanceUrl"]
        .as_str()
        .map_or_else(|| login_url(inner, properties), str::to_owned);
    let blank = || {
        ApiError::validation(
            "Validation exception: AuthCode cannot be blank for connector: SALESFORCE",
        )
    };
    if grant == "CLIENT_CREDENTIALS" {
        return Err(blank());
    }
    if let (Some(code), true) = (code, grant == "AUTHORIZATION_CODE") {
        let redirect = given
            .pointer("/oAuthRequest/redirectUri")
            .and_then(Value::as_str);
        let (credentials, answered) = exchange(
            inner,
            home,
            &instance,
            credentials,
            code,
            redirect.unwrap_or_default(),
        )
        .await
        .map_err(attempted)?;
        return Ok((credentials, answered));
    }
    if grant == "JWT_BEARER" && credentials.jwt_token.is_none() {
        return Err(ApiError::validation(
            "Validation exception: JwtToken cannot be blank for connector: SALESFORCE",
        ));
    }
    if credentials.access_token.is_some() {
        match bearer_get(inner, &instance, &format!("{API}/sobjects"), &credentials).await {
            Ok(_) => return Ok((credentials, None)),
            // A stale access token does no harm while it can be renewed.
            Err(ConnectorFault::Unauthorized(_)) if credentials.renewable() => {}
            Err(fault) => return Err(attempted(fault).into()),
        }
    }
    if !credentials.renewable() {
        return Err(blank());
    }
    let renewed = renew(inner, home, &instance, credentials)
        .await
        .map_err(attempted)?;
    Ok((renewed, None))
}

fn attempted(fault: ConnectorFault) -> ConnectorFault {
    let say = |text| {
        format!(
            "Failed to validate Connection while attempting \"ValidateCredentials with \
             SALESFORCE\" with connector failure {text}"
        )
    };
    match fault {
        ConnectorFault::Unauthorized(text) => ConnectorFault::Unauthorized(say(text)),
        ConnectorFault::Revoked(text) => ConnectorFault::Revoked(say(text)),
        ConnectorFault::Server(text) => ConnectorFault::Server(say(text)),
    }
}

/// A new access token by refresh token or JWT; a rotated refresh token replaces the old one.
pub(crate) async fn renew(
    inner: &Inner,
    home: &Home,
    instance: &str,
    mut credentials: Credentials,
) -> Result<Credentials, ConnectorFault> {
    let mut form = Vec::new();
    if let Some(assertion) = &credentials.jwt_token {
        form.push((
            "grant_type",
            "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned(),
        ));
        form.push(("assertion", assertion.clone()));
    } else {
        form.push(("grant_type", "refresh_token".to_owned()));
        form.push((
            "refresh_token",
            credentials.refresh_token.clone().unwrap_or_default(),
        ));
        form.extend(client(inner, home, &credentials).await?);
    }
    let answer = token(inner, instance, &form).await?;
    credentials.access_token = Some(answer.access_token);
    if answer.refresh_token.is_some() {
        credentials.refresh_token = answer.refresh_token;
    }
    Ok(credentials)
}

async fn exchange(
    inner: &Inner,
    home: &Home,
    instance: &str,
    mut credentials: Credentials,
    code: &str,
    redirect_uri: &str,
) -> Result<(Credentials, Option<String>), ConnectorFault> {
    let mut form = vec![
        ("grant_type", "authorization_code".to_owned()),
        ("code", code.to_owned()),
        ("redirect_uri", redirect_uri.to_owned()),
    ];
    form.extend(client(inner, home, &credentials).await?);
    let answer = token(inner, instance, &form).await?;
    credentials.access_token = Some(answer.access_token);
    credentials.refresh_token = answer.refresh_token;
    Ok((credentials, answer.instance_url))
}

/// The connected app's id and secret, from the caller's own secret.
async fn client(
    inner: &Inner,
    home: &Home,
    credentials: &Credentials,
) -> Result<[(&'static str, String); 2], ConnectorFault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct ConnectedApp {
        client_id: String,
        client_secret: String,
    }
    let arn = credentials
        .client_credentials_arn
        .as_deref()
        .ok_or_else(|| ConnectorFault::Unauthorized("no client credentials were given".into()))?;
    let text = inner
        .services
        .get_secret(&home.account, arn)
        .await
        .map_err(|code| {
            ConnectorFault::Unauthorized(format!("the client credentials secret: {code}"))
        })?;
    let app: ConnectedApp = serde_json::from_str(&text).map_err(|_| {
        ConnectorFault::Unauthorized(
            "the client credentials secret must hold clientId and clientSecret".into(),
        )
    })?;
    Ok([
        ("client_id", app.client_id),
        ("client_secret", app.client_secret),
    ])
}

async fn token(
    inner: &Inner,
    instance: &str,
    form: &[(&'static str, String)],
) -> Result<TokenAnswer, ConnectorFault> {
    let url = format!("{}/services/oauth2/token", instance.trim_end_matches('/'));
    let response = inner
        .http
        .post(url)
        .form(form)
        .send()
        .await
        .map_err(|e| unreachable_host(&e))?;
    let status = response.status();
    let body = response.bytes().await.map_err(|e| unreachable_host(&e))?;
    if status.is_success() {
        return serde_json::from_slice(&body)
            .map_err(|_| ConnectorFault::Server("The token answer is not readable".into()));
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let part = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let text = format!(
        "Encountered authentication error while retrieving token. Error details: Status Code: {} \
         : {{\"error\":\"{}\",\"error_description\":\"{}\"}}",
        status.as_u16(),
        part("error"),
        part("error_description"),
    );
    Err(match status {
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED => ConnectorFault::Revoked(text),
        _ => ConnectorFault::Server(text),
    })
}
