//! Identity Center: its token endpoint, its administrators' APIs, and Redshift's side of it.

use super::{Ask, Need, Unmapped};

/// Service, operation, and the member of the request that names the resource (empty: none is known).
const OPERATIONS: [(&str, &str, &str); 39] = [
    ("identitystore", "CreateGroup", ""),
    ("identitystore", "CreateGroupMembership", ""),
    ("identitystore", "CreateUser", ""),
    ("identitystore", "DeleteUser", ""),
    ("identitystore", "DescribeUser", ""),
    ("identitystore", "GetGroupId", ""),
    ("identitystore", "GetUserId", ""),
    ("identitystore", "ListGroups", ""),
    ("identitystore", "ListUsers", ""),
    ("redshift", "CreateRedshiftIdcApplication", ""),
    ("redshift", "DescribeRedshiftIdcApplications", ""),
    ("redshift-serverless", "CreateNamespace", ""),
    ("redshift-serverless", "CreateWorkgroup", ""),
    ("redshift-serverless", "GetNamespace", ""),
    ("redshift-serverless", "GetWorkgroup", ""),
    ("redshift-serverless", "UpdateWorkgroup", ""),
    ("sso", "CreateApplication", "InstanceArn"),
    ("sso", "CreateApplicationAssignment", "ApplicationArn"),
    ("sso", "CreateTrustedTokenIssuer", "InstanceArn"),
    ("sso", "DeleteApplicationAccessScope", "ApplicationArn"),
    ("sso", "DeleteApplicationAssignment", "ApplicationArn"),
    ("sso", "DeleteApplicationGrant", "ApplicationArn"),
    ("sso", "DescribeApplication", "ApplicationArn"),
    ("sso", "DescribeTrustedTokenIssuer", "TrustedTokenIssuerArn"),
    ("sso", "GetApplicationAccessScope", "ApplicationArn"),
    (
        "sso",
        "GetApplicationAssignmentConfiguration",
        "ApplicationArn",
    ),
    (
        "sso",
        "GetApplicationAuthenticationMethod",
        "ApplicationArn",
    ),
    ("sso", "GetApplicationGrant", "ApplicationArn"),
    ("sso", "ListApplicationAssignments", "ApplicationArn"),
    ("sso", "ListApplicationGrants", "ApplicationArn"),
    ("sso", "ListApplications", "InstanceArn"),
    ("sso", "ListInstances", ""),
    ("sso", "ListTrustedTokenIssuers", "InstanceArn"),
    ("sso", "PutApplicationAccessScope", "ApplicationArn"),
    (
        "sso",
        "PutApplicationAssignmentConfiguration",
        "ApplicationArn",
    ),
    (
        "sso",
        "PutApplicationAuthenticationMethod",
        "ApplicationArn",
    ),
    ("sso", "PutApplicationGrant", "ApplicationArn"),
    ("sso", "UpdateApplication", "ApplicationArn"),
    ("sso-oauth", "CreateTokenWithIAM", "clientId"),
];

pub(super) fn needs(ask: &Ask<'_>) -> Result<Vec<Need>, Unmapped> {
    let service = ask.call.service.as_str();
    let (_, operation, member) = OPERATIONS
        .iter()
        .find(|(of, name, _)| *of == service && *name == ask.operation)
        .ok_or(Unmapped::Operation)?;
    let resource = match *member {
        "" => "*",
        member => ask.text(member),
    };
    Ok(vec![Need::new(&format!("{service}:{operation}"), resource)])
}
