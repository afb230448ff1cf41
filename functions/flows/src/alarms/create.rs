//! `POST /v1/flows/{id}/alarms`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tributary::{
    error::{Error, Kind},
    http::{IdempotencyKey, Json, Problem},
    id::FlowId,
};

use super::{
    monitoring, ours, rules,
    view::{AlarmInput, AlarmState, AlarmView},
};
use crate::{
    App, TenantApp,
    edge::{Editor, id_in_path, json},
    flows::{self, Flow},
};

/// Most alarms of a flow: each is paid for by whoever has the account.
const MOST: usize = 20;

/// Makes an alarm on a metric of a flow, in the account that runs it. Its changes of state come as
/// notifications (`tributary.flow.alarm`).
#[utoipa::path(post, path = "/v1/flows/{id}/alarms", tag = "flows", params(
    ("id" = FlowId, Path, description = "The flow"),
    IdempotencyKey,
), request_body = AlarmInput, responses(
    (status = 201, body = AlarmView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn create_alarm(
    State(app): State<App>,
    editor: Editor,
    key: IdempotencyKey,
    Path(id): Path<String>,
    Json { value, bytes }: Json<AlarmInput>,
) -> Result<Response, Error> {
    let app = app.within(&editor.scope);
    let flow = flows::find(&app, editor.tenant, id_in_path(&id)?).await?;
    flows::ready(&flow)?;
    let operation = format!("create-alarm-{}", flow.id());
    let work = async {
        let made = make(&app, &editor, &flow, &value, key.value().is_some()).await?;
        json(StatusCode::CREATED, &made)
    };
    key.once(
        &app.store,
        &editor.partition(),
        &operation,
        editor.subject(),
        &bytes,
        work,
    )
    .await
}

/// With a key, an alarm that is there and just like this one is an earlier attempt's.
async fn make(
    app: &TenantApp,
    editor: &Editor,
    flow: &Flow,
    input: &AlarmInput,
    repeats: bool,
) -> Result<AlarmView, Error> {
    let (appflow_name, _) = flow.place();
    let spec = rules::spec(input, flow.id(), appflow_name)?;
    let cloudwatch = monitoring(app, editor.tenant, flow).await?;
    let there = ours(&cloudwatch, flow).await?;
    let alarm = input.in_full();
    match there.iter().find(|one| one.alarm.name == input.name) {
        Some(one) if repeats && one.alarm == alarm => return Ok(one.clone()),
        Some(_) => {
            return Err(Error::new(
                Kind::Conflict,
                "alarm_exists",
                "The flow has an alarm of this name. Delete it, or choose another name.",
            ));
        }
        None if there.len() >= MOST => {
            return Err(Error::new(
                Kind::Conflict,
                "too_many_alarms",
                format!("A flow can have {MOST} alarms."),
            ));
        }
        None => {}
    }
    cloudwatch.put_alarm(&spec).await?;
    tracing::info!(tenant.id = %editor.tenant, flow.id = %flow.id(), alarm.name = input.name, "alarm made");
    Ok(AlarmView {
        flow_id: flow.id(),
        alarm,
        state: AlarmState::InsufficientData,
        state_reason: None,
        state_since: None,
        updated_at: None,
    })
}
