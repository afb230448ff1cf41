//! What tests and the tour do behind the scenes, in process.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Oidc, OidcUser, Tokens, Trigger,
    claims::{Issue, object},
    jwt,
    keys::{Key, KeysUnavailable},
    sessions::Session,
    trigger::Occasion,
};

/// Which of the two tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenUse {
    /// ID token.
    Id,
    /// Access token.
    Access,
}

/// How a minted token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    /// With the provider's current key, as it should be.
    Current,
    /// With a key that is published nowhere, under the current key's id.
    Foreign,
    /// With a key that is published nowhere, under an id that is published nowhere.
    UnknownKeyId,
    /// With the key of the other kind of token, under that key's id.
    OtherUse,
    /// Not at all: `alg` is `none`.
    Absent,
    /// HS256 with the public key as the secret.
    PublicKeyAsSecret,
}

impl Oidc {
    /// Everybody of the pool.
    pub fn users(&self) -> &[OidcUser] {
        &self.options.users
    }

    /// A user by name.
    pub fn user(&self, name: &str) -> Option<&OidcUser> {
        self.options.users.iter().find(|u| u.name == name)
    }

    /// The trigger that is asked at every code exchange and refresh from now on.
    pub fn set_trigger(&self, trigger: Trigger) {
        self.state().trigger = Some(trigger);
    }

    /// Registers another callback URL.
    pub fn register_redirect_uri(&self, uri: &str) {
        self.state().redirect_uris.push(uri.to_owned());
    }

    /// Registers another URL that `/logout` may lead to.
    pub fn register_logout_uri(&self, uri: &str) {
        self.state().logout_uris.push(uri.to_owned());
    }

    /// Lets a user neither sign in nor refresh; tokens that are out stay valid to whoever checks offline.
    pub fn disable(&self, name: &str) {
        self.state().disabled.push(name.to_owned());
    }

    /// Undoes [`Oidc::disable`].
    pub fn enable(&self, name: &str) {
        self.state().disabled.retain(|disabled| disabled != name);
    }

    /// Signs with new keys from now on; the old ones stay published.
    pub fn rotate_keys(&self) -> Result<(), KeysUnavailable> {
        self.state().keys.rotate()
    }

    /// Stops publishing the keys that no longer sign.
    pub fn drop_old_keys(&self) {
        self.state().keys.drop_old();
    }

    /// Signs a user in without the pages: the trigger is asked and may refuse (`None`).
    pub async fn sign_in(&self, name: &str) -> Option<Tokens> {
        let auth_time = jiff::Timestamp::now().as_second();
        let session = Session::new(name, self.options.scopes.clone(), auth_time);
        let mut tokens = self.issue(Occasion::SignIn, &session, None).await.ok()?;
        tokens.refresh_token = Some(self.remember(session));
        Some(tokens)
    }

    /// A token of a user, for tests of those who check tokens: `overrides` replace claims, `null` takes
    /// one away. The trigger is not asked. `None` if there is no such user or no key.
    pub fn mint(
        &self,
        name: &str,
        token_use: TokenUse,
        overrides: Value,
        signature: Signature,
    ) -> Option<String> {
        let user = self.user(name)?;
        let now = jiff::Timestamp::now().as_second();
        let session = Session::new(name, self.options.scopes.clone(), now);
        let issue = Issue {
            issuer: self.issuer(),
            client_id: &self.options.client_id,
            user,
            session: &session,
            event_id: Uuid::new_v4().to_string(),
            now,
            life: self.life(),
        };
        let mut claims = match token_use {
            TokenUse::Id => issue.id(None),
            TokenUse::Access => issue.access(),
        };
        for (claim, value) in object(overrides) {
            if value.is_null() {
                claims.remove(&claim);
            } else {
                claims.insert(claim, value);
            }
        }
        let claims = json!(claims);
        let state = self.state();
        let (key, other) = match token_use {
            TokenUse::Id => (&state.keys.id, &state.keys.access),
            TokenUse::Access => (&state.keys.access, &state.keys.id),
        };
        let token = match signature {
            Signature::Current => jwt::signed(key, &claims).ok()?,
            Signature::OtherUse => jwt::signed(other, &claims).ok()?,
            Signature::UnknownKeyId => jwt::signed(&Key::generate().ok()?, &claims).ok()?,
            Signature::Foreign => {
                let mut foreign = Key::generate().ok()?;
                foreign.kid.clone_from(&key.kid);
                jwt::signed(&foreign, &claims).ok()?
            }
            Signature::Absent => jwt::unsigned(key, &claims),
            Signature::PublicKeyAsSecret => jwt::confused(key, &claims),
        };
        self.options.canaries.seed("oidc minted token", &token);
        Some(token)
    }
}
