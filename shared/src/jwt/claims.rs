//! The claims of an ID token (OpenID Connect Core section 3.1.3.7), and objects without duplicates.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Value};

use super::JwtError;

/// Clocks may differ by so much, in seconds.
const LEEWAY: i64 = 5;

/// A JSON object in which no member stands twice: parsers disagree about which of two counts.
pub(super) struct Object(pub(super) Map<String, Value>);

impl Object {
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    fn seconds(&self, name: &'static str) -> Result<Option<i64>, JwtError> {
        // Fractions are allowed (RFC 7519 NumericDate); text and negative numbers are not.
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        let seconds = value.as_i64().or_else(|| {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "truncation saturates, and the rest is a fraction"
            )]
            value.as_f64().map(|seconds| seconds as i64)
        });
        seconds
            .filter(|seconds| *seconds >= 0)
            .map(Some)
            .ok_or(JwtError::Claim(name))
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object without duplicate members")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut members = Map::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if members.insert(name, value).is_some() {
                        return Err(serde::de::Error::custom("a member stands twice"));
                    }
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// The claims of a verified ID token.
#[derive(Clone)]
pub struct IdClaims {
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// `jti`.
    pub jti: Option<String>,
    /// What all tokens of one sign-in share: `origin_jti` or `sid`.
    pub login_id: Option<String>,
    /// `email`.
    pub email: Option<String>,
    /// `email_verified`, as a boolean or as the word that attribute mappings make of it.
    pub email_verified: bool,
    /// `nonce`.
    pub nonce: Option<String>,
    /// `exp`, epoch seconds.
    pub exp: i64,
    all: Map<String, Value>,
}

impl IdClaims {
    /// Any claim, by name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.all.get(name)
    }

    /// A claim that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }
}

impl fmt::Debug for IdClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The e-mail address and the nonce are nobody's business in a log.
        f.debug_struct("IdClaims")
            .field("issuer", &self.issuer)
            .field("subject", &self.subject)
            .field("exp", &self.exp)
            .finish_non_exhaustive()
    }
}

/// What a token must say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) audience: &'a str,
    pub(super) nonce: Option<&'a str>,
    /// Epoch seconds.
    pub(super) now: i64,
}

/// Checks the claims of a token whose signature holds.
pub(super) fn check(payload: &[u8], expected: &Expected<'_>) -> Result<IdClaims, JwtError> {
    let claims = Object::parse(payload).ok_or(JwtError::Malformed)?;
    if claims.text("iss") != Some(expected.issuer) {
        return Err(JwtError::Claim("iss"));
    }
    check_audience(&claims, expected.audience)?;
    let subject = claims
        .text("sub")
        .filter(|subject| (1..=255).contains(&subject.len()))
        .ok_or(JwtError::Claim("sub"))?
        .to_owned();
    if claims.0.contains_key("token_use") && claims.text("token_use") != Some("id") {
        return Err(JwtError::Claim("token_use"));
    }
    let exp = claims.seconds("exp")?.ok_or(JwtError::Claim("exp"))?;
    if exp.saturating_add(LEEWAY) <= expected.now {
        return Err(JwtError::Expired);
    }
    let latest = expected.now.saturating_add(LEEWAY);
    for name in ["nbf", "iat"] {
        if claims.seconds(name)?.is_some_and(|at| at > latest) {
            return Err(JwtError::Claim(name));
        }
    }
    if let Some(nonce) = expected.nonce
        && claims.text("nonce") != Some(nonce)
    {
        return Err(JwtError::Claim("nonce"));
    }
    let text = |name: &str| claims.text(name).map(str::to_owned);
    Ok(IdClaims {
        issuer: expected.issuer.to_owned(),
        subject,
        jti: text("jti"),
        login_id: text("origin_jti").or_else(|| text("sid")),
        email: text("email"),
        email_verified: match claims.0.get("email_verified") {
            Some(Value::Bool(verified)) => *verified,
            Some(Value::String(word)) => word == "true",
            _ => false,
        },
        nonce: text("nonce"),
        exp,
        all: claims.0,
    })
}

/// `aud` is us or a list with us in it; a list of several needs `azp`, and `azp` is always us.
fn check_audience(claims: &Object, audience: &str) -> Result<(), JwtError> {
    let (named, several) = match claims.0.get("aud") {
        Some(Value::String(one)) => (one == audience, false),
        Some(Value::Array(all)) => (
            all.iter().all(Value::is_string) && all.iter().any(|one| one == audience),
            all.len() > 1,
        ),
        _ => (false, false),
    };
    if !named {
        return Err(JwtError::Claim("aud"));
    }
    match claims.0.get("azp") {
        Some(azp) if azp != audience => Err(JwtError::Claim("azp")),
        None if several => Err(JwtError::Claim("azp")),
        _ => Ok(()),
    }
}
