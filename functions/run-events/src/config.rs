//! Configuration of the function.

use tributary::config::{ConfigError, Env};

/// What the function is told by its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `STAGE`: part of the source of notifications.
    pub stage: String,
    /// `TABLE_NAME`: the table.
    pub table: String,
    /// `NOTIFICATIONS_TOPIC_ARN`: where notifications go.
    pub notifications_topic: String,
    /// `REFRESH_QUEUE_URL`: where refreshes are asked for.
    pub refresh_queue: String,
}

impl Config {
    /// Reads the variables named above; every fault at once.
    pub fn from_env(mut env: Env) -> Result<Self, ConfigError> {
        let config = Self {
            stage: env.required("STAGE"),
            table: env.required("TABLE_NAME"),
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
        assert_eq!(error.faults.len(), 4);
    }
}
