//! Our registration at a provider: client id and secret, kept in Secrets Manager.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use aws_sdk_secretsmanager::Client;
use serde::Deserialize;

use crate::{aws::Refusal, secret::Secret};

/// How long credentials stay in memory: a rotated secret is picked up after this.
const CACHE_LIFE: Duration = Duration::from_mins(5);

/// Client id and secret.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppCredentials {
    /// Client id.
    pub client_id: String,
    /// Client secret; none for a public client.
    #[serde(default)]
    pub client_secret: Option<Secret>,
}

/// Why the credentials cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The secret is not there any more, or is marked for deletion: somebody removed the app.
    #[error("the app's secret is gone")]
    Gone,
    /// Secrets Manager failed.
    #[error("GetSecretValue failed with {}", .0.code.as_deref().unwrap_or("no answer"))]
    SecretsManager(Refusal),
    /// The secret is not `{"clientId": "...", "clientSecret": "..."}`.
    #[error("the secret does not hold clientId and clientSecret")]
    Shape,
}

impl AppError {
    fn of(refusal: Refusal) -> Self {
        if says_gone(&refusal) {
            Self::Gone
        } else {
            Self::SecretsManager(refusal)
        }
    }
}

/// Whether Secrets Manager says that a secret is gone: not there, or marked for deletion. It has no
/// code of its own for the latter.
pub(super) fn says_gone(refusal: &Refusal) -> bool {
    let speaks_of_deletion = || {
        let message = refusal.message.as_deref().unwrap_or_default();
        message.contains("deletion")
    };
    refusal.is("ResourceNotFoundException")
        || (refusal.is("InvalidRequestException") && speaks_of_deletion())
}

enum Source {
    Given(AppCredentials),
    Stored {
        client: Client,
        arn: String,
        /// Set where the secret holds nothing but the client secret.
        client_id: Option<String>,
        cached: Mutex<Option<Cached>>,
    },
}

/// What was read, and when.
struct Cached {
    read: Instant,
    app: AppCredentials,
    version: Option<String>,
}

/// Our registration at a provider.
#[derive(Clone)]
pub struct App(Arc<Source>);

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Source::Given(app) => write!(f, "App({})", app.client_id),
            Source::Stored { arn, .. } => write!(f, "App({arn})"),
        }
    }
}

impl App {
    /// A client without a secret.
    pub fn public(client_id: impl Into<String>) -> Self {
        Self(Arc::new(Source::Given(AppCredentials {
            client_id: client_id.into(),
            client_secret: None,
        })))
    }

    /// A client whose id and secret are a JSON object in Secrets Manager.
    pub fn stored(client: Client, arn: String) -> Self {
        Self::from_secret(client, arn, None)
    }

    /// A client whose id is configured and whose secret, alone or in such an object, is in Secrets Manager.
    pub fn stored_secret(client: Client, arn: String, client_id: String) -> Self {
        Self::from_secret(client, arn, Some(client_id))
    }

    fn from_secret(client: Client, arn: String, client_id: Option<String>) -> Self {
        Self(Arc::new(Source::Stored {
            client,
            arn,
            client_id,
            cached: Mutex::new(None),
        }))
    }

    /// The credentials, at most five minutes old.
    pub async fn credentials(&self) -> Result<AppCredentials, AppError> {
        let (client, arn, client_id, cached) = match &*self.0 {
            Source::Given(app) => return Ok(app.clone()),
            Source::Stored {
                client,
                arn,
                client_id,
                cached,
            } => (client, arn, client_id, cached),
        };
        {
            let cached = cached.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(cached) = cached.as_ref()
                && cached.read.elapsed() < CACHE_LIFE
            {
                return Ok(cached.app.clone());
            }
        }
        let answer = client
            .get_secret_value()
            .secret_id(arn)
            .send()
            .await
            .map_err(|error| AppError::of(Refusal::of(&error)))?;
        let text = Secret::new(answer.secret_string.ok_or(AppError::Shape)?);
        let app = parse(&text, client_id.as_deref()).ok_or(AppError::Shape)?;
        *cached.lock().unwrap_or_else(PoisonError::into_inner) = Some(Cached {
            read: Instant::now(),
            app: app.clone(),
            version: answer.version_id,
        });
        Ok(app)
    }

    /// Id of the secret's version that the credentials in memory come from, if any are.
    pub fn version(&self) -> Option<String> {
        match &*self.0 {
            Source::Given(_) => None,
            Source::Stored { cached, .. } => {
                let cached = cached.lock().unwrap_or_else(PoisonError::into_inner);
                cached.as_ref().and_then(|cached| cached.version.clone())
            }
        }
    }

    /// Reads the secret again and says whether it is another version than the one that was used: a
    /// refusal of an old secret is no news (scenario T4).
    pub async fn has_another_version(&self, used: Option<&str>) -> Result<bool, AppError> {
        self.forget();
        self.credentials().await?;
        Ok(self.version().as_deref() != used)
    }

    /// Forgets what was read, so that the next call sees a rotated secret.
    pub fn forget(&self) {
        if let Source::Stored { cached, .. } = &*self.0 {
            *cached.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

fn parse(text: &Secret, client_id: Option<&str>) -> Option<AppCredentials> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Stored {
        client_id: Option<String>,
        client_secret: Option<Secret>,
    }
    let stored = serde_json::from_str::<Stored>(text.expose());
    let (stored_id, client_secret) = match stored {
        Ok(stored) => (stored.client_id, stored.client_secret?),
        Err(_) if client_id.is_some() => (None, text.clone()),
        Err(_) => return None,
    };
    let client_id = client_id.map(str::to_owned).or(stored_id)?;
    let usable = !client_id.is_empty() && !client_secret.expose().is_empty();
    usable.then_some(AppCredentials {
        client_id,
        client_secret: Some(client_secret),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_read_as_objects_or_as_the_bare_secret_of_a_known_client() {
        let object = Secret::new(r#"{"clientId":"3MVG","clientSecret":"s3cr3t"}"#);
        let app = parse(&object, None).unwrap();
        assert_eq!(app.client_id, "3MVG");
        assert!(app.client_secret.as_ref().unwrap().same_as("s3cr3t"));
        assert!(!format!("{app:?}").contains("s3cr3t"));

        let bare = parse(&Secret::new("s3cr3t"), Some("client")).unwrap();
        assert!(bare.client_secret.unwrap().same_as("s3cr3t"));
    }

    #[test]
    fn a_secret_without_both_parts_is_refused() {
        for text in [
            "",
            "{}",
            r#"{"clientId":"a"}"#,
            r#"{"clientId":"","clientSecret":"b"}"#,
            "plain",
        ] {
            assert!(parse(&Secret::new(text), None).is_none(), "{text}");
        }
    }

    #[test]
    fn c12_a_secret_is_gone_if_it_is_not_there_or_marked_for_deletion() {
        let refusal = |code: Option<&str>, message: &str| Refusal {
            code: code.map(str::to_owned),
            message: Some(message.to_owned()),
            status: code.map(|_| 400),
            request_id: None,
        };
        let marked =
            "You can't perform this operation on the secret because it was marked for deletion.";
        for (code, message, gone) in [
            (Some("ResourceNotFoundException"), "", true),
            (Some("InvalidRequestException"), marked, true),
            (
                Some("InvalidRequestException"),
                "A parameter is wrong.",
                false,
            ),
            (Some("AccessDeniedException"), marked, false),
            (Some("ThrottlingException"), "", false),
            (None, "", false),
        ] {
            let error = AppError::of(refusal(code, message));
            assert_eq!(matches!(error, AppError::Gone), gone, "{code:?} {message}");
        }
    }
}
