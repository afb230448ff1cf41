//! The events, in the shapes of API Gateway, EventBridge, Scheduler and Cognito.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use sandbox_core::{REGION, VENDOR_ACCOUNT};
use serde_json::{Map, Value, json};

use super::{SUBJECT, TENANT};
use crate::{APP_CLIENT_ID, Sandbox};

/// A signed-in viewer, as API Gateway's JWT authorizer tells it.
pub(super) struct Caller(Value);

impl Caller {
    /// Vouched for by the issuer that the functions trust.
    pub(super) fn of(sandbox: &Sandbox) -> Self {
        let flows = sandbox.stack.function("FlowsFunction");
        let issuer = flows.and_then(|flows| flows.environment.get("AUTH_ISSUER"));
        let now = Timestamp::now().as_second();
        Self(json!({
            "client_id": APP_CLIENT_ID,
            "cognito:groups": "[amer-sales]",
            "exp": (now + 3_600).to_string(),
            "iat": now.to_string(),
            "iss": issuer,
            "jti": "c0ffee00-1111-4222-8333-444455556666",
            "origin_jti": "b7f6a1c2-3d4e-4f5a-9b8c-7d6e5f4a3b2c",
            "scope": "openid email",
            "sub": SUBJECT,
            "tenant_id": TENANT,
            "tenant_roles": "viewer",
            "token_use": "access",
            "username": "bench",
        }))
    }
}

impl Caller {
    /// The person that an access token is about, as the authorizer hands over its claims: texts.
    pub(super) fn with(access_token: &str) -> Option<Self> {
        let payload = access_token.split('.').nth(1)?;
        let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
        let claims: Value = serde_json::from_slice(&payload).ok()?;
        let claims = claims.as_object()?.iter().map(|(name, value)| {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Array(items) => {
                    let words = items.iter().filter_map(Value::as_str);
                    format!("[{}]", words.collect::<Vec<_>>().join(" "))
                }
                other => other.to_string(),
            };
            (name.clone(), Value::from(text))
        });
        Some(Self(claims.collect::<Map<_, _>>().into()))
    }
}

/// An HTTP API request, payload version 2.0.
pub(super) fn http(sandbox: &Sandbox, route: &str, path: &str, caller: Option<&Caller>) -> Value {
    let now = Timestamp::now();
    let host = sandbox.api_url.host_str().unwrap_or_default();
    let method = route.split(' ').next().unwrap_or_default();
    let mut event = json!({
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "accept": "application/json",
            "content-length": "0",
            "host": host,
            "user-agent": "bench",
            "x-forwarded-for": "127.0.0.1",
            "x-forwarded-proto": "https",
        },
        "requestContext": {
            "accountId": VENDOR_ACCOUNT,
            "apiId": "bench00000",
            "domainName": host,
            "domainPrefix": host,
            "http": {
                "method": method, "path": path, "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1", "userAgent": "bench",
            },
            "requestId": "bench",
            "routeKey": route,
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": now.as_millisecond(),
        },
        "isBase64Encoded": false,
    });
    if let Some(Caller(claims)) = caller {
        event["requestContext"]["authorizer"] =
            json!({ "jwt": { "claims": claims, "scopes": null } });
    }
    event
}

/// A schedule's tick in one shard.
pub(super) fn tick() -> Value {
    json!({ "kind": "tick", "shard": 0, "scheduledTime": Timestamp::now().to_string() })
}

/// AppFlow's report of an execution that nobody has heard of yet.
pub(super) fn run_ended(account: &str, tenant: &str, flow: &str, number: u64) -> Value {
    let name = format!("tributary-{tenant}-{flow}");
    json!({
        "version": "0",
        "id": format!("0197b3f0-c0de-4000-8000-{number:012x}"),
        "detail-type": "AppFlow End Flow Run Report",
        "source": "aws.appflow",
        "account": account,
        "time": "2026-11-20T10:15:32Z",
        "region": REGION,
        "resources": ["bd3275d267f032646f926d73a98d12c2"],
        "detail": {
            "flow-name": name,
            "created-by": format!("arn:aws:sts::{account}:assumed-role/TributaryAccess/{tenant}"),
            "flow-arn": format!("arn:aws:appflow:{REGION}:{account}:flow/{name}"),
            "source": "SALESFORCE/bench",
            "destination": "S3",
            "source-object": "City_Sales__c",
            "destination-object": "s3://bench/out",
            "trigger-type": "ONDEMAND",
            "num-of-records-processed": "63000",
            "execution-id": format!("1ae9b0f4-3c1c-4b0e-9a53-{number:012x}"),
            "num-of-records-filtered": "0",
            "start-time": "2026-11-20T10:15:23.835Z[UTC]",
            "num-of-documents-processed": "0",
            "end-time": "2026-11-20T10:15:32.049Z[UTC]",
            "num-of-record-failures": "0",
            "data-processed": "10226699",
            "status": "Execution Successful",
        },
    })
}

/// Cognito's pre-token-generation event, version 2.
pub(super) fn sign_in(subject: &str) -> Value {
    json!({
        "version": "2",
        "triggerSource": "TokenGeneration_HostedAuth",
        "region": REGION,
        "userPoolId": format!("{REGION}_ExAmPlE01"),
        "userName": "bench",
        "callerContext": { "awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": APP_CLIENT_ID },
        "request": {
            "userAttributes": {
                "sub": subject,
                "cognito:user_status": "CONFIRMED",
                "email": "bench@sports.example",
                "email_verified": "true",
            },
            "groupConfiguration": {
                "groupsToOverride": ["amer-sales"],
                "iamRolesToOverride": [],
                "preferredRole": null,
            },
            "scopes": ["openid", "email"],
        },
        "response": { "claimsAndScopeOverrideDetails": null },
    })
}
