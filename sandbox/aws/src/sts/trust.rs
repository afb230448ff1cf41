//! Whether a role trusts a caller.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use sandbox_core::Principal;

use super::{Refused, parameters::Parameters};
use crate::{
    Aws, Credentials, Role,
    credentials::NewSession,
    identity_center::BoundContext,
    policy::{self, Caller, Context, Request},
};

/// Condition keys of a request to assume a role.
const KEYS: &[&str] = &[
    "sts:ExternalId",
    "sts:RoleSessionName",
    "sts:RequestContextProviders",
    "sts:RequestContext/",
    "aws:PrincipalArn",
    "aws:PrincipalAccount",
    "aws:PrincipalTag/",
    "aws:RequestTag/",
    "aws:TagKeys",
];

/// Checks that the role's trust policy allows every action that the request implies.
pub(super) fn check(
    role: &Role,
    caller: &Principal,
    parameters: &Parameters,
    contexts: &[(String, BoundContext)],
) -> Result<(), Refused> {
    let context = context(caller, parameters, contexts);
    let actions = [
        ("sts:AssumeRole", true),
        ("sts:TagSession", !parameters.tags.is_empty()),
        ("sts:SetContext", !contexts.is_empty()),
        (
            "sts:SetSourceIdentity",
            parameters.source_identity.is_some(),
        ),
    ];
    let asker = Caller::of(caller);
    for (action, _) in actions.into_iter().filter(|(_, implied)| *implied) {
        let request = Request {
            caller: Some(&asker),
            action,
            resource: None,
            context: &context,
        };
        if !policy::allows(&role.trust_policy, &request) {
            return Err(Refused::access_denied(&caller.arn, action, &role.arn));
        }
    }
    Ok(())
}

fn context(
    caller: &Principal,
    parameters: &Parameters,
    contexts: &[(String, BoundContext)],
) -> Context {
    let mut context = Context::with_known_keys(KEYS);
    let arn = caller.role_arn.as_ref().unwrap_or(&caller.arn);
    context.set("aws:PrincipalArn", [arn.clone()]);
    context.set("aws:PrincipalAccount", [caller.account.clone()]);
    context.set("sts:RoleSessionName", [parameters.session_name.clone()]);
    context.set("sts:ExternalId", parameters.external_id.clone());
    set_tags(&mut context, "aws:PrincipalTag/", &caller.tags);
    set_tags(&mut context, "aws:RequestTag/", &parameters.tags);
    context.set("aws:TagKeys", parameters.tags.keys().cloned());
    context.set(
        "sts:RequestContextProviders",
        contexts.iter().map(|(provider, _)| provider.clone()),
    );
    for (_, bound) in contexts {
        for (key, value) in bound.claims() {
            context.set(&format!("sts:RequestContext/{key}"), [value]);
        }
    }
    context
}

fn set_tags(context: &mut Context, prefix: &str, tags: &BTreeMap<String, String>) {
    for (key, value) in tags {
        context.set(&format!("{prefix}{key}"), [value.clone()]);
    }
}

/// A role that a service may not assume, or that does not exist.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{service} may not assume {role_arn}")]
pub struct RoleRefused {
    /// The service that asked.
    pub service: String,
    /// The role it asked for.
    pub role_arn: String,
}

/// Assumes a role as an AWS service does: the trust policy must name the service.
pub(crate) fn assume_as_service(
    aws: &Aws,
    service: &str,
    role_arn: &str,
    session_name: &str,
) -> Result<Credentials, RoleRefused> {
    let refused = || RoleRefused {
        service: service.to_owned(),
        role_arn: role_arn.to_owned(),
    };
    let role = aws.role(role_arn).ok_or_else(refused)?;
    let mut context = Context::with_known_keys(&["aws:SourceAccount"]);
    context.set("aws:SourceAccount", [role.account().to_owned()]);
    let request = Request {
        caller: Some(&Caller::service(service)),
        action: "sts:AssumeRole",
        resource: None,
        context: &context,
    };
    if !policy::allows(&role.trust_policy, &request) {
        return Err(refused());
    }
    let session = aws.credentials.issue(NewSession {
        account: role.account().to_owned(),
        arn: role.session_arn(session_name),
        role_arn: role.arn.clone(),
        tags: BTreeMap::new(),
        transitive_tags: std::collections::BTreeSet::new(),
        policy: None,
        on_behalf_of: None,
        application: None,
        // Lambda renews its credentials long before; a sandbox does not run that long.
        lifetime: SignedDuration::from_hours(12),
    });
    Ok(session.credentials)
}
