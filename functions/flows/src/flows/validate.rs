//! `POST /v1/flows/{id}/validate`: pre-flight, against the application as it is now (F5).

mod missing;

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use serde::Serialize;
use tributary::{
    error::{Error, Fault},
    http::Problem,
    id::FlowId,
    store::{Key, Update},
};
use utoipa::ToSchema;

use super::{appflow, find, record::Flow, references::sound};
use crate::{
    App,
    connections::{self, describe},
    edge::{Editor, NoBody, id_in_path, json},
    model::Source,
};

/// What pre-flight found.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Preflight {
    /// Whether the flow can be expected to run.
    valid: bool,
    /// Source fields that the flow uses and the application does not have any more.
    needs_mapping: Vec<String>,
    /// Every fault, with a pointer into the flow.
    errors: Vec<Fault>,
}

/// Checks a flow against the rules, its connections, and the fields that its source has now.
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
    let flow = find(&app, editor.tenant, id_in_path(&id)?).await?;
    let mut errors = match sound(&app, editor.tenant, flow.id, &flow.definition).await {
        Ok(_) => Vec::new(),
        Err(error) if !error.faults().is_empty() => error.faults().to_vec(),
        Err(error) => return Err(error),
    };
    // A connection that does not work cannot be asked for its fields; the fault says so already.
    let missing = if errors.is_empty() {
        missing_fields(&app, &flow).await?
    } else {
        Vec::new()
    };
    let mut needs_mapping: Vec<String> = missing.iter().map(|(_, field)| field.clone()).collect();
    needs_mapping.sort();
    needs_mapping.dedup();
    errors.extend(missing.into_iter().map(|(pointer, field)| {
        Fault::new(
            pointer,
            "field_missing",
            format!("The source has no field {field} any more."),
        )
    }));
    remember(&app, &flow, &needs_mapping).await?;
    let preflight = Preflight {
        valid: errors.is_empty(),
        needs_mapping,
        errors,
    };
    json(StatusCode::OK, &preflight)
}

async fn missing_fields(app: &App, flow: &Flow) -> Result<Vec<(String, String)>, Error> {
    let Source::Salesforce(source) = &flow.definition.source else {
        return Ok(Vec::new());
    };
    let connection = connections::find(app, flow.tenant_id, source.connection_id).await?;
    let client = appflow::client(app, flow).await?;
    let fields = describe(&client, &connection.profile_name, &source.object).await;
    let known = match fields {
        Ok(fields) => fields.into_iter().map(|field| field.identifier).collect(),
        // The object itself is gone.
        Err(error) if error.kind() == tributary::error::Kind::NotFound => {
            return Ok(vec![("/source/object".to_owned(), source.object.clone())]);
        }
        Err(error) => return Err(error),
    };
    Ok(missing::missing(&flow.definition, &known))
}

/// Keeps what is missing with the flow, so that whoever looks at it sees it before a run fails.
async fn remember(app: &App, flow: &Flow, needs_mapping: &[String]) -> Result<(), Error> {
    if flow.needs_mapping == needs_mapping {
        return Ok(());
    }
    let missing = (!needs_mapping.is_empty()).then_some(needs_mapping);
    let update = Update::new()
        .set_or_remove("needs_mapping", missing)
        .when_equal("version", flow.version);
    let key = Key::flow(flow.tenant_id, flow.id);
    app.store.update::<Flow>(&key, update).await?;
    Ok(())
}
