//! How AppFlow names the tables that it registers. This is the one place that knows.
//!
//! User guide, "Cataloging the data output": `<prefix>_appflow_<flow>_<epoch>_latest`,
//! `<prefix>_appflow_<flow>_<schema version>` and `<prefix>_appflow_<flow>_<schema version>_<execution>`,
//! with the flow's name "adapted to Glue's naming rules". What adapted means is not documented; samples
//! keep hyphens, other sources have underscores instead. So both count here: names are compared in
//! lower case and with every other mark as an underscore. A flow's name holds its tenant's and its own
//! id, so that no table can look like another flow's.

use tributary::id::{FlowId, TenantId};

use crate::compile::flow_name;

/// What stands between the prefix of a flow's tables and its name.
const MARK: &str = "_appflow_";

/// The flow of this tenant whose table this would be, by the name alone.
pub(super) fn flow_of(table: &str, tenant: TenantId) -> Option<FlowId> {
    let table = folded(table);
    // An id of a flow is as long as any other.
    let whole = folded(&flow_name(tenant, FlowId::new()));
    let length = FlowId::new().to_string().len();
    let own = &whole[..whole.len() - length];
    let (_, rest) = table.split_once(&format!("{MARK}{own}"))?;
    let (id, rest) = rest.split_at_checked(length)?;
    rest.starts_with('_').then(|| id.parse().ok()).flatten()
}

/// Whether a flow with this prefix makes a table of this name.
pub(super) fn is_made_by(table: &str, prefix: &str, tenant: TenantId, flow: FlowId) -> bool {
    let begin = format!("{prefix}{MARK}{}_", flow_name(tenant, flow));
    folded(table).starts_with(&folded(&begin))
}

fn folded(name: &str) -> String {
    let fold = |c: char| {
        if c.is_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '_'
        }
    };
    name.chars().map(fold).collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn tenant(number: u128) -> TenantId {
        TenantId::from_uuid(Uuid::from_u128(number))
    }

    #[test]
    fn the_tables_of_a_flow_are_known_in_every_spelling() {
        let flow = FlowId::from_uuid(Uuid::from_u128(7));
        let name = flow_name(tenant(1), flow);
        for table in [
            format!("sf_appflow_{name}_1893459600_latest"),
            format!("sf_appflow_{}_3", name.replace('-', "_")),
            format!("SF_appflow_{name}_3_0f8fad5b-d9cb-469f-a165-70867728950e"),
        ] {
            assert_eq!(flow_of(&table, tenant(1)), Some(flow), "{table}");
            assert!(is_made_by(&table, "sf", tenant(1), flow), "{table}");
            assert!(!is_made_by(&table, "s", tenant(1), flow), "{table}");
        }
    }

    #[test]
    fn i1_tables_of_other_tenants_flows_and_of_nobody_are_no_flows() {
        let name = flow_name(tenant(1), FlowId::from_uuid(Uuid::from_u128(7)));
        for table in [
            format!("sf_appflow_{name}_1"),
            "orders".to_owned(),
            "sf_appflow_crm_1".to_owned(),
        ] {
            assert_eq!(flow_of(&table, tenant(2)), None, "{table}");
        }
        for odd in [
            "",
            "_appflow_",
            "sf_appflow_tributary_",
            &name,
            &format!("sf_appflow_{name}"),
        ] {
            assert_eq!(flow_of(odd, tenant(1)), None, "{odd}");
        }
    }
}
