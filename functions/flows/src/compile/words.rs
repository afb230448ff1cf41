//! Our words and AppFlow's for the same things. One table each, read from both sides.

use crate::model::{
    Aggregation, Arithmetic, DataTransferApi, InputFile, OutputFile, PathFolder, PrefixDepth,
    PrefixPlace, WriteOperation,
};

use super::operators::Operator;

macro_rules! words {
    ($($(#[$doc:meta])* $forth:ident, $back:ident, $ours:ty { $($value:path => $word:literal),* $(,)? })*) => {
        $(
            $(#[$doc])*
            pub(super) fn $forth(value: $ours) -> String {
                let word = match value { $($value => $word),* };
                word.to_owned()
            }

            /// The way back; none for a word that AppFlow has learnt since.
            pub(super) fn $back(word: &str) -> Option<$ours> {
                match word { $($word => Some($value),)* _ => None }
            }
        )*
    };
}

words! {
    /// `SalesforceDataTransferApi`.
    data_transfer_api, data_transfer_api_of, DataTransferApi {
        DataTransferApi::Automatic => "AUTOMATIC",
        DataTransferApi::BulkV2 => "BULKV2",
        DataTransferApi::RestSync => "REST_SYNC",
    }
    /// `S3InputFileType`.
    input_file, input_file_of, InputFile {
        InputFile::Csv => "CSV",
        InputFile::Json => "JSON",
    }
    /// `FileType`.
    output_file, output_file_of, OutputFile {
        OutputFile::Csv => "CSV",
        OutputFile::Json => "JSON",
        OutputFile::Parquet => "PARQUET",
    }
    /// `AggregationType`.
    aggregation, aggregation_of, Aggregation {
        Aggregation::None => "None",
        Aggregation::SingleFile => "SingleFile",
    }
    /// `PrefixType`.
    prefix_place, prefix_place_of, PrefixPlace {
        PrefixPlace::FileName => "FILENAME",
        PrefixPlace::Path => "PATH",
        PrefixPlace::PathAndFileName => "PATH_AND_FILENAME",
    }
    /// `PrefixFormat`.
    prefix_depth, prefix_depth_of, PrefixDepth {
        PrefixDepth::Year => "YEAR",
        PrefixDepth::Month => "MONTH",
        PrefixDepth::Day => "DAY",
        PrefixDepth::Hour => "HOUR",
        PrefixDepth::Minute => "MINUTE",
    }
    /// `PathPrefix`.
    folder, folder_of, PathFolder {
        PathFolder::ExecutionId => "EXECUTION_ID",
        PathFolder::SchemaVersion => "SCHEMA_VERSION",
    }
    /// `WriteOperationType`.
    write, write_of, WriteOperation {
        WriteOperation::Insert => "INSERT",
        WriteOperation::Update => "UPDATE",
        WriteOperation::Upsert => "UPSERT",
        WriteOperation::Delete => "DELETE",
    }
}

impl Operator {
    /// The operator of a calculation.
    pub const fn of_arithmetic(operation: Arithmetic) -> Self {
        match operation {
            Arithmetic::Add => Self::Addition,
            Arithmetic::Subtract => Self::Subtraction,
            Arithmetic::Multiply => Self::Multiplication,
            Arithmetic::Divide => Self::Division,
        }
    }
}

/// The calculation of an operator; none for one that calculates nothing.
pub(super) const fn arithmetic_of(operator: Operator) -> Option<Arithmetic> {
    Some(match operator {
        Operator::Addition => Arithmetic::Add,
        Operator::Subtraction => Arithmetic::Subtract,
        Operator::Multiplication => Arithmetic::Multiply,
        Operator::Division => Arithmetic::Divide,
        _ => return None,
    })
}
