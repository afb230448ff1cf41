//! `POST /v1/connections/{id}/refresh`

use std::time::Duration;

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use jiff::Timestamp;
use serde::Serialize;
use tributary::{
    aws::Refusal,
    connection::{Connection, ConnectionState, TokenOwner},
    error::{Error, Kind},
    http::{IdempotencyKey, Problem},
    id::{ConnectionId, TenantId},
};

use super::{find, view::ConnectionView};
use crate::{
    App, TenantApp,
    edge::{Editor, NoBody, id_in_path, json},
};

/// Longest that a caller can wait for the outcome (RFC 7240 section 4.3), in seconds.
const LONGEST_WAIT: u64 = 20;
/// How often the record is looked at meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(150);
/// Tokens that a refresh brought so long ago are new, in milliseconds.
const FRESH: i64 = 30_000;
/// After a failure nobody can ask for another attempt before this, in milliseconds.
const COOLDOWN: i64 = 30_000;

/// What the refresh function reads from its queue.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    tenant_id: TenantId,
    connection_id: ConnectionId,
    /// A refresh of an older generation is dropped.
    generation: u64,
    reason: &'static str,
}

/// Asks for a refresh of the connection's tokens, or joins the one that is under way. It is done
/// shortly; watch `accessExpiresAt`, or send `Prefer: wait=N` (20 seconds at most) to be answered with
/// 200 and the connection as it is afterwards.
#[utoipa::path(post, path = "/v1/connections/{id}/refresh", tag = "connections", params(
    ("id" = ConnectionId, Path, description = "The connection"),
    IdempotencyKey,
    ("Prefer" = Option<String>, Header, description = "`wait=N`: answer when it is done, after N seconds at the latest"),
), responses(
    (status = 200, body = ConnectionView, description = "Done, within the time that `Prefer` gave it"),
    (status = 202, body = ConnectionView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn refresh_connection(
    State(app): State<App>,
    editor: Editor,
    key: IdempotencyKey,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: NoBody,
) -> Result<Response, Error> {
    let app = app.within(&editor.scope);
    let connection = find(&app, editor.tenant, id_in_path(&id)?).await?;
    if connection.token_owner != TokenOwner::Tributary {
        return Err(Error::new(
            Kind::Conflict,
            "nothing_to_refresh",
            "We hold no refresh token of this connection.",
        ));
    }
    if !matches!(
        connection.state,
        ConnectionState::Active | ConnectionState::Limited
    ) {
        return Err(Error::new(
            Kind::Conflict,
            "not_connected",
            "Only a new consent helps this connection; reconnect it.",
        ));
    }
    let operation = format!("refresh-{}", connection.id);
    let work = async {
        let now = Timestamp::now().as_millisecond();
        cooled_down(&connection, now)?;
        // R1: who comes a moment after the flight has landed takes what it brought.
        let landed = connection.refreshed_at.map(|at| at.saturating_add(FRESH));
        if landed.is_some_and(|until| until > now) {
            return json(StatusCode::OK, &ConnectionView::of(&connection));
        }
        // Whoever holds the lease is at it: a message would find the same and do nothing.
        if connection.lease_until.is_some_and(|until| until > now) {
            return json(StatusCode::ACCEPTED, &ConnectionView::of(&connection));
        }
        let message = Message {
            tenant_id: connection.tenant_id,
            connection_id: connection.id,
            generation: connection.generation,
            reason: "asked",
        };
        let text = serde_json::to_string(&message).map_err(|error| {
            Error::internal("message_failed", "a message could not be written").with_source(error)
        })?;
        app.queues
            .send_message()
            .queue_url(&app.config.refresh_queue_url)
            .message_body(text)
            .send()
            .await
            .map_err(|error| Refusal::of(&error).into_error("SendMessage"))?;
        json(StatusCode::ACCEPTED, &ConnectionView::of(&connection))
    };
    let accepted = key
        .once(
            &app.store,
            &editor.partition(),
            &operation,
            editor.subject(),
            &body.bytes,
            work,
        )
        .await?;
    match preferred_wait(&headers) {
        Some(wait) if accepted.status() == StatusCode::ACCEPTED => {
            outcome_within(&app, &connection, wait, accepted).await
        }
        Some(_) | None => Ok(accepted),
    }
}

/// Refuses an attempt that comes too soon after a failure.
fn cooled_down(connection: &Connection, now: i64) -> Result<(), Error> {
    let Some(failed) = connection.failed_at.filter(|_| connection.failures > 0) else {
        return Ok(());
    };
    let left = failed.saturating_add(COOLDOWN).saturating_sub(now);
    if left <= 0 {
        return Ok(());
    }
    let seconds = u32::try_from(left.clamp(0, COOLDOWN) / 1000 + 1).unwrap_or(30);
    Err(Error::new(
        Kind::Throttled,
        "refresh_failed_recently",
        "The last refresh failed moments ago. It is tried again by itself; ask again later.",
    )
    .with_retry_after(seconds))
}

/// For how long the caller wants to wait (RFC 7240).
fn preferred_wait(headers: &HeaderMap) -> Option<Duration> {
    headers
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|preference| preference.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("wait"))
        .and_then(|(_, value)| value.trim().trim_matches('"').parse::<u64>().ok())
        .filter(|seconds| *seconds > 0)
        .map(|seconds| Duration::from_secs(seconds.min(LONGEST_WAIT)))
}

/// Looks at the record until it has new tokens or another state, and answers with it.
async fn outcome_within(
    app: &TenantApp,
    asked: &Connection,
    wait: Duration,
    accepted: Response,
) -> Result<Response, Error> {
    let end = tokio::time::Instant::now() + wait;
    while tokio::time::Instant::now() < end {
        tokio::time::sleep(LOOK_EVERY).await;
        let seen = find(app, asked.tenant_id, asked.id).await?;
        if seen.generation != asked.generation || seen.state != asked.state {
            let mut answer = json(StatusCode::OK, &ConnectionView::of(&seen))?;
            answer.headers_mut().insert(
                HeaderName::from_static("preference-applied"),
                HeaderValue::from_static("wait"),
            );
            return Ok(answer);
        }
    }
    Ok(accepted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(value: &str) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert("prefer", HeaderValue::from_str(value).unwrap());
        preferred_wait(&headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn a_wait_is_read_and_bounded() {
        assert_eq!(wait("wait=5"), Some(5));
        assert_eq!(wait("respond-async, WAIT = 7"), Some(7));
        assert_eq!(wait("wait=\"9\""), Some(9));
        assert_eq!(wait("wait=3600"), Some(LONGEST_WAIT));
        for ignored in [
            "wait=0",
            "wait=-1",
            "wait=soon",
            "wait",
            "return=minimal",
            "",
        ] {
            assert_eq!(wait(ignored), None, "{ignored}");
        }
        assert_eq!(preferred_wait(&HeaderMap::new()), None);
    }
}
