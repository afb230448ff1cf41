//! `CreateTokenWithIAM`: `POST /token?aws_iam=t`.

use http::{HeaderValue, Method, StatusCode};
use jiff::Timestamp;
use sandbox_core::{AwsCall, AwsReply, DirectoryUser, REGION};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Directory, JWT_BEARER, REFRESH_TOKEN,
    assertion::{self, Claims},
    error::TokenError,
    issued::session_end,
    state::{Application, CUSTOM, State, TokenIssuer},
};
use crate::policy::{self, Caller, Context, Request};

const ACCESS_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:access_token";
/// Scopes that every application has.
const OWN_SCOPES: [&str; 3] = ["openid", "aws", "sts:identity_context"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ask {
    client_id: String,
    grant_type: String,
    assertion: Option<String>,
    refresh_token: Option<String>,
    scope: Option<Vec<String>>,
}

pub(super) async fn handle(directory: &Directory, call: &AwsCall) -> Result<AwsReply, TokenError> {
    let with_iam = url::form_urlencoded::parse(call.query.as_bytes())
        .any(|(name, value)| name == "aws_iam" && value == "t");
    if call.method != Method::POST || call.path != "/token" || !with_iam {
        return Ok(not_found());
    }
    let ask: Ask = serde_json::from_slice(&call.body).map_err(|_| TokenError::InvalidRequest)?;
    if call.region != REGION {
        return Err(TokenError::WrongRegion);
    }
    let application = directory
        .read(|state| state.applications.get(&ask.client_id).cloned())
        .filter(|application| application.enabled && application.provider == CUSTOM)
        .ok_or(TokenError::InvalidClient)?;
    authenticate(&application, call)?;
    let scopes = scopes(&application, ask.scope.as_deref())?;
    let grant = application
        .grants
        .get(&ask.grant_type)
        .ok_or(TokenError::UnsupportedGrantType)?;
    let (user, session_end) = match ask.grant_type.as_str() {
        JWT_BEARER => {
            let assertion = ask.assertion.as_deref().ok_or(TokenError::InvalidRequest)?;
            let user = exchange(directory, &application, grant, assertion).await?;
            (user, session_end())
        }
        REFRESH_TOKEN => {
            let token = ask.refresh_token.as_deref();
            let token = token.ok_or(TokenError::InvalidRequest)?;
            refresh(directory, &application, token)?
        }
        _ => return Err(TokenError::UnsupportedGrantType),
    };
    Ok(answer(directory, &application, &user, session_end, &scopes))
}

/// The caller authenticates with IAM: the application's own policy must let it in, too.
fn authenticate(application: &Application, call: &AwsCall) -> Result<(), TokenError> {
    let Some(policy) = &application.actor_policy else {
        return Err(TokenError::UnauthorizedClient);
    };
    let request = Request {
        caller: Some(&Caller::of(&call.principal)),
        action: "sso-oauth:CreateTokenWithIAM",
        resource: Some(&application.arn),
        context: &Context::default(),
    };
    if policy::allows(policy, &request) {
        Ok(())
    } else {
        Err(TokenError::CallerDenied)
    }
}

/// The scopes of the new tokens: those asked for, or all that the application has.
fn scopes(application: &Application, asked: Option<&[String]>) -> Result<Vec<String>, TokenError> {
    let own = OWN_SCOPES.iter().map(|scope| (*scope).to_owned());
    let all: Vec<String> = own.chain(application.scopes.keys().cloned()).collect();
    match asked {
        None => Ok(all),
        Some(asked) if asked.iter().all(|scope| all.contains(scope)) => Ok(asked.to_vec()),
        Some(_) => Err(TokenError::InvalidScope),
    }
}

async fn exchange(
    directory: &Directory,
    application: &Application,
    grant: &Value,
    unverified_assertion: &str,
) -> Result<DirectoryUser, TokenError> {
    let unverified_issuer = assertion::unverified_issuer(unverified_assertion)?;
    let issuer = directory
        .read(|state| {
            let mut issuers = state.issuers.values();
            issuers
                .find(|issuer| issuer.url == unverified_issuer)
                .cloned()
        })
        .ok_or(TokenError::InvalidGrant)?;
    let audiences = audiences(grant, &issuer);
    let claims = assertion::verify(
        &directory.http,
        &issuer,
        audiences.as_deref(),
        unverified_assertion,
    )
    .await?;
    // A good token of an issuer that this application was not given.
    if audiences.is_none() {
        return Err(TokenError::InvalidRequest);
    }
    let user = directory.read(|state| {
        let person = matching(state, &issuer, &claims)?;
        may_use(state, application, &person)
    })?;
    // Last, and in one step: of two simultaneous exchanges of one token, one is refused.
    if !directory.use_once(&claims.jti) {
        return Err(TokenError::InvalidGrant);
    }
    Ok(user)
}

/// The audiences that a grant takes of an issuer, if it takes its tokens at all.
fn audiences(grant: &Value, issuer: &TokenIssuer) -> Option<Vec<String>> {
    let issuers = grant["JwtBearer"]["AuthorizedTokenIssuers"].as_array()?;
    let listed = issuers
        .iter()
        .find(|listed| listed["TrustedTokenIssuerArn"] == issuer.arn)?;
    serde_json::from_value(listed["AuthorizedAudiences"].clone()).ok()
}

/// Exactly one person must match: two with one address are as good as none.
fn matching(state: &State, issuer: &TokenIssuer, claims: &Claims) -> Result<String, TokenError> {
    let value = claims
        .text(&issuer.claim_path)
        .ok_or(TokenError::InvalidGrant)?;
    match state.people_with(&issuer.store_path, value).as_slice() {
        [person] => Ok(person.id.clone()),
        _ => Err(TokenError::InvalidGrant),
    }
}

/// A refresh token works once, for its own application, and only while its session lasts.
fn refresh(
    directory: &Directory,
    application: &Application,
    token: &str,
) -> Result<(DirectoryUser, Timestamp), TokenError> {
    let held = directory
        .issued
        .take_refresh(token)
        .filter(|held| held.application_arn == application.arn)
        .ok_or(TokenError::InvalidGrant)?;
    if held.session_end <= Timestamp::now() {
        return Err(TokenError::ExpiredToken);
    }
    let user = directory.read(|state| may_use(state, application, &held.user_id))?;
    Ok((user, held.session_end))
}

fn may_use(
    state: &State,
    application: &Application,
    user_id: &str,
) -> Result<DirectoryUser, TokenError> {
    if !state
        .people
        .get(user_id)
        .is_some_and(|person| person.enabled)
    {
        return Err(TokenError::InvalidGrant);
    }
    if !state.is_assigned(application, user_id) {
        return Err(TokenError::AccessDenied);
    }
    state
        .directory_user(user_id)
        .ok_or(TokenError::InvalidGrant)
}

fn answer(
    directory: &Directory,
    application: &Application,
    user: &DirectoryUser,
    session_end: Timestamp,
    scopes: &[String],
) -> AwsReply {
    let tokens = directory.issued.issue(&application.arn, user, session_end);
    let mut body = json!({
        "accessToken": tokens.access,
        "tokenType": "Bearer",
        "expiresIn": 3600,
        "idToken": tokens.id,
        "issuedTokenType": ACCESS_TOKEN_TYPE,
        "scope": scopes,
        "awsAdditionalDetails": { "identityContext": tokens.context },
    });
    if application.grants.contains_key(REFRESH_TOKEN) {
        body["refreshToken"] = tokens.refresh.into();
    }
    AwsReply::json(StatusCode::OK, "application/json", &body)
}

fn not_found() -> AwsReply {
    let mut reply = AwsReply::json(
        StatusCode::NOT_FOUND,
        "application/json",
        &json!({ "message": "unknown operation" }),
    );
    reply.headers.insert(
        "x-amzn-errortype",
        HeaderValue::from_static("UnknownOperationException"),
    );
    reply
}
