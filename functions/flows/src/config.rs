//! Configuration from the environment.

mod notifications;
mod warehouse;

use tributary::{
    config::{ConfigError, Env},
    http::AuditConfig,
    identity::AuthConfig,
    limit::Limits,
    oauth::ProviderConfig,
    tenancy::{RoleArn, ScopeConfig, VendorRole},
    vault::VaultKeys,
};
use url::Url;

pub use notifications::NotificationsConfig;
pub use warehouse::WarehouseConfig;

/// What the function is told.
#[derive(Debug, Clone)]
pub struct Config {
    /// `AUTH_*`: how callers are recognised.
    pub auth: AuthConfig,
    /// `AUDIT_BUCKET`: where the audit trail goes.
    pub audit: AuditConfig,
    /// `LIMIT_*`: how much a tenant may do.
    pub limits: Limits,
    /// `STAGE`: name of the deployment, part of the source of events.
    pub stage: String,
    /// `TABLE_NAME`
    pub table_name: String,
    /// `SEALING_KEY_SECRET_ARN`: secret that seals list cursors.
    pub sealing_key_secret_arn: String,
    /// `REFRESH_QUEUE_URL`: queue of refreshes to do.
    pub refresh_queue_url: String,
    /// `DATA_KEY_ARN`, `PREVIOUS_DATA_KEY_ARNS`: KMS keys that wrap the vault's data keys.
    pub vault_keys: VaultKeys,
    /// `REPORT_KEY_ARN`: KMS key that signs reports of verifications.
    pub report_key_arn: String,
    /// `TENANT_DATA_ROLE_ARN`: how tenants' things are reached.
    pub scopes: ScopeConfig,
    /// `OAUTH_*`: the providers of connections.
    pub providers: ProviderConfig,
    /// `DUE_SHARDS`: how many shards the due index has.
    pub due_shards: u32,
    /// Where browsers are sent.
    pub browser: BrowserConfig,
    /// What customers trust.
    pub onboarding: OnboardingConfig,
    /// Where notifications go.
    pub notifications: NotificationsConfig,
    /// Our own warehouse.
    pub warehouse: WarehouseConfig,
    /// What AWS lets an account have.
    pub quotas: Quotas,
}

/// AppFlow's quotas of an AWS account, in each Region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// `FLOW_QUOTA`: flows (default 1,000).
    pub flows: u32,
    /// `CONNECTION_QUOTA`: connector profiles (default 100).
    pub connections: u32,
    /// `HEADROOM_ALERT_PERCENT`: the share of a vendor's account's connector profiles from which on
    /// the operator is told (default 90).
    pub alert_percent: u8,
}

/// Where browsers are sent and may be returned to.
#[derive(Debug, Clone)]
pub struct BrowserConfig {
    /// `PUBLIC_BASE_URL`, without a trailing slash.
    pub public_base_url: String,
    /// `APP_ORIGINS`: origins of the single-page applications.
    pub app_origins: Vec<String>,
}

/// What customers launch and trust.
#[derive(Debug, Clone)]
pub struct OnboardingConfig {
    /// `CUSTOMER_TEMPLATE_URL`: S3 URL of the customer's template.
    pub template_url: String,
    /// `VENDOR_ACCOUNT_ID`: our account.
    pub vendor_account_id: String,
    /// `VENDOR_ACCOUNT_POOL`: further accounts in which we host flows, each with the role of the
    /// customer's template, launched with our external id.
    pub vendor_pool: Vec<String>,
    /// `AWS_REGION`: the Region in which we run.
    pub region: String,
    /// `VENDOR_ROLE_ARN`, `VENDOR_EXTERNAL_ID`: the role for flows in our own account.
    pub vendor_role: VendorRole,
    /// The roles that customers trust, made from `VENDOR_ROLE_ARN`.
    pub role_pattern: String,
    /// `EVENT_BUS_ARN`: bus to which customers forward AppFlow's events.
    pub event_bus_arn: String,
}

/// Longest address that a browser is returned to.
const ADDRESS_LENGTH: usize = 2048;
/// What the name of the role for flows in our own account ends with.
const VENDOR_ROLE_SUFFIX: &str = "-vendor-flows";

impl Config {
    /// Reads the process's environment.
    pub fn from_process() -> Result<Self, ConfigError> {
        Self::from_env(Env::from_process())
    }

    /// Reads the variables named above.
    pub fn from_env(mut env: Env) -> Result<Self, ConfigError> {
        let auth = AuthConfig::from_env(&mut env);
        let audit = AuditConfig::from_env(&mut env);
        let limits = Limits::from_env(&mut env);
        let browser = BrowserConfig::from_env(&mut env);
        let onboarding = OnboardingConfig::from_env(&mut env);
        let notifications = NotificationsConfig::from_env(&mut env);
        let warehouse = WarehouseConfig::from_env(&mut env);
        let stage = env.required("STAGE");
        let table_name = env.required("TABLE_NAME");
        let sealing_key_secret_arn = env.required("SEALING_KEY_SECRET_ARN");
        let refresh_queue_url = env.required("REFRESH_QUEUE_URL");
        let vault_keys = VaultKeys::from_env(&mut env);
        let report_key_arn = env.required("REPORT_KEY_ARN");
        let scopes = ScopeConfig::from_env(&mut env, &table_name, &vault_keys);
        let providers = ProviderConfig::from_env(&mut env);
        let due_shards = env.parsed_or("DUE_SHARDS", 4);
        if !(1..=1000).contains(&due_shards) {
            env.fault("DUE_SHARDS must be between 1 and 1000");
        }
        let quotas = Quotas {
            flows: env.parsed_or("FLOW_QUOTA", 1_000),
            connections: env.parsed_or("CONNECTION_QUOTA", 100),
            alert_percent: env.parsed_or("HEADROOM_ALERT_PERCENT", 90),
        };
        let config = auth.zip(onboarding.zip(warehouse));
        let config = config.map(|(auth, (onboarding, warehouse))| Self {
            auth,
            audit,
            limits,
            stage,
            table_name,
            sealing_key_secret_arn,
            refresh_queue_url,
            vault_keys,
            report_key_arn,
            scopes,
            providers,
            due_shards,
            browser,
            onboarding,
            notifications,
            warehouse,
            quotas,
        });
        env.finish(config)
    }
}

impl BrowserConfig {
    fn from_env(env: &mut Env) -> Self {
        let public_base_url = env.required("PUBLIC_BASE_URL");
        let app_origins = env.list("APP_ORIGINS");
        for origin in &app_origins {
            let is_origin =
                Url::parse(origin).is_ok_and(|url| url.origin().ascii_serialization() == *origin);
            if !is_origin {
                env.fault(format!("APP_ORIGINS has {origin}, which is no origin"));
            }
        }
        Self {
            public_base_url: public_base_url.trim_end_matches('/').to_owned(),
            app_origins,
        }
    }

    /// Whether a browser may be returned to this address.
    ///
    /// The origin must stand there as it is configured: parsers take `HTTP:/app` and `http:\\app` for
    /// the application too, and the function that sends the browser there does not.
    pub fn allows(&self, unverified: &str) -> bool {
        let plain = unverified.len() <= ADDRESS_LENGTH
            && unverified
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let at_an_application = self.app_origins.iter().any(|origin| {
            unverified
                .strip_prefix(origin.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
        });
        plain && at_an_application && Url::parse(unverified).is_ok()
    }
}

impl OnboardingConfig {
    fn from_env(env: &mut Env) -> Option<Self> {
        let arn: Option<RoleArn> = env.parsed("VENDOR_ROLE_ARN");
        let role_pattern = arn.as_ref().and_then(|arn| {
            let stack = arn.as_str().strip_suffix(VENDOR_ROLE_SUFFIX);
            if stack.is_none() {
                env.fault(format!(
                    "VENDOR_ROLE_ARN does not end in {VENDOR_ROLE_SUFFIX}"
                ));
            }
            stack.map(|stack| format!("{stack}-*"))
        });
        let external_id = env.required("VENDOR_EXTERNAL_ID");
        let template_url = env.required("CUSTOMER_TEMPLATE_URL");
        let vendor_account_id = env.required("VENDOR_ACCOUNT_ID");
        let vendor_pool = env.optional_list("VENDOR_ACCOUNT_POOL");
        for id in &vendor_pool {
            if id.len() != 12 || !id.bytes().all(|byte| byte.is_ascii_digit()) {
                env.fault(format!(
                    "VENDOR_ACCOUNT_POOL has {id}, which is no account id"
                ));
            }
        }
        let region = env.required("AWS_REGION");
        let event_bus_arn = env.required("EVENT_BUS_ARN");
        arn.zip(role_pattern).map(|(arn, role_pattern)| Self {
            template_url,
            vendor_account_id,
            vendor_pool,
            region,
            vendor_role: VendorRole { arn, external_id },
            role_pattern,
            event_bus_arn,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c3_only_exact_origins_are_returned_to() {
        let browser = BrowserConfig {
            public_base_url: "https://api.example".to_owned(),
            app_origins: vec!["https://app.example".to_owned()],
        };
        assert!(browser.allows("https://app.example/connections?x=1#done"));
        for address in [
            "https://app.example.evil.com/",
            "http://app.example/",
            "https://app.example:8443/",
            "https://app.example@evil.com/",
            "https://user@app.example/",
            "//app.example/",
            "HTTPS://app.example/",
            "https:/app.example/",
            "https:\\\\app.example/",
            "https://app.example\\.evil.com/",
            "https://app.example/\n/evil.com",
            " https://app.example/",
            "javascript:alert(1)",
            "null",
            "",
        ] {
            assert!(!browser.allows(address), "{address}");
        }
    }
}
