//! `sso-admin`: the operations that set an application up.

mod actor_policy;
mod applications;
mod assignments;
mod grants;
mod issuers;
mod scopes;

use sandbox_core::{AwsCall, AwsReply, VENDOR_ACCOUNT};
use serde_json::{Value, json};

use super::{
    refusal::{Refusal, page, reply},
    state::{Application, INSTANCE_ARN, STORE_ID, State, store_arn},
};
use crate::Aws;

pub(super) use issuers::new_arn as new_issuer_arn;

/// Answers one request with signing name `sso`.
pub(super) fn handle(aws: &Aws, call: &AwsCall) -> AwsReply {
    reply(answer(aws, call))
}

fn answer(aws: &Aws, call: &AwsCall) -> Result<Value, Refusal> {
    let operation = call.target_operation().unwrap_or_default();
    let body = call
        .json()
        .map_err(|_| Refusal::new("SerializationException", "the body is not JSON"))?;
    let is_owner = call.principal.account == VENDOR_ACCOUNT;
    if operation == "ListInstances" {
        return instances(&body, is_owner);
    }
    if !is_owner {
        return Err(Refusal::new(
            "AccessDeniedException",
            format!("{} may not administer the instance", call.principal.arn),
        ));
    }
    aws.identity
        .change(|state| perform(aws, state, operation, &body))
}

fn perform(aws: &Aws, state: &mut State, operation: &str, body: &Value) -> Result<Value, Refusal> {
    match operation {
        "CreateTrustedTokenIssuer" => issuers::create(state, body),
        "DescribeTrustedTokenIssuer" => issuers::describe(state, body),
        "ListTrustedTokenIssuers" => issuers::list(state, body),
        "CreateApplication" => applications::create(state, body),
        "DescribeApplication" => applications::describe(state, body),
        "ListApplications" => applications::list(state, body),
        "UpdateApplication" => applications::update(state, body),
        "PutApplicationAuthenticationMethod" => actor_policy::put(aws, state, body),
        "GetApplicationAuthenticationMethod" => actor_policy::get(state, body),
        "PutApplicationGrant" => grants::put(state, body),
        "GetApplicationGrant" => grants::get(state, body),
        "ListApplicationGrants" => grants::list(state, body),
        "DeleteApplicationGrant" => grants::delete(state, body),
        "PutApplicationAccessScope" => scopes::put(state, body),
        "GetApplicationAccessScope" => scopes::get(state, body),
        "DeleteApplicationAccessScope" => scopes::delete(state, body),
        "PutApplicationAssignmentConfiguration" => assignments::configure(state, body),
        "GetApplicationAssignmentConfiguration" => assignments::configuration(state, body),
        "CreateApplicationAssignment" => assignments::create(state, body),
        "DeleteApplicationAssignment" => assignments::delete(state, body),
        "ListApplicationAssignments" => assignments::list(state, body),
        _ => Err(Refusal::unknown(operation)),
    }
}

/// Only the account that owns the instance sees one.
fn instances(body: &Value, is_owner: bool) -> Result<Value, Refusal> {
    let instance = json!({
        "InstanceArn": INSTANCE_ARN,
        "IdentityStoreId": STORE_ID,
        "IdentityStoreArn": store_arn(),
        "OwnerAccountId": VENDOR_ACCOUNT,
        "Status": "ACTIVE",
        "PrimaryRegion": sandbox_core::REGION,
    });
    let list = if is_owner { vec![instance] } else { Vec::new() };
    page(body, "Instances", list)
}

/// The instance that a request names.
fn check_instance(body: &Value) -> Result<(), Refusal> {
    if body["InstanceArn"] == INSTANCE_ARN {
        return Ok(());
    }
    Err(Refusal::not_found("Instance"))
}

/// The application that a request names.
fn application<'a>(state: &'a mut State, body: &Value) -> Result<&'a mut Application, Refusal> {
    body["ApplicationArn"]
        .as_str()
        .and_then(|arn| state.applications.get_mut(arn))
        .ok_or_else(|| Refusal::not_found("Application"))
}
