//! Rules for destinations (flow-model sections 6 and 7).

use super::{Faults, text};
use crate::model::{
    Aggregation, Destination, ErrorHandling, FlowDefinition, OutputFile, OutputFormat,
    S3Destination, Source, TableDestination,
};

pub(super) fn check(faults: &mut Faults, definition: &FlowDefinition) {
    match &definition.destination {
        Destination::S3(files) => s3(faults, files),
        Destination::Redshift(table) => {
            redshift(faults, table);
            if let Source::Salesforce(source) = &definition.source
                && source.add_new_fields == Some(true)
            {
                faults.add(
                    "/source/addNewFields",
                    "only_for_s3",
                    "New fields are brought to S3 destinations only.",
                );
            }
        }
        _ => {}
    }
}

fn s3(faults: &mut Faults, files: &S3Destination) {
    text::bucket(faults, "/destination/bucket", &files.bucket);
    if let Some(prefix) = &files.prefix {
        text::prefix(faults, "/destination/prefix", prefix);
    }
    if let Some(format) = &files.format {
        output_format(faults, format);
    }
    if let Some(catalog) = &files.catalog {
        text::role_arn(faults, "/destination/catalog/roleArn", &catalog.role_arn);
        for (pointer, value, most) in [
            (
                "/destination/catalog/databaseName",
                &catalog.database_name,
                255,
            ),
            (
                "/destination/catalog/tablePrefix",
                &catalog.table_prefix,
                128,
            ),
        ] {
            let characters = value.chars().count();
            if characters == 0 || characters > most || value.chars().any(char::is_control) {
                faults.add(
                    pointer,
                    "invalid_name",
                    format!("1 to {most} characters, no control characters."),
                );
            }
        }
    }
}

fn output_format(faults: &mut Faults, format: &OutputFormat) {
    let parquet = format.file == Some(OutputFile::Parquet);
    if parquet && format.aggregation == Some(Aggregation::SingleFile) {
        faults.add(
            "/destination/format/aggregation",
            "not_with_parquet",
            "AppFlow does not write Parquet as a single file.",
        );
    }
    if format.preserve_source_types.is_some() && !parquet {
        faults.add(
            "/destination/format/preserveSourceTypes",
            "only_with_parquet",
            "Only Parquet files have types to keep.",
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
}

fn redshift(faults: &mut Faults, table: &TableDestination) {
    text::object(faults, "/destination/table", &table.table);
    if let Some(schema) = &table.schema {
        text::object(faults, "/destination/schema", schema);
    }
    for (pointer, name) in [
        ("/destination/table", Some(&table.table)),
        ("/destination/schema", table.schema.as_ref()),
    ] {
        if name.is_some_and(|name| name.contains('.')) {
            faults.add(
                pointer,
                "invalid_object",
                "Say schema and table apart: neither may contain a dot.",
            );
        }
    }
    let joined = table.schema.as_deref().unwrap_or("public").chars().count()
        + 1
        + table.table.chars().count();
    if joined > 512 {
        faults.add(
            "/destination/table",
            "too_long",
            "Schema and table together have 511 characters at most.",
        );
    }
    if let Some(ErrorHandling { bucket, prefix, .. }) = &table.error_handling {
        if let Some(bucket) = bucket {
            text::bucket(faults, "/destination/errorHandling/bucket", bucket);
        }
        if let Some(prefix) = prefix {
            text::prefix(faults, "/destination/errorHandling/prefix", prefix);
            if bucket.is_none() {
                faults.add(
                    "/destination/errorHandling/bucket",
                    "required",
                    "A prefix needs a bucket.",
                );
            }
        }
    }
}
