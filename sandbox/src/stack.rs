//! The vendor's stack: `template.yaml`, resolved for this sandbox.

use std::collections::BTreeMap;

use sandbox_aws::Aws;
use sandbox_core::{REGION, VENDOR_ACCOUNT};
use sandbox_gateway::template::{Attributes, Context, Resolved, Template};
use sandbox_saas::{ProviderApp, strict::hosts};
use serde_json::{Value, json};

use crate::{
    APP_CLIENT_ID, OPERATOR_CLIENT_ID, STACK_NAME, StartError, binaries::workspace_root, warehouse,
};

/// ARN of Identity Center's application.
pub(crate) const IDENTITY_APPLICATION: &str =
    "arn:aws:sso::111111111111:application/ssoins-1111aaaa2222bbbb/apl-3333cccc4444dddd";

/// Addresses that the template's parameters need.
pub(crate) struct Addresses<'a> {
    pub(crate) api: &'a str,
    pub(crate) aws: &'a str,
    pub(crate) salesforce: &'a str,
    pub(crate) providers: &'a str,
    pub(crate) webhooks: &'a str,
    pub(crate) oidc: &'a str,
    pub(crate) app_origin: &'a str,
}

/// Secrets that exist before the stack, as its operator made them.
pub(crate) struct Secrets<'a> {
    pub(crate) oidc_client: &'a str,
    pub(crate) salesforce_id: &'a str,
    pub(crate) salesforce_secret: &'a str,
    pub(crate) sealing_key: &'a str,
    /// Apps at the other providers, by the provider's key.
    pub(crate) provider_apps: &'a BTreeMap<&'static str, ProviderApp>,
}

/// What the names of the vendor's apps' secrets begin with; the provider's key follows.
pub(crate) const APP_SECRET_PREFIX: &str = "tributary/oauth-apps/";

/// Makes the keys and secrets, whose ids AWS chooses, and resolves the template with them.
pub(crate) async fn resolve(
    aws: &Aws,
    at: &Addresses<'_>,
    secrets: &Secrets<'_>,
) -> Result<Resolved, StartError> {
    let salesforce =
        json!({ "clientId": secrets.salesforce_id, "clientSecret": secrets.salesforce_secret });
    let name = format!("{APP_SECRET_PREFIX}salesforce");
    secret(aws, &name, salesforce.to_string()).await?;
    for (key, app) in secrets.provider_apps {
        let value =
            json!({ "clientId": app.client_id, "clientSecret": app.client_secrets.first() });
        let name = format!("{APP_SECRET_PREFIX}{key}");
        secret(aws, &name, value.to_string()).await?;
    }
    let oidc = secret(aws, "tributary/oidc-client", secrets.oidc_client.to_owned()).await?;
    let sealing = secret(aws, "tributary/sealing-key", secrets.sealing_key.to_owned()).await?;
    let mut attributes = BTreeMap::from([(
        "SealingKeySecret".to_owned(),
        Attributes::from([
            ("Ref".to_owned(), sealing.clone()),
            ("Id".to_owned(), sealing),
        ]),
    )]);
    for id in ["DataKey", "MessageKey"] {
        let asked = json!({ "Description": id });
        attributes.insert(id.to_owned(), key(aws, id, &asked).await?);
    }
    let signs = json!({ "Description": "ReportKey", "KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY" });
    attributes.insert("ReportKey".to_owned(), key(aws, "ReportKey", &signs).await?);
    let context = Context {
        account: VENDOR_ACCOUNT.to_owned(),
        region: REGION.to_owned(),
        stack_name: STACK_NAME.to_owned(),
        parameters: parameters(at, &oidc),
        attributes,
        endpoint: at.aws.to_owned(),
    };
    let text = std::fs::read_to_string(workspace_root().join("template.yaml"))
        .map_err(|error| StartError::Template("template.yaml".to_owned(), error.to_string()))?;
    Template::parse(&text)
        .and_then(|template| template.resolve(&context))
        .map_err(|error| StartError::Template("template.yaml".to_owned(), error.to_string()))
}

fn parameters(at: &Addresses<'_>, oidc: &str) -> BTreeMap<String, String> {
    [
        ("Stage", "local"),
        ("LogLevel", "INFO"),
        ("PublicBaseUrl", at.api),
        ("AppOrigins", at.app_origin),
        ("OidcIssuer", at.oidc),
        ("OidcClientId", APP_CLIENT_ID),
        ("OidcClientSecretArn", oidc),
        (
            "ApiAudience",
            &format!("{APP_CLIENT_ID},{OPERATOR_CLIENT_ID}"),
        ),
        ("OperatorClientIds", OPERATOR_CLIENT_ID),
        (
            "OAuthProviders",
            "salesforce,service-now,hubspot,zendesk,microsoft",
        ),
        (
            "OAuthHosts",
            &format!("salesforce={},{}", at.salesforce, hosts(at.providers)),
        ),
        (
            "CustomerTemplateUrl",
            "https://tributary-templates.s3.us-east-1.amazonaws.com/customer-account.yaml",
        ),
        // Tests ask as fast as they can, and one of them for a limit that it sets itself.
        ("ReadLimit", "2000/20000"),
        ("WriteLimit", "2000/20000"),
        ("TokenLimit", "2000/20000"),
        ("EventLimit", "2000/20000"),
        ("GuessLimit", "2000/20000"),
        ("WebhookOrigins", at.webhooks),
        ("IdentityCenterRegion", REGION),
        ("IdentityCenterApplicationArn", IDENTITY_APPLICATION),
        ("WarehouseWorkgroup", warehouse::WORKGROUP),
        ("WarehouseDatabase", warehouse::DATABASE),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}

async fn secret(aws: &Aws, name: &str, value: String) -> Result<String, StartError> {
    aws.put_secret(VENDOR_ACCOUNT, name, value)
        .await
        .map_err(|error| StartError::Resource(name.to_owned(), error))
}

async fn key(aws: &Aws, id: &str, asked: &Value) -> Result<Attributes, StartError> {
    let admin = aws.admin(VENDOR_ACCOUNT);
    let reply = aws.call(&admin, "kms", "CreateKey", asked).await;
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let metadata = &body["KeyMetadata"];
    match (metadata["KeyId"].as_str(), metadata["Arn"].as_str()) {
        (Some(key_id), Some(arn)) => Ok(Attributes::from([
            ("Ref".to_owned(), key_id.to_owned()),
            ("KeyId".to_owned(), key_id.to_owned()),
            ("Arn".to_owned(), arn.to_owned()),
        ])),
        _ => Err(StartError::Resource(
            id.to_owned(),
            String::from_utf8_lossy(&reply.body).into_owned(),
        )),
    }
}
