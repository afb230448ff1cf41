//! `/v1/catalog`: the Glue Data Catalog of an account, and which of the tenant's flows write its tables.
//!
//! Read with the account's own role, so IAM and Lake Formation decide what is there. Nothing is kept.

mod list_databases;
mod list_tables;
mod naming;
mod pages;
mod query;
mod show_table;
mod view;
mod writers;

use tributary::{
    error::{Error, Kind},
    id::{AccountId, TenantId},
    tenancy::HostingMode,
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    App, TenantApp, accounts,
    edge::id_in_path,
    glue::{self, CatalogName, Glue},
    model::{Destination, FlowDefinition},
};

/// Routes of the catalogue.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_databases::list_databases))
        .routes(routes!(list_tables::list_tables))
        .routes(routes!(show_table::show_table))
}

/// An account of the tenant, with its catalogue.
struct Place {
    account: AccountId,
    glue: Glue,
}

impl Place {
    /// Tenants share the vendor's catalogue, so flows there register no tables and nobody reads it.
    async fn find(app: &TenantApp, tenant: TenantId, unverified: &str) -> Result<Self, Error> {
        let account = accounts::find(app, tenant, id_in_path(unverified)?).await?;
        if account.hosting == HostingMode::Vendor {
            return Err(Error::new(
                Kind::Conflict,
                "no_catalog",
                "Flows in the vendor's account register no tables.",
            ));
        }
        let glue = glue::of(app, &account).await?;
        Ok(Self {
            account: account.id,
            glue,
        })
    }
}

/// A name from the path. What can be no name is the same answer as what does not exist.
fn name_in_path(unverified: &str) -> Result<CatalogName, Error> {
    unverified.parse().map_err(|_| Error::not_found())
}

/// Where the tables that a flow registers are listed; none if it registers none.
pub(crate) fn tables_of(definition: &FlowDefinition) -> Option<String> {
    let Destination::S3(files) = &definition.destination else {
        return None;
    };
    let name: CatalogName = files.catalog.as_ref()?.database_name.parse().ok()?;
    let mut url = url::Url::parse("https://host.invalid/v1/catalog/databases").ok()?;
    url.path_segments_mut()
        .ok()?
        .extend([name.as_str(), "tables"]);
    Some(format!(
        "{}?accountId={}",
        url.path(),
        definition.account_id
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::compile::samples::flow;

    #[test]
    fn a_flow_leads_to_the_tables_of_its_database() {
        let with = |database: &str| {
            flow(|flow| {
                let catalog = json!({
                    "roleArn": "arn:aws:iam::222222222222:role/tributary-glue", "databaseName": database, "tablePrefix": "sf",
                });
                let to = json!({ "connector": "s3", "bucket": "landing", "catalog": catalog });
                flow.destination = serde_json::from_value(to).unwrap();
            })
        };
        for (database, path) in [("CRM", "crm"), ("a b/c", "a%20b%2Fc"), ("a?b", "a%3Fb")] {
            let definition = with(database);
            let account = definition.account_id;
            let expected = format!("/v1/catalog/databases/{path}/tables?accountId={account}");
            assert_eq!(tables_of(&definition), Some(expected));
        }
        assert_eq!(tables_of(&flow(|_| {})), None);
    }
}
