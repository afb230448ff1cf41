//! Configuration from the environment: one struct per function, every fault reported at once.

use std::{collections::BTreeMap, fmt::Display, str::FromStr};

/// Everything that is wrong with the environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("configuration: {}", faults.join("; "))]
pub struct ConfigError {
    /// One sentence for each variable that is missing or unreadable.
    pub faults: Vec<String>,
}

/// Reads variables and collects what is wrong with them.
///
/// A reader answers a placeholder for a faulty variable, so that reading goes on and all faults
/// are known; [`Env::finish`] then refuses the whole.
#[derive(Debug)]
pub struct Env {
    variables: BTreeMap<String, String>,
    faults: Vec<String>,
}

impl Env {
    /// The process's environment.
    pub fn from_process() -> Self {
        Self::from_pairs(std::env::vars())
    }

    /// Given variables, for tests.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            variables: pairs.into_iter().collect(),
            faults: Vec::new(),
        }
    }

    /// A variable that must be there and not empty.
    pub fn required(&mut self, name: &str) -> String {
        if let Some(value) = self.optional(name) {
            return value;
        }
        self.faults.push(format!("{name} is missing"));
        String::new()
    }

    /// A variable that may be absent; empty counts as absent.
    pub fn optional(&self, name: &str) -> Option<String> {
        self.variables
            .get(name)
            .map(|v| v.trim())
            .filter(|v| !v.is_empty())
            .map(str::to_owned)
    }

    /// A variable that must be there and parse.
    pub fn parsed<T>(&mut self, name: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        let value = self.required(name);
        if value.is_empty() {
            return None;
        }
        value
            .parse()
            .map_err(|error| self.faults.push(format!("{name} is not usable: {error}")))
            .ok()
    }

    /// A variable that parses when it is there.
    pub fn parsed_or<T>(&mut self, name: &str, default: T) -> T
    where
        T: FromStr,
        T::Err: Display,
    {
        match self.optional(name) {
            None => default,
            Some(value) => match value.parse() {
                Ok(parsed) => parsed,
                Err(error) => {
                    self.faults.push(format!("{name} is not usable: {error}"));
                    default
                }
            },
        }
    }

    /// A comma-separated list with at least one element.
    pub fn list(&mut self, name: &str) -> Vec<String> {
        let value = self.required(name);
        split(&value)
    }

    /// A comma-separated list that may be empty.
    pub fn optional_list(&self, name: &str) -> Vec<String> {
        self.optional(name)
            .map(|value| split(&value))
            .unwrap_or_default()
    }

    /// Adds a fault that spans variables.
    pub fn fault(&mut self, fault: impl Into<String>) {
        self.faults.push(fault.into());
    }

    /// The configuration, or everything that is wrong with the environment.
    pub fn finish<T>(self, config: Option<T>) -> Result<T, ConfigError> {
        match config {
            Some(config) if self.faults.is_empty() => Ok(config),
            _ => Err(ConfigError {
                faults: self.faults,
            }),
        }
    }
}

fn split(value: &str) -> Vec<String> {
    value
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_faults_are_reported_at_once() {
        let mut env = Env::from_pairs([("DUE_SHARDS".to_owned(), "many".to_owned())]);
        let _ = env.required("TABLE_NAME");
        let _ = env.parsed::<u32>("DUE_SHARDS");
        let error = env.finish(Some(())).unwrap_err();
        assert_eq!(error.faults.len(), 2);
        assert!(
            error.to_string().contains("TABLE_NAME is missing"),
            "{error}"
        );
    }
}
