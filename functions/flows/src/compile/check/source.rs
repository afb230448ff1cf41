//! Rules for sources (flow-model section 5).

use std::collections::HashSet;

use super::{Faults, application, text};
use crate::model::{FlowDefinition, S3Source, SapSource, SharePointSource, Source, VeevaSource};

/// What `customProperties.subEntities` may have, as every custom property.
const ITEMS_LIMIT: usize = 2048;

pub(super) fn check(faults: &mut Faults, definition: &FlowDefinition) {
    let source = &definition.source;
    if let Some(member) = source.row().object_member {
        application::object(faults, "/source", source.row(), member, source.object());
    }
    application::version(faults, "/source", source.row(), source.api_version());
    match source {
        Source::S3(files) => s3(faults, files),
        Source::SapOData(sap) => self::sap(faults, sap),
        Source::Veeva(veeva) => self::veeva(faults, veeva),
        Source::SharePoint(site) => share_point(faults, site),
        Source::Asana(entity)
        | Source::GitHub(entity)
        | Source::GoogleAds(entity)
        | Source::GoogleAnalytics4(entity)
        | Source::GoogleBigQuery(entity)
        | Source::HubSpot(entity)
        | Source::Jdbc(entity)
        | Source::Mailchimp(entity)
        | Source::Dynamics365(entity)
        | Source::MarketingCloud(entity)
        | Source::Custom(entity) => {
            application::properties(faults, "/source", &entity.properties);
        }
        Source::Salesforce(salesforce) => {
            let to = definition.destination.row();
            if salesforce.add_new_fields == Some(true) && to.key != tributary::connector::S3.key {
                faults.add(
                    "/source/addNewFields",
                    "only_for_s3",
                    "New fields are brought to S3 destinations only.",
                );
            }
        }
        Source::ServiceNow(_)
        | Source::Zendesk(_)
        | Source::Slack(_)
        | Source::Marketo(_)
        | Source::Pardot(_)
        | Source::Datadog(_)
        | Source::Dynatrace(_)
        | Source::InforNexus(_)
        | Source::Singular(_)
        | Source::TrendMicro(_)
        | Source::GoogleAnalytics(_)
        | Source::Amplitude(_) => {}
    }
}

/// Whether a Salesforce object is a change event or a platform event.
pub(super) fn sends_events(object: &str) -> bool {
    object.ends_with("ChangeEvent") || object.ends_with("__e")
}

impl VeevaSource {
    /// Whether documents are brought: their object begins so, and the other members are about them.
    pub(super) fn brings_documents(&self) -> bool {
        self.object.split('/').next() == Some("documents")
            || self.document_type.is_some()
            || [
                self.include_source_files,
                self.include_renditions,
                self.include_all_versions,
            ]
            .contains(&Some(true))
    }
}

fn s3(faults: &mut Faults, files: &S3Source) {
    text::bucket(faults, "/source/bucket", &files.bucket);
    if files.prefix.is_empty() {
        faults.add(
            "/source/prefix",
            "required",
            "AppFlow reads files from a folder, never from the bucket's root.",
        );
    }
}

fn sap(faults: &mut Faults, sap: &SapSource) {
    for (member, value, most) in [
        ("maxParallelism", sap.max_parallelism, 10),
        ("maxPageSize", sap.max_page_size, 10_000),
    ] {
        if value.is_some_and(|value| !(1..=most).contains(&value)) {
            faults.add(
                format!("/source/{member}"),
                "out_of_range",
                format!("1 to {most}."),
            );
        }
    }
}

fn veeva(faults: &mut Faults, veeva: &VeevaSource) {
    let Some(kind) = &veeva.document_type else {
        return;
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || "_-".contains(c);
    if kind.is_empty() || kind.len() > 512 || !kind.chars().all(plain) {
        faults.add(
            "/source/documentType",
            "invalid_type",
            "1 to 512 letters, digits, blanks, underscores and hyphens.",
        );
    }
}

fn share_point(faults: &mut Faults, source: &SharePointSource) {
    if source.items.is_empty() {
        faults.add(
            "/source/items",
            "required",
            "Name at least one: drives/<id> or drives/<id>/items/<id>.",
        );
    }
    let mut seen = HashSet::new();
    for (position, item) in source.items.iter().enumerate() {
        let pointer = format!("/source/items/{position}");
        if !is_item(item) {
            faults.add(
                &pointer,
                "invalid_item",
                "Write drives/<id> or drives/<id>/items/<id>, without blanks.",
            );
        }
        if !seen.insert(item) {
            faults.add(&pointer, "repeated", "Name each item once.");
        }
    }
    if text::json_length(&source.items) > ITEMS_LIMIT {
        faults.add(
            "/source/items",
            "too_long",
            "As a JSON array the items have 2048 characters at most.",
        );
    }
}

fn is_item(text: &str) -> bool {
    let id = |part: &str| !part.is_empty() && !part.chars().any(char::is_whitespace);
    let parts: Vec<&str> = text.split('/').collect();
    match parts[..] {
        ["drives", drive] => id(drive),
        ["drives", drive, "items", item] => id(drive) && id(item),
        _ => false,
    }
}
