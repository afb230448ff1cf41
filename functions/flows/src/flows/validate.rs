//! `POST /v1/flows/{id}/validate`: pre-flight, against the application as it is now (F5).

mod missing;

use std::collections::BTreeSet;

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use serde::Serialize;
use tributary::{
    error::{Error, Fault, Kind},
    http::Problem,
    id::FlowId,
    store::{Key, Update},
};
use utoipa::ToSchema;

use super::{
    appflow, find,
    record::{Flow, FlowState},
    references::sound,
};
use crate::{
    App, TenantApp,
    connections::{
        self,
        discovery::{Age, fields},
    },
    edge::{Editor, NoBody, id_in_path, json},
    model::Trigger,
};

/// What pre-flight found.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Preflight {
    /// Whether the flow can be expected to run.
    valid: bool,
    /// Where the flow stands in AppFlow now.
    state: FlowState,
    /// Source fields that the flow uses and the application does not have any more.
    needs_mapping: Vec<String>,
    /// Every fault, with a pointer into the flow.
    errors: Vec<Fault>,
}

/// Checks a flow against the rules, its connections, AppFlow, and the fields that its source has now.
#[utoipa::path(post, path = "/v1/flows/{id}/validate", tag = "flows", params(
    ("id" = FlowId, Path, description = "The flow"),
), responses(
    (status = 200, body = Preflight),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn validate_flow(
    State(app): State<App>,
    editor: Editor,
    Path(id): Path<String>,
    _: NoBody,
) -> Result<Response, Error> {
    let app = app.within(&editor.scope);
    let flow = find(&app, editor.tenant, id_in_path(&id)?).await?;
    let broken = match sound(&app, editor.tenant, flow.id, &flow.definition).await {
        Ok(_) => Vec::new(),
        Err(error) if !error.faults().is_empty() => error.faults().to_vec(),
        Err(error) => return Err(error),
    };
    // What does not work cannot be asked; the faults say so already.
    let found = if broken.is_empty() {
        look(&app, &flow).await?
    } else {
        Preflight {
            valid: false,
            state: flow.state,
            needs_mapping: flow.needs_mapping.clone(),
            errors: broken,
        }
    };
    remember(&app, &flow, &found).await?;
    json(StatusCode::OK, &found)
}

/// Asks AppFlow for the flow and for the fields of its source.
async fn look(app: &TenantApp, flow: &Flow) -> Result<Preflight, Error> {
    let missing = missing_fields(app, flow).await?;
    let client = appflow::client(app, flow).await?;
    let mut needs_mapping: Vec<String> = missing.iter().map(|(_, field)| field.clone()).collect();
    needs_mapping.sort();
    needs_mapping.dedup();
    let mut errors: Vec<Fault> = missing
        .into_iter()
        .map(|(pointer, field)| {
            let detail = format!("The source has no {field} any more.");
            Fault::new(pointer, "field_missing", detail)
        })
        .collect();
    let state = appflow::state(&client, flow).await?;
    if state.is_none() {
        errors.push(Fault::new(
            "",
            "missing_in_appflow",
            "AppFlow does not have this flow any more: it was deleted outside.",
        ));
    }
    Ok(Preflight {
        valid: errors.is_empty(),
        state: state.unwrap_or(FlowState::Errored),
        needs_mapping,
        errors,
    })
}

/// Asks the application anew: what is remembered may be older than a deletion.
async fn missing_fields(app: &TenantApp, flow: &Flow) -> Result<Vec<(String, String)>, Error> {
    let source = &flow.definition.source;
    let (Some(id), Trigger::OnDemand(_) | Trigger::Scheduled(_)) =
        (source.connection_id(), &flow.definition.trigger)
    else {
        return Ok(Vec::new());
    };
    let connection = connections::find(app, flow.tenant_id, id).await?;
    let (object, version) = (source.object(), source.api_version());
    let fields = match fields(app, &connection, object, version, Age::Now).await {
        Ok(fields) => fields,
        // The object itself is gone.
        Err(error) if error.kind() == Kind::NotFound => {
            let member = source.row().object_member.unwrap_or("object");
            return Ok(vec![(format!("/source/{member}"), object.to_owned())]);
        }
        Err(error) => return Err(error),
    };
    let mut known = BTreeSet::new();
    for field in fields.iter() {
        known.insert(field.name.clone());
        if let Some(parent) = &field.parent {
            known.insert(format!("{parent}.{}", field.name));
        }
    }
    Ok(missing::missing(&flow.definition, &known))
}

/// Keeps what was found with the flow, so that whoever looks at it sees it before a run fails.
async fn remember(app: &TenantApp, flow: &Flow, found: &Preflight) -> Result<(), Error> {
    let settled = !matches!(flow.state, FlowState::Creating | FlowState::Deleting);
    let same = flow.needs_mapping == found.needs_mapping;
    if same || !settled {
        return Ok(());
    }
    let missing = (!found.needs_mapping.is_empty()).then_some(&found.needs_mapping);
    let update = Update::new()
        .set_or_remove("needs_mapping", missing)
        .when_equal("state", flow.state)
        .when_equal("version", flow.version);
    let key = Key::flow(flow.tenant_id, flow.id);
    app.store.update::<Flow>(&key, update).await?;
    Ok(())
}
