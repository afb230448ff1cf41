//! Roles that a service acts under, seen from the services.

use std::sync::Arc;

/// Asks whether a role (ARN) may do an action (`lambda:InvokeFunction`) to a resource (ARN). `Err`
/// carries what AWS says.
pub type RoleCheck = Arc<dyn Fn(&str, &str, &str) -> Result<(), String> + Send + Sync>;
