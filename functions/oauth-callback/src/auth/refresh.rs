//! Fresh tokens for a session: one flight, and the newest refresh token stored before anybody sees it.

use std::time::Duration;

use jiff::Timestamp;
use tributary::{
    error::{Error, Kind, Result},
    http::Trail,
    oauth::{TokenAnswer, TokenFailure, TokenOutcome},
    secret::Secret,
};

use super::callback::usable_until;
use crate::{
    actor,
    app::App,
    session::{Lease, Session, SessionTokens, Times},
    sign_in,
};

/// How often, and at what pace, somebody who finds another refresh under way looks again.
const LOOKS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(250);

/// Tokens of a session, and for how many seconds they are good; none when the session has ended.
///
/// `fresh` asks for tokens that nobody was given before: an ID token can be exchanged once only.
pub(super) async fn tokens(
    app: &App,
    trail: &Trail,
    cookie: &Secret,
    fresh: bool,
) -> Result<Option<(SessionTokens, i64)>> {
    for _ in 0..LOOKS {
        let now = Timestamp::now();
        let Some(session) = Session::load(app, cookie).await? else {
            return Ok(None);
        };
        trail.acts(actor::signed_in(app, &session));
        // Ended tokens are not handed out again: the identity provider says what the person is now.
        let fresh = fresh || session.is_outdated(app).await?;
        if !fresh && session.is_fresh(now) {
            return handout(app, cookie, &session, now).await.map(Some);
        }
        match Session::lease(app, cookie, now).await? {
            Lease::Gone => return Ok(None),
            Lease::Busy => tokio::time::sleep(PAUSE).await,
            // Somebody may have refreshed between the look and the lease.
            Lease::Ours(session) if !fresh && session.is_fresh(now) => {
                session.release(app, cookie).await?;
                return handout(app, cookie, &session, now).await.map(Some);
            }
            Lease::Ours(session) => return renew(app, cookie, &session).await,
        }
    }
    Err(Error::new(
        Kind::Unavailable,
        "session_busy",
        "Another refresh of this session is under way. Try again shortly.",
    )
    .with_retry_after(1))
}

async fn handout(
    app: &App,
    cookie: &Secret,
    session: &Session,
    now: Timestamp,
) -> Result<(SessionTokens, i64)> {
    Ok((
        session.tokens(app, cookie).await?,
        session.seconds_left(now),
    ))
}

async fn renew(
    app: &App,
    cookie: &Secret,
    session: &Session,
) -> Result<Option<(SessionTokens, i64)>> {
    let old = session.tokens(app, cookie).await?;
    let Some(refresh_token) = &old.refresh else {
        Session::end(app, cookie).await?;
        return Ok(None);
    };
    let metadata = match app.sign_in.metadata().await {
        Ok(metadata) => metadata,
        Err(error) => {
            session.release(app, cookie).await?;
            return Err(error);
        }
    };
    let client = app.sign_in.client(&metadata);
    let asked = Timestamp::now();
    match client.refresh_session(refresh_token).await {
        TokenOutcome::Answered(answer) if answer.is_bearer() => {
            let (tokens, stored) = keep(app, cookie, session, old, *answer, asked).await?;
            if stored.is_none()
                && let Some(orphan) = &tokens.refresh
            {
                // Signed out while the call was under way: nobody will ever present this one.
                let outcome = client.revoke(orphan).await;
                tracing::info!(revocation = ?outcome, "a session ended while it was refreshed");
            }
            Ok(stored.map(|seconds| (tokens, seconds)))
        }
        TokenOutcome::Refused(TokenFailure::ReauthRequired(_) | TokenFailure::FlowFailed(_)) => {
            tracing::info!(
                user.subject = session.subject,
                "the identity provider ended a session"
            );
            session.end_tokens(app).await?;
            Session::end(app, cookie).await?;
            Ok(None)
        }
        // Also after a lost answer the same token is presented next time: at worst the identity
        // provider takes it for a replay and this one person signs in again.
        other => {
            session.release(app, cookie).await?;
            Err(sign_in::failed(&other))
        }
    }
}

/// Stores what came, then believes it: a rotated refresh token must survive an ID token that is bad.
/// Answers the tokens, and for how many seconds they are good if the session is still there.
async fn keep(
    app: &App,
    cookie: &Secret,
    session: &Session,
    old: SessionTokens,
    answer: TokenAnswer,
    asked: Timestamp,
) -> Result<(SessionTokens, Option<i64>)> {
    let now = Timestamp::now();
    let identified = identify(app, session, answer.unverified_id_token.as_ref()).await;
    let ends = match &identified {
        Ok(identified) => usable_until(&answer, identified.as_ref().map(|(_, exp)| *exp), now),
        Err(_) => now,
    };
    let tokens = SessionTokens {
        access: answer.access_token,
        id: answer.unverified_id_token.filter(|_| identified.is_ok()),
        refresh: answer.refresh_token.or(old.refresh),
    };
    let person = identified
        .as_ref()
        .ok()
        .and_then(|identified| identified.as_ref().map(|(person, _)| person));
    let times = Times { asked, ends };
    let stored = session.renew(app, cookie, person, &tokens, times).await?;
    identified?;
    Ok((tokens, stored.map(|session| session.seconds_left(now))))
}

async fn identify(
    app: &App,
    session: &Session,
    unverified: Option<&Secret>,
) -> Result<Option<(sign_in::Person, i64)>> {
    // An answer to a refresh may come without an ID token (OpenID Connect Core section 12.2).
    let Some(unverified) = unverified else {
        return Ok(None);
    };
    let (person, claims) = app.sign_in.identify(unverified, None).await?;
    if person.subject != session.subject {
        return Err(Error::internal(
            "subject_changed",
            "a refresh answered with another person's ID token",
        ));
    }
    Ok(Some((person, claims.exp)))
}
