//! Configuration of the function.

use tributary::{
    config::{ConfigError, Env},
    http::AuditConfig,
    identity::AuthConfig,
    limit::Limits,
    oauth::Endpoint,
    tenancy::{RoleArn, ScopeConfig},
    vault::VaultKeys,
};

/// What the function is told by its environment.
#[derive(Debug, Clone)]
pub struct Config {
    /// How callers are recognised.
    pub auth: AuthConfig,
    /// `AUDIT_BUCKET`: where the audit trail goes.
    pub audit: AuditConfig,
    /// `LIMIT_*`: how much a tenant may do.
    pub limits: Limits,
    /// `TABLE_NAME`: the table.
    pub table: String,
    /// `TENANT_DATA_ROLE_ARN`, `DATA_KEY_ARN`, `PREVIOUS_DATA_KEY_ARNS`: how tenants' things are
    /// reached.
    pub scopes: ScopeConfig,
    /// `SEALING_KEY_SECRET_ARN`: the secret that seals query ids and cursors.
    pub sealing_key_secret_arn: String,
    /// How users' tokens become users' credentials.
    pub identity: IdentityConfig,
    /// The warehouse.
    pub warehouse: WarehouseConfig,
}

/// How users' tokens become users' credentials.
#[derive(Debug, Clone)]
pub struct IdentityConfig {
    /// `OIDC_ISSUER`: who issues ID tokens.
    pub issuer: Endpoint,
    /// `OIDC_CLIENT_ID`: the client that ID tokens are for.
    pub client_id: String,
    /// `IDENTITY_CENTER_REGION`: Region of IAM Identity Center, not of the warehouse.
    pub region: String,
    /// `IDENTITY_CENTER_APPLICATION_ARN`: the application that exchanges tokens.
    pub application_arn: String,
    /// `WAREHOUSE_ROLE_ARN`: the one role that carries users.
    pub role_arn: RoleArn,
}

/// The warehouse.
#[derive(Debug, Clone)]
pub struct WarehouseConfig {
    /// `WAREHOUSE_WORKGROUP`: Redshift Serverless workgroup.
    pub workgroup: String,
    /// `WAREHOUSE_DATABASE`: database in it.
    pub database: String,
    /// `WAREHOUSE_NAMESPACE`: what the names of people's database users begin with, before a colon:
    /// the namespace of Redshift's Identity Center application.
    pub namespace: String,
}

/// The namespace that Redshift gives people when nobody chose another.
const NAMESPACE: &str = "AWSIDC";

impl Config {
    /// Reads the variables named above; every fault at once.
    pub fn from_env(mut env: Env) -> Result<Self, ConfigError> {
        let auth = AuthConfig::from_env(&mut env);
        let audit = AuditConfig::from_env(&mut env);
        let limits = Limits::from_env(&mut env);
        let table = env.required("TABLE_NAME");
        let vault_keys = VaultKeys::from_env(&mut env);
        let scopes = ScopeConfig::from_env(&mut env, &table, &vault_keys);
        let sealing_key_secret_arn = env.required("SEALING_KEY_SECRET_ARN");
        let identity = IdentityConfig::from_env(&mut env);
        let warehouse = WarehouseConfig {
            workgroup: env.required("WAREHOUSE_WORKGROUP"),
            database: env.required("WAREHOUSE_DATABASE"),
            namespace: env
                .optional("WAREHOUSE_NAMESPACE")
                .unwrap_or_else(|| NAMESPACE.to_owned()),
        };
        let config = auth.zip(identity).map(|(auth, identity)| Self {
            auth,
            audit,
            limits,
            table,
            scopes,
            sealing_key_secret_arn,
            identity,
            warehouse,
        });
        env.finish(config)
    }
}

impl IdentityConfig {
    fn from_env(env: &mut Env) -> Option<Self> {
        let issuer = env.parsed("OIDC_ISSUER");
        let client_id = env.required("OIDC_CLIENT_ID");
        let region = env.required("IDENTITY_CENTER_REGION");
        let application_arn = env.required("IDENTITY_CENTER_APPLICATION_ARN");
        let role_arn = env.parsed("WAREHOUSE_ROLE_ARN");
        issuer.zip(role_arn).map(|(issuer, role_arn)| Self {
            issuer,
            client_id,
            region,
            application_arn,
            role_arn,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_named_at_once() {
        let env = Env::from_pairs([("OIDC_ISSUER".to_owned(), "ftp://idp.example".to_owned())]);
        let faults = Config::from_env(env).unwrap_err().faults;
        for name in [
            "OIDC_ISSUER is not usable",
            "WAREHOUSE_ROLE_ARN is missing",
            "AUTH_ISSUER is missing",
            "DATA_KEY_ARN is missing",
        ] {
            assert!(
                faults.iter().any(|fault| fault.contains(name)),
                "{name}: {faults:?}"
            );
        }
    }
}
