//! `CreateTokenWithIAM`: `POST /token?aws_iam=t`.

use http::{HeaderValue, Method, StatusCode};
use sandbox_core::{AwsCall, AwsReply, DirectoryUser, REGION};
use serde::Deserialize;
use serde_json::json;

use super::{Directory, DirectoryEntry, IdentityCenter, assertion, error::TokenError};

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ACCESS_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:access_token";
const SCOPES: [&str; 4] = ["openid", "aws", "sts:identity_context", "redshift:connect"];

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
    let configuration = directory.configuration().ok_or(TokenError::InvalidClient)?;
    if call.region != REGION {
        return Err(TokenError::WrongRegion);
    }
    if ask.client_id != configuration.application_arn {
        return Err(TokenError::InvalidClient);
    }
    if call.principal.account != configuration.account() {
        return Err(TokenError::CallerDenied);
    }
    if let Some(scope) = &ask.scope
        && !scope.iter().all(|name| SCOPES.contains(&name.as_str()))
    {
        return Err(TokenError::InvalidScope);
    }
    let user = match ask.grant_type.as_str() {
        JWT_BEARER => {
            let assertion = ask.assertion.as_deref().ok_or(TokenError::InvalidRequest)?;
            exchange(directory, &configuration, assertion).await?
        }
        "refresh_token" => {
            let token = ask
                .refresh_token
                .as_deref()
                .ok_or(TokenError::InvalidRequest)?;
            refresh(directory, &configuration, token)?
        }
        _ => return Err(TokenError::UnsupportedGrantType),
    };
    Ok(answer(directory, &configuration, &user, ask.scope))
}

async fn exchange(
    directory: &Directory,
    configuration: &IdentityCenter,
    unverified_assertion: &str,
) -> Result<DirectoryUser, TokenError> {
    let claims = assertion::verify(&directory.http, configuration, unverified_assertion).await?;
    let mut matching = configuration
        .users
        .iter()
        .filter(|entry| entry.email == claims.email);
    // Exactly one person must match: two with one address are as good as none.
    let (Some(entry), None) = (matching.next(), matching.next()) else {
        return Err(TokenError::InvalidGrant);
    };
    let user = may_use(entry)?;
    // Last, and in one step: of two simultaneous exchanges of one token, one is refused.
    if !directory.use_once(&claims.jti) {
        return Err(TokenError::InvalidGrant);
    }
    Ok(user)
}

fn refresh(
    directory: &Directory,
    configuration: &IdentityCenter,
    token: &str,
) -> Result<DirectoryUser, TokenError> {
    let (user_id, alive) = directory
        .issued
        .take_refresh(token)
        .ok_or(TokenError::InvalidGrant)?;
    if !alive {
        return Err(TokenError::ExpiredToken);
    }
    let entry = configuration
        .users
        .iter()
        .find(|entry| entry.user.user_id == user_id)
        .ok_or(TokenError::InvalidGrant)?;
    may_use(entry)
}

fn may_use(entry: &DirectoryEntry) -> Result<DirectoryUser, TokenError> {
    if !entry.enabled {
        return Err(TokenError::InvalidGrant);
    }
    if !entry.assigned {
        return Err(TokenError::AccessDenied);
    }
    Ok(entry.user.clone())
}

fn answer(
    directory: &Directory,
    configuration: &IdentityCenter,
    user: &DirectoryUser,
    scope: Option<Vec<String>>,
) -> AwsReply {
    let tokens = directory.issued.issue(configuration, user);
    let scope = scope.unwrap_or_else(|| SCOPES.map(str::to_owned).to_vec());
    AwsReply::json(
        StatusCode::OK,
        "application/json",
        &json!({
            "accessToken": tokens.access,
            "tokenType": "Bearer",
            "expiresIn": 3600,
            "refreshToken": tokens.refresh,
            "idToken": tokens.id,
            "issuedTokenType": ACCESS_TOKEN_TYPE,
            "scope": scope,
            "awsAdditionalDetails": { "identityContext": tokens.context },
        }),
    )
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
