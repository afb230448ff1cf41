//! Configuration of the function.

use tributary::{
    config::{ConfigError, Env},
    subscription::Origins,
    tenancy::ScopeConfig,
    vault::VaultKeys,
};

/// Configuration, from the variables that the fields name.
#[derive(Debug, Clone)]
pub struct Config {
    /// `STAGE`: part of the source of notifications.
    pub stage: String,
    /// `TABLE_NAME`: the table.
    pub table_name: String,
    /// `TENANT_DATA_ROLE_ARN`, `DATA_KEY_ARN`, `PREVIOUS_DATA_KEY_ARNS`: how tenants' things are
    /// reached, and what opens their signing keys.
    pub scopes: ScopeConfig,
    /// `DELIVERY_QUEUE_URL`: where a long redelivery goes on.
    pub delivery_queue_url: String,
    /// `ATTEMPT_QUEUE_URL`: where deliveries to try are enqueued.
    pub attempt_queue_url: String,
    /// `NOTIFICATIONS_TOPIC_ARN`: where notifications go.
    pub notifications_topic_arn: String,
    /// `PUBLIC_BASE_URL`: where events are that a message has no room for.
    pub public_base_url: String,
    /// `WEBHOOK_ORIGINS`: origins inside the operator's network that may be called (default none).
    pub webhook_origins: Origins,
}

impl Config {
    /// Reads the environment; every fault is in the error.
    pub fn from_env(mut env: Env) -> Result<Self, ConfigError> {
        let vault_keys = VaultKeys::from_env(&mut env);
        let (stage, table_name) = (env.required("STAGE"), env.required("TABLE_NAME"));
        let scopes = ScopeConfig::from_env(&mut env, &table_name, &vault_keys);
        let origins = env.optional("WEBHOOK_ORIGINS").unwrap_or_default();
        let webhook_origins = Origins::parse(&origins).unwrap_or_else(|error| {
            env.fault(format!("WEBHOOK_ORIGINS is not usable: {error}"));
            Origins::default()
        });
        let config = Self {
            stage,
            table_name,
            scopes,
            delivery_queue_url: env.required("DELIVERY_QUEUE_URL"),
            attempt_queue_url: env.required("ATTEMPT_QUEUE_URL"),
            notifications_topic_arn: env.required("NOTIFICATIONS_TOPIC_ARN"),
            public_base_url: env.required("PUBLIC_BASE_URL"),
            webhook_origins,
        };
        env.finish(Some(config))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_named() {
        let pair = ("WEBHOOK_ORIGINS".to_owned(), "http://10.0.0.1".to_owned());
        let error = Config::from_env(Env::from_pairs([pair])).unwrap_err();
        let faults = error.faults.join("\n");
        for name in [
            "STAGE",
            "TABLE_NAME",
            "TENANT_DATA_ROLE_ARN",
            "DATA_KEY_ARN",
            "DELIVERY_QUEUE_URL",
            "ATTEMPT_QUEUE_URL",
            "NOTIFICATIONS_TOPIC_ARN",
            "PUBLIC_BASE_URL",
            "WEBHOOK_ORIGINS",
        ] {
            assert!(faults.contains(name), "{name} in {faults}");
        }
        assert_eq!(error.faults.len(), 9);
    }
}
