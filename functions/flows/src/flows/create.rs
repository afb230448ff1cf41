//! `POST /v1/flows`

use aws_sdk_appflow::Client;
use axum::{extract::State, response::Response};
use jiff::Timestamp;
use serde::Serialize;
use tributary::{
    error::{Error, Fault, Kind},
    http::{IdempotencyKey, Json, Problem},
    id::FlowId,
    run::FlowOwner,
    store::{Key, Update},
};

use super::{
    appflow::{self, Made},
    delete::forget,
    fields, find,
    operation::{OperationView, Work, is_throttled, later},
    patience::patiently,
    record::{Flow, FlowState, after_run_of},
    references::{Sound, refused, sound},
    sweep,
    view::{FlowView, with_tag},
    watch,
};
use crate::{
    App, TenantApp, accounts, claim,
    compile::{compile, flow_name},
    connections,
    edge::{Editor, created, etag},
    model::{FlowDefinition, Source},
};

const OPERATION: &str = "create-flow";

#[derive(Serialize)]
#[serde(untagged)]
enum Written {
    Flow(Box<Flow>),
    Owner(FlowOwner),
}

/// Makes a flow. A scheduled one is a draft until it is started.
#[utoipa::path(post, path = "/v1/flows", tag = "flows", params(IdempotencyKey), request_body = FlowDefinition, responses(
    (status = 201, body = FlowView, headers(("etag" = String))),
    (status = 202, body = OperationView, description = "AppFlow throttles: it is made later"),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn create_flow(
    State(app): State<App>,
    editor: Editor,
    key: IdempotencyKey,
    Json { value, bytes }: Json<FlowDefinition>,
) -> Result<Response, Error> {
    let app = app.within(&editor.scope);
    let (scope, subject) = (editor.partition(), editor.subject());
    let work = async {
        let id = FlowId::new();
        let id = claim::id(&app.store, &key, &scope, OPERATION, subject, id).await?;
        let sound = sound(&app, editor.tenant, id, &value).await?;
        fields::exist(&app, &sound).await?;
        make(&app, sound, value, subject).await
    };
    key.once(&app.store, &scope, OPERATION, subject, &bytes, work)
        .await
}

fn answer(flow: Flow) -> Result<Response, Error> {
    let (location, tag) = (format!("/v1/flows/{}", flow.id), etag(flow.version));
    with_tag(created(&location, &FlowView::of(flow))?, &tag)
}

/// Items first, then AppFlow, then the state: whatever stops in between is carried on by the same
/// request, or by the watch (F7).
async fn make(
    app: &TenantApp,
    sound: Sound,
    definition: FlowDefinition,
    subject: &str,
) -> Result<Response, Error> {
    watch::ensure(app, sound.around.tenant_id, sound.account.id).await?;
    let flow = insert(app, record(&sound, definition, subject)).await?;
    if flow.state != FlowState::Creating {
        return answer(flow);
    }
    let made = patiently(|| finish(app, &flow, &sound)).await;
    if is_throttled(&made) {
        return later(app, &flow, Work::Create).await;
    }
    answer(made?)
}

/// Carries on with a flow that has its record and may not be in AppFlow yet.
pub(super) async fn carry_on(app: &TenantApp, flow: &Flow) -> Result<Flow, Error> {
    let sound = sound(app, flow.tenant_id, flow.id, &flow.definition).await?;
    finish(app, flow, &sound).await
}

async fn finish(app: &TenantApp, flow: &Flow, sound: &Sound) -> Result<Flow, Error> {
    let client = accounts::appflow(app, &sound.account).await?;
    let request = compile(&sound.flow, &sound.around);
    match appflow::create(&client, flow, &request).await {
        Made::Done { arn, state } => {
            let trigger = &flow.definition.trigger;
            let update = sweep::going(Update::new(), trigger, state, Timestamp::now())
                .set("state", state)
                .set_or_remove("appflow_arn", arn)
                .set("compiled_at", sound.at)
                .set("updated_at", Timestamp::now())
                .when_equal("state", FlowState::Creating);
            let key = Key::flow(flow.tenant_id, flow.id);
            Ok(app.store.update(&key, update).await?)
        }
        // The record stays: it is tried again.
        Made::Refused(error) if error.kind() == Kind::Throttled => Err(error),
        Made::Refused(error) => {
            forget(app, flow).await?;
            let profile = sound.around.source_profile.as_deref();
            Err(blamed(&client, flow, profile, error).await)
        }
        Made::InDoubt(error) => Err(error),
    }
}

/// AppFlow blames the application when a flow names an object that the application does not have;
/// the caller can correct that, so it is told as a fault of the flow.
async fn blamed(client: &Client, flow: &Flow, profile: Option<&str>, error: Error) -> Error {
    let (Source::Salesforce(source), Some(profile)) = (&flow.definition.source, profile) else {
        return error;
    };
    if error.kind() != Kind::Upstream {
        return error;
    }
    match connections::describe(client, profile, &source.object).await {
        Err(missing) if missing.kind() == Kind::NotFound => refused(vec![Fault::new(
            "/source/object",
            "unknown",
            "The application does not have this object.",
        )]),
        _ => error,
    }
}

fn record(sound: &Sound, definition: FlowDefinition, subject: &str) -> Flow {
    let (tenant_id, id) = (sound.around.tenant_id, sound.around.flow_id);
    let now = Timestamp::now();
    Flow {
        id,
        tenant_id,
        account_id: sound.account.id,
        aws_account_id: sound.account.aws_account_id.clone(),
        appflow_name: flow_name(tenant_id, id),
        state: FlowState::Creating,
        after_run: after_run_of(&definition),
        definition,
        appflow_arn: None,
        compiled_at: Some(sound.at),
        appflow_updated_at: None,
        status_message: None,
        drift: None,
        needs_mapping: Vec::new(),
        updating_until: None,
        paused: false,
        created_by: subject.to_owned(),
        created_at: now,
        updated_at: now,
        version: 1,
    }
}

/// Writes the flow and the pointer by which events find it, or finds an earlier attempt's.
async fn insert(app: &TenantApp, flow: Flow) -> Result<Flow, Error> {
    let key = Key::flow(flow.tenant_id, flow.id);
    let owner = FlowOwner {
        tenant_id: flow.tenant_id,
        flow_id: flow.id,
        account_id: flow.account_id,
    };
    let items = [
        (key.clone(), Written::Flow(Box::new(flow.clone()))),
        (
            Key::flow_name(&flow.aws_account_id, &flow.appflow_name),
            Written::Owner(owner),
        ),
    ];
    match app.store.insert_together(&items).await {
        Ok(()) => return Ok(flow),
        Err(error) if error.is_condition() => {}
        Err(error) => return Err(error.into()),
    }
    let earlier = find(app, flow.tenant_id, flow.id).await?;
    if earlier.state != FlowState::Creating {
        return Ok(earlier);
    }
    if earlier.aws_account_id != flow.aws_account_id {
        return Err(Error::new(
            Kind::Conflict,
            "other_account",
            "An unfinished attempt with this Idempotency-Key was for another account. Use another key.",
        ));
    }
    // The attempt may have been for another text: what counts is what is asked for now.
    app.store.put(&key, &flow).await?;
    Ok(flow)
}
