//! Where AppFlow's flow differs from the request that ours becomes.

use aws_sdk_appflow::operation::describe_flow::DescribeFlowOutput;
use serde::Serialize;
use serde_json::Value;
use tributary::error::Error;
use utoipa::ToSchema;

use crate::compile::CreateFlowRequest;

/// One difference.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Difference {
    /// JSON pointer to it.
    pub(crate) pointer: String,
    /// What we have; absent when we have nothing there.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(crate) ours: Value,
    /// What AppFlow has; absent when it has nothing there.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(crate) found: Value,
}

/// All differences, in the order of the definition.
pub(in crate::flows) fn differences(
    ours: &CreateFlowRequest,
    found: &DescribeFlowOutput,
) -> Result<Vec<Difference>, Error> {
    let mut all = Vec::new();
    if ours.description.as_deref().unwrap_or_default()
        != found.description.as_deref().unwrap_or_default()
    {
        all.push(Difference {
            pointer: "/description".to_owned(),
            ours: ours.description.clone().into(),
            found: found.description.clone().into(),
        });
    }
    Ok(all)
}
