//! `POST /v1/flows/{id}/drift/overwrite`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use tributary::{
    error::{Error, Kind},
    http::{IdempotencyKey, Problem},
    id::FlowId,
    store::{Key, Update},
};
use utoipa::ToSchema;

use super::{Judgement, Look, judge, look};
use crate::{
    App, TenantApp, accounts,
    compile::compile,
    edge::{Editor, IfMatch, NoBody, etag, id_in_path, json},
    flows::{
        appflow::{self, Made},
        find, ready,
        record::{Flow, FlowState},
        references::{Sound, sound},
        sweep,
        update::{abandon, begin},
        view::{FlowView, with_tag},
    },
    model::Trigger,
};

/// A flow that AppFlow has again as we have it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OverwrittenFlow {
    #[serde(flatten)]
    flow: FlowView,
    /// Whether AppFlow did not have it any more and it was made anew.
    recreated: bool,
    /// What is lost by that: `runHistory` (AppFlow's own; ours stays) and `incrementalPosition`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lost: Vec<&'static str>,
}

/// Brings AppFlow's flow back to our definition and status. What somebody else changed there is
/// gone then; a flow that was deleted is made anew.
#[utoipa::path(post, path = "/v1/flows/{id}/drift/overwrite", tag = "flows", params(
    ("id" = FlowId, Path, description = "The flow"),
    ("if-match" = String, Header, description = "ETag of the version that is to be pushed"),
    IdempotencyKey,
), responses(
    (status = 200, body = OverwrittenFlow, headers(("etag" = String))),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn overwrite_drift(
    State(app): State<App>,
    editor: Editor,
    if_match: IfMatch,
    key: IdempotencyKey,
    Path(id): Path<String>,
    body: NoBody,
) -> Result<Response, Error> {
    let app = app.within(&editor.scope);
    let id: FlowId = id_in_path(&id)?;
    let work = async {
        let flow = find(&app, editor.tenant, id).await?;
        if_match.holds_for(flow.version)?;
        ready(&flow)?;
        overwrite(&app, flow).await
    };
    key.once(
        &app.store,
        &editor.partition(),
        &format!("overwrite-drift-{id}"),
        editor.subject(),
        &body.bytes,
        work,
    )
    .await
}

async fn overwrite(app: &TenantApp, mut flow: Flow) -> Result<Response, Error> {
    let sound = sound(app, flow.tenant_id, flow.id, &flow.definition).await?;
    let client = accounts::appflow(app, &sound.account).await?;
    let found = look(app, &client, &flow).await?;
    if !matches!(
        judge(&flow, &found, Timestamp::now()),
        Judgement::Drifted(_)
    ) {
        return Err(not_drifted());
    }
    let until = begin(app, &flow).await?;
    // A new version: AppFlow must not take this for a repeat of the call that made the old one.
    flow.version += 1;
    match push(&client, &flow, &sound, &found).await {
        Ok(state) => {
            let flow = finish(app, &flow, &sound, state, until).await?;
            tracing::info!(tenant.id = %flow.tenant_id, flow.id = %flow.id, "drift overwritten");
            answer(flow, matches!(found, Look::Gone))
        }
        Err(error) => {
            abandon(app, &flow, until).await;
            Err(error)
        }
    }
}

/// The answer when there is nothing to settle.
pub(super) fn not_drifted() -> Error {
    Error::new(
        Kind::Conflict,
        "not_drifted",
        "AppFlow has this flow as we have it.",
    )
}

/// Pushes definition and status.
async fn push(
    client: &aws_sdk_appflow::Client,
    flow: &Flow,
    sound: &Sound,
    found: &Look,
) -> Result<FlowState, Error> {
    let request = compile(&sound.flow, &sound.around);
    let now = match found {
        Look::Gone => match appflow::create(client, flow, &request).await {
            Made::Done { state, .. } => state,
            Made::Refused(error) | Made::InDoubt(error) => return Err(error),
        },
        Look::Found(found) if found.differences.is_empty() => found.state,
        Look::Found(_) => appflow::update(client, flow, &request).await?,
    };
    if matches!(flow.definition.trigger, Trigger::OnDemand(_)) {
        return Ok(now);
    }
    match (flow.state, now) {
        (FlowState::Active, FlowState::Active) => Ok(now),
        (FlowState::Active, _) => {
            appflow::activate(client, flow).await?;
            Ok(FlowState::Active)
        }
        (_, FlowState::Active) => {
            appflow::suspend(client, flow).await?;
            Ok(FlowState::Suspended)
        }
        _ => Ok(now),
    }
}

async fn finish(
    app: &TenantApp,
    flow: &Flow,
    sound: &Sound,
    state: FlowState,
    until: i64,
) -> Result<Flow, Error> {
    let trigger = &flow.definition.trigger;
    let update = sweep::going(Update::new(), trigger, state, Timestamp::now())
        .set("state", state)
        .set("version", flow.version)
        .set("compiled_at", sound.at)
        .set("updated_at", Timestamp::now())
        .remove("updating_until")
        .remove("drift")
        .remove("appflow_updated_at")
        .remove("status_message")
        .when_equal("updating_until", until);
    let key = Key::flow(flow.tenant_id, flow.id);
    Ok(app.store.update(&key, update).await?)
}

fn answer(flow: Flow, recreated: bool) -> Result<Response, Error> {
    let tag = etag(flow.version);
    let lost = if recreated {
        vec!["runHistory", "incrementalPosition"]
    } else {
        Vec::new()
    };
    let view = OverwrittenFlow {
        flow: FlowView::of(flow),
        recreated,
        lost,
    };
    with_tag(json(StatusCode::OK, &view)?, &tag)
}
