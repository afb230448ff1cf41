//! Grants and the tokens they gave out: rotation, reuse, approvals, lives. No I/O; times are epoch
//! milliseconds handed in. Tokens are remembered by digest only.

use std::collections::{BTreeMap, HashMap};

use crate::{oauth::verifier_answers, random};

type Digest = [u8; 32];

/// How long things live and how many there may be.
#[derive(Debug, Clone)]
pub(super) struct Policy {
    /// Life of an access token, in milliseconds.
    pub(super) access_life: i64,
    /// How long a refresh token may lie unused, in milliseconds.
    pub(super) refresh_idle: i64,
    /// Life of an authorization code, in milliseconds.
    pub(super) code_life: i64,
    /// Grants that one user may have with the app; one more revokes the oldest.
    pub(super) approvals: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            access_life: 2 * 3600 * 1000,
            refresh_idle: 30 * 24 * 3600 * 1000,
            code_life: 15 * 60 * 1000,
            approvals: 5,
        }
    }
}

/// What a person allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Approval {
    pub(super) username: String,
    /// Space separated.
    pub(super) scope: String,
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
}

/// What the token endpoint hands out.
pub(super) struct Issued {
    pub(super) username: String,
    pub(super) scope: String,
    pub(super) access_token: String,
    pub(super) refresh_token: Option<String>,
}

/// Why it hands out nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// The code is unknown, or was used before.
    InvalidCode,
    /// The code is too old.
    ExpiredCode,
    /// The redirect URI is not the one of the authorization request.
    RedirectUri,
    /// The verifier does not answer the challenge.
    Verifier,
    /// The token is unknown, expired or revoked.
    Expired,
    /// The token was used before: its grant is revoked now. Callers see the same as for `Expired`.
    Reused,
}

/// What is known about a live token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Live {
    pub(super) username: String,
    pub(super) scope: String,
    pub(super) issued_at: i64,
    pub(super) expires_at: i64,
}

struct Code {
    approval: Approval,
    expires_at: i64,
    outcome: CodeOutcome,
}

/// What became of a code.
#[derive(Clone, Copy)]
enum CodeOutcome {
    Unused,
    /// Its first exchange failed.
    Wasted,
    /// Its first exchange made this grant.
    Granted(u64),
}

struct Grant {
    username: String,
    scope: String,
    revoked: bool,
    refreshable: bool,
}

struct Access {
    grant: u64,
    issued_at: i64,
    expires_at: i64,
}

struct Refresh {
    grant: u64,
    issued_at: i64,
    expires_at: i64,
    used: bool,
}

/// All grants of one app.
pub(super) struct Grants {
    policy: Policy,
    codes: HashMap<Digest, Code>,
    /// The oldest grant has the smallest number.
    by_age: BTreeMap<u64, Grant>,
    access: HashMap<Digest, Access>,
    refresh: HashMap<Digest, Refresh>,
    next_grant: u64,
}

impl Grants {
    pub(super) fn new(policy: Policy) -> Self {
        Self {
            policy,
            codes: HashMap::new(),
            by_age: BTreeMap::new(),
            access: HashMap::new(),
            refresh: HashMap::new(),
            next_grant: 1,
        }
    }

    /// A code for what a person allowed.
    pub(super) fn approve(&mut self, approval: Approval, now: i64) -> String {
        let code = format!("aPrx{}==", random::token(48));
        let expires_at = now.saturating_add(self.policy.code_life);
        self.codes.insert(
            random::digest(&code),
            Code {
                approval,
                expires_at,
                outcome: CodeOutcome::Unused,
            },
        );
        code
    }

    /// Trades a code for tokens, once. Any attempt uses the code up; a second one revokes what the
    /// first one gave out (RFC 6749 section 4.1.2).
    pub(super) fn exchange(
        &mut self,
        code: &str,
        redirect_uri: &str,
        verifier: &str,
        now: i64,
    ) -> Result<Issued, Refused> {
        let known = self
            .codes
            .get_mut(&random::digest(code))
            .ok_or(Refused::InvalidCode)?;
        match known.outcome {
            CodeOutcome::Unused => known.outcome = CodeOutcome::Wasted,
            CodeOutcome::Wasted => return Err(Refused::InvalidCode),
            CodeOutcome::Granted(grant) => {
                self.revoke_grant(grant);
                return Err(Refused::InvalidCode);
            }
        }
        if now >= known.expires_at {
            return Err(Refused::ExpiredCode);
        }
        if known.approval.redirect_uri != redirect_uri {
            return Err(Refused::RedirectUri);
        }
        if !verifier_answers(verifier, &known.approval.challenge) {
            return Err(Refused::Verifier);
        }
        let grant = self.next_grant;
        known.outcome = CodeOutcome::Granted(grant);
        let Approval {
            username, scope, ..
        } = known.approval.clone();
        self.next_grant += 1;
        self.forget_oldest(&username);
        let refreshable = scope
            .split(' ')
            .any(|s| matches!(s, "refresh_token" | "offline_access" | "full"));
        self.by_age.insert(
            grant,
            Grant {
                username,
                scope,
                revoked: false,
                refreshable,
            },
        );
        Ok(self.issue(grant, now))
    }

    /// A grant that nobody's browser led to, beside all others of the user: it counts against no limit.
    pub(super) fn grant(&mut self, username: &str, scope: &str, now: i64) -> Issued {
        let grant = self.next_grant;
        self.next_grant += 1;
        self.by_age.insert(
            grant,
            Grant {
                username: username.to_owned(),
                scope: scope.to_owned(),
                revoked: false,
                refreshable: true,
            },
        );
        self.issue(grant, now)
    }

    /// Rotates: the presented token dies with the answer. A token that died so revokes its grant.
    pub(super) fn rotate(&mut self, refresh_token: &str, now: i64) -> Result<Issued, Refused> {
        let known = self
            .refresh
            .get_mut(&random::digest(refresh_token))
            .ok_or(Refused::Expired)?;
        let grant = known.grant;
        let revoked = self.by_age.get(&grant).is_none_or(|g| g.revoked);
        if known.used {
            self.revoke_grant(grant);
            return Err(if revoked {
                Refused::Expired
            } else {
                Refused::Reused
            });
        }
        if revoked || now >= known.expires_at {
            return Err(Refused::Expired);
        }
        known.used = true;
        Ok(self.issue(grant, now))
    }

    /// Revokes the grant of a refresh token, or one access token. Unknown tokens are revoked already.
    pub(super) fn revoke(&mut self, token: &str) {
        let digest = random::digest(token);
        if let Some(refresh) = self.refresh.get(&digest) {
            let grant = refresh.grant;
            self.revoke_grant(grant);
        }
        self.access.remove(&digest);
    }

    /// Revokes all grants of a user, as an admin does. Tells how many were alive.
    pub(super) fn revoke_user(&mut self, username: &str) -> usize {
        let alive = self.alive(username);
        for grant in &alive {
            self.revoke_grant(*grant);
        }
        alive.len()
    }

    /// Ends every access token now; grants and refresh tokens stay.
    pub(super) fn expire_access(&mut self) {
        self.access.clear();
    }

    /// A live access token.
    pub(super) fn access(&self, token: &str, now: i64) -> Option<Live> {
        let access = self.access.get(&random::digest(token))?;
        self.live(access.grant, access.issued_at, access.expires_at, now)
    }

    /// A live refresh token. Asking does not use it and never counts as reuse.
    pub(super) fn refresh(&self, token: &str, now: i64) -> Option<Live> {
        let refresh = self.refresh.get(&random::digest(token))?;
        if refresh.used {
            return None;
        }
        self.live(refresh.grant, refresh.issued_at, refresh.expires_at, now)
    }

    /// How many grants of a user are alive.
    pub(super) fn approvals(&self, username: &str) -> usize {
        self.alive(username).len()
    }

    fn live(&self, grant: u64, issued_at: i64, expires_at: i64, now: i64) -> Option<Live> {
        let grant = self.by_age.get(&grant).filter(|g| !g.revoked)?;
        (now < expires_at).then(|| Live {
            username: grant.username.clone(),
            scope: grant.scope.clone(),
            issued_at,
            expires_at,
        })
    }

    fn alive(&self, username: &str) -> Vec<u64> {
        self.by_age
            .iter()
            .filter(|(_, g)| !g.revoked && g.username == username)
            .map(|(number, _)| *number)
            .collect()
    }

    fn forget_oldest(&mut self, username: &str) {
        let alive = self.alive(username);
        let surplus = (alive.len() + 1).saturating_sub(self.policy.approvals);
        for grant in alive.into_iter().take(surplus) {
            self.revoke_grant(grant);
        }
    }

    fn revoke_grant(&mut self, grant: u64) {
        if let Some(grant) = self.by_age.get_mut(&grant) {
            grant.revoked = true;
        }
        self.access.retain(|_, access| access.grant != grant);
    }

    /// An access token for an app that acts as a user without a consent.
    pub(super) fn without_consent(&mut self, username: &str, now: i64) -> Issued {
        let number = self.next_grant;
        self.next_grant += 1;
        self.by_age.insert(
            number,
            Grant {
                username: username.to_owned(),
                scope: "api id".to_owned(),
                revoked: false,
                refreshable: false,
            },
        );
        self.issue(number, now)
    }

    fn issue(&mut self, number: u64, now: i64) -> Issued {
        let access_token = format!("00D5g000004cAnA!AQ.{}", random::token(66));
        self.access.insert(
            random::digest(&access_token),
            Access {
                grant: number,
                issued_at: now,
                expires_at: now.saturating_add(self.policy.access_life),
            },
        );
        let (username, scope, refreshable) = self
            .by_age
            .get(&number)
            .map(|g| (g.username.clone(), g.scope.clone(), g.refreshable))
            .unwrap_or_default();
        let refresh_token = refreshable.then(|| format!("5Aep861{}", random::token(60)));
        if let Some(token) = &refresh_token {
            self.refresh.insert(
                random::digest(token),
                Refresh {
                    grant: number,
                    issued_at: now,
                    expires_at: now.saturating_add(self.policy.refresh_idle),
                    used: false,
                },
            );
        }
        Issued {
            username,
            scope,
            access_token,
            refresh_token,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CALLBACK: &str = "http://127.0.0.1/connect/callback/salesforce";

    fn approval(scope: &str) -> Approval {
        Approval {
            username: "olivia".into(),
            scope: scope.into(),
            redirect_uri: CALLBACK.into(),
            challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".into(),
        }
    }

    fn granted(grants: &mut Grants, now: i64) -> Issued {
        let code = grants.approve(approval("api refresh_token"), now);
        grants
            .exchange(&code, CALLBACK, VERIFIER, now)
            .ok()
            .unwrap()
    }

    #[test]
    fn t1_three_refreshes_in_a_row_each_outcomethe_token_before() {
        let mut grants = Grants::new(Policy::default());
        let mut token = granted(&mut grants, 0).refresh_token.unwrap();
        for now in 1..=3 {
            let next = grants.rotate(&token, now).ok().unwrap();
            let next = next.refresh_token.unwrap();
            assert_ne!(next, token);
            assert!(grants.refresh(&token, now).is_none());
            assert!(grants.refresh(&next, now).is_some());
            token = next;
        }
    }

    #[test]
    fn t3_a_replayed_refresh_token_ends_the_grant_and_its_access_tokens() {
        let mut grants = Grants::new(Policy::default());
        let first = granted(&mut grants, 0);
        let old = first.refresh_token.unwrap();
        let second = grants.rotate(&old, 1).ok().unwrap();
        assert!(grants.access(&first.access_token, 1).is_some());
        assert_eq!(grants.rotate(&old, 2).err(), Some(Refused::Reused));
        let current = second.refresh_token.unwrap();
        assert!(grants.access(&first.access_token, 2).is_none());
        assert!(grants.access(&second.access_token, 2).is_none());
        assert_eq!(grants.rotate(&current, 2).err(), Some(Refused::Expired));
        // The second replay finds nothing left to end.
        assert_eq!(grants.rotate(&old, 3).err(), Some(Refused::Expired));
    }

    #[test]
    fn a_replayed_code_ends_what_its_first_outcomebegan() {
        let mut grants = Grants::new(Policy::default());
        let code = grants.approve(approval("api refresh_token"), 0);
        let issued = grants.exchange(&code, CALLBACK, VERIFIER, 0).ok().unwrap();
        let again = grants.exchange(&code, CALLBACK, VERIFIER, 0);
        assert_eq!(again.err(), Some(Refused::InvalidCode));
        assert!(grants.access(&issued.access_token, 0).is_none());
    }

    #[test]
    fn a_code_is_refused_late_elsewhere_or_without_its_verifier_and_is_then_used_up() {
        let policy = Policy::default();
        let late = policy.code_life;
        for (redirect, verifier, now, refused) in [
            (CALLBACK, VERIFIER, late, Refused::ExpiredCode),
            ("http://127.0.0.1/other", VERIFIER, 0, Refused::RedirectUri),
            (CALLBACK, &VERIFIER.replace('d', "e"), 0, Refused::Verifier),
        ] {
            let mut grants = Grants::new(policy.clone());
            let code = grants.approve(approval("api"), 0);
            let answer = grants.exchange(&code, redirect, verifier, now);
            assert_eq!(answer.err(), Some(refused));
            let again = grants.exchange(&code, CALLBACK, VERIFIER, 0);
            assert_eq!(again.err(), Some(Refused::InvalidCode));
        }
    }

    #[test]
    fn the_sixth_approval_revokes_the_oldest() {
        let mut grants = Grants::new(Policy::default());
        let issued: Vec<Issued> = (0..6).map(|now| granted(&mut grants, now)).collect();
        assert_eq!(grants.approvals("olivia"), 5);
        assert!(grants.access(&issued[0].access_token, 6).is_none());
        assert!(grants.access(&issued[1].access_token, 6).is_some());
    }

    #[test]
    fn lives_end_when_they_say_and_without_the_scope_there_is_no_refresh_token() {
        let policy = Policy::default();
        let mut grants = Grants::new(policy.clone());
        let issued = granted(&mut grants, 0);
        assert!(
            grants
                .access(&issued.access_token, policy.access_life - 1)
                .is_some()
        );
        assert!(
            grants
                .access(&issued.access_token, policy.access_life)
                .is_none()
        );
        let refresh = issued.refresh_token.unwrap();
        let idle = grants.rotate(&refresh, policy.refresh_idle);
        assert_eq!(idle.err(), Some(Refused::Expired));
        let code = grants.approve(approval("api id"), 0);
        let issued = grants.exchange(&code, CALLBACK, VERIFIER, 0).ok().unwrap();
        assert!(issued.refresh_token.is_none());
    }

    proptest! {
        /// Whatever order tokens are presented in, at most one refresh token is alive, and after any
        /// replay of a used one none is.
        #[test]
        fn at_most_one_refresh_token_is_alive(presented in proptest::collection::vec(0_usize..8, 0..12)) {
            let mut grants = Grants::new(Policy::default());
            let mut tokens = vec![granted(&mut grants, 0).refresh_token.unwrap()];
            let mut replayed = false;
            for pick in presented {
                let at = pick % tokens.len();
                replayed |= at + 1 != tokens.len();
                if let Ok(issued) = grants.rotate(&tokens[at].clone(), 1) {
                    tokens.push(issued.refresh_token.unwrap());
                }
                let alive = tokens.iter().filter(|t| grants.refresh(t, 1).is_some()).count();
                prop_assert_eq!(alive, usize::from(!replayed));
            }
        }
    }
}
