//! Whether the browser that comes back is the one that left: pure, every rule in one place.

use tributary::{secret::Secret, store::key::sha256_hex};

use super::{Binding, Consent};
use crate::session::Session;

/// What is seen when the browser comes back.
pub(super) struct Seen<'a> {
    /// Last segment of the path.
    pub(super) provider: &'a str,
    /// The transaction cookie.
    pub(super) cookie: &'a Secret,
    /// The session, if somebody is signed in.
    pub(super) session: Option<&'a Session>,
    /// `iss`, if the provider sent it.
    pub(super) issuer: Option<&'a str>,
    /// Epoch seconds.
    pub(super) now: i64,
}

/// Why it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mismatch {
    /// It took too long.
    Expired,
    /// Another browser began this (login CSRF, or a consent link that was passed on).
    OtherBrowser,
    /// Nobody is signed in.
    SignedOut,
    /// Somebody else, or somebody of another tenant, is signed in.
    OtherPerson,
    /// The answer came on another provider's path.
    OtherProvider,
    /// Another issuer answers (mix-up).
    OtherIssuer,
}

impl Mismatch {
    /// For the log.
    pub(super) const fn log(self) -> &'static str {
        match self {
            Self::Expired => "the state has expired",
            Self::OtherBrowser => "the transaction cookie is another one",
            Self::SignedOut => "nobody is signed in",
            Self::OtherPerson => "another person or tenant is signed in",
            Self::OtherProvider => "the path is another provider's",
            Self::OtherIssuer => "iss is not the provider that was asked",
        }
    }
}

/// Compares what is seen with what was kept.
pub(super) fn check(consent: &Consent, seen: &Seen<'_>) -> Result<(), Mismatch> {
    if consent.expires_at <= seen.now {
        return Err(Mismatch::Expired);
    }
    if !Secret::new(sha256_hex(seen.cookie.expose())).same_as(&consent.cookie_hash) {
        return Err(Mismatch::OtherBrowser);
    }
    match consent.binding {
        Binding::Session => {
            let session = seen.session.ok_or(Mismatch::SignedOut)?;
            if !session.is_of(&consent.subject, consent.tenant_id) {
                return Err(Mismatch::OtherPerson);
            }
        }
        // Whoever began it has no session of ours; the cookie alone says that it is the same browser.
        Binding::ConnectToken | Binding::Invitation => {}
    }
    if seen.provider != consent.provider {
        return Err(Mismatch::OtherProvider);
    }
    if seen.issuer.is_some_and(|issuer| issuer != consent.issuer) {
        return Err(Mismatch::OtherIssuer);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tributary::id::{ConnectionId, TenantId};

    use super::*;

    const LOGIN: &str = "https://login.salesforce.com";
    const NOW: i64 = 1_767_225_600;

    fn cookie(letter: &str) -> Secret {
        Secret::new(letter.repeat(43))
    }

    fn consent(tenant: TenantId) -> Consent {
        serde_json::from_value(json!({
            "tenant_id": tenant, "connection_id": ConnectionId::new(), "subject": "frank", "provider": "salesforce", "issuer": LOGIN,
            "verifier": {"v": 1, "k": "", "c": ""}, "cookie_hash": sha256_hex(cookie("a").expose()),
            "expires_at": NOW + 600,
        }))
        .unwrap()
    }

    fn session(subject: &str, tenant: Option<TenantId>) -> Session {
        serde_json::from_value(json!({
            "subject": subject, "tenant_id": tenant, "generation": 1, "tokens": {"v": 1, "k": "", "c": ""},
            "usable_until": 0, "expires_at": NOW + 60,
        }))
        .unwrap()
    }

    #[test]
    fn the_browser_and_person_that_left_may_come_back() {
        let tenant = TenantId::new();
        let (cookie, session) = (cookie("a"), session("frank", Some(tenant)));
        for issuer in [None, Some(LOGIN)] {
            let seen = Seen {
                provider: "salesforce",
                cookie: &cookie,
                session: Some(&session),
                issuer,
                now: NOW,
            };
            assert_eq!(check(&consent(tenant), &seen), Ok(()));
        }
    }

    /// Who was invited, or came with a connect token, has no session: the cookie binds the browser, and
    /// everything else still has to fit.
    #[test]
    fn c7_without_a_session_the_cookie_and_all_else_must_fit() {
        let (right, wrong) = (cookie("a"), cookie("b"));
        for binding in [Binding::ConnectToken, Binding::Invitation] {
            let mut consent = consent(TenantId::new());
            consent.binding = binding;
            let seen = || Seen {
                provider: "salesforce",
                cookie: &right,
                session: None,
                issuer: None,
                now: NOW,
            };
            assert_eq!(check(&consent, &seen()), Ok(()));
            let other = Seen {
                cookie: &wrong,
                ..seen()
            };
            assert_eq!(check(&consent, &other), Err(Mismatch::OtherBrowser));
            let late = Seen {
                now: NOW + 600,
                ..seen()
            };
            assert_eq!(check(&consent, &late), Err(Mismatch::Expired));
            let elsewhere = Seen {
                provider: "slack",
                ..seen()
            };
            assert_eq!(check(&consent, &elsewhere), Err(Mismatch::OtherProvider));
        }
    }

    #[test]
    fn c6_c7_whatever_differs_is_refused() {
        let tenant = TenantId::new();
        let (right, wrong) = (cookie("a"), cookie("b"));
        let frank = session("frank", Some(tenant));
        let alex = session("alex", Some(tenant));
        let moved = session("frank", Some(TenantId::new()));
        let homeless = session("frank", None);
        let seen = || Seen {
            provider: "salesforce",
            cookie: &right,
            session: Some(&frank),
            issuer: None,
            now: NOW,
        };
        let cases = [
            (
                Seen {
                    now: NOW + 600,
                    ..seen()
                },
                Mismatch::Expired,
            ),
            (
                Seen {
                    cookie: &wrong,
                    ..seen()
                },
                Mismatch::OtherBrowser,
            ),
            (
                Seen {
                    session: None,
                    ..seen()
                },
                Mismatch::SignedOut,
            ),
            (
                Seen {
                    session: Some(&alex),
                    ..seen()
                },
                Mismatch::OtherPerson,
            ),
            (
                Seen {
                    session: Some(&moved),
                    ..seen()
                },
                Mismatch::OtherPerson,
            ),
            (
                Seen {
                    session: Some(&homeless),
                    ..seen()
                },
                Mismatch::OtherPerson,
            ),
            (
                Seen {
                    provider: "slack",
                    ..seen()
                },
                Mismatch::OtherProvider,
            ),
            (
                Seen {
                    issuer: Some("https://evil.example"),
                    ..seen()
                },
                Mismatch::OtherIssuer,
            ),
            (
                Seen {
                    issuer: Some("https://login.salesforce.com/"),
                    ..seen()
                },
                Mismatch::OtherIssuer,
            ),
        ];
        for (seen, mismatch) in cases {
            assert_eq!(check(&consent(tenant), &seen), Err(mismatch));
        }
    }
}
