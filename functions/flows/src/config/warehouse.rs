//! The vendor's warehouse, as connections in the vendor's account name it.

use tributary::{config::Env, tenancy::RoleArn};

/// What a connection to the vendor's warehouse says, whoever makes it (docs/adr/0016).
#[derive(Debug, Clone)]
pub struct WarehouseConfig {
    /// `WAREHOUSE_WORKGROUP`: Redshift Serverless workgroup.
    pub workgroup: String,
    /// `WAREHOUSE_DATABASE`: database in that workgroup.
    pub database: String,
    /// `WAREHOUSE_LOAD_ROLE_ARN`: role with which Redshift reads the staged files.
    pub load_role: RoleArn,
    /// `WAREHOUSE_DATA_API_ROLE_ARN`: role with which AppFlow uses the Redshift Data API.
    pub data_api_role: RoleArn,
    /// `STAGING_BUCKET`: bucket in which AppFlow stages what Redshift loads.
    pub staging_bucket: String,
}

impl WarehouseConfig {
    pub(super) fn from_env(env: &mut Env) -> Option<Self> {
        let workgroup = env.required("WAREHOUSE_WORKGROUP");
        let database = env.required("WAREHOUSE_DATABASE");
        let load_role = env.parsed("WAREHOUSE_LOAD_ROLE_ARN");
        let data_api_role = env.parsed("WAREHOUSE_DATA_API_ROLE_ARN");
        let staging_bucket = env.required("STAGING_BUCKET");
        Some(Self {
            workgroup,
            database,
            load_role: load_role?,
            data_api_role: data_api_role?,
            staging_bucket,
        })
    }
}
