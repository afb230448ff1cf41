//! Start links: where a consent begins, once, for ten minutes, in one person's browser.

use jiff::{SignedDuration, Timestamp};
use tributary::{
    connection::{Connection, attempt::Attempt},
    error::{Error, Fault},
    id::AttemptId,
    oauth::{StartLink, random_token},
    store::Key,
};

use crate::{BrowserConfig, TenantApp};

/// How long a link works.
const LIFE: SignedDuration = SignedDuration::from_secs(600);

/// A link to hand out.
pub(super) struct Handed {
    pub(super) url: String,
    pub(super) expires_at: Timestamp,
    pub(super) attempt_id: AttemptId,
}

/// What a link is asked for.
pub(super) struct Asked<'a> {
    connection: &'a Connection,
    subject: &'a str,
    provider: &'a str,
    pub(super) return_to: Option<String>,
    pub(super) reconnect: bool,
    pub(super) allow_other_organisation: bool,
}

impl<'a> Asked<'a> {
    pub(super) fn new(connection: &'a Connection, subject: &'a str, provider: &'a str) -> Self {
        Self {
            connection,
            subject,
            provider,
            return_to: None,
            reconnect: false,
            allow_other_organisation: false,
        }
    }

    /// The link itself, and the attempt that begins with it.
    pub(super) async fn link(
        self,
        app: &TenantApp,
        life: SignedDuration,
    ) -> Result<(StartLink, Timestamp, AttemptId), Error> {
        let connection = self.connection;
        let attempt_id = AttemptId::new();
        let expires_at = Timestamp::now()
            .saturating_add(life)
            .unwrap_or(Timestamp::MAX);
        Attempt::begin(&app.store, connection.tenant_id, connection.id, attempt_id).await?;
        let link = StartLink {
            tenant_id: connection.tenant_id,
            connection_id: connection.id,
            subject: self.subject.to_owned(),
            provider: self.provider.to_owned(),
            return_to: self.return_to,
            expires_at: expires_at.as_second(),
            reconnect: self.reconnect,
            attempt_id: Some(attempt_id),
            allow_other_organisation: self.allow_other_organisation,
        };
        Ok((link, expires_at, attempt_id))
    }
}

/// Where the browser goes after the consent, if that is one of our applications.
pub(super) fn return_to(
    browser: &BrowserConfig,
    unverified: Option<&str>,
) -> Result<String, Fault> {
    match unverified {
        Some(address) if browser.allows(address) => Ok(address.to_owned()),
        Some(_) => Err(Fault::new(
            "/returnTo",
            "origin_not_allowed",
            "An address at one of the configured applications.",
        )),
        None => Ok(browser
            .app_origins
            .first()
            .map(|origin| format!("{origin}/"))
            .unwrap_or_default()),
    }
}

/// Makes a link for a connection that is new, or not.
pub(super) async fn make(
    app: &TenantApp,
    connection: &Connection,
    subject: &str,
    provider: &str,
    return_to: &str,
    reconnect: bool,
) -> Result<Handed, Error> {
    let mut asked = Asked::new(connection, subject, provider);
    asked.return_to = Some(return_to.to_owned());
    asked.reconnect = reconnect;
    hand_out(app, asked).await
}

/// Makes a link. The token itself is kept nowhere: not in the table, not in idempotency records.
pub(super) async fn hand_out(app: &TenantApp, asked: Asked<'_>) -> Result<Handed, Error> {
    let token = random_token()?;
    let (link, expires_at, attempt_id) = asked.link(app, LIFE).await?;
    app.shared
        .insert(&Key::start_link(token.expose()), &link)
        .await?;
    let base = &app.config.browser.public_base_url;
    Ok(Handed {
        url: format!("{base}/connect/start?token={}", token.expose()),
        expires_at,
        attempt_id,
    })
}
