//! `POST /v1/flows/{id}/drift/accept`

use axum::{
    extract::{Path, State},
    response::Response,
};
use jiff::Timestamp;
use tributary::{
    error::{Error, Fault, Kind},
    http::{IdempotencyKey, Problem},
    id::FlowId,
    store::{Key, Update},
};

use super::{Judgement, Look, judge, look, look::Found, overwrite::not_drifted, unless_ours};
use crate::{
    App, TenantApp, accounts,
    compile::check,
    edge::{Editor, IfMatch, NoBody, id_in_path},
    flows::{
        appflow, find, hosted, ready,
        record::{Flow, definition_text},
        sweep,
        view::{FlowView, tagged},
    },
};

/// Takes what AppFlow has over as the flow's definition and status, as a new version. AppFlow is
/// not changed.
#[utoipa::path(post, path = "/v1/flows/{id}/drift/accept", tag = "flows", params(
    ("id" = FlowId, Path, description = "The flow"),
    ("if-match" = String, Header, description = "ETag of the version that is to be replaced"),
    IdempotencyKey,
), responses(
    (status = 200, body = FlowView, headers(("etag" = String))),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn accept_drift(
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
        tagged(accept(&app, &flow).await?)
    };
    key.once(
        &app.store,
        &editor.partition(),
        &format!("accept-drift-{id}"),
        editor.subject(),
        &body.bytes,
        work,
    )
    .await
}

async fn accept(app: &TenantApp, flow: &Flow) -> Result<Flow, Error> {
    let client = appflow::client(app, flow).await?;
    let found = look(app, &client, flow).await?;
    let judgement = judge(flow, &found, Timestamp::now());
    match (judgement, found) {
        (Judgement::Drifted(_), Look::Found(found)) => take_over(app, flow, *found).await,
        (Judgement::Drifted(_), Look::Gone) => Err(Error::new(
            Kind::Conflict,
            "missing_in_appflow",
            "AppFlow does not have this flow any more. Delete it here too, or overwrite the drift to make it anew.",
        )),
        (Judgement::Agrees | Judgement::Deactivated { .. }, _) => Err(not_drifted()),
    }
}

async fn take_over(app: &TenantApp, flow: &Flow, found: Found) -> Result<Flow, Error> {
    let now = Timestamp::now();
    let definition = found.definition.map_err(not_importable)?;
    check(&definition, now).map_err(not_importable)?;
    let account = accounts::find(app, flow.tenant_id, flow.account_id).await?;
    // The connection is the flow's as before: AppFlow cannot change it.
    let faults = hosted::faults(app, &account, &definition, None).await?;
    if !faults.is_empty() {
        return Err(not_importable(faults));
    }
    let text = definition_text(&definition).map_err(|error| {
        Error::internal("definition_text", "a definition could not be written").with_source(error)
    })?;
    let update = sweep::going(Update::new(), &definition.trigger, found.state, now)
        .set("definition", text)
        .set("state", found.state)
        .set("version", flow.version + 1)
        .set("compiled_at", now)
        .set("updated_at", now)
        .set_or_remove("appflow_updated_at", found.updated_at)
        .set_or_remove("status_message", found.message)
        .remove("drift")
        .remove("needs_mapping")
        .when_equal("version", flow.version);
    let key = Key::flow(flow.tenant_id, flow.id);
    let flow: Flow = app.store.update(&key, unless_ours(flow, update)).await?;
    tracing::info!(tenant.id = %flow.tenant_id, flow.id = %flow.id, "drift accepted");
    Ok(flow)
}

fn not_importable(faults: Vec<Fault>) -> Error {
    Error::unprocessable(
        "not_importable",
        "AppFlow's flow does something that a flow here may not, or has no words for. It can be overwritten.",
        faults,
    )
}
