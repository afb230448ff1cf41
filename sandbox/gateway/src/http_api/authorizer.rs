//! The JWT authorizer (API Gateway developer guide, "Control access to HTTP APIs with JWT
//! authorizers"). It does not look at `token_use`: that is the function's task.

use http::{HeaderMap, StatusCode};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    jwk::{Jwk, KeyAlgorithm, PublicKeyUse},
};
use serde_json::{Map, Value};

use crate::template::Authorizer;

use super::jwks::Keys;

/// An authorizer of the template with its issuer's keys.
#[derive(Debug)]
pub(crate) struct JwtAuthorizer {
    rules: Authorizer,
    keys: Keys,
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No token at all.
    NoToken,
    /// The token is not good, and what is wrong with it.
    BadToken(String),
    /// The token is good and lacks the route's scopes.
    NoScope(String),
}

impl Refusal {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NoToken | Self::BadToken(_) => StatusCode::UNAUTHORIZED,
            Self::NoScope(_) => StatusCode::FORBIDDEN,
        }
    }

    /// The `www-authenticate` header (RFC 6750 section 3).
    pub(crate) fn challenge(&self) -> String {
        match self {
            Self::NoToken => "Bearer".to_owned(),
            Self::BadToken(why) => {
                format!("Bearer scope=\"\" error=\"invalid_token\" error_description=\"{why}\"")
            }
            Self::NoScope(scopes) => {
                format!(
                    "Bearer scope=\"{scopes}\" error=\"insufficient_scope\" error_description=\"the token does not have the scopes of the route\""
                )
            }
        }
    }

    /// For the access log.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::NoToken => "no token".to_owned(),
            Self::BadToken(why) => why.clone(),
            Self::NoScope(_) => "insufficient scope".to_owned(),
        }
    }
}

impl JwtAuthorizer {
    pub(crate) fn new(rules: Authorizer, client: reqwest::Client) -> Self {
        let keys = Keys::new(rules.issuer.clone(), client);
        Self { rules, keys }
    }

    /// The claims of the request's token, if it may take a route with these scopes.
    pub(crate) async fn authorize(
        &self,
        headers: &HeaderMap,
        scopes: &[String],
    ) -> Result<Map<String, Value>, Refusal> {
        let token = self.token(headers).ok_or(Refusal::NoToken)?;
        let claims = self.verify(token).await.map_err(Refusal::BadToken)?;
        if !scopes.is_empty() && !has_one_of(&claims, scopes) {
            return Err(Refusal::NoScope(scopes.join(" ")));
        }
        Ok(claims)
    }

    fn token<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let name = self
            .rules
            .identity_source
            .strip_prefix("$request.header.")?;
        let value = headers.get(name)?.to_str().ok()?.trim();
        let token = match value.split_at_checked(7) {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer ") => token.trim(),
            _ => value,
        };
        (!token.is_empty()).then_some(token)
    }

    async fn verify(&self, token: &str) -> Result<Map<String, Value>, String> {
        let header =
            jsonwebtoken::decode_header(token).map_err(|_| "the token cannot be parsed")?;
        if header.alg != Algorithm::RS256 {
            return Err("the token's algorithm is not supported".to_owned());
        }
        let id = header.kid.ok_or("the token has no key id")?;
        let key = self
            .keys
            .find(&id)
            .await
            .map_err(|error| error.to_string())?;
        if !signs_with_rs256(&key) {
            return Err("the signing key is not for RS256 signatures".to_owned());
        }
        let key = DecodingKey::from_jwk(&key).map_err(|_| "the signing key is not an RSA key")?;
        // Issuer and audience are compared by hand below: the crate also takes an issuer that is
        // an array, and a token without audience may carry `client_id` instead.
        let mut validation = Validation::new(Algorithm::RS256);
        validation.leeway = 0;
        validation.validate_nbf = true;
        validation.validate_aud = false;
        validation.set_required_spec_claims(&["exp"]);
        let token = jsonwebtoken::decode::<Map<String, Value>>(token, &key, &validation);
        let claims = token.map_err(|error| reason(error.kind()))?.claims;
        if claims.get("iss").and_then(Value::as_str) != Some(self.rules.issuer.as_str()) {
            return Err("the token's issuer is not the authorizer's".to_owned());
        }
        if !self.is_for_us(&claims) {
            return Err("the token's audience is not among the authorizer's".to_owned());
        }
        let now = jiff::Timestamp::now().as_second();
        if claims
            .get("iat")
            .is_some_and(|at| at.as_i64().is_none_or(|at| at > now + 5))
        {
            return Err("the token is issued in the future".to_owned());
        }
        if claims.get("nbf").is_some_and(|at| !at.is_number()) {
            return Err("the token's nbf is not a number".to_owned());
        }
        Ok(claims)
    }

    fn is_for_us(&self, claims: &Map<String, Value>) -> bool {
        let known = |value: &Value| {
            let text = value.as_str();
            text.is_some_and(|text| self.rules.audience.iter().any(|own| own == text))
        };
        match claims.get("aud") {
            Some(Value::Array(audiences)) => audiences.iter().any(known),
            Some(audience) => known(audience),
            None => claims.get("client_id").is_some_and(known),
        }
    }
}

/// What the key says about its use must fit; it may say nothing.
fn signs_with_rs256(key: &Jwk) -> bool {
    let for_use = key.common.public_key_use.as_ref();
    let for_algorithm = key.common.key_algorithm.as_ref();
    for_use.is_none_or(|own| *own == PublicKeyUse::Signature)
        && for_algorithm.is_none_or(|own| *own == KeyAlgorithm::RS256)
}

fn has_one_of(claims: &Map<String, Value>, scopes: &[String]) -> bool {
    let granted = claims.get("scope").or_else(|| claims.get("scp"));
    let granted: Vec<&str> = match granted {
        Some(Value::String(text)) => text.split(' ').collect(),
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    scopes.iter().any(|scope| granted.contains(&scope.as_str()))
}

fn reason(kind: &jsonwebtoken::errors::ErrorKind) -> String {
    use jsonwebtoken::errors::ErrorKind;
    match kind {
        ErrorKind::ExpiredSignature => "the token has expired".to_owned(),
        ErrorKind::ImmatureSignature => "the token is not valid yet".to_owned(),
        ErrorKind::InvalidSignature => "the token's signature is wrong".to_owned(),
        ErrorKind::MissingRequiredClaim(claim) => format!("the token has no {claim}"),
        _ => "the token cannot be parsed".to_owned(),
    }
}
