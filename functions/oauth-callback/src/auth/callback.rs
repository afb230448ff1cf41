//! `GET /auth/callback`: the identity provider sends the browser back.

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use tributary::{
    error::{Error, Kind, Result},
    http::{Problem, Trail},
    oauth::{TokenAnswer, TokenFailure, TokenOutcome, provider::SIGN_IN},
    secret::Secret,
    store::{Key, key::sha256_hex},
    vault::NO_TENANT,
};

use super::{KIND, LoginState};
use crate::{
    actor,
    app::App,
    cookie,
    edge::see_other,
    query::{CallbackQuery, Decision},
    session::{self, Session, SessionTokens, Times},
    sign_in::{self, Person},
};

/// What was sealed when the sign-in began.
#[derive(Deserialize)]
struct Sealed {
    verifier: Secret,
    nonce: Secret,
}

/// Finishes a sign-in.
#[utoipa::path(get, path = "/auth/callback", tag = "sign-in", operation_id = "finish_sign_in",
    params(
        ("code" = Option<String>, Query, description = "Authorization code."),
        ("state" = String, Query, description = "State of the sign-in."),
        ("iss" = Option<String>, Query, description = "Who answers (RFC 9207)."),
        ("error" = Option<String>, Query, description = "Why there is no code."),
    ),
    responses(
        (status = 303, description = "To where the sign-in was to end, with the session cookie."),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn callback(
    State(app): State<App>,
    trail: Trail,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let query = CallbackQuery::parse(query.as_deref().unwrap_or_default())?;
    let transaction = take(&app, &headers, &query.state).await?;
    let metadata = app.sign_in.metadata().await?;
    if !app
        .sign_in
        .issuer_is_right(&metadata, query.issuer.as_deref())
    {
        return Err(refused("iss is not the issuer that was asked"));
    }
    let code = match query.decision {
        Decision::Granted(code) => code,
        Decision::Denied => return Err(refused("access_denied")),
        Decision::Refused(error) => return Err(refused(error)),
    };
    let sealed = open(&app, &query.state, &transaction).await?;
    let asked = Timestamp::now();
    let outcome = app
        .sign_in
        .client(&metadata)
        .exchange(&code, &sealed.verifier, app.sign_in.redirect_uri())
        .await;
    let answer = match outcome {
        TokenOutcome::Answered(answer) if answer.is_bearer() => answer,
        TokenOutcome::Refused(
            failure @ (TokenFailure::ReauthRequired(_) | TokenFailure::FlowFailed(_)),
        ) => return Err(refused(failure.reason())),
        other => return Err(sign_in::failed(&other)),
    };
    let (person, tokens, ends) = identify(&app, *answer, &sealed.nonce).await?;
    trail.acts(actor::person(&app, &person));
    if let Some(previous) = cookie::get(&headers, cookie::SESSION) {
        Session::end(&app, &previous).await?;
    }
    tracing::info!(user.subject = person.subject, "signed in");
    let times = Times { asked, ends };
    let session = Session::begin(&app, person, &tokens, times).await?;
    see_other(
        transaction.return_to.as_str(),
        [
            session::cookie_for(&session)?,
            cookie::clear(&cookie::transaction(KIND, &query.state))?,
        ],
    )
}

/// Takes the sign-in of this state, once, if this is the browser that began it.
async fn take(app: &App, headers: &HeaderMap, state: &Secret) -> Result<LoginState> {
    // Without the cookie nothing is taken: a link scanner cannot use a sign-in up.
    let binding = cookie::get(headers, &cookie::transaction(KIND, state))
        .ok_or_else(|| refused("no transaction cookie"))?;
    let taken: Option<LoginState> = app.shared.take(&Key::login(state.expose())).await?;
    let transaction = taken.ok_or_else(|| refused("the state is unknown or was used"))?;
    if transaction.expires_at <= Timestamp::now().as_second() {
        return Err(refused("the state has expired"));
    }
    if !Secret::new(sha256_hex(binding.expose())).same_as(&transaction.cookie_hash) {
        return Err(refused("the transaction cookie is another one"));
    }
    Ok(transaction)
}

async fn open(app: &App, state: &Secret, transaction: &LoginState) -> Result<Sealed> {
    let place = [KIND, &sha256_hex(state.expose())];
    let opened = app
        .sign_ins
        .open_for(NO_TENANT, &place, &transaction.sealed)
        .await?;
    serde_json::from_str(opened.expose())
        .map_err(|_| Error::internal("login_shape", "a sign-in holds no verifier and nonce"))
}

async fn identify(
    app: &App,
    answer: TokenAnswer,
    nonce: &Secret,
) -> Result<(Person, SessionTokens, Timestamp)> {
    let unverified = answer
        .unverified_id_token
        .as_ref()
        .ok_or_else(|| refused("the answer has no ID token"))?;
    let (person, claims) = app
        .sign_in
        .identify(unverified, Some(nonce.expose()))
        .await?;
    let ends = usable_until(&answer, Some(claims.exp), Timestamp::now());
    let tokens = SessionTokens {
        access: answer.access_token,
        id: answer.unverified_id_token,
        refresh: answer.refresh_token,
    };
    Ok((person, tokens, ends))
}

/// Until when a set of tokens is of use: until the first of them ends.
pub(super) fn usable_until(
    answer: &TokenAnswer,
    id_token_exp: Option<i64>,
    now: Timestamp,
) -> Timestamp {
    // A token that lives for ever is still handed out for a day only.
    let life = answer
        .access_life(&SIGN_IN)
        .min(SignedDuration::from_hours(24));
    let access = now.saturating_add(life).unwrap_or(Timestamp::MAX);
    let id_token = id_token_exp.and_then(|exp| Timestamp::from_second(exp).ok());
    id_token.map_or(access, |id_token| id_token.min(access))
}

/// One answer to whatever ends a sign-in; the log says which it was.
fn refused(log: &str) -> Error {
    Error::new(
        Kind::Forbidden,
        "sign_in_refused",
        "The sign-in did not work. Start again from the application.",
    )
    .with_log(log)
}
