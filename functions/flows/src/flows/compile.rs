//! `POST /v1/flows/compile`

use axum::{extract::State, response::Response};
use http::StatusCode;
use tributary::{
    error::Error,
    http::{Json, Problem},
    id::FlowId,
};

use super::references::sound;
use crate::{
    App,
    compile::{CreateFlowRequest, compile},
    edge::{Viewer, json},
    model::FlowDefinition,
};

/// Shows the exact CreateFlow request that the flow becomes. Nothing is made, AppFlow is not
/// called; the flow id in names and tags is an example.
#[utoipa::path(post, path = "/v1/flows/compile", tag = "flows", request_body = FlowDefinition, responses(
    (status = 200, body = CreateFlowRequest),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn compile_flow(
    State(app): State<App>,
    viewer: Viewer,
    Json { value, .. }: Json<FlowDefinition>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let sound = sound(&app, viewer.tenant, FlowId::new(), &value).await?;
    json(StatusCode::OK, &compile(&sound.flow, &sound.around))
}
