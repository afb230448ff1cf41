//! Whether a sign-in, or the key that vouches for it, was taken back since its token was made (A7).
//!
//! Tokens live for up to an hour and the gateway keeps the issuer's keys for up to two: what is
//! taken back must stop working within a minute all the same.

use std::{sync::Arc, time::Duration};

use http::{header, request::Parts};

use super::known::Known;
use crate::{
    error::{Error, Kind},
    identity::Identity,
    jwt::IssuerKeys,
    sign_off::Marks,
    store::Store,
};

/// How long what was read of a sign-in counts without being read again.
const FRESH: Duration = Duration::from_secs(30);

/// A sign-in: issuer, subject, and the id of the sign-in where tokens have one.
type SignIn = (String, String, Option<String>);

/// What was taken back, as it was read lately.
#[derive(Debug, Clone)]
pub(super) struct Revoked {
    store: Store,
    known: Arc<Known<SignIn, Marks>>,
    keys: Option<IssuerKeys>,
}

impl Revoked {
    pub(super) fn new(store: Store) -> Self {
        Self {
            store,
            known: Arc::new(Known::new(FRESH)),
            keys: None,
        }
    }

    pub(super) fn with_keys(self, keys: IssuerKeys) -> Self {
        Self {
            keys: Some(keys),
            ..self
        }
    }

    /// Lets pass what nobody took back.
    pub(super) async fn check(
        &self,
        identity: &Identity,
        parts: &Parts,
        changes: bool,
    ) -> Result<(), Error> {
        let sign_in = (
            identity.issuer.clone(),
            identity.subject.clone(),
            identity.login_id.clone(),
        );
        let marks = Marks::of(&self.store, identity);
        let marks = self.known.or_read(sign_in, changes, marks).await?;
        if marks.end(identity) {
            return Err(signed_out("the sign-in was ended"));
        }
        self.check_key(parts).await
    }

    /// The key that the token names must still be one of the issuer's. Only the header is looked at:
    /// that the token is genuine, the gateway has seen, and who calls is the gateway's word alone.
    async fn check_key(&self, parts: &Parts) -> Result<(), Error> {
        let Some(keys) = &self.keys else {
            return Ok(());
        };
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .map(bare);
        let Some(token) = token else {
            return Err(signed_out("no token beside the gateway's claims"));
        };
        match keys.still_has_key_of(token).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(signed_out("the issuer has taken the signing key back")),
            Err(error) => {
                // The gateway has verified the signature; this is a second look.
                tracing::warn!(error = %error, "keys of the identity provider were never had; the gateway's word counts alone");
                Ok(())
            }
        }
    }
}

/// The token, with or without the word before it.
fn bare(value: &str) -> &str {
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => value,
    }
}

/// The one answer to tokens that nobody stands behind any more; the log says why.
fn signed_out(log: &str) -> Error {
    Error::new(
        Kind::Unauthenticated,
        "signed_out",
        "This sign-in has ended. Sign in again.",
    )
    .with_log(log)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_stands_after_the_scheme_or_alone() {
        for value in ["Bearer a.b.c", "bearer  a.b.c", "a.b.c"] {
            assert_eq!(bare(value), "a.b.c");
        }
    }
}
