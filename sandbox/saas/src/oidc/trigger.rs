//! The pre-token-generation trigger, event version 2.

use std::{sync::Arc, time::Duration};

use sandbox_core::{BoxFuture, REGION};
use serde_json::{Map, Value, json};

use super::{options::OidcUser, sessions::Session};

/// Runs the vendor's function with an event and gives its answer, or why there is none.
pub type Trigger =
    Arc<dyn Fn(Value) -> BoxFuture<'static, Result<Value, String>> + Send + Sync + 'static>;

/// When the trigger is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    SignIn,
    Refresh,
}

/// The trigger refused, failed, or answered something else than an event.
#[derive(Debug, thiserror::Error)]
#[error("the pre-token-generation trigger refused the login: {0}")]
pub(super) struct Refusal(String);

/// The event that the function gets.
pub(super) fn event(
    occasion: Occasion,
    client_id: &str,
    user: &OidcUser,
    session: &Session,
) -> Value {
    let mut attributes: Map<String, Value> = user
        .attributes
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    for (name, value) in [
        ("sub", user.sub.as_str()),
        ("cognito:user_status", "CONFIRMED"),
        ("email", &user.email),
        ("email_verified", "true"),
    ] {
        attributes.insert(name.to_owned(), json!(value));
    }
    json!({
        "version": "2",
        "triggerSource": match occasion {
            Occasion::SignIn => "TokenGeneration_HostedAuth",
            Occasion::Refresh => "TokenGeneration_RefreshTokens",
        },
        "region": REGION,
        "userPoolId": format!("{REGION}_Tributary"),
        "userName": user.sub,
        "callerContext": {
            "awsSdkVersion": "aws-sdk-unknown-unknown",
            "clientId": client_id,
        },
        "request": {
            "userAttributes": attributes,
            "groupConfiguration": {
                "groupsToOverride": user.groups,
                "iamRolesToOverride": [],
                "preferredRole": null,
            },
            "scopes": session.scopes,
        },
        "response": { "claimsAndScopeOverrideDetails": null },
    })
}

/// Asks the trigger and gives its `claimsAndScopeOverrideDetails`. Anything but an answer refuses.
pub(super) async fn ask(
    trigger: &Trigger,
    event: Value,
    timeout: Duration,
) -> Result<Value, Refusal> {
    let answer = tokio::time::timeout(timeout, trigger(event))
        .await
        .map_err(|_| Refusal("it took too long".to_owned()))?
        .map_err(Refusal)?;
    let details = answer
        .get("response")
        .filter(|response| response.is_object())
        .ok_or_else(|| Refusal("its answer has no response".to_owned()))?
        .get("claimsAndScopeOverrideDetails");
    Ok(details.cloned().unwrap_or_default())
}
