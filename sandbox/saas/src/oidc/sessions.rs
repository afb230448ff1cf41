//! Authorization codes and refresh tokens of the pool. Remembered by digest; times are epoch
//! milliseconds handed in.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::{oauth::verifier_answers, random};

type Digest = [u8; 32];

const CODE_LIFE: i64 = 5 * 60 * 1000;
const REFRESH_LIFE: i64 = 30 * 24 * 3600 * 1000;

/// One sign-in, from which tokens come until it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    /// User name.
    pub(super) user: String,
    /// Granted scopes.
    pub(super) scopes: Vec<String>,
    /// `origin_jti`: the same in every token of the session.
    pub(super) origin: String,
    /// Wall-clock second of the sign-in.
    pub(super) auth_time: i64,
}

impl Session {
    pub(super) fn new(user: &str, scopes: Vec<String>, auth_time: i64) -> Self {
        Self {
            user: user.to_owned(),
            scopes,
            origin: Uuid::new_v4().to_string(),
            auth_time,
        }
    }
}

/// What a code stands for.
pub(super) struct Code {
    pub(super) session: Session,
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
    pub(super) nonce: Option<String>,
}

struct Refresh {
    session: Session,
    expires_at: i64,
}

/// Codes and sessions that can still give tokens.
pub(super) struct Sessions {
    rotate: bool,
    codes: HashMap<Digest, (Code, i64)>,
    refresh: HashMap<Digest, Refresh>,
    ended: HashSet<String>,
}

impl Sessions {
    pub(super) fn new(rotate: bool) -> Self {
        Self {
            rotate,
            codes: HashMap::new(),
            refresh: HashMap::new(),
            ended: HashSet::new(),
        }
    }

    /// A code for a finished sign-in.
    pub(super) fn code(&mut self, code: Code, now: i64) -> String {
        let text = Uuid::new_v4().to_string();
        self.codes
            .insert(random::digest(&text), (code, now.saturating_add(CODE_LIFE)));
        text
    }

    /// Takes a code, once, whatever comes of it.
    pub(super) fn exchange(
        &mut self,
        code: &str,
        redirect_uri: &str,
        verifier: &str,
        now: i64,
    ) -> Option<Code> {
        let (code, expires_at) = self.codes.remove(&random::digest(code))?;
        (now < expires_at
            && code.redirect_uri == redirect_uri
            && verifier_answers(verifier, &code.challenge))
        .then_some(code)
    }

    /// A refresh token for a session.
    pub(super) fn remember(&mut self, session: Session, now: i64) -> String {
        self.remember_until(session, now.saturating_add(REFRESH_LIFE))
    }

    fn remember_until(&mut self, session: Session, expires_at: i64) -> String {
        let token = format!("eyJjdHkiOiJKV1QifQ.{}", random::token(96));
        self.refresh.insert(
            random::digest(&token),
            Refresh {
                session,
                expires_at,
            },
        );
        token
    }

    /// The session of a live refresh token, and the token that replaces it if the pool rotates: with
    /// the life that was left (no grace period).
    pub(super) fn refresh(&mut self, token: &str, now: i64) -> Option<(Session, Option<String>)> {
        let digest = random::digest(token);
        let known = self.refresh.get(&digest)?;
        if now >= known.expires_at || self.ended.contains(&known.session.origin) {
            return None;
        }
        let (session, expires_at) = (known.session.clone(), known.expires_at);
        let next = self.rotate.then(|| {
            self.refresh.remove(&digest);
            self.remember_until(session.clone(), expires_at)
        });
        Some((session, next))
    }

    /// Ends the session of a refresh token.
    pub(super) fn revoke(&mut self, token: &str) {
        if let Some(refresh) = self.refresh.remove(&random::digest(token)) {
            self.ended.insert(refresh.session.origin);
        }
    }

    /// Whether the session was ended.
    pub(super) fn is_ended(&self, origin: &str) -> bool {
        self.ended.contains(origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    fn session() -> Session {
        Session::new("frank", vec!["openid".into()], 0)
    }

    fn code() -> Code {
        Code {
            session: session(),
            redirect_uri: "http://127.0.0.1/cb".into(),
            challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".into(),
            nonce: None,
        }
    }

    #[test]
    fn a_code_works_once_within_five_minutes_at_its_own_address() {
        let mut sessions = Sessions::new(false);
        let text = sessions.code(code(), 0);
        assert!(
            sessions
                .exchange(&text, "http://127.0.0.1/cb", VERIFIER, 1)
                .is_some()
        );
        assert!(
            sessions
                .exchange(&text, "http://127.0.0.1/cb", VERIFIER, 1)
                .is_none()
        );
        for (redirect, verifier, now) in [
            ("http://127.0.0.1/cb", VERIFIER, CODE_LIFE),
            ("http://127.0.0.1/cb/", VERIFIER, 0),
            ("http://127.0.0.1/cb", &VERIFIER.replace('d', "e"), 0),
        ] {
            let text = sessions.code(code(), 0);
            assert!(sessions.exchange(&text, redirect, verifier, now).is_none());
        }
    }

    #[test]
    fn a_rotating_pool_replaces_the_refresh_token_and_another_keeps_it() {
        let mut sessions = Sessions::new(true);
        let first = sessions.remember(session(), 0);
        let second = sessions.refresh(&first, 1).unwrap().1.unwrap();
        assert!(sessions.refresh(&first, 1).is_none());
        assert!(sessions.refresh(&second, 1).is_some());
        let mut sessions = Sessions::new(false);
        let first = sessions.remember(session(), 0);
        assert_eq!(sessions.refresh(&first, 1).unwrap().1, None);
        assert!(sessions.refresh(&first, REFRESH_LIFE - 1).is_some());
        assert!(sessions.refresh(&first, REFRESH_LIFE).is_none());
        sessions.revoke(&first);
        assert!(sessions.refresh(&first, 1).is_none());
    }
}
