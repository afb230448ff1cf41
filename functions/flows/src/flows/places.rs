//! Folders in the vendor's account, whose buckets tenants share: AppFlow reads and writes there as
//! one service for all of them, so what a flow may name is ours to say.

use tributary::{error::Fault, id::TenantId};

use crate::model::{Destination, FlowDefinition, Source};

/// Faults of a flow that runs in the vendor's account: each folder is under the tenant's own.
pub(super) fn faults(definition: &FlowDefinition, tenant: TenantId) -> Vec<Fault> {
    let own = tenant.to_string();
    let is_own = |prefix: &str| {
        let rest = prefix.strip_prefix(&own);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let mut faults: Vec<Fault> = places(definition)
        .into_iter()
        .filter(|(_, prefix)| !prefix.is_some_and(is_own))
        .map(|(pointer, _)| {
            let detail = format!("In the vendor's account your folders begin with {own}/");
            Fault::new(pointer, "not_your_folder", detail)
        })
        .collect();
    if let Destination::S3(files) = &definition.destination
        && files.catalog.is_some()
    {
        faults.push(Fault::new(
            "/destination/catalog",
            "not_in_the_vendors_account",
            "Flows in the vendor's account register no tables: tenants would share its catalogue.",
        ));
    }
    faults
}

/// Every folder that a flow names, with the member that names it.
fn places(definition: &FlowDefinition) -> Vec<(&'static str, Option<&str>)> {
    let mut places = Vec::new();
    if let Source::S3(files) = &definition.source {
        places.push(("/source/prefix", Some(files.prefix.as_str())));
    }
    match &definition.destination {
        Destination::S3(files) => places.push(("/destination/prefix", files.prefix.as_deref())),
        Destination::Upsolver(files) => {
            places.push(("/destination/prefix", files.prefix.as_deref()));
        }
        Destination::SapOData(to) => {
            if let Some(place) = &to.success_responses {
                places.push((
                    "/destination/successResponses/prefix",
                    place.prefix.as_deref(),
                ));
            }
        }
        _ => {}
    }
    if let Some(errors) = definition.destination.error_handling()
        && errors.bucket.is_some()
    {
        places.push((
            "/destination/errorHandling/prefix",
            errors.prefix.as_deref(),
        ));
    }
    places
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;
    use crate::compile::samples::flow;

    fn pointers(source: Value, destination: Value) -> Vec<String> {
        let definition = flow(|flow| {
            flow.source = serde_json::from_value(source).unwrap();
            flow.destination = serde_json::from_value(destination).unwrap();
        });
        let tenant = TenantId::from_uuid(Uuid::from_u128(1));
        let faults = faults(&definition, tenant);
        faults.into_iter().map(|fault| fault.pointer).collect()
    }

    fn s3(prefix: &str) -> Value {
        json!({ "connector": "s3", "bucket": "shared", "prefix": prefix })
    }

    /// Tenants share the vendor's buckets and must not read or write each other's folders.
    #[test]
    fn i1_another_tenants_folder_is_refused_wherever_it_is_named() {
        let own = "ten_00000000000000000000000000000001";
        let other = "ten_00000000000000000000000000000002";
        let inside = format!("{own}/crm");
        assert_eq!(pointers(s3(own), s3(&inside)), Vec::<String>::new());
        for foreign in [
            other,
            "",
            "crm",
            &format!("{own}2/crm"),
            &format!("x/{own}"),
        ] {
            assert_eq!(
                pointers(s3(foreign), s3(foreign)),
                ["/source/prefix", "/destination/prefix"],
                "{foreign}"
            );
        }
        let connection = "con_019364c0a1b27cc3a4d5e6f708192a3b";
        let sap = json!({
            "connector": "sapOData", "connectionId": connection, "objectPath": "/a", "write": "insert",
            "successResponses": { "bucket": "shared" },
            "errorHandling": { "bucket": "shared", "prefix": other },
        });
        assert_eq!(
            pointers(s3(own), sap),
            [
                "/destination/successResponses/prefix",
                "/destination/errorHandling/prefix"
            ]
        );
        let mut catalogued = s3(own);
        catalogued["catalog"] = json!({ "roleArn": "a", "databaseName": "b", "tablePrefix": "c" });
        assert_eq!(pointers(s3(own), catalogued), ["/destination/catalog"]);
    }
}
