//! Salesforce's proof of who granted: `id` and `issued_at`, signed with our client secret.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, verify};
use base64::{Engine, engine::general_purpose::STANDARD};
use url::Url;

use super::TokenAnswer;
pub use crate::connection::keep::Grantor;
use crate::secret::Secret;

/// Why an answer does not prove who granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GrantorError {
    /// A signed member or the signature is absent.
    #[error("the answer does not say who granted")]
    Missing,
    /// The signature is not ours.
    #[error("the signature over the identity is wrong")]
    Signature,
    /// The identity URL does not hold an organisation and a user.
    #[error("the identity URL does not name an organisation and a user")]
    Shape,
    /// The application that was asked did not say.
    #[error("the application did not say whose token it is")]
    NoAnswer,
    /// Our client secret is not at hand.
    #[error("the client secret cannot be had")]
    NoSecret,
}

/// Who granted, if the signature proves it.
///
/// The signature does not cover `instance_url`, which [`super::InstanceUrl`] checks.
pub fn grantor(answer: &TokenAnswer, client_secret: &Secret) -> Result<Grantor, GrantorError> {
    let identity = answer
        .unverified_identity_url
        .as_deref()
        .ok_or(GrantorError::Missing)?;
    let issued_at = answer
        .unverified_issued_at
        .as_deref()
        .ok_or(GrantorError::Missing)?;
    let signature = answer.signature.as_deref().ok_or(GrantorError::Missing)?;
    let signature = STANDARD
        .decode(signature)
        .map_err(|_| GrantorError::Signature)?;
    let key = Key::new(HMAC_SHA256, client_secret.expose().as_bytes());
    verify(
        &key,
        format!("{identity}{issued_at}").as_bytes(),
        &signature,
    )
    .map_err(|_| GrantorError::Signature)?;
    read_identity(identity).ok_or(GrantorError::Shape)
}

/// Whom an answer is about that came on our own call with the credentials themselves: nothing of it
/// went through a browser, so nothing of it needs a signature.
pub fn identity(answer: &TokenAnswer) -> Result<Grantor, GrantorError> {
    let url = answer.unverified_identity_url.as_deref();
    read_identity(url.ok_or(GrantorError::Missing)?).ok_or(GrantorError::Shape)
}

/// Reads `https://<host>/id/<organisation>/<user>`.
fn read_identity(url: &str) -> Option<Grantor> {
    let url = Url::parse(url).ok()?;
    let segments: Vec<&str> = url.path_segments()?.collect();
    let is_id = |text: &str| {
        matches!(text.len(), 15 | 18) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    match segments[..] {
        ["id", org, user] if is_id(org) && is_id(user) => Some(Grantor {
            org_id: org.to_owned(),
            user_id: user.to_owned(),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hmac::sign;

    use super::*;
    use crate::oauth::provider::provider;

    const IDENTITY: &str = "https://login.salesforce.com/id/00Dxx0000001gPLEAY/005xx000001SwiUAAS";

    fn answer(identity: &str, issued_at: &str, signature: &str) -> TokenAnswer {
        let body = serde_json::json!({
            "access_token": "a", "id": identity, "issued_at": issued_at, "signature": signature,
        });
        TokenAnswer::read(
            provider("salesforce").unwrap(),
            &Secret::new(body.to_string()),
        )
        .unwrap()
    }

    fn signed(identity: &str, issued_at: &str, secret: &str) -> String {
        let key = Key::new(HMAC_SHA256, secret.as_bytes());
        STANDARD.encode(sign(&key, format!("{identity}{issued_at}").as_bytes()))
    }

    #[test]
    fn the_signature_ties_organisation_and_user_to_our_secret() {
        let secret = Secret::new("client secret");
        let good = signed(IDENTITY, "1767225600000", "client secret");
        let granted = grantor(&answer(IDENTITY, "1767225600000", &good), &secret).unwrap();
        assert_eq!(granted.org_id, "00Dxx0000001gPLEAY");
        assert_eq!(granted.user_id, "005xx000001SwiUAAS");

        let other_org = IDENTITY.replace("00Dxx", "00Dyy");
        let foreign = signed(IDENTITY, "1767225600000", "another secret");
        for (identity, issued_at, signature, error) in [
            (
                other_org.as_str(),
                "1767225600000",
                good.as_str(),
                GrantorError::Signature,
            ),
            (IDENTITY, "1767225600001", &good, GrantorError::Signature),
            (IDENTITY, "1767225600000", &foreign, GrantorError::Signature),
            (
                IDENTITY,
                "1767225600000",
                "not base64!",
                GrantorError::Signature,
            ),
            (IDENTITY, "1767225600000", "", GrantorError::Missing),
        ] {
            assert_eq!(
                grantor(&answer(identity, issued_at, signature), &secret),
                Err(error)
            );
        }
    }

    #[test]
    fn a_signed_url_of_another_shape_names_nobody() {
        let secret = Secret::new("s");
        for url in [
            "https://x/id/00D",
            "https://x/id/../005xx000001SwiUAAS",
            "https://x/other/00Dxx0000001gPLEAY/005xx000001SwiUAAS",
        ] {
            let signature = signed(url, "1", "s");
            assert_eq!(
                grantor(&answer(url, "1", &signature), &secret),
                Err(GrantorError::Shape),
                "{url}"
            );
        }
    }
}
