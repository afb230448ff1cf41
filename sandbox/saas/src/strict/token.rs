//! The token endpoints.

use std::{sync::Arc, time::Instant};

use axum::{body::Body, response::Response};
use http::request;
use serde_json::{Value, json};

use super::{
    Book, Place, Providers,
    error::{Cause, Refusal},
    grants::{Exchange, Issued, Presented, Rotation, Terms},
    request::{parameters, secret_in_url},
    trouble::{Endpoint, Trouble},
};
use crate::{oauth::token_answer, params::Params, server::annotated};

/// `POST` of a token path.
pub(super) async fn token(
    providers: &Arc<Providers>,
    place: Place<'_>,
    parts: &request::Parts,
    body: Body,
) -> Response {
    let row = place.flavour;
    let old = place.rest.contains("/v1/");
    let params = parameters(row, &parts.headers, body).await;
    let grant_type = params
        .as_ref()
        .ok()
        .and_then(|params| params.get("grant_type"))
        .unwrap_or("none")
        .to_owned();
    providers.count_call(place, &grant_type);
    let trouble = providers.trouble_at(place, Endpoint::Token);
    if let Some(trouble) = &trouble {
        let now = providers.options.clock.now();
        let refusal = |status, error: &str, description: &str, code| {
            let refusal = Refusal {
                status,
                error: error.to_owned(),
                description: description.to_owned(),
                code,
                name: error.to_owned(),
            };
            refusal.answer(row.shape, old, now)
        };
        if let Some(response) = trouble.before(refusal).await {
            let note = format!("grant_type={grant_type} outcome=trouble");
            return annotated(response, None, note);
        }
    }
    let outcome = params.and_then(|params| {
        if secret_in_url(parts.uri.query().unwrap_or_default()) {
            providers.book(row, |book| book.counters.secret_in_url += 1);
            return Err(Cause::Request("secret_in_url"));
        }
        let client_id = providers.authenticate(row, &parts.headers, &params)?;
        providers.within_rate(place, &client_id)?;
        let bytes = match &trouble {
            Some(Trouble::LongAccessToken { bytes }) => *bytes,
            _ => row.access_bytes,
        };
        let terms = providers.terms(place, bytes, &params);
        let issued = providers.issue(place, &client_id, &params, &terms)?;
        Ok((issued, terms))
    });
    let response = match outcome {
        Ok((issued, terms)) => {
            let username = issued.username.clone();
            let mut body = providers.answer(place, issued, &terms);
            if let Some(trouble) = &trouble {
                trouble.bend(&mut body);
            }
            let note = format!("grant_type={grant_type} outcome=granted");
            annotated(token_answer(body), Some(&username), note)
        }
        Err(cause) => {
            let words = row.texts.of(cause);
            let note = format!("grant_type={grant_type} outcome={}", words.error);
            let now = providers.options.clock.now();
            annotated(Refusal::from(words).answer(row.shape, old, now), None, note)
        }
    };
    match trouble {
        Some(trouble) => trouble.after(response).await,
        None => response,
    }
}

impl Providers {
    fn count_call(&self, place: Place<'_>, grant_type: &str) {
        self.book(place.flavour, |book| {
            let calls = &mut book.counters.token_calls;
            *calls.entry(grant_type.to_owned()).or_default() += 1;
            let now = book.pace.call(Instant::now());
            let most = &mut book.counters.most_calls_in_a_second;
            *most = now.max(*most);
        });
    }

    fn within_rate(&self, place: Place<'_>, client_id: &str) -> Result<(), Cause> {
        let now = self.now();
        self.book(place.flavour, |book| {
            let Some(limit) = book.rate_limit else {
                return Ok(());
            };
            let since =
                now.saturating_sub(i64::try_from(limit.per.as_millis()).unwrap_or(i64::MAX));
            let calls = book.calls_of.entry(client_id.to_owned()).or_default();
            calls.retain(|at| *at > since);
            if calls.len() >= limit.calls {
                book.counters.rate_violations += 1;
                return Err(Cause::RateLimit);
            }
            calls.push_back(now);
            Ok(())
        })
    }

    /// The terms of this call: lives vary where the provider's do, and Zendesk's client may ask for one.
    fn terms(&self, place: Place<'_>, access_bytes: usize, params: &Params) -> Terms {
        let row = place.flavour;
        let (shortest, longest) = row.access_life;
        let number = self.book(row, |book| {
            book.issues += 1;
            book.issues
        });
        let spread = (longest - shortest) / 1000 + 1;
        let asked = params
            .get("expires_in")
            .filter(|_| row.token_parameters.contains(&"expires_in"))
            .and_then(|text| text.parse::<i64>().ok())
            .filter(|seconds| (300..=172_800).contains(seconds));
        Terms {
            rotation: row.rotation,
            access_life: asked.map_or_else(
                || shortest + (number * 617 % spread) * 1000,
                |seconds| seconds * 1000,
            ),
            refresh_life: row.refresh_life,
            access_prefix: row.access_prefix,
            access_bytes,
            refresh_prefix: row.refresh_prefix,
        }
    }

    fn issue(
        &self,
        place: Place<'_>,
        client_id: &str,
        params: &Params,
        terms: &Terms,
    ) -> Result<Issued, Cause> {
        let now = self.now();
        self.book(place.flavour, |book| match params.get("grant_type") {
            None => Err(Cause::Request("grant_type is missing")),
            Some("authorization_code") => exchange(book, place, client_id, params, terms, now),
            Some("refresh_token") => refresh(book, place, client_id, params, terms, now),
            Some(_) => Err(Cause::GrantType),
        })
    }

    /// The token answer in the provider's shape. Whatever it holds is a secret from now on.
    fn answer(&self, place: Place<'_>, issued: Issued, terms: &Terms) -> Value {
        let row = place.flavour;
        self.seed_issued(row, &issued);
        let shown = issued
            .scope
            .split(' ')
            .filter(|scope| Some(*scope) != row.refresh_scope)
            .collect::<Vec<_>>()
            .join(" ");
        let mut body = json!({
            "access_token": issued.access_token,
            "token_type": "Bearer",
            "expires_in": terms.access_life / 1000,
            "scope": shown,
        });
        if let Some(token) = issued.refresh_token {
            body["refresh_token"] = json!(token);
        }
        if let Some(user) = self.user(&issued.username) {
            (row.members)(&user, &mut body);
        }
        body
    }
}

fn exchange(
    book: &mut Book,
    place: Place<'_>,
    client_id: &str,
    params: &Params,
    terms: &Terms,
    now: i64,
) -> Result<Issued, Cause> {
    let asked = Exchange {
        code: params
            .get("code")
            .ok_or(Cause::Request("code is missing"))?,
        client_id,
        instance: place.bound_to(),
        redirect_uri: params
            .get("redirect_uri")
            .ok_or(Cause::Request("redirect_uri is missing"))?,
        verifier: params.get("code_verifier"),
    };
    let outcome = book.grants.exchange(&asked, terms, now);
    match &outcome {
        Ok(_) => book.counters.exchanged += 1,
        Err(_) => book.counters.refused_codes += 1,
    }
    outcome
}

fn refresh(
    book: &mut Book,
    place: Place<'_>,
    client_id: &str,
    params: &Params,
    terms: &Terms,
    now: i64,
) -> Result<Issued, Cause> {
    let asked = Presented {
        token: params
            .get("refresh_token")
            .ok_or(Cause::Request("refresh_token is missing"))?,
        client_id,
        instance: place.bound_to(),
    };
    if terms.rotation != Rotation::Same && book.grants.uses(asked.token) > 0 {
        book.counters.double_uses += 1;
    }
    match book.grants.refresh(&asked, terms, now) {
        Ok(issued) => {
            book.counters.refreshed += 1;
            Ok(issued)
        }
        Err(refused) => {
            book.counters.families_revoked += u64::from(refused.ended);
            Err(refused.cause)
        }
    }
}
