//! Drift: what somebody changed in AppFlow without us. Noticed, shown, and settled by the user's
//! choice (F6): taken over, or overwritten; never one or the other by itself.

pub(super) mod accept;
pub(super) mod get;
mod look;
pub(super) mod overwrite;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tributary::{
    error::{Error, Kind},
    store::{Key, Update},
};
use utoipa::ToSchema;

use super::{
    record::{Flow, FlowState},
    sweep,
};
use crate::TenantApp;
#[cfg(test)]
use look::Found;
pub(super) use look::{Look, look, millis};

/// What sort of change it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DriftKind {
    /// AppFlow has another definition than ours.
    Changed,
    /// AppFlow does not have the flow any more.
    Deleted,
    /// Somebody started or stopped it.
    Status,
}

/// A change by somebody else, as it is stored with the flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Drift {
    pub(super) kind: DriftKind,
    pub(super) noticed_at: Timestamp,
    /// Who changed it last, as AppFlow has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) who: Option<String>,
    /// Where AppFlow has the flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) found_state: Option<FlowState>,
    /// AppFlow's time of the change, epoch milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) appflow_updated_at: Option<i64>,
}

/// A change by somebody else.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DriftView {
    kind: DriftKind,
    #[schema(value_type = String, format = DateTime)]
    noticed_at: Timestamp,
    /// Who changed it last, as AppFlow has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "arn:aws:iam::222222222222:user/ana")]
    who: Option<String>,
    /// Where AppFlow has the flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    found_state: Option<FlowState>,
}

impl DriftView {
    pub(super) fn of(drift: Drift) -> Self {
        let Drift {
            kind,
            noticed_at,
            who,
            found_state,
            appflow_updated_at: _,
        } = drift;
        Self {
            kind,
            noticed_at,
            who,
            found_state,
        }
    }
}

/// What a look at AppFlow's flow comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judgement {
    /// AppFlow has what we have.
    Agrees,
    /// AppFlow switched the flow off by itself, and says why.
    Deactivated { state: FlowState, message: String },
    /// Somebody else changed it.
    Drifted(Drift),
}

/// Judges what was found against the flow as we have it.
pub(super) fn judge(flow: &Flow, look: &Look, now: Timestamp) -> Judgement {
    // The same change, seen again, was noticed when it was noticed.
    let noticed = |drift: Drift| match &flow.drift {
        Some(known)
            if known.kind == drift.kind && known.appflow_updated_at == drift.appflow_updated_at =>
        {
            Drift {
                noticed_at: known.noticed_at,
                ..drift
            }
        }
        _ => drift,
    };
    let found = match look {
        Look::Gone => {
            return Judgement::Drifted(noticed(Drift {
                kind: DriftKind::Deleted,
                noticed_at: now,
                who: None,
                found_state: None,
                appflow_updated_at: None,
            }));
        }
        Look::Found(found) => found,
    };
    let drifted = |kind| {
        Judgement::Drifted(noticed(Drift {
            kind,
            noticed_at: now,
            who: found.updated_by.clone(),
            found_state: Some(found.state),
            appflow_updated_at: found.updated_at,
        }))
    };
    if !found.differences.is_empty() {
        return drifted(DriftKind::Changed);
    }
    if found.state == flow.state {
        return Judgement::Agrees;
    }
    match (&found.message, found.state) {
        (Some(message), FlowState::Suspended | FlowState::Errored) => Judgement::Deactivated {
            state: found.state,
            message: message.clone(),
        },
        _ => drifted(DriftKind::Status),
    }
}

/// The change of the flow's item that a judgement asks for; none when it says so already.
pub(super) fn lesson(flow: &Flow, judgement: &Judgement, found: Option<i64>) -> Option<Update> {
    let update = Update::new();
    match judgement {
        Judgement::Agrees => {
            let known = flow.drift.is_none() && flow.appflow_updated_at == found;
            (!known).then(|| {
                update
                    .set_or_remove("appflow_updated_at", found)
                    .remove("drift")
            })
        }
        Judgement::Deactivated { state, message } => Some(
            update
                .set("state", *state)
                .set("status_message", message)
                .set_or_remove("appflow_updated_at", found)
                .set("updated_at", Timestamp::now())
                .remove("drift"),
        ),
        Judgement::Drifted(drift) => (flow.drift.as_ref() != Some(drift)).then(|| {
            let found = drift.found_state.unwrap_or(flow.state);
            let trigger = &flow.definition.trigger;
            sweep::going(update, trigger, found, drift.noticed_at).set("drift", drift)
        }),
    }
}

/// Writes what a look taught, unless the flow was changed by us meanwhile: then the look is old.
pub(super) async fn learn(
    app: &TenantApp,
    flow: &Flow,
    judgement: &Judgement,
    look: &Look,
) -> Result<(), Error> {
    let found = match look {
        Look::Gone => None,
        Look::Found(found) => found.updated_at,
    };
    let Some(update) = lesson(flow, judgement, found) else {
        return Ok(());
    };
    let update = unless_ours(flow, update);
    let key = Key::flow(flow.tenant_id, flow.id);
    match app
        .store
        .update::<serde::de::IgnoredAny>(&key, update)
        .await
    {
        Ok(_) => {
            log(flow, judgement);
            Ok(())
        }
        Err(error) if error.is_condition() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Holds an update back while a change of ours is under way or has been made since `flow` was read.
pub(super) fn unless_ours(flow: &Flow, update: Update) -> Update {
    update
        .when_equal("updated_at", flow.updated_at)
        .when_equal("state", flow.state)
        .when_absent_or_less("updating_until", Timestamp::now().as_millisecond())
}

fn log(flow: &Flow, judgement: &Judgement) {
    match judgement {
        Judgement::Agrees => {
            tracing::debug!(tenant.id = %flow.tenant_id, flow.id = %flow.id, "AppFlow has the flow as we have it");
        }
        Judgement::Deactivated { state, message } => {
            tracing::warn!(tenant.id = %flow.tenant_id, flow.id = %flow.id, flow.state = ?state, reason = message, "AppFlow switched the flow off");
        }
        Judgement::Drifted(drift) => {
            tracing::warn!(tenant.id = %flow.tenant_id, flow.id = %flow.id, drift.kind = ?drift.kind, drift.who = drift.who, "somebody else changed the flow");
        }
    }
}

/// The answer to a change of a flow that drifted.
pub(super) fn refused() -> Error {
    Error::new(
        Kind::Conflict,
        "drifted",
        "This flow was changed in AppFlow by somebody else. See its drift, then accept or overwrite it.",
    )
}

/// Refuses to go on with a flow that is known to have drifted.
pub(super) fn none(flow: &Flow) -> Result<(), Error> {
    if flow.drift.is_some() {
        return Err(refused());
    }
    Ok(())
}

/// Looks again, and refuses when the flow has drifted, noticed before or not.
pub(super) async fn none_now(
    app: &TenantApp,
    client: &aws_sdk_appflow::Client,
    flow: &Flow,
) -> Result<(), Error> {
    let look = look(app, client, flow).await?;
    let judgement = judge(flow, &look, Timestamp::now());
    match judgement {
        Judgement::Drifted(_) => {
            learn(app, flow, &judgement, &look).await?;
            Err(refused())
        }
        Judgement::Agrees | Judgement::Deactivated { .. } => Ok(()),
    }
}

#[cfg(test)]
mod tests;
