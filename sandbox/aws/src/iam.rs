//! IAM roles: who may assume them, and what they may do.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use serde_json::Value;

/// A role.
#[derive(Debug, Clone)]
pub struct Role {
    /// `arn:aws:iam::<account>:role/<path and name>`.
    pub arn: String,
    /// Who may assume it.
    pub trust_policy: Value,
    /// What it may do. Without a policy its sessions may do nothing.
    pub identity_policies: Vec<Value>,
    /// Longest session in seconds, 3600 to 43200.
    pub max_session_seconds: u32,
}

impl Role {
    /// The account of the role's ARN.
    pub fn account(&self) -> &str {
        self.arn.split(':').nth(4).unwrap_or_default()
    }

    /// The role's name without its path, as assumed-role ARNs show it.
    pub fn name(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or_default()
    }

    /// ARN of a session of this role.
    pub(crate) fn session_arn(&self, session_name: &str) -> String {
        format!(
            "arn:aws:sts::{}:assumed-role/{}/{session_name}",
            self.account(),
            self.name()
        )
    }

    /// The role's unique id (`AROA...`), which stays the same for the same ARN.
    pub(crate) fn unique_id(&self) -> String {
        let id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, self.arn.as_bytes());
        format!("AROA{}", &id.simple().to_string().to_uppercase()[..17])
    }
}

/// All roles of all accounts, by ARN.
#[derive(Default)]
pub(crate) struct Roles(RwLock<BTreeMap<String, Arc<Role>>>);

impl Roles {
    pub(crate) fn put(&self, role: Role) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(role.arn.clone(), Arc::new(role));
    }

    pub(crate) fn delete(&self, arn: &str) -> bool {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(arn)
            .is_some()
    }

    pub(crate) fn get(&self, arn: &str) -> Option<Arc<Role>> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(arn)
            .cloned()
    }
}
