//! Configuration of the function.

use tributary::{
    config::{ConfigError, Env},
    limit::Limits,
    tenancy::ScopeConfig,
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
    /// `REFRESH_QUEUE_URL`: where refreshes are asked for.
    pub refresh_queue: String,
    /// `EVENT_QUEUE_URL`: where events wait whose tenant sent too many.
    pub event_queue: String,
    /// `LIMIT_EVENT`: how many that is.
    pub limits: Limits,
}

impl Config {
    /// Reads the variables named above; every fault at once.
    pub fn from_env(mut env: Env) -> Result<Self, ConfigError> {
        let table = env.required("TABLE_NAME");
        let limits = Limits::from_env(&mut env);
        let config = Self {
            limits,
            event_queue: env.required("EVENT_QUEUE_URL"),
            stage: env.required("STAGE"),
            scopes: ScopeConfig::from_env(&mut env, &table, &VaultKeys::default()),
            table,
            notifications_topic: env.required("NOTIFICATIONS_TOPIC_ARN"),
            refresh_queue: env.required("REFRESH_QUEUE_URL"),
        };
        env.finish(Some(config))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_missing_variable_is_named() {
        let error = Config::from_env(Env::from_pairs([])).unwrap_err();
        assert_eq!(error.faults.len(), 6);
    }
}
