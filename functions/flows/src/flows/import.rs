//! `POST /v1/flows/import`

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};
use tributary::{
    connection::Connection,
    error::{Error, Fault},
    http::{Json, Problem},
    id::{AccountId, ConnectionId, TenantId},
    tenancy::Account,
};
use utoipa::ToSchema;

use super::{hosted, references::known};
use crate::{
    App, TenantApp,
    compile::import::{Known, KnownConnection, import, wire},
    edge::{Viewer, json},
    model::FlowDefinition,
};

/// A flow as AppFlow has it, and what its names mean here.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ImportInput {
    /// The account in which it is, or is to be.
    account_id: AccountId,
    /// What people shall call it; AppFlow's name when absent.
    #[serde(default)]
    #[schema(example = "City sales to S3")]
    name: Option<String>,
    /// Connections by the name of their connector profile. Profiles of ours need not be named.
    #[serde(default)]
    #[schema(example = json!({ "sf-prod": "con_019364c0a1b27cc3a4d5e6f708192a3b" }))]
    connections: BTreeMap<String, ConnectionId>,
    /// The JSON of CreateFlow, UpdateFlow or DescribeFlow.
    #[schema(value_type = Object, example = json!({ "flowName": "accounts", "tasks": [] }))]
    flow: Map<String, Value>,
}

/// Shows an AppFlow flow as it would be written here; nothing is made and AppFlow is not asked. What
/// has no word here is a fault.
#[utoipa::path(post, path = "/v1/flows/import", tag = "flows", request_body = ImportInput, responses(
    (status = 200, body = FlowDefinition),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn import_flow(
    State(app): State<App>,
    viewer: Viewer,
    Json { value, .. }: Json<ImportInput>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let mut faults = Vec::new();
    let account = Account::load(&app.store, viewer.tenant, value.account_id).await?;
    if account.is_none() {
        let detail = "There is no such account.";
        faults.push(Fault::new("/accountId", "unknown", detail));
    }
    let connections = connections(&app, viewer.tenant, &value, &mut faults).await?;
    let request = wire::read(&value.flow);
    let (account, request) = match (account, request) {
        (Some(account), Ok(request)) if faults.is_empty() => (account, request),
        (_, request) => {
            faults.extend(within(request.err().unwrap_or_default()));
            return Err(not_importable(faults));
        }
    };
    let around = Known {
        name: value.name.unwrap_or_else(|| request.flow_name.clone()),
        account_id: account.id,
        aws_account_id: account.aws_account_id.clone(),
        connections,
    };
    let definition = import(&request, &around).map_err(|faults| not_importable(within(faults)))?;
    let faults = hosted::faults(&app, &account, &definition, None).await?;
    if !faults.is_empty() {
        return Err(not_importable(faults.into_iter().map(of_end).collect()));
    }
    json(StatusCode::OK, &definition)
}

/// A fault of a definition, at the end of AppFlow's flow that it is about.
fn of_end(fault: Fault) -> Fault {
    let end = if fault.pointer.starts_with("/source") {
        "/flow/sourceFlowConfig"
    } else {
        "/flow/destinationFlowConfigList/0"
    };
    Fault {
        pointer: end.to_owned(),
        ..fault
    }
}

/// The connections that were named, and those whose profiles are ours.
async fn connections(
    app: &TenantApp,
    tenant: TenantId,
    input: &ImportInput,
    faults: &mut Vec<Fault>,
) -> Result<BTreeMap<String, KnownConnection>, Error> {
    let mut found = BTreeMap::new();
    for (profile, id) in &input.connections {
        match Connection::load(&app.store, tenant, *id).await? {
            Some(connection) => {
                found.insert(profile.clone(), known(&connection).1);
            }
            None => faults.push(Fault::new(
                format!(
                    "/connections/{}",
                    profile.replace('~', "~0").replace('/', "~1")
                ),
                "unknown",
                "There is no such connection.",
            )),
        }
    }
    let own = format!("tributary-{tenant}-");
    let source = input.flow.get("sourceFlowConfig");
    let destination = input
        .flow
        .get("destinationFlowConfigList")
        .and_then(|list| list.get(0));
    for end in [source, destination].into_iter().flatten() {
        let profile = end["connectorProfileName"].as_str().unwrap_or_default();
        let id = profile.strip_prefix(&own).and_then(|id| id.parse().ok());
        if let Some(id) = id
            && let Some(connection) = Connection::load(&app.store, tenant, id).await?
        {
            found.insert(profile.to_owned(), known(&connection).1);
        }
    }
    Ok(found)
}

/// Faults of the AppFlow flow, within the body that brought it.
fn within(faults: Vec<Fault>) -> Vec<Fault> {
    let moved = faults.into_iter().map(|fault| Fault {
        pointer: format!("/flow{}", fault.pointer),
        ..fault
    });
    moved.collect()
}

fn not_importable(faults: Vec<Fault>) -> Error {
    Error::unprocessable(
        "not_importable",
        "This flow does something that flows here have no words for.",
        faults,
    )
}
