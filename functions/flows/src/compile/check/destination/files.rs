//! Rules for destinations that are files (flow-model section 7).

use std::collections::HashSet;

use super::super::{Faults, mappings::Fields, text};
use crate::model::{
    Aggregation, Catalog, DatePrefix, FlowDefinition, OutputFile, OutputFormat, S3Destination,
    Source, UpsolverDestination,
};

/// Longest value of a task property.
const PROPERTY_LIMIT: usize = 2048;

pub(super) fn s3(
    faults: &mut Faults,
    files: &S3Destination,
    definition: &FlowDefinition,
    fields: &Fields<'_>,
) {
    text::bucket(faults, "/destination/bucket", &files.bucket);
    if let Some(prefix) = &files.prefix {
        text::prefix(faults, "/destination/prefix", prefix);
    }
    if let Some(format) = &files.format {
        output_format(faults, format, &definition.source);
    }
    partition_by(faults, &files.partition_by, fields);
    if let Some(catalog) = &files.catalog {
        self::catalog(faults, catalog);
    }
}

pub(super) fn upsolver(
    faults: &mut Faults,
    files: &UpsolverDestination,
    definition: &FlowDefinition,
) {
    text::bucket(faults, "/destination/bucket", &files.bucket);
    if !files.bucket.starts_with("upsolver-appflow") {
        faults.add(
            "/destination/bucket",
            "invalid_bucket",
            "Buckets of Upsolver begin with upsolver-appflow.",
        );
    }
    if let Some(prefix) = &files.prefix {
        text::prefix(faults, "/destination/prefix", prefix);
    }
    output_format(faults, &files.format, &definition.source);
    if files.format.prefix.is_none() {
        faults.add(
            "/destination/format/prefix",
            "required",
            "Upsolver wants to know where dates stand; {} leaves them out.",
        );
    }
    if files.format.preserve_source_types.is_some() {
        faults.add(
            "/destination/format/preserveSourceTypes",
            "not_offered",
            "Files for Upsolver cannot be told; leave it out.",
        );
    }
}

fn output_format(faults: &mut Faults, format: &OutputFormat, source: &Source) {
    let parquet = format.file == Some(OutputFile::Parquet);
    if parquet && format.aggregation == Some(Aggregation::SingleFile) {
        faults.add(
            "/destination/format/aggregation",
            "not_with_parquet",
            "AppFlow does not write Parquet as a single file.",
        );
    }
    if format.preserve_source_types == Some(true) && !parquet {
        faults.add(
            "/destination/format/preserveSourceTypes",
            "only_with_parquet",
            "Only Parquet files have types to keep.",
        );
    }
    let other_than_json = format.file.is_some_and(|file| file != OutputFile::Json);
    if other_than_json && matches!(source, Source::GoogleAnalytics(_)) {
        faults.add(
            "/destination/format/file",
            "only_json",
            "What comes from Google Analytics is written as json.",
        );
    }
    if format.target_file_size_mb.is_some_and(|size| size < 1) {
        faults.add(
            "/destination/format/targetFileSizeMb",
            "out_of_range",
            "At least 1 megabyte.",
        );
    }
    if let Some(prefix) = &format.prefix {
        date_prefix(faults, prefix);
    }
}

fn date_prefix(faults: &mut Faults, prefix: &DatePrefix) {
    if prefix.place.is_some() != prefix.depth.is_some() {
        faults.add(
            "/destination/format/prefix",
            "incomplete",
            "A date needs both its place and its depth.",
        );
    }
    let repeated = prefix
        .folders
        .iter()
        .enumerate()
        .any(|(index, folder)| prefix.folders[..index].contains(folder));
    if repeated {
        faults.add(
            "/destination/format/prefix/folders",
            "repeated",
            "Name each folder once.",
        );
    }
}

fn partition_by(faults: &mut Faults, names: &[String], fields: &Fields<'_>) {
    if names.len() > 10 {
        faults.add(
            "/destination/partitionBy",
            "too_many",
            "At most 10 fields become folders.",
        );
    }
    let mut seen = HashSet::new();
    for (position, field) in names.iter().enumerate() {
        let pointer = format!("/destination/partitionBy/{position}");
        text::destination_field(faults, &pointer, field);
        if !seen.insert(field) {
            faults.add(&pointer, "repeated", "Name each field once.");
        }
        if !fields.fills(field) {
            faults.add(pointer, "not_mapped", "No mapping fills this field.");
        }
    }
    if text::json_length(names) > PROPERTY_LIMIT {
        faults.add(
            "/destination/partitionBy",
            "too_long",
            "As a JSON array the names have 2048 characters at most.",
        );
    }
}

fn catalog(faults: &mut Faults, catalog: &Catalog) {
    text::role_arn(faults, "/destination/catalog/roleArn", &catalog.role_arn);
    for (member, value, most) in [
        ("databaseName", &catalog.database_name, 255),
        ("tablePrefix", &catalog.table_prefix, 128),
    ] {
        let characters = text::length(value);
        if characters == 0 || characters > most || value.chars().any(char::is_control) {
            faults.add(
                format!("/destination/catalog/{member}"),
                "invalid_name",
                format!("1 to {most} characters, no control characters."),
            );
        }
    }
}
