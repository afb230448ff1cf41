//! `GET /v1/connectors/{key}`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use serde::Deserialize;
use tributary::{
    connector::connector,
    error::{Error, Fault},
    http::Problem,
    id::AccountId,
};
use utoipa::IntoParams;

use super::{appflow, offer::describe, view::ConnectorView};
use crate::{
    App, TenantApp,
    connections::ask::{Ask, refused_query},
    edge::{Viewer, json},
};

/// Query parameters of one application.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ConnectorQuery {
    /// An account of the tenant: what its AppFlow says of the connector.
    #[param(value_type = Option<AccountId>)]
    account_id: Option<String>,
    /// With `accountId`, and for the key `custom` only: AppFlow's label of the connector.
    #[param(max_length = 256, example = "acme-crm")]
    label: Option<String>,
}

/// Shows one application: of the catalogue, or with `accountId` within what that account says of it.
#[utoipa::path(get, path = "/v1/connectors/{key}", tag = "connectors", params(
    ("key" = String, Path, description = "Key of the connector", example = "salesforce"),
    ConnectorQuery,
), responses(
    (status = 200, body = ConnectorView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_connector(
    State(app): State<App>,
    viewer: Viewer,
    Path(key): Path<String>,
    Ask(query): Ask<ConnectorQuery>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let row = connector(&key).ok_or_else(Error::not_found)?;
    let is_open = row.property_key == "CustomConnector" && row.custom_label.is_none();
    if let Some(fault) = label_fault(&query, is_open) {
        return Err(refused_query(vec![fault]));
    }
    let Some(account) = &query.account_id else {
        return json(StatusCode::OK, &within(&app, ConnectorView::of(row)));
    };
    let (_, client) = appflow(&app, viewer.tenant, account).await?;
    let label = query.label.as_deref().or(row.custom_label);
    if is_open && label.is_none() {
        return json(StatusCode::OK, &within(&app, ConnectorView::of(row)));
    }
    let said = describe(&client, row.appflow_type, label).await?;
    let view = match &said {
        Some(said) => ConnectorView::described(row.appflow_type, label, said),
        None if is_open => None,
        None => Some(ConnectorView::missing(row)),
    };
    let view = view.ok_or_else(Error::not_found)?;
    json(StatusCode::OK, &within(&app, view))
}

fn within(app: &TenantApp, view: ConnectorView) -> ConnectorView {
    view.at_providers(|key| app.providers.row(key).is_some())
}

fn label_fault(query: &ConnectorQuery, is_open: bool) -> Option<Fault> {
    let label = query.label.as_deref()?;
    let fault = |code: &str, detail: &str| Some(Fault::new("query:label", code, detail));
    if query.account_id.is_none() {
        return fault(
            "not_alone",
            "A label is looked up in an account; name it with accountId.",
        );
    }
    if !is_open {
        return fault("not_offered", "Only the key custom takes a label.");
    }
    let mark = |byte: u8| byte.is_ascii_alphanumeric() || b"_!@#.-".contains(&byte);
    let begins = label
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric());
    let sound = begins && (2..=256).contains(&label.len()) && label.bytes().all(mark);
    if sound {
        return None;
    }
    fault(
        "malformed",
        "2 to 256 letters, digits and _ ! @ # . -, first a letter or digit.",
    )
}
