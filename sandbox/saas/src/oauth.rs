//! What both providers share of OAuth 2.0: errors, PKCE, client authentication, redirects.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use percent_encoding::percent_decode_str;
use serde_json::json;
use url::Url;

use crate::{params::Params, random};

/// An error of an OAuth endpoint (RFC 6749 section 5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OAuthError {
    pub(crate) status: StatusCode,
    pub(crate) error: &'static str,
    /// Left out of the answer when empty, as Cognito does.
    pub(crate) description: &'static str,
}

impl OAuthError {
    pub(crate) fn new(status: StatusCode, error: &'static str, description: &'static str) -> Self {
        Self {
            status,
            error,
            description,
        }
    }

    /// Status 400, which is nearly every error of a token endpoint.
    pub(crate) fn bad(error: &'static str, description: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, description)
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let body = if self.description.is_empty() {
            json!({ "error": self.error })
        } else {
            json!({ "error": self.error, "error_description": self.description })
        };
        let mut response = (self.status, Json(body)).into_response();
        response.headers_mut().extend(never_stored());
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"token\""),
            );
        }
        response
    }
}

/// A JSON answer that carries tokens: never cached.
pub(crate) fn token_answer(body: serde_json::Value) -> Response {
    let mut response = Json(body).into_response();
    response.headers_mut().extend(never_stored());
    response
}

fn never_stored() -> HeaderMap {
    HeaderMap::from_iter([
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::PRAGMA, HeaderValue::from_static("no-cache")),
    ])
}

/// Who a token request says it comes from.
pub(crate) struct ClientCredentials {
    pub(crate) id: String,
    pub(crate) secret: Option<String>,
    /// Whether they came in the `Authorization` header.
    pub(crate) basic: bool,
}

impl ClientCredentials {
    /// Reads them from the header or the body, never from both (RFC 6749 section 2.3).
    pub(crate) fn from_request(headers: &HeaderMap, body: &Params) -> Option<Self> {
        let Some(header) = headers.get(header::AUTHORIZATION) else {
            return Some(Self {
                id: body.get("client_id")?.to_owned(),
                secret: body.get("client_secret").map(str::to_owned),
                basic: false,
            });
        };
        let (scheme, encoded) = header.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") || body.get("client_secret").is_some() {
            return None;
        }
        let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
        let (id, secret) = decoded.split_once(':')?;
        let id = form_decoded(id)?;
        if body.get("client_id").is_some_and(|named| named != id) {
            return None;
        }
        Some(Self {
            id,
            secret: Some(form_decoded(secret)?),
            basic: true,
        })
    }
}

/// Basic credentials are form-urlencoded before base64 (RFC 6749 section 2.3.1).
fn form_decoded(text: &str) -> Option<String> {
    percent_decode_str(&text.replace('+', " "))
        .decode_utf8()
        .ok()
        .map(std::borrow::Cow::into_owned)
}

/// Whether a code challenge has the form of S256: base64url of 32 bytes.
pub(crate) fn is_s256_challenge(challenge: &str) -> bool {
    URL_SAFE_NO_PAD
        .decode(challenge)
        .is_ok_and(|bytes| bytes.len() == 32)
}

/// Whether a verifier is well formed and answers the S256 challenge (RFC 7636 section 4.6).
pub(crate) fn verifier_answers(verifier: &str, challenge: &str) -> bool {
    let well_formed = (43..=128).contains(&verifier.len())
        && verifier
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
    let computed = URL_SAFE_NO_PAD.encode(random::digest(verifier));
    well_formed && random::same_secret(&computed, challenge)
}

/// A redirect with parameters added to what the registered URI already carries.
pub(crate) fn redirect(uri: &str, params: &[(&str, &str)]) -> Response {
    let location = Url::parse(uri).ok().and_then(|mut location| {
        if !params.is_empty() {
            location.query_pairs_mut().extend_pairs(params);
        }
        HeaderValue::from_str(location.as_str()).ok()
    });
    let Some(location) = location else {
        return OAuthError::bad("redirect_uri_mismatch", "the redirect URI is not a URL")
            .into_response();
    };
    let mut response = StatusCode::FOUND.into_response();
    response.headers_mut().extend(never_stored());
    response.headers_mut().insert(header::LOCATION, location);
    response.headers_mut().insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    response
}

/// The bearer token of the `Authorization` header.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pair_of_rfc_7636_appendix_b_matches_and_a_short_verifier_does_not() {
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(is_s256_challenge(challenge));
        assert!(verifier_answers(
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            challenge
        ));
        assert!(!verifier_answers("short", challenge));
        assert!(!is_s256_challenge("short"));
    }

    #[test]
    fn basic_credentials_are_form_decoded_and_never_mixed_with_the_body() {
        let mut headers = HeaderMap::new();
        let encoded = STANDARD.encode("app%3Aone:s%2Bt%25");
        headers.insert(
            header::AUTHORIZATION,
            HeaderValue::from_str(&format!("Basic {encoded}")).unwrap(),
        );
        let client = ClientCredentials::from_request(&headers, &Params::default()).unwrap();
        assert_eq!(client.id, "app:one");
        assert_eq!(client.secret.as_deref(), Some("s+t%"));
        assert!(
            ClientCredentials::from_request(&headers, &Params::parse("client_secret=x")).is_none()
        );
        assert!(ClientCredentials::from_request(&headers, &Params::parse("client_id=x")).is_none());
    }

    #[test]
    fn a_redirect_keeps_the_query_of_the_registered_uri_and_encodes_what_it_adds() {
        let response = redirect("http://127.0.0.1/cb?kind=a", &[("state", "a&b=c d")]);
        assert_eq!(
            response.headers()[header::LOCATION],
            "http://127.0.0.1/cb?kind=a&state=a%26b%3Dc+d"
        );
    }
}
