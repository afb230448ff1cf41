//! AppFlow's flows of one AWS account, listed once per tick.

use std::{collections::HashMap, sync::Arc};

use aws_sdk_appflow::{
    Client,
    types::{FlowDefinition as Summary, FlowStatus, TriggerType},
};
use tokio::sync::{Mutex, OnceCell};
use tributary::{
    error::Error,
    id::TenantId,
    tenancy::{Account, HostingMode},
};

use crate::{
    appflow::failed,
    flows::{drift::millis, record::FlowState},
};

/// Most pages that are read of one account: a hundred flows each, ten times the usual quota.
const MOST_PAGES: usize = 100;

/// What a list says of a flow.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) state: FlowState,
    /// Epoch milliseconds.
    pub(super) created_at: Option<i64>,
    /// Epoch milliseconds.
    pub(super) updated_at: Option<i64>,
    /// Whether nothing was ever read or written by it: no run, and no schedule or events set going.
    pub(super) is_untouched: bool,
    pub(super) tags: HashMap<String, String>,
}

/// The flows of one AWS account, by name.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) flows: HashMap<String, Listed>,
    /// Connector profiles there.
    pub(super) connections: u32,
}

/// Whose listing it is. The vendor's account is one for all tenants that it hosts; a customer's
/// account is seen through the tenant's own role only.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Whose {
    aws_account_id: String,
    region: String,
    tenant: Option<TenantId>,
}

type Slot = Arc<OnceCell<Arc<Listing>>>;

/// The listings of one tick.
#[derive(Debug, Clone, Default)]
pub(super) struct Listings(Arc<Mutex<HashMap<Whose, Slot>>>);

impl Listings {
    /// The account's listing, made by the first who asks.
    pub(super) async fn of(
        &self,
        client: &Client,
        account: &Account,
    ) -> Result<Arc<Listing>, Error> {
        let whose = Whose {
            aws_account_id: account.aws_account_id.clone(),
            region: account.region.clone(),
            tenant: (account.hosting == HostingMode::Customer).then_some(account.tenant_id),
        };
        let slot = Arc::clone(self.0.lock().await.entry(whose).or_default());
        let listing = slot
            .get_or_try_init(|| async { list(client).await.map(Arc::new) })
            .await?;
        Ok(Arc::clone(listing))
    }
}

async fn list(client: &Client) -> Result<Listing, Error> {
    let mut listing = Listing::default();
    let mut next = None;
    for _ in 0..MOST_PAGES {
        let page = client
            .list_flows()
            .max_results(100)
            .set_next_token(next)
            .send()
            .await
            .map_err(|error| failed("ListFlows", &error))?;
        for mut summary in page.flows.unwrap_or_default() {
            if let Some(name) = summary.flow_name.take() {
                listing.flows.insert(name, listed(summary));
            }
        }
        next = page.next_token;
        if next.is_none() {
            listing.connections = connections(client).await?;
            return Ok(listing);
        }
    }
    // Half a list would make the other half look deleted.
    Err(Error::internal(
        "too_many_flows",
        "an account has more flows than are read",
    ))
}

async fn connections(client: &Client) -> Result<u32, Error> {
    let mut number = 0;
    let mut next = None;
    for _ in 0..MOST_PAGES {
        let page = client
            .describe_connector_profiles()
            .max_results(100)
            .set_next_token(next)
            .send()
            .await
            .map_err(|error| failed("DescribeConnectorProfiles", &error))?;
        number += page.connector_profile_details().len();
        next = page.next_token;
        if next.is_none() {
            break;
        }
    }
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}

fn listed(summary: Summary) -> Listed {
    let state = FlowState::of_appflow(summary.flow_status.as_ref().map(FlowStatus::as_str));
    let never_ran = summary.last_run_execution_details.is_none();
    let on_demand = summary.trigger_type == Some(TriggerType::Ondemand);
    Listed {
        state,
        created_at: summary.created_at.as_ref().and_then(millis),
        updated_at: summary.last_updated_at.as_ref().and_then(millis),
        is_untouched: never_ran && (on_demand || state == FlowState::Draft),
        tags: summary.tags.unwrap_or_default(),
    }
}
