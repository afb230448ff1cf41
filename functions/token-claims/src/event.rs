//! The event as Cognito sends it and wants it back: the same object, with `response` filled in.
//!
//! Worked on as JSON, because members that we do not know must go back unchanged.

use std::time::Duration;

use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use serde_json::{Value, json};

use crate::{Membership, Refusal};

/// The claim that names the tenant.
const TENANT_CLAIM: &str = "tenant_id";
/// The claim that lists the roles, separated by blanks.
const ROLES_CLAIM: &str = "tenant_roles";
/// An attribute that people can often write themselves; it never reaches a token.
const UNTRUSTED_CLAIM: &str = "custom:tenant_id";

/// Timeouts that leave an answer within Cognito's five seconds.
pub(crate) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_millis(1500))
        .operation_timeout(Duration::from_secs(2))
        .build()
}

/// What made Cognito ask, for the log.
pub(crate) fn trigger(event: &Value) -> &str {
    event["triggerSource"].as_str().unwrap_or_default()
}

/// The person's subject, if this is an event that we answer.
pub(crate) fn subject(event: &Value) -> Result<&str, Refusal> {
    // Version 1 changes ID tokens only, version 3 adds machine clients: neither gets a guess.
    if event["version"].as_str() != Some("2") {
        return Err(Refusal::UnsupportedEvent("its version is not 2"));
    }
    if !trigger(event).starts_with("TokenGeneration_") {
        return Err(Refusal::UnsupportedEvent("its trigger makes no tokens"));
    }
    event["request"]["userAttributes"]["sub"]
        .as_str()
        .filter(|subject| !subject.is_empty())
        .ok_or(Refusal::UnsupportedEvent("it has no subject"))
}

/// The event with the member's claims in its response.
pub(crate) fn with_claims(mut event: Value, member: &Membership) -> Result<Value, Refusal> {
    let claims = json!({ TENANT_CLAIM: member.tenant_id, ROLES_CLAIM: member.role_words() });
    let mut overrides = json!({
        "idTokenGeneration": {
            "claimsToAddOrOverride": claims,
            "claimsToSuppress": [UNTRUSTED_CLAIM],
        },
        "accessTokenGeneration": {
            "claimsToAddOrOverride": claims,
            "claimsToSuppress": [UNTRUSTED_CLAIM],
            "scopesToAdd": [],
            "scopesToSuppress": [],
        },
    });
    // Cognito takes an empty group object as "suppress the groups": give back what was sent.
    let groups = event["request"]["groupConfiguration"].clone();
    if groups.is_object() {
        overrides["groupOverrideDetails"] = groups;
    }
    match event.get_mut("response").and_then(Value::as_object_mut) {
        Some(response) => response.insert("claimsAndScopeOverrideDetails".to_owned(), overrides),
        None => return Err(Refusal::UnsupportedEvent("it has no response to fill in")),
    };
    Ok(event)
}

#[cfg(test)]
mod tests {
    use tributary::id::TenantId;

    use super::*;

    fn fixture(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    fn hosted_auth() -> Value {
        fixture(include_str!(
            "../../../events/token-claims/hosted-auth.json"
        ))
    }

    fn editor() -> Membership {
        Membership {
            tenant_id: TenantId::new(),
            roles: vec!["viewer".to_owned(), "editor".to_owned()],
        }
    }

    #[test]
    fn both_tokens_get_tenant_and_roles_and_lose_the_writable_attribute() {
        let member = editor();
        let answer = with_claims(hosted_auth(), &member).unwrap();
        let details = &answer["response"]["claimsAndScopeOverrideDetails"];
        for token in ["idTokenGeneration", "accessTokenGeneration"] {
            let token = &details[token];
            assert_eq!(
                token["claimsToAddOrOverride"],
                json!({ "tenant_id": member.tenant_id.to_string(), "tenant_roles": "viewer editor" })
            );
            assert_eq!(token["claimsToSuppress"], json!(["custom:tenant_id"]));
        }
    }

    #[test]
    fn groups_go_back_as_they_came() {
        let event = hosted_auth();
        let sent = event["request"]["groupConfiguration"].clone();
        let answer = with_claims(event, &editor()).unwrap();
        let details = &answer["response"]["claimsAndScopeOverrideDetails"];
        assert_eq!(details["groupOverrideDetails"], sent);
        assert_eq!(sent["groupsToOverride"], json!(["amer-sales"]));
    }

    #[test]
    fn without_groups_in_the_request_none_are_overridden() {
        let mut event = hosted_auth();
        event["request"]["groupConfiguration"] = Value::Null;
        let answer = with_claims(event, &editor()).unwrap();
        let details = answer["response"]["claimsAndScopeOverrideDetails"].clone();
        assert!(details.get("groupOverrideDetails").is_none(), "{details}");
    }

    #[test]
    fn everything_else_goes_back_unchanged_even_members_that_we_do_not_know() {
        let mut event = fixture(include_str!(
            "../../../events/token-claims/refresh-with-unknown-members.json"
        ));
        let mut answer = with_claims(event.clone(), &editor()).unwrap();
        answer["response"]["claimsAndScopeOverrideDetails"] = Value::Null;
        event["response"]["claimsAndScopeOverrideDetails"] = Value::Null;
        assert_eq!(answer, event);
    }

    #[test]
    fn events_that_we_do_not_answer_are_refused() {
        let cases = [
            ("version", json!("1")),
            ("version", json!(2)),
            ("triggerSource", json!("PreSignUp_SignUp")),
            ("request", json!({ "userAttributes": { "sub": "" } })),
            ("request", json!({})),
        ];
        for (member, value) in cases {
            let mut event = hosted_auth();
            event[member] = value.clone();
            let refusal = subject(&event).unwrap_err();
            assert_eq!(
                refusal.error_type(),
                "TokenClaims.UnsupportedEvent",
                "{member} = {value}"
            );
        }
        assert!(subject(&Value::Null).is_err());
        assert!(with_claims(json!({ "version": "2" }), &editor()).is_err());
    }

    #[test]
    fn the_subject_is_the_attribute_and_not_the_user_name() {
        let event = hosted_auth();
        assert_ne!(event["userName"], event["request"]["userAttributes"]["sub"]);
        assert_eq!(
            subject(&event).unwrap(),
            "a4f8c4d8-10e1-7001-9c1f-2f6d0b7a11aa"
        );
    }
}
