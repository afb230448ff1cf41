//! The 25 operations, one file per group.

mod connectors;
pub(crate) mod entities;
mod executions;
mod flow_rules;
mod flows;
pub(crate) mod profiles;
mod registrations;
mod tags;

use std::sync::Arc;

use serde_json::Value;

use crate::{
    definition::TriggerType,
    error::ApiError,
    service::{Caller, Inner},
};

macro_rules! operations {
    ($($name:ident $route:literal $shape:literal;)*) => {
        /// An operation of the API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Operation { $($name),* }

        impl Operation {
            /// Its name.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }

            /// The shape of its request.
            pub(crate) fn shape(self) -> &'static str {
                match self { $(Self::$name => $shape),* }
            }

            /// The operation of `POST /<route>`; tag operations have routes of their own.
            pub(crate) fn of_route(route: &str) -> Option<Self> {
                match route {
                    "" => None,
                    $($route => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

operations! {
    CancelFlowExecutions "cancel-flow-executions" "CancelFlowExecutionsRequest";
    CreateConnectorProfile "create-connector-profile" "CreateConnectorProfileRequest";
    CreateFlow "create-flow" "CreateFlowRequest";
    DeleteConnectorProfile "delete-connector-profile" "DeleteConnectorProfileRequest";
    DeleteFlow "delete-flow" "DeleteFlowRequest";
    DescribeConnector "describe-connector" "DescribeConnectorRequest";
    DescribeConnectorEntity "describe-connector-entity" "DescribeConnectorEntityRequest";
    DescribeConnectorProfiles "describe-connector-profiles" "DescribeConnectorProfilesRequest";
    DescribeConnectors "describe-connectors" "DescribeConnectorsRequest";
    DescribeFlow "describe-flow" "DescribeFlowRequest";
    DescribeFlowExecutionRecords "describe-flow-execution-records" "DescribeFlowExecutionRecordsRequest";
    ListConnectorEntities "list-connector-entities" "ListConnectorEntitiesRequest";
    ListConnectors "list-connectors" "ListConnectorsRequest";
    ListFlows "list-flows" "ListFlowsRequest";
    ListTagsForResource "GET /tags" "ListTagsForResourceRequest";
    RegisterConnector "register-connector" "RegisterConnectorRequest";
    ResetConnectorMetadataCache "reset-connector-metadata-cache" "ResetConnectorMetadataCacheRequest";
    StartFlow "start-flow" "StartFlowRequest";
    StopFlow "stop-flow" "StopFlowRequest";
    TagResource "POST /tags" "TagResourceRequest";
    UnregisterConnector "unregister-connector" "UnregisterConnectorRequest";
    UntagResource "DELETE /tags" "UntagResourceRequest";
    UpdateConnectorProfile "update-connector-profile" "UpdateConnectorProfileRequest";
    UpdateConnectorRegistration "update-connector-registration" "UpdateConnectorRegistrationRequest";
    UpdateFlow "update-flow" "UpdateFlowRequest";
}

impl Operation {
    /// Whether a reused client token with other parameters counts as a new request: StartFlow of
    /// an on-demand flow alone.
    pub(crate) fn is_lenient(self, inner: &Inner, caller: &Caller, request: &Value) -> bool {
        self == Self::StartFlow
            && inner.with(&caller.home, |state| {
                state
                    .flows
                    .get(text(request, "flowName"))
                    .is_some_and(|f| f.trigger() == TriggerType::OnDemand)
            })
    }
}

/// Performs an operation whose request has passed model validation.
pub(crate) async fn perform(
    operation: Operation,
    inner: &Arc<Inner>,
    caller: &Caller,
    request: &Value,
) -> Result<Value, ApiError> {
    match operation {
        Operation::CancelFlowExecutions => executions::cancel(inner, caller, request),
        Operation::CreateConnectorProfile => profiles::create(inner, caller, request).await,
        Operation::CreateFlow => flows::create(inner, caller, request).await,
        Operation::DeleteConnectorProfile => profiles::delete(inner, caller, request).await,
        Operation::DeleteFlow => flows::delete(inner, caller, request),
        Operation::DescribeConnector => connectors::describe(inner, caller, request),
        Operation::DescribeConnectorEntity => entities::describe(inner, caller, request).await,
        Operation::DescribeConnectorProfiles => profiles::describe(inner, caller, request),
        Operation::DescribeConnectors => connectors::describe_all(inner, caller, request),
        Operation::DescribeFlow => flows::describe(inner, caller, request),
        Operation::DescribeFlowExecutionRecords => executions::records(inner, caller, request),
        Operation::ListConnectorEntities => entities::list(inner, caller, request).await,
        Operation::ListConnectors => connectors::list(inner, caller, request),
        Operation::ListFlows => flows::list(inner, caller, request),
        Operation::ListTagsForResource => tags::list(inner, caller, request),
        Operation::RegisterConnector => registrations::register(inner, caller, request),
        Operation::ResetConnectorMetadataCache => entities::reset(inner, caller, request),
        Operation::StartFlow => executions::start(inner, caller, request).await,
        Operation::StopFlow => executions::stop(inner, caller, request),
        Operation::TagResource => tags::tag(inner, caller, request),
        Operation::UnregisterConnector => registrations::unregister(inner, caller, request),
        Operation::UntagResource => tags::untag(inner, caller, request),
        Operation::UpdateConnectorProfile => profiles::update(inner, caller, request).await,
        Operation::UpdateConnectorRegistration => registrations::update(inner, caller, request),
        Operation::UpdateFlow => flows::update(inner, caller, request).await,
    }
}

/// A required text member; model validation has seen to it that it is there.
fn text<'a>(request: &'a Value, member: &str) -> &'a str {
    optional(request, member).unwrap_or_default()
}

fn optional<'a>(request: &'a Value, member: &str) -> Option<&'a str> {
    request.get(member).and_then(Value::as_str)
}

fn flag(request: &Value, member: &str) -> bool {
    request
        .get(member)
        .and_then(Value::as_bool)
        .unwrap_or_default()
}

fn no_flow(name: &str) -> ApiError {
    ApiError::not_found(format!("Flow: {name} does not exist"))
}

fn no_profile(name: &str) -> ApiError {
    ApiError::not_found(format!("Connector profile: {name} does not exist"))
}

/// Whether one more run would exceed the quota of concurrent runs.
pub(crate) fn is_over_the_limit(inner: &Inner, open_runs: usize) -> bool {
    open_runs >= inner.options.max_concurrent_runs
}
