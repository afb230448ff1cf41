use super::*;
use crate::compile::{create_flow_input, references::REFERENCES};

/// What AppFlow says about a flow that was made by this request.
pub(in crate::compile) fn as_described(request: &CreateFlowRequest) -> DescribeFlowOutput {
    let made = create_flow_input(request).unwrap().build().unwrap();
    DescribeFlowOutput::builder()
        .set_flow_name(made.flow_name)
        .set_description(made.description)
        .set_kms_arn(made.kms_arn)
        .set_trigger_config(made.trigger_config)
        .set_source_flow_config(made.source_flow_config)
        .set_destination_flow_config_list(made.destination_flow_config_list)
        .set_tasks(made.tasks)
        .set_metadata_catalog_config(made.metadata_catalog_config)
        .set_tags(made.tags)
        .build()
}

fn pointers(found: &DescribeFlowOutput) -> Vec<String> {
    let Err(Unreadable(faults)) = request(found) else {
        return Vec::new();
    };
    assert!(
        faults.iter().all(|fault| fault.code == "not_covered"),
        "{faults:?}"
    );
    faults.into_iter().map(|fault| fault.pointer).collect()
}

#[test]
fn an_answer_without_a_source_or_a_trigger_is_not_read() {
    let empty = DescribeFlowOutput::builder().build();
    assert_eq!(pointers(&empty), ["/sourceFlowConfig", "/triggerConfig"]);
}

#[test]
fn what_the_request_cannot_say_is_told_and_not_dropped() {
    let mut found = as_described(&REFERENCES[6].compiled());
    assert_eq!(pointers(&found), [""; 0]);
    let source = found.source_flow_config.as_mut().unwrap();
    let properties = source.source_connector_properties.as_mut().unwrap();
    let custom = properties.custom_connector.as_mut().unwrap();
    custom.data_transfer_api = Some(
        sdk::DataTransferApi::builder()
            .name("Bulk")
            .r#type(sdk::DataTransferApiType::Async)
            .build(),
    );
    let tasks = found.tasks.as_mut().unwrap();
    tasks[1].task_type = sdk::TaskType::from("Enrich");
    let two_keys = sdk::ConnectorOperator::builder()
        .s3(sdk::S3ConnectorOperator::NoOp)
        .custom_connector(sdk::Operator::NoOp)
        .build();
    tasks[2].connector_operator = Some(two_keys);
    let of_s3 = found.destination_flow_config_list.as_mut().unwrap();
    of_s3[0].destination_connector_properties = None;
    assert_eq!(
        pointers(&found),
        [
            "/sourceFlowConfig/sourceConnectorProperties/CustomConnector/dataTransferApi",
            "/destinationFlowConfigList/0/destinationConnectorProperties",
            "/tasks/1/taskType",
            "/tasks/2/connectorOperator",
        ]
    );
}

#[test]
fn a_transfer_that_appflow_chooses_itself_changes_nothing() {
    let asked = REFERENCES[6].compiled();
    let mut found = as_described(&asked);
    let source = found.source_flow_config.as_mut().unwrap();
    let properties = source.source_connector_properties.as_mut().unwrap();
    properties
        .custom_connector
        .as_mut()
        .unwrap()
        .data_transfer_api = Some(
        sdk::DataTransferApi::builder()
            .r#type(sdk::DataTransferApiType::Automatic)
            .build(),
    );
    assert_eq!(request(&found).unwrap(), asked);
}
