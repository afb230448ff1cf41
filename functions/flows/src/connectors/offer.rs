//! What AppFlow in an account offers: `ListConnectors`, and `DescribeConnector` for those that are
//! registered there.

use std::sync::Arc;

use aws_sdk_appflow::{
    Client,
    types::{ConnectorConfiguration, ConnectorDetail, ConnectorProvisioningType, ConnectorType},
};
use jiff::Timestamp;
use tributary::{
    aws::Refusal,
    connector::{CONNECTORS, Connector},
    error::Error,
    id::{AccountId, TenantId},
};

use crate::{TenantApp, appflow::refused};

/// AppFlow's type of connectors that are told apart by a label.
const CUSTOM: &str = "CustomConnector";
/// Most connectors that are looked at one by one; further ones keep the catalogue's upper bound.
const DESCRIBED: usize = 25;
/// Largest page of `ListConnectors`.
const PAGE: i32 = 100;

/// A connector that an account has.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    /// The catalogue's row, which for connectors that are not in it is `custom`.
    pub(super) row: &'static Connector,
    /// AppFlow's label, for those behind `CustomConnector`.
    pub(super) label: Option<String>,
    /// What people call it.
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) owner: Option<String>,
    /// `SOURCE` and `DESTINATION`, where AppFlow says so.
    pub(super) modes: Vec<String>,
    /// Whether the account registered it itself.
    pub(super) registered: bool,
    /// What it says itself, where it was asked.
    pub(super) configuration: Option<Box<ConnectorConfiguration>>,
}

/// Everything that an account has; from the cache if it was asked for lately.
pub(super) async fn offers(
    app: &TenantApp,
    tenant: TenantId,
    account: AccountId,
    client: &Client,
) -> Result<Arc<[Offer]>, Error> {
    let key = (tenant, account);
    if let Some(known) = app.offered.get(&key, Timestamp::now()) {
        return Ok(known.value);
    }
    let mut offers = Vec::new();
    let mut next = None;
    loop {
        let page = client
            .list_connectors()
            .max_results(PAGE)
            .set_next_token(next)
            .send()
            .await
            .map_err(|error| refused("ListConnectors", Refusal::of(&error)))?;
        let details = page.connectors.unwrap_or_default();
        offers.extend(details.into_iter().filter_map(Offer::of));
        next = page.next_token;
        if next.is_none() {
            break;
        }
    }
    for offer in offers
        .iter_mut()
        .filter(|offer| offer.registered)
        .take(DESCRIBED)
    {
        if let Some(label) = &offer.label {
            offer.configuration = match describe(client, CUSTOM, Some(label)).await {
                // Roles of an older template may list connectors and not describe them.
                Err(error) if error.code() == "account_not_accessible" => None,
                described => described?,
            };
        }
    }
    let bytes = offers.len() * 1024;
    let offers: Arc<[Offer]> = offers.into();
    Ok(app.offered.put(key, offers, bytes, Timestamp::now()).value)
}

/// What a connector says of itself; none if the account does not have it.
pub(super) async fn describe(
    client: &Client,
    kind: &str,
    label: Option<&str>,
) -> Result<Option<Box<ConnectorConfiguration>>, Error> {
    let answer = client
        .describe_connector()
        .connector_type(ConnectorType::from(kind))
        .set_connector_label(label.map(str::to_owned))
        .send()
        .await;
    match answer {
        Ok(answer) => Ok(answer.connector_configuration.map(Box::new)),
        Err(error) => {
            let refusal = Refusal::of(&error);
            if refusal.is("ResourceNotFoundException") {
                return Ok(None);
            }
            Err(refused("DescribeConnector", refusal))
        }
    }
}

/// The row of a connector type and label; `custom` for labels that the catalogue does not know.
pub(super) fn row(kind: &str, label: Option<&str>) -> Option<&'static Connector> {
    let rows = || {
        CONNECTORS
            .iter()
            .copied()
            .filter(|row| row.appflow_type == kind)
    };
    if kind != CUSTOM {
        return rows().next();
    }
    let known = rows().find(|row| row.custom_label.is_some() && row.custom_label == label);
    known.or_else(|| rows().find(|row| row.custom_label.is_none()))
}

impl Offer {
    fn of(detail: ConnectorDetail) -> Option<Self> {
        let kind = detail.connector_type?;
        let registered =
            detail.connector_provisioning_type == Some(ConnectorProvisioningType::Lambda);
        Some(Self {
            row: row(kind.as_str(), detail.connector_label.as_deref())?,
            label: detail.connector_label,
            name: detail.connector_name,
            description: detail.connector_description,
            owner: detail.connector_owner,
            modes: detail.connector_modes.unwrap_or_default(),
            registered,
            configuration: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_the_catalogue_does_not_know_are_custom_connectors() {
        let key = |kind, label| row(kind, label).map(|row| row.key);
        assert_eq!(key("Servicenow", None), Some("serviceNow"));
        assert_eq!(key(CUSTOM, Some("HubSpot")), Some("hubSpot"));
        assert_eq!(key(CUSTOM, Some("acme-crm")), Some("custom"));
        assert_eq!(key(CUSTOM, None), Some("custom"));
        assert_eq!(key("SomethingNew", None), None);
    }
}
