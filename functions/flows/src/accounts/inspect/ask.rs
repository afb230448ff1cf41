//! The calls of the self-test. None has an effect: they read, or name what cannot exist.
//!
//! The requests keep AppFlow's model, so that a `ValidationException` comes from the service behind
//! IAM and not from the parser before it.

use aws_sdk_appflow::operation::RequestId;
use aws_sdk_appflow::{
    Client,
    types::{
        AuthenticationType, ConnectionMode, ConnectorProfileConfig, ConnectorProfileCredentials,
        ConnectorProfileProperties, ConnectorType, CustomAuthCredentials,
        CustomConnectorProfileCredentials, CustomConnectorProfileProperties,
        DestinationConnectorProperties, DestinationFlowConfig, S3DestinationProperties,
        SalesforceSourceProperties, SourceConnectorProperties, SourceFlowConfig, Task, TaskType,
        TriggerConfig, TriggerType,
    },
};
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::error::operation::BuildError;
use jiff::Timestamp;
use tributary::aws::Refusal;

use crate::{
    cloudwatch::{self, CloudWatch, Wanted},
    glue::{self, CatalogName, Glue},
    s3::{BucketName, Failure, S3},
};

/// A metric that a flow without runs has no data of.
const STARTED: Wanted = Wanted {
    metric: "FlowExecutionsStarted",
    statistic: "Sum",
};

/// A call of the self-test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    CreateFlow,
    CreateConnectorProfile,
    DescribeConnectorProfiles,
    DescribeConnectors,
    ListConnectors,
    ListFlows,
    DescribeConnector,
    ListBuckets,
    GetBucketLocation,
    GetBucketPolicy,
    DescribeFlow,
    DescribeFlowExecutionRecords,
    UpdateFlow,
    DeleteFlow,
    StartFlow,
    StopFlow,
    CancelFlowExecutions,
    TagResource,
    UpdateConnectorProfile,
    DeleteConnectorProfile,
    ListConnectorEntities,
    DescribeConnectorEntity,
    ResetConnectorMetadataCache,
    GetDatabases,
    GetTables,
    GetTable,
    GetMetricData,
    DescribeAlarms,
    DeleteAlarms,
    /// [`Call::DescribeFlow`] on a name that is not ours: must be refused.
    DescribeForeignFlow,
}

/// What a call came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// It was let through, whatever the service then said.
    Through {
        /// AWS's request id.
        request_id: Option<String>,
    },
    /// The service refused.
    Refused(Refusal),
}

/// Whom the calls go to and what they name.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) appflow: Client,
    pub(super) s3: std::sync::Arc<S3>,
    pub(super) glue: std::sync::Arc<Glue>,
    pub(super) cloudwatch: std::sync::Arc<CloudWatch>,
    /// A database, and a table in it, that nobody has.
    pub(super) nothing: CatalogName,
    /// A name within our prefix that nothing has.
    pub(super) name: String,
    /// A name outside of it that nothing has.
    pub(super) foreign_name: String,
    /// ARN of the flow of that name.
    pub(super) flow_arn: String,
    /// The bucket that the template makes.
    pub(super) bucket: BucketName,
}

macro_rules! answer {
    ($sent:expr) => {
        match $sent {
            Ok(answer) => Answer::Through {
                request_id: answer.request_id().map(str::to_owned),
            },
            Err(error) => refused(&error),
        }
    };
}

fn refused<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Answer {
    Answer::Refused(Refusal::of(error))
}

fn of_s3<T>(answered: Result<T, Failure>) -> Answer {
    match answered {
        Ok(_) => Answer::Through { request_id: None },
        Err(failure) => Answer::Refused(failure.into_refusal()),
    }
}

/// Lake Formation refuses behind IAM: the role's own policy let the call through.
fn of_glue<T>(answered: Result<T, glue::Failure>) -> Answer {
    match answered {
        Err(failure) if !failure.is_lake_formations() => Answer::Refused(failure.into_refusal()),
        Ok(_) | Err(_) => Answer::Through { request_id: None },
    }
}

fn of_cloudwatch<T>(answered: Result<T, cloudwatch::Failure>) -> Answer {
    match answered {
        Ok(_) => Answer::Through { request_id: None },
        Err(failure) => Answer::Refused(failure.into_refusal()),
    }
}

impl Asked {
    /// Makes a call. An error is ours: a request that cannot be built.
    #[expect(clippy::too_many_lines, reason = "a table of calls")]
    pub(super) async fn ask(&self, call: Call) -> Result<Answer, BuildError> {
        let (appflow, name) = (&self.appflow, &self.name);
        Ok(match call {
            Call::ListFlows => answer!(appflow.list_flows().max_results(1).send().await),
            Call::ListConnectors => answer!(appflow.list_connectors().max_results(1).send().await),
            Call::DescribeConnectors => {
                answer!(appflow.describe_connectors().max_results(1).send().await)
            }
            Call::DescribeConnectorProfiles => answer!(
                appflow
                    .describe_connector_profiles()
                    .max_results(1)
                    .send()
                    .await
            ),
            Call::DescribeConnector => answer!(
                appflow
                    .describe_connector()
                    .connector_type(ConnectorType::Salesforce)
                    .send()
                    .await
            ),
            Call::CreateFlow => answer!(
                appflow
                    .create_flow()
                    .flow_name(name)
                    .trigger_config(on_demand()?)
                    .source_flow_config(self.source()?)
                    .destination_flow_config_list(self.destination()?)
                    .tasks(map_all()?)
                    .send()
                    .await
            ),
            Call::UpdateFlow => answer!(
                appflow
                    .update_flow()
                    .flow_name(name)
                    .trigger_config(on_demand()?)
                    .source_flow_config(self.source()?)
                    .destination_flow_config_list(self.destination()?)
                    .tasks(map_all()?)
                    .send()
                    .await
            ),
            Call::DescribeFlow => answer!(appflow.describe_flow().flow_name(name).send().await),
            Call::DescribeForeignFlow => {
                let foreign = &self.foreign_name;
                answer!(appflow.describe_flow().flow_name(foreign).send().await)
            }
            Call::DescribeFlowExecutionRecords => answer!(
                appflow
                    .describe_flow_execution_records()
                    .flow_name(name)
                    .max_results(1)
                    .send()
                    .await
            ),
            Call::DeleteFlow => answer!(appflow.delete_flow().flow_name(name).send().await),
            Call::StartFlow => answer!(appflow.start_flow().flow_name(name).send().await),
            Call::StopFlow => answer!(appflow.stop_flow().flow_name(name).send().await),
            Call::CancelFlowExecutions => {
                answer!(
                    appflow
                        .cancel_flow_executions()
                        .flow_name(name)
                        .send()
                        .await
                )
            }
            Call::TagResource => answer!(
                appflow
                    .tag_resource()
                    .resource_arn(&self.flow_arn)
                    .tags("tributary:selftest", "true")
                    .send()
                    .await
            ),
            Call::CreateConnectorProfile => answer!(
                appflow
                    .create_connector_profile()
                    .connector_profile_name(name)
                    .connector_type(ConnectorType::Customconnector)
                    // Registered by nobody: the profile has nothing that it could be of.
                    .connector_label(name)
                    .connection_mode(ConnectionMode::Public)
                    .connector_profile_config(no_profile()?)
                    .send()
                    .await
            ),
            Call::UpdateConnectorProfile => answer!(
                appflow
                    .update_connector_profile()
                    .connector_profile_name(name)
                    .connection_mode(ConnectionMode::Public)
                    .connector_profile_config(no_profile()?)
                    .send()
                    .await
            ),
            Call::DeleteConnectorProfile => answer!(
                appflow
                    .delete_connector_profile()
                    .connector_profile_name(name)
                    .send()
                    .await
            ),
            Call::ListConnectorEntities => answer!(
                appflow
                    .list_connector_entities()
                    .connector_profile_name(name)
                    .send()
                    .await
            ),
            Call::DescribeConnectorEntity => answer!(
                appflow
                    .describe_connector_entity()
                    .connector_profile_name(name)
                    .connector_entity_name("Account")
                    .send()
                    .await
            ),
            Call::ResetConnectorMetadataCache => answer!(
                appflow
                    .reset_connector_metadata_cache()
                    .connector_profile_name(name)
                    .send()
                    .await
            ),
            Call::ListBuckets => of_s3(
                self.s3
                    .list_buckets(1, Some(self.bucket.as_str()), None)
                    .await,
            ),
            Call::GetBucketLocation => of_s3(self.s3.location(&self.bucket).await),
            Call::GetBucketPolicy => of_s3(self.s3.policy(&self.bucket).await),
            Call::GetDatabases => of_glue(self.glue.databases(1, None).await),
            Call::GetTables => of_glue(self.glue.tables(&self.nothing, 1, None).await),
            Call::GetMetricData => {
                let now = Timestamp::now().as_second();
                let at = (now - 60, now);
                of_cloudwatch(self.cloudwatch.data(name, &[STARTED], at, 60).await)
            }
            Call::DescribeAlarms => of_cloudwatch(self.cloudwatch.alarms(name).await),
            Call::DeleteAlarms => of_cloudwatch(self.cloudwatch.delete_alarm(name).await),
            Call::GetTable => of_glue(self.glue.table(&self.nothing, &self.nothing).await),
        })
    }

    /// A source whose connector profile does not exist.
    fn source(&self) -> Result<SourceFlowConfig, BuildError> {
        let object = SalesforceSourceProperties::builder()
            .object("Account")
            .build()?;
        let properties = SourceConnectorProperties::builder().salesforce(object);
        SourceFlowConfig::builder()
            .connector_type(ConnectorType::Salesforce)
            .connector_profile_name(&self.name)
            .source_connector_properties(properties.build())
            .build()
    }

    fn destination(&self) -> Result<DestinationFlowConfig, BuildError> {
        let bucket = S3DestinationProperties::builder()
            .bucket_name(self.bucket.as_str())
            .build()?;
        let properties = DestinationConnectorProperties::builder().s3(bucket);
        DestinationFlowConfig::builder()
            .connector_type(ConnectorType::S3)
            .destination_connector_properties(properties.build())
            .build()
    }
}

fn on_demand() -> Result<TriggerConfig, BuildError> {
    TriggerConfig::builder()
        .trigger_type(TriggerType::Ondemand)
        .build()
}

fn map_all() -> Result<Task, BuildError> {
    Task::builder()
        .set_source_fields(Some(Vec::new()))
        .task_type(TaskType::MapAll)
        .build()
}

/// A connector profile without anything in it that is a secret.
fn no_profile() -> Result<ConnectorProfileConfig, BuildError> {
    let nothing = CustomAuthCredentials::builder()
        .custom_authentication_type("none")
        .build()?;
    let credentials = CustomConnectorProfileCredentials::builder()
        .authentication_type(AuthenticationType::Custom)
        .custom(nothing)
        .build()?;
    Ok(ConnectorProfileConfig::builder()
        .connector_profile_properties(
            ConnectorProfileProperties::builder()
                .custom_connector(CustomConnectorProfileProperties::builder().build())
                .build(),
        )
        .connector_profile_credentials(
            ConnectorProfileCredentials::builder()
                .custom_connector(credentials)
                .build(),
        )
        .build())
}
