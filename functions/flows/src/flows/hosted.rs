//! What a flow in the vendor's account may name: tenants share that account, its buckets and its
//! warehouse. Flows in customers' accounts are not restricted.

use tributary::{
    connection::Connection,
    error::{Error, Fault},
    tenancy::{Account, HostingMode},
};

use super::places;
use crate::{
    TenantApp,
    connections::vendors,
    model::{Destination, FlowDefinition, TableDestination},
    tenants::warehouse::Warehouse,
};

/// Schema of a table whose schema is not said.
const DEFAULT_SCHEMA: &str = "public";

/// Faults of a flow that would run in this account, besides those of its text.
pub(super) async fn faults(
    app: &TenantApp,
    account: &Account,
    definition: &FlowDefinition,
    destination: Option<&Connection>,
) -> Result<Vec<Fault>, Error> {
    if account.hosting != HostingMode::Vendor {
        return Ok(Vec::new());
    }
    let tenant = account.tenant_id;
    let mut faults = places::faults(definition, tenant);
    if let Destination::Redshift(table) = &definition.destination {
        let warehouse = Warehouse::load(&app.store, tenant).await?;
        faults.extend(schema_fault(table, &warehouse.schemas));
    }
    faults.extend(destination.and_then(|to| connection_fault(app, to)));
    Ok(faults)
}

/// Exactly as the operator wrote it: what Redshift would fold into that name is another name here.
fn schema_fault(table: &TableDestination, schemas: &[String]) -> Option<Fault> {
    let schema = table.schema.as_deref().unwrap_or(DEFAULT_SCHEMA);
    if schemas.iter().any(|own| own == schema) {
        return None;
    }
    let detail = if schemas.is_empty() {
        "The vendor has opened no schema of its warehouse to you.".to_owned()
    } else {
        format!(
            "In the vendor's warehouse you may load {}.",
            schemas.join(", ")
        )
    };
    Some(Fault::new("/destination/schema", "not_your_schema", detail))
}

/// Connections are held to the same when they are made; those from before are not used any more.
fn connection_fault(app: &TenantApp, to: &Connection) -> Option<Fault> {
    let warehouse = &app.config.warehouse;
    let faults = vendors::faults(warehouse, to.tenant_id, &to.connector, &to.properties);
    (!faults.is_empty()).then(|| {
        Fault::new(
            "/destination/connectionId",
            "not_as_the_vendor_has_it",
            "This connection stages elsewhere, or names another warehouse or other roles, than connections in the vendor's account may. Make it anew.",
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn code(schema: Option<&str>, schemas: &[&str]) -> Option<String> {
        let table = json!({
            "connectionId": tributary::id::ConnectionId::new(), "schema": schema, "table": "city_sales",
        });
        let table: TableDestination = serde_json::from_value(table).unwrap();
        let schemas: Vec<String> = schemas.iter().map(|&name| name.to_owned()).collect();
        let fault = schema_fault(&table, &schemas)?;
        assert_eq!(fault.pointer, "/destination/schema");
        Some(fault.code)
    }

    #[test]
    fn i1_only_schemas_of_the_list_are_loaded_and_none_said_is_public() {
        let refused = Some("not_your_schema".to_owned());
        assert_eq!(code(Some("sports_gear"), &["public", "sports_gear"]), None);
        assert_eq!(code(None, &["public"]), None);
        assert_eq!(code(None, &["sports_gear"]), refused);
        assert_eq!(code(Some("public"), &[]), refused);
        for odd in [
            "Sports_Gear",
            "\"sports_gear\"",
            "sports_gear ",
            "dev.sports_gear",
            "",
        ] {
            assert_eq!(code(Some(odd), &["sports_gear"]), refused, "{odd}");
        }
    }
}
