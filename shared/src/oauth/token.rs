//! Token calls: each is one attempt, and its outcome says what became of the token.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::Value;
use url::Url;

use super::{
    App, AppCredentials, Provider, TokenAnswer, TokenBundle, TokenFailure,
    http::{HttpAnswer, HttpFailure, TokenHttp},
    provider::ClientAuth,
    salesforce::{self, Grantor, GrantorError},
};
use crate::secret::Secret;

/// Where a provider's endpoints are.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// Authorization endpoint.
    pub authorize: Url,
    /// Token endpoint.
    pub token: Url,
    /// Revocation endpoint (RFC 7009), if there is one.
    pub revoke: Option<Url>,
    /// What is deleted with the access token to end a grant, where there is no such endpoint.
    pub delete: Option<Url>,
    /// Introspection endpoint, if there is one.
    pub introspect: Option<Url>,
}

/// How a token call ended, seen from the token or code that was presented.
#[derive(Debug)]
pub enum TokenOutcome {
    /// Nothing left this machine; what was to be presented is untouched.
    NotSent {
        /// Why, for the log.
        cause: String,
    },
    /// Tokens. What was presented is used up; store these before anything else can fail.
    Answered(Box<TokenAnswer>),
    /// A refusal whose meaning is known.
    Refused(TokenFailure),
    /// The call may have been worked off, and nobody knows. Never answer this with the same call.
    Unknown {
        /// Why, for the log.
        cause: String,
        /// A successful answer that could not be read: seal it and keep it, it may hold the only token.
        body: Option<Secret>,
    },
}

/// What introspection said (RFC 7662).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Introspection {
    /// The token is good.
    Active {
        /// How long tokens like it live (`exp` less `iat`, by the provider's clock), if that was said.
        life: Option<SignedDuration>,
    },
    /// The token is not good.
    Inactive,
    /// No answer that proves anything.
    Unknown,
}

/// What became of a revocation (RFC 7009).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// The token is no good any more; it may have been unknown before.
    Done,
    /// The provider has no way to revoke.
    NotOffered,
    /// The token may still be alive: try later.
    Unknown,
}

/// Makes token calls of one provider as one app.
#[derive(Debug, Clone)]
pub struct TokenClient {
    provider: &'static Provider,
    endpoints: Endpoints,
    app: App,
    http: TokenHttp,
}

impl TokenClient {
    /// A client for a provider's endpoints.
    pub const fn new(
        provider: &'static Provider,
        endpoints: Endpoints,
        app: App,
        http: TokenHttp,
    ) -> Self {
        Self {
            provider,
            endpoints,
            app,
            http,
        }
    }

    /// The provider's row.
    pub const fn provider(&self) -> &'static Provider {
        self.provider
    }

    /// The provider's endpoints.
    pub const fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Our registration there. Loading it before a call is the preflight of a refresh.
    pub const fn app(&self) -> &App {
        &self.app
    }

    /// Exchanges an authorization code. A lost answer ends the flow: a code is never presented twice.
    pub async fn exchange(
        &self,
        code: &Secret,
        verifier: &Secret,
        redirect_uri: &str,
    ) -> TokenOutcome {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", redirect_uri),
        ];
        // What was asked without a challenge is not answered with a verifier.
        if self.provider.pkce {
            form.push(("code_verifier", verifier.expose()));
        }
        self.token_call(&form).await
    }

    /// Presents a refresh token. `scope` is not sent: the grant's scopes stay as they are.
    pub async fn refresh(&self, refresh_token: &Secret) -> TokenOutcome {
        self.token_call(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.expose()),
        ])
        .await
    }

    /// Asks whether a token is good, without using it.
    pub async fn introspect(&self, token: &Secret) -> Introspection {
        let Some(url) = &self.endpoints.introspect else {
            return Introspection::Unknown;
        };
        let form = [("token", token.expose())];
        match self.post(url, &form).await {
            Ok(answer) if answer.status == 200 => read_introspection(&answer.body),
            Ok(_) | Err(_) => Introspection::Unknown,
        }
    }

    /// Ends a token by RFC 7009; for a refresh token, the whole grant. See [`Self::end_grant`].
    pub async fn revoke(&self, token: &Secret) -> Revocation {
        let Some(url) = &self.endpoints.revoke else {
            return Revocation::NotOffered;
        };
        match self.post(url, &[("token", token.expose())]).await {
            Ok(answer) if answer.status == 200 => Revocation::Done,
            Ok(answer) => match self
                .provider
                .classify(answer.status, answer.body.expose(), None)
            {
                // Salesforce answers so for a token that it does not know.
                Some(TokenFailure::ReauthRequired(_)) => Revocation::Done,
                _ if answer.body.expose().contains("\"invalid_token\"") => Revocation::Done,
                _ => Revocation::Unknown,
            },
            Err(_) => Revocation::Unknown,
        }
    }

    /// Ends a grant in the provider's way. The refresh token stands for all of it, where there is one.
    ///
    /// Where the access token is what ends the grant and has itself ended, nobody can do it from
    /// here: that is told as [`Revocation::NotOffered`].
    pub async fn end_grant(&self, bundle: &TokenBundle) -> Revocation {
        let Some(url) = &self.endpoints.delete else {
            let token = bundle.refresh_token.as_ref();
            return self.revoke(token.unwrap_or(&bundle.access_token)).await;
        };
        match self.http.delete(url, &bundle.access_token).await {
            Ok(answer) if (200..300).contains(&answer.status) => Revocation::Done,
            Ok(answer) if matches!(answer.status, 401 | 404) => Revocation::NotOffered,
            Ok(_) | Err(_) => Revocation::Unknown,
        }
    }

    /// Who granted, if the answer proves it. For Salesforce only; others prove it with an ID token.
    pub async fn grantor(&self, answer: &TokenAnswer) -> Result<Grantor, GrantorError> {
        let credentials = self
            .app
            .credentials()
            .await
            .map_err(|_| GrantorError::NoSecret)?;
        let secret = credentials.client_secret.ok_or(GrantorError::NoSecret)?;
        salesforce::grantor(answer, &secret)
    }

    async fn token_call(&self, form: &[(&str, &str)]) -> TokenOutcome {
        let outcome = match self.post(&self.endpoints.token, form).await {
            Ok(answer) => outcome(self.provider, &answer),
            Err(failure) => failure.into(),
        };
        if matches!(
            outcome,
            TokenOutcome::Refused(TokenFailure::OurCredentials(_))
        ) {
            self.app.forget();
        }
        outcome
    }

    async fn post(&self, url: &Url, form: &[(&str, &str)]) -> Result<HttpAnswer, CallFailure> {
        let app = self
            .app
            .credentials()
            .await
            .map_err(|error| CallFailure::NotSent(error.to_string()))?;
        let (extra, basic) = authentication(self.provider.client_auth, &app);
        let form: Vec<(&str, &str)> = form.iter().copied().chain(extra).collect();
        let sent = self.http.post_form(url, &form, basic).await;
        sent.map_err(CallFailure::from)
    }

    /// Posts a form that holds its own client credentials to the token endpoint.
    pub(super) async fn send_form(&self, form: &Form<'_>) -> Result<HttpAnswer, TokenOutcome> {
        let sent = self.http.post_form(&self.endpoints.token, form, None).await;
        sent.map_err(|error| CallFailure::from(error).into())
    }
}

enum CallFailure {
    NotSent(String),
    Unknown(String),
}

impl From<HttpFailure> for CallFailure {
    fn from(error: HttpFailure) -> Self {
        match error {
            HttpFailure::NotSent(_) => Self::NotSent(chain(&error)),
            HttpFailure::Unknown(_) | HttpFailure::TooLarge => Self::Unknown(chain(&error)),
        }
    }
}

impl From<CallFailure> for TokenOutcome {
    fn from(failure: CallFailure) -> Self {
        match failure {
            CallFailure::NotSent(cause) => Self::NotSent { cause },
            CallFailure::Unknown(cause) => Self::Unknown { cause, body: None },
        }
    }
}

pub(super) type Form<'a> = Vec<(&'a str, &'a str)>;

fn authentication(auth: ClientAuth, app: &AppCredentials) -> (Form<'_>, Option<(&str, &str)>) {
    let id = ("client_id", app.client_id.as_str());
    match (auth, &app.client_secret) {
        (_, None) => (vec![id], None),
        (ClientAuth::Post, Some(secret)) => (vec![id, ("client_secret", secret.expose())], None),
        (ClientAuth::Basic, Some(secret)) => (Vec::new(), Some((&app.client_id, secret.expose()))),
    }
}

/// What an answer of the token endpoint means.
pub(super) fn outcome(provider: &Provider, answer: &HttpAnswer) -> TokenOutcome {
    let succeeded = (200..300).contains(&answer.status);
    if succeeded && let Some(tokens) = TokenAnswer::read(provider, &answer.body) {
        return TokenOutcome::Answered(Box::new(tokens));
    }
    let failure = provider.classify(answer.status, answer.body.expose(), answer.retry_after);
    match failure {
        Some(failure) => TokenOutcome::Refused(failure),
        None => TokenOutcome::Unknown {
            cause: format!("status {} without a usable answer", answer.status),
            body: succeeded.then(|| answer.body.clone()),
        },
    }
}

/// A session lives a day at most; a longer life is not believed (seconds).
const LONGEST_LIFE: i64 = 86_400;

fn read_introspection(body: &Secret) -> Introspection {
    let Ok(value) = serde_json::from_str::<Value>(body.expose()) else {
        return Introspection::Unknown;
    };
    match value.get("active") {
        Some(Value::Bool(true)) => {
            let seconds = |name| value.get(name).and_then(Value::as_i64);
            let life = seconds("exp")
                .zip(seconds("iat"))
                .and_then(|(end, begin)| end.checked_sub(begin))
                .filter(|life| (60..=LONGEST_LIFE).contains(life))
                .map(SignedDuration::from_secs);
            Introspection::Active { life }
        }
        Some(Value::Bool(false)) => Introspection::Inactive,
        _ => Introspection::Unknown,
    }
}

/// An error and its causes in one line. None of them holds a body or a URL.
fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}

/// How long a token call can take at most; a refresh must have more time than this left.
pub const CALL_DEADLINE: Duration = super::http::TOTAL_TIMEOUT;

#[cfg(test)]
mod tests;
