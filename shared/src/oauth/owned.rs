//! Tokens that are ours to use. One party uses a refresh token; these types say that it is us.

use super::TokenBundle;
use crate::{
    connection::{Connection, TokenOwner},
    connector::profile::AccessToken,
    secret::Secret,
};

/// The opened tokens of a connection whose token owner is Tributary. There is no other way to make
/// one, and without one nothing is presented to a token endpoint or pushed by the refresh.
#[derive(Debug)]
pub struct OurTokens {
    bundle: TokenBundle,
}

impl OurTokens {
    /// The tokens, if they are ours.
    pub fn of(connection: &Connection, bundle: TokenBundle) -> Option<Self> {
        (connection.token_owner == TokenOwner::Tributary).then_some(Self { bundle })
    }

    /// The refresh token, if there is one.
    pub fn refresh_token(&self) -> Option<OurRefreshToken<'_>> {
        self.bundle.refresh_token.as_ref().map(OurRefreshToken)
    }

    /// The access token, to ask about it or to seal it.
    pub const fn access_secret(&self) -> &Secret {
        &self.bundle.access_token
    }

    /// The access token, for AppFlow.
    pub fn access_token(&self) -> AccessToken<'_> {
        AccessToken::from(&self.bundle)
    }

    /// The tokens, to make the next generation of.
    pub fn into_bundle(self) -> TokenBundle {
        self.bundle
    }
}

/// A refresh token that nobody but us uses. Made by [`OurTokens::refresh_token`] only.
#[derive(Debug, Clone, Copy)]
pub struct OurRefreshToken<'a>(&'a Secret);

impl<'a> OurRefreshToken<'a> {
    /// The token, to compare and to ask about.
    pub const fn secret(self) -> &'a Secret {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::tests::connection;

    #[test]
    fn r9_tokens_of_another_owner_are_never_ours() {
        let bundle = || TokenBundle {
            access_token: Secret::new("access"),
            refresh_token: Some(Secret::new("refresh")),
        };
        for (owner, ours) in [
            (TokenOwner::Tributary, true),
            (TokenOwner::Appflow, false),
            (TokenOwner::Nobody, false),
        ] {
            let record = Connection {
                token_owner: owner,
                ..connection()
            };
            assert_eq!(
                OurTokens::of(&record, bundle()).is_some(),
                ours,
                "{owner:?}"
            );
        }
    }

    #[test]
    fn tokens_print_nothing_of_themselves() {
        let bundle = TokenBundle {
            access_token: Secret::new("access-word"),
            refresh_token: Some(Secret::new("refresh-word")),
        };
        let tokens = OurTokens::of(&connection(), bundle).unwrap();
        let printed = format!("{tokens:?} {:?}", tokens.refresh_token());
        assert!(!printed.contains("-word"), "{printed}");
    }
}
