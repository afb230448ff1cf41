//! Start links: where a consent begins, once, for ten minutes, in one person's browser.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tributary::{
    connection::Connection,
    error::{Error, Fault},
    id::{ConnectionId, TenantId},
    oauth::random_token,
    store::Key,
};

use crate::{App, BrowserConfig};

/// How long a link works.
const LIFE: SignedDuration = SignedDuration::from_secs(600);

/// A link, as it is stored under the hash of its token. The sign-in function takes it.
#[derive(Debug, Serialize)]
struct StartLink<'a> {
    tenant_id: TenantId,
    connection_id: ConnectionId,
    /// Only this person's own signed-in browser may open it.
    subject: &'a str,
    provider: &'a str,
    return_to: &'a str,
    reconnect: bool,
    expires_at: i64,
}

/// A link to hand out.
pub(super) struct Handed {
    pub(super) url: String,
    pub(super) expires_at: Timestamp,
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

/// Makes a link. The token itself is kept nowhere: not in the table, not in idempotency records.
pub(super) async fn make(
    app: &App,
    connection: &Connection,
    subject: &str,
    provider: &str,
    return_to: &str,
    reconnect: bool,
) -> Result<Handed, Error> {
    let token = random_token()?;
    let expires_at = Timestamp::now()
        .saturating_add(LIFE)
        .unwrap_or(Timestamp::MAX);
    let link = StartLink {
        tenant_id: connection.tenant_id,
        connection_id: connection.id,
        subject,
        provider,
        return_to,
        reconnect,
        expires_at: expires_at.as_second(),
    };
    app.store
        .insert(&Key::start_link(token.expose()), &link)
        .await?;
    let base = &app.config.browser.public_base_url;
    Ok(Handed {
        url: format!("{base}/connect/start?token={}", token.expose()),
        expires_at,
    })
}
