//! Which flows of the tenant write a table.

use std::collections::{BTreeMap, btree_map::Entry};

use tributary::{
    error::Error,
    id::{AccountId, FlowId, TenantId},
    store::Key,
};

use super::{naming, view::FlowLink};
use crate::{TenantApp, flows::Flow, glue::CatalogName, model::Destination};

/// Flows by the names of the tables that they write.
#[derive(Debug, Default)]
pub(super) struct Writers(BTreeMap<String, FlowLink>);

impl Writers {
    /// Looks up the flows that the names speak of, under the caller's tenant and nowhere else. A name
    /// is no proof: the flow must be there, in this account, and register such tables here.
    pub(super) async fn of(
        app: &TenantApp,
        tenant: TenantId,
        account: AccountId,
        database: &CatalogName,
        tables: impl Iterator<Item = &str>,
    ) -> Result<Self, Error> {
        let mut flows: BTreeMap<FlowId, Option<Flow>> = BTreeMap::new();
        let mut writers = BTreeMap::new();
        for table in tables {
            let Some(id) = naming::flow_of(table, tenant) else {
                continue;
            };
            let flow = match flows.entry(id) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => {
                    unknown.insert(app.store.get(&Key::flow(tenant, id)).await?)
                }
            };
            if let Some(flow) = flow
                && flow.account_id == account
                && writes(flow, database, table, (tenant, id))
            {
                let link = FlowLink::of(id, &flow.definition.name);
                writers.insert(table.to_owned(), link);
            }
        }
        Ok(Self(writers))
    }

    /// The flows that write a table.
    pub(super) fn writing(&self, table: &str) -> Vec<FlowLink> {
        self.0.get(table).cloned().into_iter().collect()
    }
}

fn writes(
    flow: &Flow,
    database: &CatalogName,
    table: &str,
    (tenant, id): (TenantId, FlowId),
) -> bool {
    let Destination::S3(files) = &flow.definition.destination else {
        return false;
    };
    files.catalog.as_ref().is_some_and(|catalog| {
        let its: Result<CatalogName, _> = catalog.database_name.parse();
        its.as_ref() == Ok(database) && naming::is_made_by(table, &catalog.table_prefix, tenant, id)
    })
}
