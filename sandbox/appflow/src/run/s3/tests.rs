use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::{run, state::Home};

fn ticket() -> Ticket {
    let definition = json!({
        "flowName": "example-flow",
        "triggerConfig": { "triggerType": "OnDemand" },
        "sourceFlowConfig": { "connectorType": "S3", "sourceConnectorProperties": {} },
        "destinationFlowConfigList": [],
        "tasks": [],
    });
    run::Ticket {
        home: Home {
            account: "1".into(),
            region: "r".into(),
        },
        flow_arn: String::new(),
        created_by: String::new(),
        event_id: String::new(),
        definition: Arc::new(serde_json::from_value(definition).expect("definition")),
        schema_version: 2,
        run_id: "exec".into(),
        started_at: Timestamp::UNIX_EPOCH,
        flow_made_at: Timestamp::UNIX_EPOCH,
        window: None,
        cancel: Arc::default(),
    }
}

fn table() -> Table {
    Table {
        columns: vec!["Id".into(), "Rating".into()],
        rows: vec![
            vec![json!(1), json!("Warm")],
            vec![json!(2), Value::Null],
            vec![json!(3), json!("Warm")],
        ],
        filtered: 0,
    }
}

fn write(properties: &Value, partition: &[&str]) -> Vec<(String, String)> {
    let partition: Vec<String> = partition.iter().map(|p| (*p).to_owned()).collect();
    let now = "2022-11-10T07:08:09Z".parse().expect("time");
    Layout::of(properties)
        .files(&ticket(), &table(), &partition, now)
        .into_iter()
        .map(|(key, body)| (key, String::from_utf8(body.to_vec()).expect("text")))
        .collect()
}

#[test]
fn keys_follow_the_prefix_configuration() {
    let all = json!(["SCHEMA_VERSION", "EXECUTION_ID"]);
    for (config, folder, dated_name) in [
        (Value::Null, "p/q/example-flow/exec/", false),
        (
            json!({ "pathPrefixHierarchy": all }),
            "p/q/example-flow/schemaVersion_2/exec/",
            false,
        ),
        (
            json!({ "prefixType": "PATH", "prefixFormat": "DAY", "pathPrefixHierarchy": all }),
            "p/q/example-flow/schemaVersion_2/2022/11/10/exec/",
            false,
        ),
        (
            json!({ "prefixType": "PATH_AND_FILENAME", "prefixFormat": "MINUTE" }),
            "p/q/example-flow/2022/11/10/07/08/",
            true,
        ),
        (
            json!({ "prefixType": "FILENAME" }),
            "p/q/example-flow/",
            true,
        ),
    ] {
        let properties = json!({ "bucketName": "b", "bucketPrefix": "p/q/",
            "s3OutputFormatConfig": { "prefixConfig": config } });
        let files = write(&properties, &[]);
        let name = files[0]
            .0
            .strip_prefix(folder)
            .unwrap_or_else(|| panic!("{}", files[0].0));
        assert!(!name.contains('/'), "{name}");
        assert_eq!(name.ends_with("-2022-11-10T07:08:09"), dated_name, "{name}");
    }
}

#[test]
fn json_lines_are_the_default_and_keep_types_and_order() {
    let files = write(&json!({ "bucketName": "b" }), &[]);
    assert_eq!(files.len(), 1);
    assert_eq!(
        files[0].1,
        "{\"Id\":1,\"Rating\":\"Warm\"}\n{\"Id\":2,\"Rating\":null}\n{\"Id\":3,\"Rating\":\"Warm\"}\n"
    );
}

#[test]
fn csv_has_a_header() {
    let properties = json!({ "bucketName": "b", "s3OutputFormatConfig": { "fileType": "CSV" } });
    assert_eq!(
        write(&properties, &[])[0].1,
        "Id,Rating\n1,Warm\n2,\n3,Warm\n"
    );
}

#[test]
fn partitions_become_folders_and_null_is_named() {
    let files = write(&json!({ "bucketName": "b" }), &["Rating"]);
    let folders: Vec<&str> = files
        .iter()
        .map(|(key, _)| key.rsplit('/').nth(1).expect("folder"))
        .collect();
    assert_eq!(folders, ["Rating=Warm", "Rating=null"]);
    assert_eq!(files[0].1.lines().count(), 2);
}

#[test]
fn files_are_cut_at_the_target_size_and_a_single_file_is_not() {
    let table = table();
    let rows: Vec<&[Value]> = table.rows.iter().map(Vec::as_slice).collect();
    let cut = bodies(&table, &rows, true, 20);
    assert_eq!(cut.len(), 2);
    assert!(cut.iter().all(|file| file.starts_with(b"Id,Rating\n")));
    assert_eq!(bodies(&table, &rows, true, usize::MAX).len(), 1);
}

#[test]
fn source_files_are_read_in_both_formats() {
    let csv = rows(b"a,b\n1,\n").expect("csv");
    assert_eq!(csv[0].0, ["a", "b"]);
    assert_eq!(csv[0].1["a"], "1");
    assert!(csv[0].1["b"].is_null());
    assert!(rows(b"a,b\n1\n").is_none());
    let json = lines(b"{\"a\":1}\n\n{\"a\":2}\n").expect("json lines");
    assert_eq!(json.len(), 2);
    assert!(lines(b"not json").is_none());
}
