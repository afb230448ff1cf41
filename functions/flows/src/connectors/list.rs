//! `GET /v1/connectors`

use axum::{extract::State, response::Response};
use http::StatusCode;
use serde::Deserialize;
use tributary::{
    connector::CONNECTORS,
    error::Error,
    http::{List, Problem},
    id::AccountId,
};
use utoipa::IntoParams;

use super::{
    appflow,
    offer::{Offer, offers},
    view::ConnectorView,
};
use crate::{
    App,
    connections::ask::Ask,
    edge::{Viewer, json},
};

/// Query parameters of the catalogue.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ConnectorsQuery {
    /// An account of the tenant: what its AppFlow has, besides the catalogue.
    #[param(value_type = Option<AccountId>)]
    account_id: Option<String>,
}

/// Lists the applications that flows can read from and write to. With `accountId`, `available` tells
/// which of them that account has, and connectors that are registered there come along as `custom`.
#[utoipa::path(get, path = "/v1/connectors", tag = "connectors", params(ConnectorsQuery), responses(
    (status = 200, body = List<ConnectorView>),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_connectors(
    State(app): State<App>,
    viewer: Viewer,
    Ask(query): Ask<ConnectorsQuery>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let items = match &query.account_id {
        None => CONNECTORS.iter().copied().map(ConnectorView::of).collect(),
        Some(account) => {
            let (account, client) = appflow(&app, viewer.tenant, account).await?;
            merged(&offers(&app, viewer.tenant, account, &client).await?)
        }
    };
    let items = items
        .into_iter()
        .map(|view: ConnectorView| view.at_providers(|key| app.providers.row(key).is_some()))
        .collect();
    json(
        StatusCode::OK,
        &List {
            items,
            next_cursor: None,
        },
    )
}

/// The catalogue in its order with what the account has of it, then what only the account has.
fn merged(offers: &[Offer]) -> Vec<ConnectorView> {
    let in_catalogue = |offer: &&Offer| !is_foreign(offer);
    let mut shown: Vec<ConnectorView> = CONNECTORS
        .iter()
        .copied()
        .map(|row| {
            let mine = |offer: &&Offer| std::ptr::eq(offer.row, row);
            let found = offers.iter().filter(in_catalogue).find(mine);
            found.map_or_else(|| ConnectorView::missing(row), ConnectorView::offered)
        })
        .collect();
    let mut further: Vec<ConnectorView> = offers
        .iter()
        .filter(|offer| is_foreign(offer))
        .map(ConnectorView::offered)
        .collect();
    further.sort_by(|one, other| one.order().cmp(&other.order()));
    shown.extend(further);
    shown
}

/// Whether it is a custom connector without a row of its own.
fn is_foreign(offer: &Offer) -> bool {
    offer.row.custom_label.is_none() && offer.label.is_some()
}
