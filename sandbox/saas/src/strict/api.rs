//! The applications behind the providers: who granted, a few records, and revocation.

use std::sync::Arc;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, StatusCode, header, request};
use serde_json::json;

use super::{
    Place, Providers,
    flavour::{DYNAMICS, Flavour, Page, flavour, resource},
    grants::Live,
    trouble::{Endpoint, Trouble},
    users::ProviderUser,
};
use crate::{oauth::bearer, random::same_secret, server::annotated};

/// `GET` of anything below an application's base.
pub(super) async fn read(
    providers: &Arc<Providers>,
    place: Place<'_>,
    headers: &HeaderMap,
) -> Response {
    let user = providers
        .caller(place, headers)
        .ok_or(())
        .and_then(|(user, live)| {
            let here = live.is_none_or(|live| live.instance == place.bound_to());
            here.then_some(user).ok_or(())
        });
    answer(providers, place, place.flavour.pages, user).await
}

/// `GET /dynamics/{org}/…`: a token of Microsoft is good if it is for this org and its user belongs
/// to it.
pub(super) async fn dynamics(
    providers: &Arc<Providers>,
    path: &str,
    parts: &request::Parts,
) -> Response {
    let (Some(row), Some((org, _))) = (flavour("microsoft"), path.split_once('/')) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if !providers.has_org(org) || parts.method != http::Method::GET {
        return StatusCode::NOT_FOUND.into_response();
    }
    let place = Place {
        flavour: row,
        instance: org,
        rest: &path[org.len()..],
    };
    let here = format!("{}/dynamics/{org}", providers.base_url());
    let user = providers
        .caller(place, &parts.headers)
        .and_then(|(user, live)| {
            let live = live?;
            let named = live.scope.split(' ').filter_map(resource);
            let meant = named
                .map(|url| url.trim_end_matches('/'))
                .any(|url| url == here);
            (meant && user.org == org).then_some(user)
        });
    answer(providers, place, DYNAMICS, user.ok_or(())).await
}

async fn answer(
    providers: &Arc<Providers>,
    place: Place<'_>,
    pages: &[Page],
    user: Result<ProviderUser, ()>,
) -> Response {
    providers.book(place.flavour, |book| {
        book.counters.api_calls += 1;
        book.counters.api_refused += u64::from(user.is_err());
    });
    let trouble = providers.trouble_at(place, Endpoint::Api);
    if let Some(response) = before(trouble.as_ref()).await {
        return response;
    }
    let response = match user {
        Err(()) => annotated(unauthorized(place.flavour), None, "outcome=401".to_owned()),
        Ok(user) => {
            let page = pages.iter().find(|(path, _)| *path == place.rest);
            let response = page.map_or_else(
                || (StatusCode::NOT_FOUND, Json(json!({ "error": "not found" }))).into_response(),
                |(_, page)| Json(page(&user)).into_response(),
            );
            annotated(response, Some(&user.username), String::new())
        }
    };
    match trouble {
        Some(trouble) => trouble.after(response).await,
        None => response,
    }
}

/// Trouble that comes before any effect.
async fn before(trouble: Option<&Trouble>) -> Option<Response> {
    let refusal = |status, error: &str, description: &str, _| {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        (
            status,
            Json(json!({ "error": error, "message": description })),
        )
            .into_response()
    };
    trouble?.before(refusal).await
}

/// What an application says to a bad token.
fn unauthorized(row: &Flavour) -> Response {
    let body = match row.key {
        "service-now" => json!({ "error": { "message": "User Not Authenticated",
            "detail": "Required to provide Auth information" }, "status": "failure" }),
        "hubspot" => json!({ "status": "error", "category": "EXPIRED_AUTHENTICATION",
            "message": "The OAuth token used to make this call expired" }),
        "zendesk" => json!({ "error": "invalid_token",
            "error_description": "The access token provided is expired, revoked, malformed or invalid for other reasons." }),
        _ => {
            json!({ "error": { "code": "0x80072560", "message": "The user is not a member of the organization." } })
        }
    };
    let bearer = [(header::WWW_AUTHENTICATE, "Bearer")];
    (StatusCode::UNAUTHORIZED, bearer, Json(body)).into_response()
}

/// `DELETE` of a token by itself: its whole grant ends.
pub(super) async fn revoke(
    providers: &Arc<Providers>,
    place: Place<'_>,
    headers: &HeaderMap,
) -> Response {
    let trouble = providers.trouble_at(place, Endpoint::Revoke);
    if let Some(response) = before(trouble.as_ref()).await {
        return response;
    }
    let caller = providers.caller(place, headers);
    let live = caller.and_then(|(_, live)| live.filter(|live| live.instance == place.bound_to()));
    let response = match live {
        None => annotated(unauthorized(place.flavour), None, "outcome=401".to_owned()),
        Some(live) => {
            providers.book(place.flavour, |book| {
                book.grants.revoke_grant(live.grant);
                book.counters.revocations += 1;
            });
            annotated(
                StatusCode::NO_CONTENT.into_response(),
                Some(&live.username),
                "outcome=revoked".to_owned(),
            )
        }
    };
    match trouble {
        Some(trouble) => trouble.after(response).await,
        None => response,
    }
}

impl Providers {
    /// Who calls the API: by a live token, or where the application takes that by name and password.
    fn caller(
        &self,
        place: Place<'_>,
        headers: &HeaderMap,
    ) -> Option<(ProviderUser, Option<Live>)> {
        if let Some(token) = bearer(headers) {
            let now = self.now();
            let live = self.book(place.flavour, |book| book.grants.access(token, now))?;
            return Some((self.user(&live.username)?, Some(live)));
        }
        if !place.flavour.takes_basic_users {
            return None;
        }
        let (scheme, encoded) = headers
            .get(header::AUTHORIZATION)?
            .to_str()
            .ok()?
            .split_once(' ')?;
        let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
        let (name, password) = decoded.split_once(':')?;
        let user = self.user(name).filter(|user| place.admits(user))?;
        let right = scheme.eq_ignore_ascii_case("basic") && same_secret(&user.password, password);
        right.then_some((user, None))
    }
}
