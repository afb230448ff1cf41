//! Rules for destinations (flow-model sections 6, 7 and 9).

mod files;

use super::{Faults, application, mappings::Fields, text};
use crate::{
    compile::destination::PARTNER_SOURCE,
    model::{
        CustomerProfilesDestination, Destination, EntityDestination, ErrorHandling, FlowDefinition,
        Place, TableDestination,
    },
};

/// Longest name of a partner event source, and what an account adds to its beginning.
const EVENT_SOURCE_LIMIT: usize = 256;
const ACCOUNT_AND_SLASHES: usize = 14;

/// Longest object of AppFlow.
const OBJECT_LIMIT: usize = 512;

pub(super) fn check(faults: &mut Faults, definition: &FlowDefinition, fields: &Fields<'_>) {
    let destination = &definition.destination;
    let row = destination.row();
    let object = |faults: &mut Faults, value: &str| {
        if let Some(member) = row.object_member {
            application::object(faults, "/destination", row, member, value);
        }
    };
    match destination {
        Destination::S3(to) => files::s3(faults, to, definition, fields),
        Destination::Upsolver(to) => files::upsolver(faults, to, definition),
        // A database and a dot stand before what goes to Snowflake.
        Destination::Redshift(to) => table(faults, to, "public", OBJECT_LIMIT),
        Destination::Snowflake(to) => table(faults, to, "PUBLIC", OBJECT_LIMIT - 2),
        Destination::Salesforce(to) => object(faults, &to.object),
        Destination::Zendesk(to) => object(faults, &to.object),
        Destination::Marketo(to) => object(faults, &to.object),
        Destination::Honeycode(to) => object(faults, &to.object),
        Destination::SapOData(to) => {
            object(faults, &to.object_path);
            if let Some(place) = &to.success_responses {
                self::place(faults, "/destination/successResponses", place);
            }
        }
        Destination::GoogleBigQuery(to)
        | Destination::HubSpot(to)
        | Destination::Jdbc(to)
        | Destination::RdsPostgreSql(to)
        | Destination::Custom(to) => {
            object(faults, &to.entity);
            entity(faults, to, destination);
        }
        Destination::EventBridge(to) => {
            if let Some(suffix) = &to.suffix {
                self::suffix(faults, suffix);
            }
        }
        Destination::CustomerProfiles(to) => customer_profiles(faults, to),
        Destination::LookoutMetrics(_) => {}
    }
    if let Some(handling) = destination.error_handling() {
        error_handling(faults, handling);
    }
}

fn entity(faults: &mut Faults, to: &EntityDestination, destination: &Destination) {
    let version = to.api_version.as_deref();
    application::version(faults, "/destination", destination.row(), version);
    application::properties(faults, "/destination", &to.properties);
}

fn table(faults: &mut Faults, table: &TableDestination, default_schema: &str, most: usize) {
    for (member, name) in [
        ("table", Some(&table.table)),
        ("schema", table.schema.as_ref()),
    ] {
        let Some(name) = name else { continue };
        let pointer = format!("/destination/{member}");
        text::object(faults, &pointer, name);
        if name.contains('.') {
            faults.add(
                pointer,
                "invalid_object",
                "Say schema and table apart: neither may contain a dot.",
            );
        }
    }
    let schema = table.schema.as_deref().unwrap_or(default_schema);
    if text::length(schema) + 1 + text::length(&table.table) > most {
        faults.add(
            "/destination/table",
            "too_long",
            format!(
                "Schema and table together have {} characters at most.",
                most - 1
            ),
        );
    }
}

fn suffix(faults: &mut Faults, suffix: &str) {
    let most = EVENT_SOURCE_LIMIT - PARTNER_SOURCE.len() - ACCOUNT_AND_SLASHES;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    let sound = suffix.len() <= most
        && suffix
            .split('/')
            .all(|part| !part.is_empty() && part.bytes().all(plain));
    if !sound {
        faults.add(
            "/destination/suffix",
            "invalid_suffix",
            format!("1 to {most} letters, digits, dots, underscores and hyphens, parted by single slashes."),
        );
    }
}

fn customer_profiles(faults: &mut Faults, to: &CustomerProfilesDestination) {
    for (member, value, most) in [
        ("domain", Some(&to.domain), 64),
        ("objectType", to.object_type.as_ref(), 255),
    ] {
        if value.is_some_and(|value| !text::is_word(value, most)) {
            faults.add(
                format!("/destination/{member}"),
                "invalid_name",
                format!("1 to {most} characters without blanks."),
            );
        }
    }
}

fn place(faults: &mut Faults, pointer: &str, place: &Place) {
    text::bucket(faults, &format!("{pointer}/bucket"), &place.bucket);
    if let Some(prefix) = &place.prefix {
        text::prefix(faults, &format!("{pointer}/prefix"), prefix);
    }
}

fn error_handling(faults: &mut Faults, handling: &ErrorHandling) {
    if let Some(bucket) = &handling.bucket {
        text::bucket(faults, "/destination/errorHandling/bucket", bucket);
    }
    if let Some(prefix) = &handling.prefix {
        text::prefix(faults, "/destination/errorHandling/prefix", prefix);
        if handling.bucket.is_none() {
            faults.add(
                "/destination/errorHandling/bucket",
                "required",
                "A prefix needs a bucket.",
            );
        }
    }
}
