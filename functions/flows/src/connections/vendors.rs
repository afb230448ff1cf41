//! What connections in the vendor's account may say of the vendor's things (docs/adr/0016).
//!
//! The vendor's account has one warehouse, two roles and one staging bucket, and IAM lets the role of
//! that account hand them to whoever asks through us. So they are not the caller's to choose: they are
//! filled in from the configuration, and saying something else is a fault.

use std::collections::BTreeMap;

use tributary::{connector::connector, error::Fault, id::TenantId};

use crate::WarehouseConfig;

/// The connector whose connections lead into the vendor's warehouse.
const WAREHOUSE: &str = "redshift";
/// Folder within a bucket in which AppFlow stages what a warehouse loads.
const FOLDER: &str = "bucketPrefix";

/// The tenant's folder for staged files.
pub(crate) fn staging_folder(tenant: TenantId) -> String {
    format!("staging/{tenant}")
}

/// Properties that are the same in every connection to the vendor's warehouse.
fn fixed(warehouse: &WarehouseConfig) -> [(&'static str, &str); 5] {
    [
        ("bucketName", &warehouse.staging_bucket),
        ("roleArn", warehouse.load_role.as_str()),
        ("dataApiRoleArn", warehouse.data_api_role.as_str()),
        ("workgroupName", &warehouse.workgroup),
        ("databaseName", &warehouse.database),
    ]
}

/// Whether connections of this kind stage files in a bucket.
fn stages(key: &str) -> bool {
    let methods = connector(key).map_or(&[][..], |row| row.methods);
    let mut properties = methods.iter().flat_map(|method| method.properties);
    properties.any(|need| need.name == FOLDER)
}

/// Adds what a connection in the vendor's account need not say.
pub(super) fn complete(
    warehouse: &WarehouseConfig,
    tenant: TenantId,
    key: &str,
    properties: &mut BTreeMap<String, String>,
) {
    let mut add = |name: &str, value: &str| {
        properties
            .entry(name.to_owned())
            .or_insert_with(|| value.to_owned());
    };
    if stages(key) {
        add(FOLDER, &staging_folder(tenant));
    }
    if key == WAREHOUSE {
        for (name, value) in fixed(warehouse) {
            add(name, value);
        }
    }
}

/// Faults of the properties of a connection in the vendor's account.
pub(crate) fn faults(
    warehouse: &WarehouseConfig,
    tenant: TenantId,
    key: &str,
    properties: &BTreeMap<String, String>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let given = |name: &str| properties.get(name).map(String::as_str);
    if key == WAREHOUSE {
        let others = fixed(warehouse).into_iter();
        faults.extend(
            others
                .filter(|(name, value)| given(name) != Some(*value))
                .map(|(name, _)| {
                    let detail = "In the vendor's account this is the vendor's. Leave it out.";
                    Fault::new(format!("/properties/{name}"), "fixed_by_the_vendor", detail)
                }),
        );
    }
    let own = staging_folder(tenant);
    let is_own = |folder: &str| {
        let rest = folder.strip_prefix(&own);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if stages(key) && !given(FOLDER).is_some_and(is_own) {
        let detail = format!("In the vendor's account your staged files are in {own}/");
        faults.push(Fault::new(
            format!("/properties/{FOLDER}"),
            "not_your_folder",
            detail,
        ));
    }
    faults
}

#[cfg(test)]
pub(crate) fn sample() -> WarehouseConfig {
    use tributary::tenancy::RoleArn;
    WarehouseConfig {
        workgroup: "analytics".to_owned(),
        database: "dev".to_owned(),
        load_role: RoleArn::in_account("111111111111", "load").unwrap(),
        data_api_role: RoleArn::in_account("111111111111", "data-api").unwrap(),
        staging_bucket: "tributary-landing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn tenant() -> TenantId {
        TenantId::from_uuid(Uuid::from_u128(1))
    }

    fn found(key: &str, changed: &[(&str, &str)]) -> Vec<String> {
        let mut properties: BTreeMap<String, String> = changed
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        complete(&sample(), tenant(), key, &mut properties);
        let faults = faults(&sample(), tenant(), key, &properties).into_iter();
        faults
            .map(|fault| format!("{} {}", fault.pointer, fault.code))
            .collect()
    }

    /// What the caller leaves out is the vendor's, and saying the same is no fault.
    #[test]
    fn i1_the_vendors_warehouse_is_filled_in() {
        assert!(found("redshift", &[]).is_empty());
        let same = [
            ("workgroupName", "analytics"),
            ("roleArn", "arn:aws:iam::111111111111:role/load"),
            (
                "bucketPrefix",
                "staging/ten_00000000000000000000000000000001/crm",
            ),
        ];
        assert!(found("redshift", &same).is_empty());
    }

    #[test]
    fn i1_no_other_thing_of_the_vendors_can_be_named() {
        for name in [
            "bucketName",
            "roleArn",
            "dataApiRoleArn",
            "workgroupName",
            "databaseName",
        ] {
            for value in ["another", "", "arn:aws:iam::111111111111:role/load-2"] {
                let expected = format!("/properties/{name} fixed_by_the_vendor");
                assert_eq!(found("redshift", &[(name, value)]), [expected], "{value}");
            }
        }
    }

    #[test]
    fn i1_staged_files_are_in_the_tenants_own_folder() {
        for key in ["redshift", "snowflake"] {
            for folder in [
                "",
                "staging",
                "staging/",
                "crm",
                "/staging/ten_00000000000000000000000000000001",
                "staging/ten_00000000000000000000000000000002",
                "staging/ten_000000000000000000000000000000011",
                "x/staging/ten_00000000000000000000000000000001",
            ] {
                let expected = "/properties/bucketPrefix not_your_folder".to_owned();
                assert_eq!(
                    found(key, &[("bucketPrefix", folder)]),
                    [expected],
                    "{folder}"
                );
            }
        }
        assert!(found("salesforce", &[]).is_empty());
    }
}
