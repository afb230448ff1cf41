//! S3 on both sides: files of records in, files of rows out.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    RunFault, Ticket,
    read::{Input, plan},
};
use crate::{
    definition::Source,
    service::Inner,
    tasks::{
        apply::{Record, Table},
        filter::text,
    },
};

/// Largest source file.
const LARGEST_FILE: usize = 125 * 1024 * 1024;
/// Size of output files unless the flow says otherwise, in megabytes.
const FILE_SIZE: u64 = 128;

/// Reads every file below the prefix.
pub(super) async fn read(
    inner: &Inner,
    ticket: &Ticket,
    source: &Source,
) -> Result<Input, RunFault> {
    let account = &ticket.home.account;
    let bucket = source.text("S3", "bucketName").unwrap_or_default();
    let prefix = source.text("S3", "bucketPrefix").unwrap_or_default();
    let folder = if prefix.is_empty() || prefix.ends_with('/') {
        prefix.to_owned()
    } else {
        format!("{prefix}/")
    };
    let json = source
        .properties("S3")
        .and_then(|p| p.pointer("/s3InputFormatConfig/s3InputFileType"))
        .is_some_and(|kind| kind == "JSON");
    let refused = |what: &str, code: &str| {
        RunFault::new(format!(
            "Error while communicating to connector: S3 answered {code} for {what}"
        ))
    };
    let keys = inner
        .services
        .list_objects(account, bucket, &folder)
        .await
        .map_err(|code| refused(bucket, &code))?;
    let plan = plan(ticket, "S3")?;
    let mut input = Input {
        local: plan.filters.clone(),
        plan,
        fields: Vec::new(),
        records: Vec::new(),
        bytes: 0,
    };
    for key in keys.iter().filter(|key| !key.ends_with('/')) {
        let body = inner
            .services
            .get_object(account, bucket, key)
            .await
            .map_err(|code| refused(key, &code))?;
        if body.len() > LARGEST_FILE {
            return Err(RunFault::new(format!(
                "The file {key} is larger than 125 MB"
            )));
        }
        input.bytes += len(body.len());
        let records = if json { lines(&body) } else { rows(&body) };
        let records = records.ok_or_else(|| {
            RunFault::new(format!(
                "The file {key} is not readable in the flow's input format"
            ))
        })?;
        for (names, record) in records {
            for name in names {
                if !input.fields.contains(&name) {
                    input.fields.push(name);
                }
            }
            input.records.push(record);
        }
    }
    Ok(input)
}

type Named = (Vec<String>, Record);

fn lines(body: &[u8]) -> Option<Vec<Named>> {
    let text = std::str::from_utf8(body).ok()?;
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let record: Record = serde_json::from_str(line).ok()?;
            Some((record.keys().cloned().collect(), record))
        })
        .collect()
}

/// CSV with a header row; an empty cell is null.
fn rows(body: &[u8]) -> Option<Vec<Named>> {
    let mut reader = csv::Reader::from_reader(body);
    let names: Vec<String> = reader.headers().ok()?.iter().map(str::to_owned).collect();
    reader
        .records()
        .map(|row| {
            let row = row.ok()?;
            let cells = row.iter().map(|cell| match cell {
                "" => Value::Null,
                cell => Value::from(cell),
            });
            let record: Map<String, Value> = names.iter().cloned().zip(cells).collect();
            Some((names.clone(), record))
        })
        .collect()
}

/// How a flow writes to S3.
pub(super) struct Layout<'a> {
    pub(super) bucket: &'a str,
    prefix: &'a str,
    format: &'a Value,
}

impl<'a> Layout<'a> {
    pub(super) fn of(properties: &'a Value) -> Self {
        Self {
            bucket: properties["bucketName"].as_str().unwrap_or_default(),
            prefix: properties["bucketPrefix"].as_str().unwrap_or_default(),
            format: &properties["s3OutputFormatConfig"],
        }
    }

    fn is_csv(&self) -> bool {
        self.format["fileType"] == "CSV"
    }

    /// What the catalogue calls the files.
    pub(super) fn classification(&self) -> &'static str {
        if self.is_csv() { "csv" } else { "json" }
    }

    /// Whether a run's files stand in a folder of its own that the flow asked for.
    pub(super) fn is_by_execution(&self) -> bool {
        let hierarchy = self.format["prefixConfig"]["pathPrefixHierarchy"].as_array();
        hierarchy.is_some_and(|folders| folders.iter().any(|folder| folder == "EXECUTION_ID"))
    }

    /// The files of a table, as key and body: one or more per partition.
    pub(super) fn files(
        &self,
        ticket: &Ticket,
        table: &Table,
        partition: &[String],
        now: Timestamp,
    ) -> Vec<(String, Bytes)> {
        let aggregation = &self.format["aggregationConfig"];
        let limit = if aggregation["aggregationType"] == "SingleFile" {
            usize::MAX
        } else {
            let megabytes = aggregation["targetFileSize"]
                .as_u64()
                .filter(|n| *n > 0)
                .unwrap_or(FILE_SIZE);
            usize::try_from(megabytes.saturating_mul(1024 * 1024)).unwrap_or(usize::MAX)
        };
        let folder = self.folder(ticket, now);
        let mut files = Vec::new();
        for (below, rows) in partitions(table, partition) {
            for body in bodies(table, &rows, self.is_csv(), limit) {
                let name = self.file_name(now);
                files.push((format!("{folder}{below}{name}"), body));
            }
        }
        files
    }

    /// `<bucketPrefix>/<flow>/[schemaVersion_<N>/][date/][<execution id>/]`. Without a prefix
    /// configuration public consumers read keys that go on with the execution id, and DescribeFlow
    /// says so.
    pub(super) fn folder(&self, ticket: &Ticket, now: Timestamp) -> String {
        let mut parts: Vec<String> = Vec::new();
        let prefix = self.prefix.trim_matches('/');
        if !prefix.is_empty() {
            parts.push(prefix.to_owned());
        }
        parts.push(ticket.flow_name().to_owned());
        let config = &self.format["prefixConfig"];
        let hierarchy: Vec<&str> = config["pathPrefixHierarchy"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        if hierarchy.contains(&"SCHEMA_VERSION") {
            parts.push(format!("schemaVersion_{}", ticket.schema_version));
        }
        if matches!(
            config["prefixType"].as_str(),
            Some("PATH" | "PATH_AND_FILENAME")
        ) {
            let date = now.strftime(date_format(config)).to_string();
            parts.extend(date.split('/').map(str::to_owned));
        }
        if config.is_null() || hierarchy.contains(&"EXECUTION_ID") {
            parts.push(ticket.run_id.clone());
        }
        parts.join("/") + "/"
    }

    fn file_name(&self, now: Timestamp) -> String {
        let id = uuid::Uuid::new_v4();
        let config = &self.format["prefixConfig"];
        if matches!(
            config["prefixType"].as_str(),
            Some("FILENAME" | "PATH_AND_FILENAME")
        ) {
            format!("{id}-{}", now.strftime("%Y-%m-%dT%H:%M:%S"))
        } else {
            id.to_string()
        }
    }
}

/// Nested UTC folders down to the depth that the format names.
fn date_format(config: &Value) -> &'static str {
    match config["prefixFormat"].as_str() {
        Some("YEAR") => "%Y",
        Some("MONTH") => "%Y/%m",
        Some("HOUR") => "%Y/%m/%d/%H",
        Some("MINUTE") => "%Y/%m/%d/%H/%M",
        _ => "%Y/%m/%d",
    }
}

/// Rows by `Field=value/` folders, in order of first appearance. Null becomes `Field=null`.
fn partitions<'t>(table: &'t Table, keys: &[String]) -> Vec<(String, Vec<&'t [Value]>)> {
    let mut parts: Vec<(String, Vec<&[Value]>)> = Vec::new();
    for row in &table.rows {
        let mut folder = String::new();
        for key in keys {
            let at = table.columns.iter().position(|c| c == key);
            let value = at.and_then(|at| text(&row[at]));
            let value = value
                .unwrap_or_else(|| "null".to_owned())
                .replace('/', "%2F");
            folder = format!("{folder}{key}={value}/");
        }
        match parts.iter_mut().find(|(f, _)| *f == folder) {
            Some((_, rows)) => rows.push(row),
            None => parts.push((folder, vec![row])),
        }
    }
    parts
}

/// Rows as files of at most about `limit` bytes.
fn bodies(table: &Table, rows: &[&[Value]], csv: bool, limit: usize) -> Vec<Bytes> {
    let header = if csv {
        csv_line(table.columns.iter().cloned())
    } else {
        Vec::new()
    };
    let mut files = Vec::new();
    let mut file = header.clone();
    for row in rows {
        let line = if csv {
            csv_line(row.iter().map(|v| text(v).unwrap_or_default()))
        } else {
            json_line(&table.columns, row)
        };
        if file.len() > header.len() && file.len() + line.len() > limit {
            files.push(Bytes::from(std::mem::replace(&mut file, header.clone())));
        }
        file.extend(line);
    }
    if file.len() > header.len() {
        files.push(Bytes::from(file));
    }
    files
}

/// A CSV file of the whole table, as it is staged for a warehouse.
pub(super) fn staged(table: &Table) -> Bytes {
    let rows: Vec<&[Value]> = table.rows.iter().map(Vec::as_slice).collect();
    bodies(table, &rows, true, usize::MAX)
        .into_iter()
        .next()
        .unwrap_or_default()
}

fn csv_line(cells: impl Iterator<Item = String>) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory does not fail, and one record cannot have uneven length.
    if writer.write_record(cells.collect::<Vec<_>>()).is_err() {
        return Vec::new();
    }
    writer.into_inner().unwrap_or_default()
}

/// An object per line, members in the order of the columns.
fn json_line(columns: &[String], row: &[Value]) -> Vec<u8> {
    let members: Vec<String> = columns
        .iter()
        .zip(row)
        .map(|(name, value)| format!("{}:{value}", Value::from(name.as_str())))
        .collect();
    format!("{{{}}}\n", members.join(",")).into_bytes()
}

fn len(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
