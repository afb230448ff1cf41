//! JSON Web Tokens, made and checked.

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::keys::{Key, Keyring, KeysUnavailable};

/// A token signed with RS256, in Cognito's form: `kid` and `alg`, no `typ`.
pub(super) fn signed(key: &Key, claims: &Value) -> Result<String, KeysUnavailable> {
    let message = message(&json!({ "kid": key.kid, "alg": "RS256" }), claims);
    let signature = key.sign(message.as_bytes())?;
    Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// A token that claims to need no signature.
pub(super) fn unsigned(key: &Key, claims: &Value) -> String {
    message(&json!({ "kid": key.kid, "alg": "none" }), claims) + "."
}

/// A token "signed" with the public key as HMAC secret.
pub(super) fn confused(key: &Key, claims: &Value) -> String {
    let message = message(&json!({ "kid": key.kid, "alg": "HS256" }), claims);
    let secret = hmac::Key::new(hmac::HMAC_SHA256, key.public_der());
    let tag = hmac::sign(&secret, message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
}

fn message(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// Claims of a token that one of the published keys signed and that is not expired.
pub(super) fn verified(keys: &Keyring, token: &str, now: i64) -> Option<Value> {
    let (message, signature) = token.rsplit_once('.')?;
    let (header, claims) = message.split_once('.')?;
    let decoded = |part: &str| -> Option<Value> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
    };
    let header = decoded(header)?;
    if header["alg"] != "RS256" {
        return None;
    }
    let key = keys.find(header["kid"].as_str()?)?;
    if !key.verifies(message.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).ok()?) {
        return None;
    }
    let claims = decoded(claims)?;
    (claims["exp"].as_i64()? > now).then_some(claims)
}
