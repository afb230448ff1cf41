//! The AWS SDK as an independent client: it must be able to read every answer.

use std::collections::BTreeMap;

use aws_sdk_appflow::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region},
    error::ProvideErrorMetadata,
    types::{
        ConnectionMode, ConnectorOperator, ConnectorProfileConfig, ConnectorProfileCredentials,
        ConnectorProfileProperties, ConnectorType, DestinationConnectorProperties,
        DestinationFlowConfig, ExecutionStatus, FlowStatus, OperatorPropertiesKeys,
        S3DestinationProperties, SalesforceConnectorOperator,
        SalesforceConnectorProfileCredentials, SalesforceConnectorProfileProperties,
        SalesforceSourceProperties, SourceConnectorProperties, SourceFlowConfig, Task, TaskType,
        TriggerConfig, TriggerType,
    },
};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, Uri},
    response::{IntoResponse, Response},
};
use sandbox_core::{AwsCall, AwsService, Principal};

use super::world::{ACCOUNT, World};
use crate::AppFlow;

async fn serve(
    State(appflow): State<AppFlow>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let reply = appflow
        .handle(AwsCall {
            principal: Principal {
                access_key_id: "AKIA".into(),
                account: ACCOUNT.into(),
                arn: format!("arn:aws:iam::{ACCOUNT}:user/sdk"),
                role_arn: None,
                tags: BTreeMap::new(),
                on_behalf_of: None,
            },
            region: "us-east-1".into(),
            service: "appflow".into(),
            method,
            path: uri.path().into(),
            query: uri.query().unwrap_or_default().into(),
            headers,
            body,
        })
        .await;
    (reply.status, reply.headers, reply.body).into_response()
}

async fn client(world: &World) -> Client {
    let (listener, address) = sandbox_core::serve::bind(0).await.expect("port");
    let app = Router::new()
        .fallback(serve)
        .with_state(world.appflow.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    Client::from_conf(
        Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(format!("http://{address}"))
            .credentials_provider(Credentials::new("AKIA", "key", None, None, "test"))
            .build(),
    )
}

async fn connect(world: &World, client: &Client, token: &str) -> Result<String, String> {
    let properties = SalesforceConnectorProfileProperties::builder()
        .instance_url(&world.salesforce.url)
        .build();
    let credentials = SalesforceConnectorProfileCredentials::builder()
        .access_token(token)
        .build();
    let config = ConnectorProfileConfig::builder()
        .connector_profile_properties(
            ConnectorProfileProperties::builder()
                .salesforce(properties)
                .build(),
        )
        .connector_profile_credentials(
            ConnectorProfileCredentials::builder()
                .salesforce(credentials)
                .build(),
        )
        .build();
    client
        .create_connector_profile()
        .connector_profile_name("sf")
        .connector_type(ConnectorType::Salesforce)
        .connection_mode(ConnectionMode::Public)
        .connector_profile_config(config)
        .send()
        .await
        .map(|made| made.connector_profile_arn.unwrap_or_default())
        .map_err(|e| e.code().unwrap_or_default().to_owned())
}

async fn create_flow(client: &Client, name: &str) {
    let source = SourceConnectorProperties::builder()
        .salesforce(
            SalesforceSourceProperties::builder()
                .object("City__c")
                .build()
                .expect("source"),
        )
        .build();
    let destination = DestinationConnectorProperties::builder()
        .s3(S3DestinationProperties::builder()
            .bucket_name("landing")
            .build()
            .expect("bucket"))
        .build();
    let task = Task::builder()
        .task_type(TaskType::MapAll)
        .set_source_fields(Some(Vec::new()))
        .connector_operator(
            ConnectorOperator::builder()
                .salesforce(SalesforceConnectorOperator::NoOp)
                .build(),
        )
        .task_properties(OperatorPropertiesKeys::ExcludeSourceFieldsList, "[]")
        .build()
        .expect("task");
    client
        .create_flow()
        .flow_name(name)
        .trigger_config(
            TriggerConfig::builder()
                .trigger_type(TriggerType::Ondemand)
                .build()
                .expect("trigger"),
        )
        .source_flow_config(
            SourceFlowConfig::builder()
                .connector_type(ConnectorType::Salesforce)
                .connector_profile_name("sf")
                .source_connector_properties(source)
                .build()
                .expect("source"),
        )
        .destination_flow_config_list(
            DestinationFlowConfig::builder()
                .connector_type(ConnectorType::S3)
                .destination_connector_properties(destination)
                .build()
                .expect("destination"),
        )
        .tasks(task)
        .tags("tributary:flow", "flw_1")
        .send()
        .await
        .expect("created");
}

#[tokio::test]
async fn the_sdk_walks_a_flow_from_profile_to_run_record() {
    let world = World::new().await;
    let client = client(&world).await;
    let refused = connect(&world, &client, "00D-wrong").await;
    assert_eq!(refused, Err("ConnectorAuthenticationException".to_owned()));
    let arn = connect(&world, &client, "00D-access-token-1")
        .await
        .expect("profile");
    assert!(arn.ends_with("connectorprofile/sf"));
    create_flow(&client, "by-sdk").await;
    let started = client
        .start_flow()
        .flow_name("by-sdk")
        .send()
        .await
        .expect("started");
    world.appflow.settled().await;

    let records = client
        .describe_flow_execution_records()
        .flow_name("by-sdk")
        .send()
        .await
        .expect("records");
    let record = &records.flow_executions()[0];
    assert_eq!(record.execution_id, started.execution_id);
    assert_eq!(record.execution_status, Some(ExecutionStatus::Successful));
    let result = record.execution_result.as_ref().expect("result");
    assert_eq!(result.records_processed, Some(5));
    assert!(result.error_info.is_none() && record.data_pull_start_time.is_none());

    let flow = client
        .describe_flow()
        .flow_name("by-sdk")
        .send()
        .await
        .expect("flow");
    assert_eq!(flow.flow_status, Some(FlowStatus::Active));
    assert_eq!(flow.tasks().len(), 1);
    assert!(flow.created_at.is_some() && flow.kms_arn.is_none());
    let arn = flow.flow_arn().expect("arn");
    client
        .tag_resource()
        .resource_arn(arn)
        .tags("env", "test")
        .send()
        .await
        .expect("tagged");
    client
        .untag_resource()
        .resource_arn(arn)
        .tag_keys("tributary:flow")
        .send()
        .await
        .expect("untagged");
    let tags = client
        .list_tags_for_resource()
        .resource_arn(arn)
        .send()
        .await
        .expect("tags");
    assert_eq!(tags.tags.expect("tags").len(), 1);

    let stopped = client
        .stop_flow()
        .flow_name("by-sdk")
        .send()
        .await
        .expect_err("on demand");
    assert_eq!(stopped.code(), Some("UnsupportedOperationException"));
    let missing = client
        .describe_flow()
        .flow_name("nobody")
        .send()
        .await
        .expect_err("missing");
    assert!(
        missing
            .into_service_error()
            .is_resource_not_found_exception()
    );
    client
        .delete_flow()
        .flow_name("by-sdk")
        .send()
        .await
        .expect("deleted");
}

#[tokio::test]
async fn the_sdk_reads_every_list_and_description() {
    let world = World::new().await;
    let client = client(&world).await;
    connect(&world, &client, "00D-access-token-1")
        .await
        .expect("profile");
    create_flow(&client, "listed").await;
    let flows = client.list_flows().send().await.expect("flows");
    assert_eq!(flows.flows()[0].flow_name(), Some("listed"));
    let profiles = client
        .describe_connector_profiles()
        .send()
        .await
        .expect("profiles");
    let profile = &profiles.connector_profile_details()[0];
    assert!(
        profile
            .credentials_arn()
            .is_some_and(|arn| arn.contains("secret:appflow!"))
    );
    let all = client
        .describe_connectors()
        .max_results(100)
        .send()
        .await
        .expect("connectors");
    assert_eq!(all.connectors().len(), 35);
    assert_eq!(all.connector_configurations.expect("map").len(), 23);
    let one = client
        .describe_connector()
        .connector_type(ConnectorType::Slack)
        .send()
        .await
        .expect("one");
    assert!(
        one.connector_configuration
            .expect("configuration")
            .can_use_as_source
    );
    let listed = client.list_connectors().send().await.expect("listed");
    assert!(listed.next_token.is_some());
    let entities = client
        .list_connector_entities()
        .connector_profile_name("sf")
        .send()
        .await
        .expect("entities");
    assert_eq!(entities.connector_entity_map["Objects"].len(), 2);
    let entity = client
        .describe_connector_entity()
        .connector_profile_name("sf")
        .connector_entity_name("City__c")
        .send()
        .await
        .expect("entity");
    assert_eq!(entity.connector_entity_fields().len(), 5);
}
