//! Probes of a customer's role: what each answer of STS proves (O3 to O6), and what the whole means.

use jiff::Timestamp;
use tributary::{
    aws::Refusal,
    tenancy::{
        AccountState, Permission, PermissionOutcome, Probe, ProbeOutcome, VerificationReport,
    },
};

/// What STS answered to an attempt to assume the role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// It gave credentials.
    Assumed {
        /// AWS's request id.
        request_id: Option<String>,
    },
    /// It refused.
    Denied {
        /// AWS's request id.
        request_id: Option<String>,
    },
    /// It said nothing that proves anything: throttling, a network error, another refusal.
    Unclear {
        /// AWS's request id.
        request_id: Option<String>,
    },
    /// It was not asked, because the answer would prove nothing.
    NotAsked,
}

impl Answer {
    pub(super) fn refused(refusal: Refusal) -> Self {
        let denied = refusal.is_access_denied();
        let request_id = refusal.request_id;
        if denied {
            Self::Denied { request_id }
        } else {
            Self::Unclear { request_id }
        }
    }

    fn request_id(&self) -> Option<String> {
        match self {
            Self::Assumed { request_id }
            | Self::Denied { request_id }
            | Self::Unclear { request_id } => request_id.clone(),
            Self::NotAsked => None,
        }
    }
}

/// With the right external id the role must be assumed.
pub(super) fn with_id(answer: &Answer, at: Timestamp) -> Probe {
    let (outcome, detail) = match answer {
        Answer::Assumed { .. } => (
            ProbeOutcome::Passed,
            "The role was assumed with its external id.".to_owned(),
        ),
        Answer::Denied { .. } => (
            ProbeOutcome::Failed,
            "STS refused and does not say why. Check that the stack is launched, the role's name, \
             the external id and the principal in its trust policy."
                .to_owned(),
        ),
        Answer::Unclear { .. } | Answer::NotAsked => unclear(),
    };
    probe("with_external_id", outcome, detail, answer, at)
}

/// Without the right external id the role must be refused, and only `AccessDenied` is a refusal.
pub(super) fn without_right_id(name: &str, answer: &Answer, at: Timestamp) -> Probe {
    let (outcome, detail) = match answer {
        Answer::Denied { .. } => (
            ProbeOutcome::Passed,
            // Sent by the same principal as the first probe, which was allowed: only the external
            // id differs, so only the role's trust policy can have refused.
            "STS refused, as it must; only the external id differs from the first probe.".to_owned(),
        ),
        Answer::Assumed { .. } => (
            ProbeOutcome::Failed,
            "The role was assumed. Its trust policy must require the external id with StringEquals."
                .to_owned(),
        ),
        Answer::Unclear { .. } => unclear(),
        Answer::NotAsked => (
            ProbeOutcome::Inconclusive,
            "Not tried: a refusal proves nothing while the role refuses its own external id."
                .to_owned(),
        ),
    };
    probe(name, outcome, detail, answer, at)
}

/// The credentials must lead to the declared account.
pub(super) fn account(
    found: Option<&str>,
    declared: &str,
    request_id: Option<String>,
    at: Timestamp,
) -> Probe {
    let (outcome, detail) = match found {
        Some(found) if found == declared => (
            ProbeOutcome::Passed,
            format!("The role is in account {declared}."),
        ),
        Some(found) => (
            ProbeOutcome::Failed,
            format!("Account {declared} was declared, the role is in account {found}."),
        ),
        None => unclear(),
    };
    let answer = Answer::Assumed { request_id };
    probe("account", outcome, detail, &answer, at)
}

/// Name of the probe that sends an event.
const EVENT_FORWARDING: &str = "event_forwarding";

/// What became of the event that verification sent through the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// It came out at our end.
    Arrived,
    /// It was taken there and did not come out here within so many seconds.
    Lost(u64),
    /// The same, and it is too early to say what that means.
    Late(u64),
    /// The role may not put it.
    NotAllowed,
    /// It could not be put.
    NotPut,
}

/// Events of the account must reach us.
pub(super) fn event_forwarding(event: Event, request_id: Option<String>, at: Timestamp) -> Probe {
    let (outcome, detail) = match event {
        Event::Arrived => (
            ProbeOutcome::Passed,
            "An event that was put on the account's bus arrived.".to_owned(),
        ),
        Event::Lost(seconds) => (
            ProbeOutcome::Failed,
            format!(
                "No event arrived within {seconds} s. Check that the rule of the template is there and \
                 enabled, and its role."
            ),
        ),
        Event::Late(seconds) => (
            ProbeOutcome::Inconclusive,
            format!("No event arrived within {seconds} s. It is tried again soon."),
        ),
        Event::NotAllowed => (
            ProbeOutcome::Inconclusive,
            "Not tried: the role may not put an event.".to_owned(),
        ),
        Event::NotPut => (
            ProbeOutcome::Inconclusive,
            "The event could not be put on the account's bus. Try again.".to_owned(),
        ),
    };
    Probe {
        name: EVENT_FORWARDING.to_owned(),
        outcome,
        detail,
        request_id,
        at,
    }
}

fn unclear() -> (ProbeOutcome, String) {
    (
        ProbeOutcome::Inconclusive,
        "STS gave no answer that proves anything. Try again.".to_owned(),
    )
}

fn probe(
    name: &str,
    outcome: ProbeOutcome,
    detail: String,
    answer: &Answer,
    at: Timestamp,
) -> Probe {
    Probe {
        name: name.to_owned(),
        outcome,
        detail,
        request_id: answer.request_id(),
        at,
    }
}

/// Which failure of which probe is named, worst first. Missing permissions come before events: without
/// the permission no event was sent.
const REASONS: [(&str, &str); 4] = [
    ("without_external_id", "role_assumable_without_external_id"),
    (
        "with_wrong_external_id",
        "role_assumable_with_wrong_external_id",
    ),
    ("account", "wrong_account"),
    ("with_external_id", "role_not_assumable"),
];

/// Whether all of these passed.
pub(super) fn all_passed(probes: &[Probe]) -> bool {
    probes
        .iter()
        .all(|probe| probe.outcome == ProbeOutcome::Passed)
}

/// What probes and permissions mean together.
pub(super) fn report(probes: Vec<Probe>, permissions: Vec<Permission>) -> VerificationReport {
    let failed = |name: &str| {
        probes
            .iter()
            .any(|probe| probe.name == name && probe.outcome == ProbeOutcome::Failed)
    };
    let missing: Vec<String> = permissions
        .iter()
        .filter(|one| one.outcome == PermissionOutcome::Missing)
        .map(|one| one.action.clone())
        .collect();
    let is_clear = permissions
        .iter()
        .all(|one| one.outcome != PermissionOutcome::Inconclusive);
    let passed = all_passed(&probes) && missing.is_empty() && is_clear;
    let untrusted = REASONS.iter().find(|(name, _)| failed(name));
    let reason = match untrusted {
        Some((_, reason)) => Some(*reason),
        None if !missing.is_empty() => Some("permissions_missing"),
        None if failed(EVENT_FORWARDING) => Some("events_not_forwarded"),
        None if passed => None,
        None => Some("inconclusive"),
    };
    VerificationReport {
        passed,
        reason: reason.map(str::to_owned),
        probes,
        permissions,
        missing,
        statements: Vec::new(),
        warnings: Vec::new(),
    }
}

/// Where an account stands after a report: what proves nothing changes nothing.
pub(in crate::accounts) fn state_after(
    before: AccountState,
    report: &VerificationReport,
) -> AccountState {
    if report.passed {
        return AccountState::Verified;
    }
    if report.reason.as_deref() == Some("inconclusive") {
        return before;
    }
    match before {
        AccountState::Pending => AccountState::Pending,
        AccountState::Verified | AccountState::Degraded => AccountState::Degraded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    fn assumed() -> Answer {
        Answer::Assumed { request_id: None }
    }
    fn denied() -> Answer {
        Answer::Denied { request_id: None }
    }
    fn unclear() -> Answer {
        Answer::Unclear { request_id: None }
    }

    fn judged(with: &Answer, found: &str, without: &Answer, wrong: &Answer) -> VerificationReport {
        report(trust(with, found, without, wrong), Vec::new())
    }

    fn trust(with: &Answer, found: &str, without: &Answer, wrong: &Answer) -> Vec<Probe> {
        vec![
            with_id(with, AT),
            account(Some(found), "222222222222", None, AT),
            without_right_id("without_external_id", without, AT),
            without_right_id("with_wrong_external_id", wrong, AT),
        ]
    }

    #[test]
    fn o7_a_trusted_role_that_lacks_an_action_or_forwards_nothing_is_not_verified() {
        use PermissionOutcome::{Allowed, Inconclusive, Missing, NotProbed};
        let tried = |outcome| Permission {
            action: "appflow:StartFlow".to_owned(),
            outcome,
            detail: None,
            request_id: None,
            at: AT,
        };
        for (outcome, event, reason) in [
            (Allowed, Event::Arrived, None),
            (NotProbed, Event::Arrived, None),
            (Missing, Event::Arrived, Some("permissions_missing")),
            (Missing, Event::NotAllowed, Some("permissions_missing")),
            (Missing, Event::Lost(10), Some("permissions_missing")),
            (Inconclusive, Event::Arrived, Some("inconclusive")),
            (Allowed, Event::Lost(10), Some("events_not_forwarded")),
            (Inconclusive, Event::Lost(10), Some("events_not_forwarded")),
            (Allowed, Event::Late(10), Some("inconclusive")),
            (Allowed, Event::NotPut, Some("inconclusive")),
        ] {
            let mut probes = trust(&assumed(), "222222222222", &denied(), &denied());
            probes.push(event_forwarding(event, None, AT));
            let report = report(probes, vec![tried(outcome)]);
            assert_eq!(report.reason.as_deref(), reason, "{outcome:?} {event:?}");
            assert_eq!(report.passed, reason.is_none());
            let is_missing = outcome == Missing;
            assert_eq!(report.missing.len(), usize::from(is_missing));
        }
    }

    #[test]
    fn o3_o4_o5_each_outcome_has_its_reason() {
        let same = "222222222222";
        for (report, reason) in [
            (judged(&assumed(), same, &denied(), &denied()), None),
            (
                judged(&assumed(), same, &assumed(), &denied()),
                Some("role_assumable_without_external_id"),
            ),
            (
                judged(&assumed(), same, &denied(), &assumed()),
                Some("role_assumable_with_wrong_external_id"),
            ),
            (
                judged(&assumed(), "333333333333", &denied(), &denied()),
                Some("wrong_account"),
            ),
            (
                judged(&denied(), same, &Answer::NotAsked, &Answer::NotAsked),
                Some("role_not_assumable"),
            ),
            (
                judged(&assumed(), same, &unclear(), &denied()),
                Some("inconclusive"),
            ),
            (
                judged(&unclear(), same, &Answer::NotAsked, &Answer::NotAsked),
                Some("inconclusive"),
            ),
        ] {
            assert_eq!(report.reason.as_deref(), reason);
            assert_eq!(report.passed, reason.is_none());
        }
    }

    #[test]
    fn o5_both_accounts_are_named() {
        let probe = account(Some("333333333333"), "222222222222", None, AT);
        assert!(probe.detail.contains("333333333333") && probe.detail.contains("222222222222"));
    }

    #[test]
    fn only_access_denied_is_a_refusal() {
        let refusal = |code: Option<&str>, status| Refusal {
            code: code.map(str::to_owned),
            message: None,
            status,
            request_id: None,
        };
        assert_eq!(
            Answer::refused(refusal(Some("AccessDenied"), Some(403))),
            denied()
        );
        for (code, status) in [
            (Some("Throttling"), Some(400)),
            (Some("RegionDisabledException"), Some(403)),
            (Some("ExpiredToken"), Some(403)),
            (None, None),
        ] {
            assert_eq!(Answer::refused(refusal(code, status)), unclear());
        }
    }

    #[test]
    fn o8_a_proven_account_degrades_and_an_inconclusive_report_changes_nothing() {
        use AccountState::{Degraded, Pending, Verified};
        let good = judged(&assumed(), "222222222222", &denied(), &denied());
        let bad = judged(
            &denied(),
            "222222222222",
            &Answer::NotAsked,
            &Answer::NotAsked,
        );
        let open = judged(
            &unclear(),
            "222222222222",
            &Answer::NotAsked,
            &Answer::NotAsked,
        );
        for (before, after_good, after_bad) in [
            (Pending, Verified, Pending),
            (Verified, Verified, Degraded),
            (Degraded, Verified, Degraded),
        ] {
            assert_eq!(state_after(before, &good), after_good);
            assert_eq!(state_after(before, &bad), after_bad);
            assert_eq!(state_after(before, &open), before);
        }
    }
}
