//! Applications that really check who comes: the sandbox's stand-ins of OAuth providers. A profile
//! whose URL is one of theirs presents its credentials there before anything is read or written.

use reqwest::{RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    salesforce::ConnectorFault,
    service::Inner,
    state::{Home, Profile},
};

/// How one application is asked.
struct Row {
    kind: &'static str,
    label: Option<&'static str>,
    /// A read that any good token may make.
    probe: &'static str,
    /// The token endpoint below the instance, where the profile names none.
    token_path: &'static str,
    /// Where the OAuth credentials stand among the profile's; empty: at the top.
    credentials: &'static str,
}

const ROWS: &[Row] = &[
    Row {
        kind: "Servicenow",
        label: None,
        probe: "/api/now/table/sys_user?sysparm_limit=1",
        token_path: "/oauth_token.do",
        credentials: "/oAuth2Credentials",
    },
    Row {
        kind: "Zendesk",
        label: None,
        probe: "/api/v2/users/me.json",
        token_path: "/oauth/tokens",
        credentials: "",
    },
    Row {
        kind: "CustomConnector",
        label: Some("HubSpot"),
        probe: "/account-info/v3/details",
        token_path: "/oauth/2026-03/token",
        credentials: "/oauth2",
    },
    Row {
        kind: "CustomConnector",
        label: Some("MicrosoftDynamics365"),
        probe: "/api/data/v9.2/WhoAmI",
        token_path: "",
        credentials: "/oauth2",
    },
];

/// An application that checks credentials.
pub(crate) struct Live {
    row: &'static Row,
    base: String,
    token_url: String,
}

/// The application of a profile, if it checks. `properties` are those of the connector's key.
pub(crate) fn of(
    inner: &Inner,
    kind: &str,
    label: Option<&str>,
    properties: &Value,
) -> Option<Live> {
    let ours = format!("{}/", inner.options.applications_url.as_deref()?);
    let row = ROWS
        .iter()
        .find(|row| row.kind == kind && (row.label.is_none() || row.label == label))?;
    let text = |pointer: &str| {
        let text = properties.pointer(pointer).and_then(Value::as_str);
        text.filter(|text| text.starts_with(&ours))
    };
    let token_url = text("/oAuth2Properties/tokenUrl");
    let base = text("/instanceUrl")
        .or_else(|| text("/profileProperties/instanceUrl"))
        // HubSpot's profile has no URL but that of its token endpoint, which is on the same host.
        .or_else(|| token_url?.split_once("/oauth/").map(|(base, _)| base))?
        .trim_end_matches('/');
    Some(Live {
        row,
        base: base.to_owned(),
        token_url: token_url.map_or_else(|| format!("{base}{}", row.token_path), str::to_owned),
    })
}

/// A token endpoint's answer; other members are ignored.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    refresh_token: Option<String>,
}

impl Live {
    /// Presents the credentials of a new or changed profile. Renews or fetches tokens where the given
    /// ones allow it, and writes them into `credentials`.
    pub(crate) async fn validate(
        &self,
        inner: &Inner,
        credentials: &mut Value,
    ) -> Result<(), ConnectorFault> {
        if let Some(form) = self.code(credentials) {
            self.token(inner, credentials, &form).await?;
        }
        match self.present(inner, credentials).await {
            Err(ConnectorFault::Unauthorized(refused)) => {
                let form = self
                    .refresh(credentials)
                    .ok_or(ConnectorFault::Unauthorized(refused))?;
                self.token(inner, credentials, &form).await?;
                self.present(inner, credentials).await
            }
            other => other,
        }
    }

    /// One read with the credentials.
    async fn present(&self, inner: &Inner, credentials: &Value) -> Result<(), ConnectorFault> {
        let request = inner.http.get(format!("{}{}", self.base, self.row.probe));
        let request = match (self.member(credentials, "accessToken"), user(credentials)) {
            (Some(token), _) => request.bearer_auth(token),
            (None, Some((name, password))) => request.basic_auth(name, Some(password)),
            (None, None) => {
                let why = format!("{} got no credentials", self.row.kind);
                return Err(ConnectorFault::Unauthorized(why));
            }
        };
        let (status, _) = self.answered(request).await?;
        let text = format!("{}: Status Code: {}", self.row.kind, status.as_u16());
        match status {
            status if status.is_success() => Ok(()),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(ConnectorFault::Unauthorized(text))
            }
            _ => Err(ConnectorFault::Server(text)),
        }
    }

    /// The form that trades the profile's authorization code.
    fn code(&self, credentials: &Value) -> Option<Vec<(&'static str, String)>> {
        let request = credentials.pointer(&format!("{}/oAuthRequest", self.row.credentials))?;
        let mut form = vec![("grant_type", "authorization_code".to_owned())];
        form.push(("code", request["authCode"].as_str()?.to_owned()));
        let redirect = request["redirectUri"].as_str().unwrap_or_default();
        form.push(("redirect_uri", redirect.to_owned()));
        form.extend(self.client(credentials)?);
        Some(form)
    }

    /// The form that renews, if AppFlow has what it takes.
    fn refresh(&self, credentials: &Value) -> Option<Vec<(&'static str, String)>> {
        let token = self.member(credentials, "refreshToken")?;
        let mut form = vec![("grant_type", "refresh_token".to_owned())];
        form.push(("refresh_token", token.to_owned()));
        form.extend(self.client(credentials)?);
        Some(form)
    }

    fn client(&self, credentials: &Value) -> Option<[(&'static str, String); 2]> {
        let member = |name| self.member(credentials, name).map(str::to_owned);
        Some([
            ("client_id", member("clientId")?),
            ("client_secret", member("clientSecret")?),
        ])
    }

    fn member<'a>(&self, credentials: &'a Value, name: &str) -> Option<&'a str> {
        let pointer = format!("{}/{name}", self.row.credentials);
        let text = credentials.pointer(&pointer)?.as_str()?;
        (!text.is_empty()).then_some(text)
    }

    /// Asks the token endpoint and keeps what it gives. A refresh token that does not come again stays.
    async fn token(
        &self,
        inner: &Inner,
        credentials: &mut Value,
        form: &[(&'static str, String)],
    ) -> Result<(), ConnectorFault> {
        let (status, body) = self
            .answered(inner.http.post(&self.token_url).form(form))
            .await?;
        if !status.is_success() {
            let text = format!(
                "Encountered authentication error while retrieving token. Error details: Status Code: {}",
                status.as_u16()
            );
            return Err(match status {
                StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED => ConnectorFault::Revoked(text),
                _ => ConnectorFault::Server(text),
            });
        }
        let answer: TokenAnswer = serde_json::from_slice(&body)
            .map_err(|_| ConnectorFault::Server("The token answer is not readable".into()))?;
        let target = credentials
            .pointer_mut(self.row.credentials)
            .and_then(Value::as_object_mut);
        if let Some(target) = target {
            target.remove("oAuthRequest");
            target.insert("accessToken".to_owned(), answer.access_token.into());
            if let Some(token) = answer.refresh_token.filter(|token| !token.is_empty()) {
                target.insert("refreshToken".to_owned(), token.into());
            }
        }
        Ok(())
    }

    async fn answered(
        &self,
        request: RequestBuilder,
    ) -> Result<(StatusCode, Vec<u8>), ConnectorFault> {
        // Without the error itself: it names the URL.
        let lost = |_| ConnectorFault::Server(format!("{} did not answer", self.row.kind));
        let response = request.send().await.map_err(lost)?;
        let status = response.status();
        let body = response.bytes().await.map_err(lost)?;
        Ok((status, body.to_vec()))
    }
}

/// ServiceNow takes a user's name and password too.
fn user(credentials: &Value) -> Option<(&str, &str)> {
    Some((
        credentials["username"].as_str()?,
        credentials["password"].as_str()?,
    ))
}

/// What a run or a metadata call does first: presents the profile's credentials, and renews them once
/// when they are refused and AppFlow holds a refresh token. Nothing where the application does not
/// check.
pub(crate) async fn admitted(
    inner: &Inner,
    home: &Home,
    profile: &Profile,
) -> Result<(), ConnectorFault> {
    let properties = profile
        .properties
        .as_object()
        .and_then(|p| p.values().next());
    let live = properties
        .and_then(|properties| of(inner, &profile.kind, profile.label.as_deref(), properties));
    let Some(live) = live else { return Ok(()) };
    let before = stored(inner, home, profile).await?;
    let refused = match live.present(inner, &before).await {
        Err(ConnectorFault::Unauthorized(text)) => text,
        other => return other,
    };
    let _one_at_a_time = profile.refreshing.lock().await;
    let mut current = stored(inner, home, profile).await?;
    if current != before {
        // Another run renewed them while this one waited.
        return live.present(inner, &current).await;
    }
    let form = live
        .refresh(&current)
        .ok_or(ConnectorFault::Unauthorized(refused))?;
    live.token(inner, &mut current, &form).await?;
    inner
        .services
        .put_secret(&home.account, &profile.secret_name, current.to_string())
        .await
        .map_err(|code| ConnectorFault::Server(format!("Secrets Manager answered {code}")))?;
    live.present(inner, &current).await
}

async fn stored(inner: &Inner, home: &Home, profile: &Profile) -> Result<Value, ConnectorFault> {
    let text = inner
        .services
        .get_secret(&home.account, &profile.credentials_arn)
        .await
        .map_err(|code| ConnectorFault::Server(format!("Secrets Manager answered {code}")))?;
    serde_json::from_str(&text)
        .map_err(|_| ConnectorFault::Server("The profile's secret is not readable".into()))
}
