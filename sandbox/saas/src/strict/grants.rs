//! Grants and the tokens they gave out, under the terms of any provider. No I/O; times are epoch
//! milliseconds handed in.

use std::collections::{BTreeMap, HashMap};

use super::error::Cause;
use crate::{oauth::verifier_answers, random};

type Digest = [u8; 32];

/// What a refresh does to the refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rotation {
    /// The same one comes back.
    Same,
    /// A new one comes, and the old one stays good.
    KeepsOld,
    /// A new one comes, the old one and the old access tokens are gone; the old one again ends the
    /// grant.
    Strict,
}

/// The terms under which tokens are issued.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    pub(super) rotation: Rotation,
    pub(super) access_life: i64,
    pub(super) refresh_life: Option<i64>,
    pub(super) access_prefix: &'static str,
    pub(super) access_bytes: usize,
    pub(super) refresh_prefix: &'static str,
}

/// What a person allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Approval {
    pub(super) username: String,
    pub(super) client_id: String,
    /// The instance whose tokens these are; empty where tokens are good everywhere.
    pub(super) instance: String,
    /// Space separated.
    pub(super) scope: String,
    pub(super) refreshable: bool,
    pub(super) redirect_uri: String,
    pub(super) challenge: Option<String>,
    pub(super) expires_at: i64,
}

/// A code as it is presented.
pub(super) struct Exchange<'a> {
    pub(super) code: &'a str,
    pub(super) client_id: &'a str,
    pub(super) instance: &'a str,
    pub(super) redirect_uri: &'a str,
    pub(super) verifier: Option<&'a str>,
}

/// A refresh token as it is presented.
pub(super) struct Presented<'a> {
    pub(super) token: &'a str,
    pub(super) client_id: &'a str,
    pub(super) instance: &'a str,
}

/// What the token endpoint hands out.
pub(super) struct Issued {
    pub(super) username: String,
    pub(super) scope: String,
    pub(super) access_token: String,
    pub(super) refresh_token: Option<String>,
}

/// A refused refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotRefreshed {
    pub(super) cause: Cause,
    /// The token was traded before.
    pub(super) reused: bool,
    /// That ended a grant which was alive.
    pub(super) ended: bool,
}

/// A live access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Live {
    pub(super) grant: u64,
    pub(super) username: String,
    pub(super) scope: String,
    pub(super) instance: String,
}

enum CodeOutcome {
    Unused,
    Wasted,
    Granted(u64),
}

struct Code {
    approval: Approval,
    outcome: CodeOutcome,
}

struct Grant {
    approval: Approval,
    revoked: bool,
    /// A refresh token that was traded and must never come again.
    traded: Option<String>,
    current: Option<String>,
}

struct Access {
    grant: u64,
    expires_at: i64,
}

struct Refresh {
    grant: u64,
    expires_at: i64,
    uses: u64,
}

/// All grants of one provider.
#[derive(Default)]
pub(super) struct Grants {
    codes: HashMap<Digest, Code>,
    /// The oldest grant has the smallest number.
    by_age: BTreeMap<u64, Grant>,
    access: HashMap<Digest, Access>,
    refresh: HashMap<Digest, Refresh>,
}

impl Grants {
    /// A code for what a person allowed.
    pub(super) fn approve(&mut self, approval: Approval) -> String {
        let code = random::token(32);
        self.codes.insert(
            random::digest(&code),
            Code {
                approval,
                outcome: CodeOutcome::Unused,
            },
        );
        code
    }

    /// Trades a code for tokens, once. Any attempt uses the code up; a second one revokes what the
    /// first one gave out (RFC 6749 section 4.1.2).
    pub(super) fn exchange(
        &mut self,
        asked: &Exchange<'_>,
        terms: &Terms,
        now: i64,
    ) -> Result<Issued, Cause> {
        let known = self
            .codes
            .get_mut(&random::digest(asked.code))
            .ok_or(Cause::Code)?;
        match known.outcome {
            CodeOutcome::Unused => known.outcome = CodeOutcome::Wasted,
            CodeOutcome::Wasted => return Err(Cause::Code),
            CodeOutcome::Granted(grant) => {
                self.revoke_grant(grant);
                return Err(Cause::Code);
            }
        }
        let approval = &known.approval;
        if approval.client_id != asked.client_id || approval.instance != asked.instance {
            return Err(Cause::Code);
        }
        if now >= approval.expires_at {
            return Err(Cause::ExpiredCode);
        }
        if approval.redirect_uri != asked.redirect_uri {
            return Err(Cause::RedirectUri);
        }
        let answered = match (&approval.challenge, asked.verifier) {
            (Some(challenge), Some(verifier)) => verifier_answers(verifier, challenge),
            (None, None) => true,
            // A verifier without a challenge is a downgrade that somebody tries (RFC 9700 section 4.8.2).
            _ => false,
        };
        if !answered {
            return Err(Cause::Verifier);
        }
        let number = self.by_age.keys().next_back().map_or(1, |last| last + 1);
        known.outcome = CodeOutcome::Granted(number);
        let grant = Grant {
            approval: known.approval.clone(),
            revoked: false,
            traded: None,
            current: None,
        };
        self.by_age.insert(number, grant);
        let refresh_token = self.new_refresh(number, terms, now);
        Ok(self.issued(number, refresh_token, terms, now))
    }

    /// Makes new tokens under the terms of the provider.
    pub(super) fn refresh(
        &mut self,
        asked: &Presented<'_>,
        terms: &Terms,
        now: i64,
    ) -> Result<Issued, NotRefreshed> {
        let refused = |cause| NotRefreshed {
            cause,
            reused: false,
            ended: false,
        };
        let digest = random::digest(asked.token);
        let known = self
            .refresh
            .get_mut(&digest)
            .ok_or(refused(Cause::Refresh))?;
        let number = known.grant;
        let grant = self
            .by_age
            .get_mut(&number)
            .ok_or(refused(Cause::Refresh))?;
        let approval = &grant.approval;
        if approval.client_id != asked.client_id || approval.instance != asked.instance {
            return Err(refused(Cause::Refresh));
        }
        if terms.rotation == Rotation::Strict && known.uses > 0 {
            known.uses += 1;
            let ended = !grant.revoked;
            self.revoke_grant(number);
            return Err(NotRefreshed {
                cause: Cause::Refresh,
                reused: true,
                ended,
            });
        }
        if grant.revoked {
            return Err(refused(Cause::Refresh));
        }
        if now >= known.expires_at {
            return Err(refused(Cause::Idle));
        }
        known.uses += 1;
        let refresh_token = match terms.rotation {
            Rotation::Same => Some(asked.token.to_owned()),
            Rotation::KeepsOld | Rotation::Strict => {
                grant.traded = Some(asked.token.to_owned());
                self.new_refresh(number, terms, now)
            }
        };
        if terms.rotation == Rotation::Strict {
            self.access.retain(|_, access| access.grant != number);
        }
        Ok(self.issued(number, refresh_token, terms, now))
    }

    /// How often a refresh token was traded before.
    pub(super) fn uses(&self, token: &str) -> u64 {
        self.refresh
            .get(&random::digest(token))
            .map_or(0, |refresh| refresh.uses)
    }

    /// A live access token.
    pub(super) fn access(&self, token: &str, now: i64) -> Option<Live> {
        let access = self.access.get(&random::digest(token))?;
        let grant = self.by_age.get(&access.grant).filter(|g| !g.revoked)?;
        (now < access.expires_at).then(|| Live {
            grant: access.grant,
            username: grant.approval.username.clone(),
            scope: grant.approval.scope.clone(),
            instance: grant.approval.instance.clone(),
        })
    }

    /// Ends a grant with all its tokens.
    pub(super) fn revoke_grant(&mut self, number: u64) {
        if let Some(grant) = self.by_age.get_mut(&number) {
            grant.revoked = true;
        }
        self.access.retain(|_, access| access.grant != number);
    }

    /// Ends all grants of a user; tells how many were alive.
    pub(super) fn revoke_user(&mut self, username: &str) -> usize {
        let alive = self.alive(Some(username));
        for number in &alive {
            self.revoke_grant(*number);
        }
        alive.len()
    }

    /// Ends every access token now.
    pub(super) fn expire_access(&mut self) {
        self.access.clear();
    }

    /// Lets every refresh token lie unused for too long.
    pub(super) fn expire_refresh(&mut self, now: i64) {
        for refresh in self.refresh.values_mut() {
            refresh.expires_at = now;
        }
    }

    /// Numbers of the live grants, of a user or of all.
    pub(super) fn alive(&self, username: Option<&str>) -> Vec<u64> {
        self.by_age
            .iter()
            .filter(|(_, g)| !g.revoked && username.is_none_or(|name| g.approval.username == name))
            .map(|(number, _)| *number)
            .collect()
    }

    /// The newest grant of a user with a traded refresh token: that token, its client and instance.
    pub(super) fn traded(&self, username: &str) -> Option<(String, String, String)> {
        self.by_age.values().rev().find_map(|grant| {
            let approval = &grant.approval;
            let token = grant.traded.clone()?;
            (approval.username == username)
                .then(|| (token, approval.client_id.clone(), approval.instance.clone()))
        })
    }

    /// The current refresh token of a user's newest live grant.
    pub(super) fn current(&self, username: &str) -> Option<String> {
        self.by_age
            .values()
            .rev()
            .find(|grant| !grant.revoked && grant.approval.username == username)?
            .current
            .clone()
    }

    fn new_refresh(&mut self, number: u64, terms: &Terms, now: i64) -> Option<String> {
        let grant = self.by_age.get_mut(&number)?;
        if !grant.approval.refreshable {
            return None;
        }
        let token = format!("{}{}", terms.refresh_prefix, random::token(48));
        grant.current = Some(token.clone());
        self.refresh.insert(
            random::digest(&token),
            Refresh {
                grant: number,
                expires_at: terms
                    .refresh_life
                    .map_or(i64::MAX, |life| now.saturating_add(life)),
                uses: 0,
            },
        );
        Some(token)
    }

    fn issued(
        &mut self,
        number: u64,
        refresh_token: Option<String>,
        terms: &Terms,
        now: i64,
    ) -> Issued {
        let access_token = format!(
            "{}{}",
            terms.access_prefix,
            random::token(terms.access_bytes)
        );
        self.access.insert(
            random::digest(&access_token),
            Access {
                grant: number,
                expires_at: now.saturating_add(terms.access_life),
            },
        );
        let approval = self.by_age.get(&number).map(|g| &g.approval);
        Issued {
            username: approval.map(|a| a.username.clone()).unwrap_or_default(),
            scope: approval.map(|a| a.scope.clone()).unwrap_or_default(),
            access_token,
            refresh_token,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    const CALLBACK: &str = "http://127.0.0.1/connect/callback/zendesk";

    fn terms(rotation: Rotation) -> Terms {
        Terms {
            rotation,
            access_life: 100,
            refresh_life: Some(1000),
            access_prefix: "a",
            access_bytes: 24,
            refresh_prefix: "r",
        }
    }

    fn approval() -> Approval {
        Approval {
            username: "olivia".into(),
            client_id: "app".into(),
            instance: "acme".into(),
            scope: "read".into(),
            refreshable: true,
            redirect_uri: CALLBACK.into(),
            challenge: Some(CHALLENGE.into()),
            expires_at: 60,
        }
    }

    fn exchange(code: &str) -> Exchange<'_> {
        Exchange {
            code,
            client_id: "app",
            instance: "acme",
            redirect_uri: CALLBACK,
            verifier: Some(VERIFIER),
        }
    }

    fn granted(grants: &mut Grants, terms: &Terms) -> Issued {
        let code = grants.approve(approval());
        grants.exchange(&exchange(&code), terms, 0).ok().unwrap()
    }

    fn presented(token: &str) -> Presented<'_> {
        Presented {
            token,
            client_id: "app",
            instance: "acme",
        }
    }

    #[test]
    fn a_strict_provider_forgets_the_old_tokens_and_ends_the_grant_at_a_replay() {
        let (mut grants, terms) = (Grants::default(), terms(Rotation::Strict));
        let first = granted(&mut grants, &terms);
        let old = first.refresh_token.unwrap();
        let second = grants.refresh(&presented(&old), &terms, 1).ok().unwrap();
        assert!(grants.access(&first.access_token, 1).is_none());
        assert!(grants.access(&second.access_token, 1).is_some());
        let again = grants.refresh(&presented(&old), &terms, 2).err().unwrap();
        assert!(again.reused && again.ended);
        assert!(grants.access(&second.access_token, 2).is_none());
        let current = second.refresh_token.unwrap();
        let dead = grants.refresh(&presented(&current), &terms, 2);
        assert_eq!(dead.err().map(|e| e.cause), Some(Cause::Refresh));
        assert!(grants.alive(None).is_empty());
    }

    #[test]
    fn the_others_give_the_same_token_back_or_keep_the_old_one_good() {
        for (rotation, same) in [(Rotation::Same, true), (Rotation::KeepsOld, false)] {
            let (mut grants, terms) = (Grants::default(), terms(rotation));
            let first = granted(&mut grants, &terms);
            let old = first.refresh_token.unwrap();
            for now in 1..=3 {
                let next = grants.refresh(&presented(&old), &terms, now).ok().unwrap();
                assert_eq!(next.refresh_token.as_deref() == Some(&old), same);
            }
            assert!(grants.access(&first.access_token, 3).is_some());
            assert_eq!(grants.uses(&old), 3);
        }
    }

    #[test]
    fn a_refresh_token_is_bound_to_its_client_its_instance_and_its_life() {
        let (mut grants, terms) = (Grants::default(), terms(Rotation::Same));
        let token = granted(&mut grants, &terms).refresh_token.unwrap();
        for (client_id, instance, now, cause) in [
            ("other", "acme", 1, Cause::Refresh),
            ("app", "globex", 1, Cause::Refresh),
            ("app", "acme", 1000, Cause::Idle),
        ] {
            let asked = Presented {
                token: &token,
                client_id,
                instance,
            };
            let refused = grants.refresh(&asked, &terms, now).err().unwrap();
            assert_eq!(refused.cause, cause);
        }
        assert!(grants.refresh(&presented(&token), &terms, 1).is_ok());
    }

    #[test]
    fn a_code_is_good_once_for_its_client_redirect_and_verifier() {
        let terms = terms(Rotation::Same);
        let other_verifier = VERIFIER.replace('d', "e");
        let wrong = |change: &dyn Fn(&mut Exchange<'_>), now: i64| {
            let mut grants = Grants::default();
            let code = grants.approve(approval());
            let mut asked = exchange(&code);
            change(&mut asked);
            let refused = grants.exchange(&asked, &terms, now).err().unwrap();
            let again = grants.exchange(&exchange(&code), &terms, 0).err();
            assert_eq!(again, Some(Cause::Code), "a failed attempt uses it up");
            refused
        };
        assert_eq!(wrong(&|e| e.client_id = "other", 0), Cause::Code);
        assert_eq!(wrong(&|e| e.instance = "globex", 0), Cause::Code);
        assert_eq!(wrong(&|e| e.redirect_uri = "x", 0), Cause::RedirectUri);
        assert_eq!(wrong(&|e| e.verifier = None, 0), Cause::Verifier);
        assert_eq!(wrong(&|_| (), 60), Cause::ExpiredCode);
        let mut grants = Grants::default();
        let code = grants.approve(approval());
        let mut asked = exchange(&code);
        asked.verifier = Some(&other_verifier);
        assert_eq!(
            grants.exchange(&asked, &terms, 0).err(),
            Some(Cause::Verifier)
        );
    }

    #[test]
    fn a_replayed_code_revokes_what_its_first_use_gave_out() {
        let (mut grants, terms) = (Grants::default(), terms(Rotation::Same));
        let code = grants.approve(approval());
        let issued = grants.exchange(&exchange(&code), &terms, 0).ok().unwrap();
        assert!(grants.exchange(&exchange(&code), &terms, 0).is_err());
        assert!(grants.access(&issued.access_token, 0).is_none());
        assert!(grants.alive(Some("olivia")).is_empty());
    }
}
