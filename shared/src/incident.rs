//! Incidents: what happened to a flow besides its runs.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    id::{FlowId, TenantId},
    store::Key,
};

/// How long reports are kept: AppFlow sends one for each active event flow every five minutes.
const REPORTS_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum IncidentKind {
    /// AppFlow switched the flow off.
    Deactivated,
    /// AppFlow gave the flow up.
    Errored,
    /// AppFlow reported how many events came to a flow that events start.
    Report,
    /// An alarm of the flow changed its state.
    Alarm,
}

impl IncidentKind {
    /// The word under which the kind is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deactivated => "deactivated",
            Self::Errored => "errored",
            Self::Report => "report",
            Self::Alarm => "alarm",
        }
    }
}

/// Something that happened to a flow, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Whose flow it is.
    pub tenant_id: TenantId,
    /// The flow.
    pub flow_id: FlowId,
    /// What happened.
    pub kind: IncidentKind,
    /// When it happened, or was noticed.
    pub at: Timestamp,
    /// What of the kind it is about, where there are several: an alarm's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The provider's words, with secrets removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When it is forgotten, epoch seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

impl Incident {
    /// Something that happened.
    pub fn new(
        tenant_id: TenantId,
        flow_id: FlowId,
        kind: IncidentKind,
        at: Timestamp,
        message: Option<String>,
    ) -> Self {
        let expires_at =
            (kind == IncidentKind::Report).then(|| at.as_second() + REPORTS_KEPT.as_secs());
        Self {
            tenant_id,
            flow_id,
            kind,
            at,
            subject: None,
            message,
            expires_at,
        }
    }

    /// Says what of its kind it is about.
    #[must_use]
    pub fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Where it is kept: what happens twice at one time is kept once.
    pub fn key(&self) -> Key {
        let kind = match &self.subject {
            None => self.kind.as_str().to_owned(),
            Some(subject) => format!("{}#{subject}", self.kind.as_str()),
        };
        Key::incident(self.tenant_id, self.flow_id, self.at, &kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_reports_are_forgotten_and_alarms_are_told_apart() {
        let at: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
        let (tenant, flow) = (TenantId::new(), FlowId::new());
        let of = |kind| Incident::new(tenant, flow, kind, at, None);
        assert_eq!(
            of(IncidentKind::Report).expires_at,
            Some(at.as_second() + 2_592_000)
        );
        assert_eq!(of(IncidentKind::Deactivated).expires_at, None);
        let alarm = |name: &str| of(IncidentKind::Alarm).about(name).key();
        assert_ne!(alarm("slow"), alarm("failed"));
        assert_ne!(
            of(IncidentKind::Errored).key(),
            of(IncidentKind::Deactivated).key()
        );
    }
}
