//! Redshift through the Data API on Redshift Serverless: roles, no password.

use std::collections::BTreeMap;

use aws_sdk_appflow::types::{
    ConnectorProfileCredentials, ConnectorProfileProperties, ConnectorType,
    RedshiftConnectorProfileCredentials, RedshiftConnectorProfileProperties,
};

use super::{Profile, PushError};
use crate::{connector::connector, error::Fault, tenancy::RoleArn};

/// What a Redshift connection needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedshiftProperties {
    /// Bucket in which AppFlow stages what Redshift loads.
    pub bucket_name: String,
    /// Prefix within that bucket.
    pub bucket_prefix: Option<String>,
    /// Role with which Redshift reads the staged files.
    pub role_arn: RoleArn,
    /// Role with which AppFlow uses the Data API.
    pub data_api_role_arn: RoleArn,
    /// Serverless workgroup.
    pub workgroup_name: String,
    /// Database in it.
    pub database_name: String,
}

impl RedshiftProperties {
    /// Reads the properties of a connection; every fault at once, with pointers below `/properties`.
    pub fn read(properties: &BTreeMap<String, String>) -> Result<Self, Vec<Fault>> {
        let mut faults = shape_faults(properties);
        let text = |name: &str| {
            properties
                .get(name)
                .map(|value| value.trim().to_owned())
                .filter(|value| !value.is_empty())
        };
        let mut role = |name: &str| {
            text(name)?
                .parse::<RoleArn>()
                .map_err(|error| {
                    faults.push(Fault::new(at(name), "invalid_role_arn", error.to_string()));
                })
                .ok()
        };
        let roles = (role("roleArn"), role("dataApiRoleArn"));
        match (
            text("bucketName"),
            roles,
            text("workgroupName"),
            text("databaseName"),
        ) {
            (
                Some(bucket_name),
                (Some(role_arn), Some(data_api_role_arn)),
                Some(workgroup_name),
                Some(database_name),
            ) if faults.is_empty() => Ok(Self {
                bucket_name,
                bucket_prefix: text("bucketPrefix"),
                role_arn,
                data_api_role_arn,
                workgroup_name,
                database_name,
            }),
            _ => Err(faults),
        }
    }

    pub(super) fn profile(&self) -> Result<Profile, PushError> {
        let properties = RedshiftConnectorProfileProperties::builder()
            .bucket_name(&self.bucket_name)
            .set_bucket_prefix(self.bucket_prefix.clone())
            .role_arn(self.role_arn.as_str())
            .data_api_role_arn(self.data_api_role_arn.as_str())
            .is_redshift_serverless(true)
            .workgroup_name(&self.workgroup_name)
            .database_name(&self.database_name)
            .build()
            .map_err(|error| PushError::incomplete(&error))?;
        Ok(Profile::new(
            ConnectorType::Redshift,
            ConnectorProfileProperties::builder()
                .redshift(properties)
                .build(),
            // Empty on purpose: with the Data API there is no user and no password.
            ConnectorProfileCredentials::builder()
                .redshift(RedshiftConnectorProfileCredentials::builder().build())
                .build(),
        ))
    }
}

/// What the catalogue's row says of names, presence and length.
fn shape_faults(properties: &BTreeMap<String, String>) -> Vec<Fault> {
    let needs = connector("redshift").map_or(&[][..], |row| row.needs);
    let unknown = properties
        .keys()
        .filter(|name| !needs.iter().any(|need| need.name == *name))
        .map(|name| {
            Fault::new(
                at(name),
                "unknown",
                "Redshift connections have no such property.",
            )
        });
    let unusable = needs.iter().filter_map(|need| {
        let value = properties.get(need.name).map_or("", |value| value.trim());
        if value.is_empty() {
            return need
                .required
                .then(|| Fault::new(at(need.name), "required", need.description));
        }
        let usable = value.len() <= need.max_length && !value.contains(char::is_whitespace);
        (!usable).then(|| {
            let detail = format!("At most {} characters, without blanks.", need.max_length);
            Fault::new(at(need.name), "invalid", detail)
        })
    });
    unknown.chain(unusable).collect()
}

fn at(name: &str) -> String {
    format!("/properties/{name}")
}
