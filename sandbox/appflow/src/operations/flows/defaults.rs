//! What DescribeFlow answers beyond what was sent: defaults spelled out, and the tasks in an order of
//! its own. Clients that compare a flow with what they sent have to bear it.

use serde_json::{Value, json};

/// Fills the defaults in.
pub(super) fn fill(described: &mut Value) {
    let destinations = described["destinationFlowConfigList"].as_array_mut();
    for destination in destinations.into_iter().flatten() {
        if let Some(properties) = destination.pointer_mut("/destinationConnectorProperties/S3") {
            format(properties);
        }
    }
    if let Some(tasks) = described["tasks"].as_array_mut() {
        for task in tasks.iter_mut().filter(|t| t["taskProperties"].is_null()) {
            task["taskProperties"] = json!({});
        }
        // Which order the service has is not known, only that it is another one.
        tasks.reverse();
    }
}

/// The output format of an S3 destination.
fn format(properties: &mut Value) {
    let format = &mut properties["s3OutputFormatConfig"];
    default(format, "fileType", json!("JSON"));
    default(format, "preserveSourceDataTyping", json!(false));
    let by_run = json!({ "pathPrefixHierarchy": ["EXECUTION_ID"] });
    default(format, "prefixConfig", by_run);
    default(format, "aggregationConfig", json!({}));
    let aggregation = &mut format["aggregationConfig"];
    default(aggregation, "aggregationType", json!("None"));
}

fn default(object: &mut Value, member: &str, value: Value) {
    if object[member].is_null() {
        object[member] = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_spelled_out_and_what_was_sent_stays() {
        let mut described = json!({
            "destinationFlowConfigList": [{ "destinationConnectorProperties": { "S3": {
                "s3OutputFormatConfig": { "fileType": "CSV", "aggregationConfig": { "targetFileSize": 9 } },
            } } }],
            "tasks": [{ "taskType": "Filter" }, { "taskType": "Map", "taskProperties": { "a": "b" } }],
        });
        fill(&mut described);
        assert_eq!(
            described["destinationFlowConfigList"][0]["destinationConnectorProperties"]["S3"]["s3OutputFormatConfig"],
            json!({
                "fileType": "CSV",
                "prefixConfig": { "pathPrefixHierarchy": ["EXECUTION_ID"] },
                "aggregationConfig": { "aggregationType": "None", "targetFileSize": 9 },
                "preserveSourceDataTyping": false,
            })
        );
        assert_eq!(
            described["tasks"],
            json!([{ "taskType": "Map", "taskProperties": { "a": "b" } },
                   { "taskType": "Filter", "taskProperties": {} }])
        );
    }
}
