//! Configuration of the function.

use tributary::{
    config::{ConfigError, Env},
    limit::Limits,
    tenancy::{RoleArn, ScopeConfig},
    vault::VaultKeys,
};

/// What the function is told by its environment.
#[derive(Debug, Clone)]
pub struct Config {
    /// `STAGE`: part of the source of notifications.
    pub stage: String,
    /// `TABLE_NAME`: the table.
    pub table: String,
    /// `TENANT_DATA_ROLE_ARN`: how tenants' things are reached. Nothing is sealed or opened here.
    pub scopes: ScopeConfig,
    /// `NOTIFICATIONS_TOPIC_ARN`: where notifications go.
    pub notifications_topic: String,
    /// `PUBLIC_BASE_URL`: where events are that a message has no room for.
    pub public_base_url: String,
    /// `REFRESH_QUEUE_URL`: where refreshes are asked for.
    pub refresh_queue: String,
    /// `EVENT_QUEUE_URL`: where events wait whose tenant sent too many.
    pub event_queue: String,
    /// `LIMIT_EVENT`: how many that is.
    pub limits: Limits,
    /// The warehouse, for what runs after a run.
    pub warehouse: WarehouseConfig,
}

/// The warehouse, and the role in which tenants' service identities reach it.
#[derive(Debug, Clone)]
pub struct WarehouseConfig {
    /// `WAREHOUSE_SERVICE_ROLE_ARN`: the role that is assumed for one tenant at a time.
    pub role_arn: RoleArn,
    /// `WAREHOUSE_WORKGROUP`: Redshift Serverless workgroup.
    pub workgroup: String,
    /// `WAREHOUSE_DATABASE`: database in it.
    pub database: String,
}

impl Config {
    /// Reads the variables named above; every fault at once.
    pub fn from_env(mut env: Env) -> Result<Self, ConfigError> {
        let table = env.required("TABLE_NAME");
        let limits = Limits::from_env(&mut env);
        let warehouse = WarehouseConfig::from_env(&mut env);
        let stage = env.required("STAGE");
        let scopes = ScopeConfig::from_env(&mut env, &table, &VaultKeys::default());
        let event_queue = env.required("EVENT_QUEUE_URL");
        let notifications_topic = env.required("NOTIFICATIONS_TOPIC_ARN");
        let public_base_url = env.required("PUBLIC_BASE_URL");
        let refresh_queue = env.required("REFRESH_QUEUE_URL");
        let config = warehouse.map(|warehouse| Self {
            stage,
            table,
            scopes,
            notifications_topic,
            public_base_url,
            refresh_queue,
            event_queue,
            limits,
            warehouse,
        });
        env.finish(config)
    }
}

impl WarehouseConfig {
    fn from_env(env: &mut Env) -> Option<Self> {
        let role_arn = env.parsed("WAREHOUSE_SERVICE_ROLE_ARN");
        let workgroup = env.required("WAREHOUSE_WORKGROUP");
        let database = env.required("WAREHOUSE_DATABASE");
        role_arn.map(|role_arn| Self {
            role_arn,
            workgroup,
            database,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_missing_variable_is_named() {
        let error = Config::from_env(Env::from_pairs([])).unwrap_err();
        assert_eq!(error.faults.len(), 10);
    }
}
