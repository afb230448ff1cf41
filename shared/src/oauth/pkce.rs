//! Proof key for code exchange (RFC 7636) and other values that nobody may guess.

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    error::{Error, Result},
    secret::Secret,
};

/// A verifier and its S256 challenge. There is no `plain`.
#[derive(Debug)]
pub struct Pkce {
    /// 43 unreserved characters from 32 random bytes; stays with us until the exchange.
    pub verifier: Secret,
    /// BASE64URL(SHA256(verifier)); travels through the browser.
    pub challenge: String,
}

impl Pkce {
    /// A new pair, for one transaction.
    pub fn new() -> Result<Self> {
        let verifier = random_token()?;
        let challenge = challenge(&verifier);
        Ok(Self {
            verifier,
            challenge,
        })
    }
}

fn challenge(verifier: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.expose().as_bytes()))
}

/// 256 random bits as 43 base64url characters: states, nonces, cookies, link tokens.
pub fn random_token() -> Result<Secret> {
    let mut bytes = [0u8; 32];
    rand::fill(&mut bytes)
        .map_err(|_| Error::internal("no_randomness", "the random source failed"))?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_challenge_is_that_of_rfc_7636_appendix_b() {
        let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(
            challenge(&verifier),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn c4_random_tokens_are_43_unreserved_characters_and_never_repeat() {
        let mut seen = HashSet::new();
        for _ in 0..2_000 {
            let token = random_token().unwrap();
            assert_eq!(token.expose().len(), 43);
            assert!(
                token
                    .expose()
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            );
            assert!(seen.insert(token.expose().to_owned()));
        }
    }
}
