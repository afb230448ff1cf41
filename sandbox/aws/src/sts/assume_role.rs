//! `AssumeRole`.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use jiff::SignedDuration;
use sandbox_core::{AwsCall, AwsReply, Principal};
use winterbaume_core::xml_escape;

use super::{Refused, form::Form, parameters::Parameters, trust};
use crate::{
    Aws, Role,
    credentials::{NewSession, Session},
    identity_center::{BoundContext, ContextRefused},
    refusal,
};

/// The provider whose assertions STS accepts here.
const IDENTITY_CENTER: &str = "arn:aws:iam::aws:contextProvider/IdentityCenter";
/// The longest session when a role is assumed by the session of another role.
const CHAINED_SECONDS: u32 = 3600;
/// The session's length when the request does not say.
const DEFAULT_SECONDS: u32 = 3600;

pub(super) fn handle(aws: &Aws, call: &AwsCall, form: Form) -> Result<AwsReply, Refused> {
    let caller = &call.principal;
    let parameters = Parameters::parse(form)?;
    let denied = || Refused::access_denied(&caller.arn, "sts:AssumeRole", &parameters.role_arn);
    if parameters.names_mfa_device {
        return Err(denied());
    }
    let contexts = resolve_contexts(aws, &parameters).map_err(|why| match why {
        ContextRefused::Expired => Refused::new(
            StatusCode::BAD_REQUEST,
            "ExpiredTokenException",
            "Token has expired",
        ),
        ContextRefused::Unknown => denied(),
    })?;
    let role = aws.role(&parameters.role_arn).ok_or_else(denied)?;
    trust::check(&role, caller, &parameters, &contexts)?;
    let lifetime = lifetime(&role, caller, parameters.duration_seconds)?;
    let (tags, transitive_tags) = session_tags(aws, caller, &parameters)?;
    let session = aws.credentials.issue(NewSession {
        account: role.account().to_owned(),
        arn: role.session_arn(&parameters.session_name),
        role_arn: role.arn.clone(),
        tags,
        transitive_tags,
        policy: parameters.policy.clone(),
        on_behalf_of: contexts.first().map(|(_, bound)| bound.user.clone()),
        application: contexts
            .first()
            .map(|(_, bound)| bound.application_arn.clone()),
        lifetime,
    });
    Ok(answer(&role, &session, &parameters))
}

fn resolve_contexts(
    aws: &Aws,
    parameters: &Parameters,
) -> Result<Vec<(String, BoundContext)>, ContextRefused> {
    let contexts = parameters
        .contexts
        .iter()
        .map(|[provider, assertion]| {
            if provider != IDENTITY_CENTER {
                return Err(ContextRefused::Unknown);
            }
            Ok((provider.clone(), aws.identity.resolve(assertion)?))
        })
        .collect::<Result<Vec<_>, _>>()?;
    // A session acts on behalf of one person.
    match contexts.as_slice() {
        [] | [_] => Ok(contexts),
        _ => Err(ContextRefused::Unknown),
    }
}

fn lifetime(
    role: &Role,
    caller: &Principal,
    asked: Option<u32>,
) -> Result<SignedDuration, Refused> {
    let chained = caller.role_arn.is_some();
    if chained && asked.is_some_and(|seconds| seconds > CHAINED_SECONDS) {
        return Err(Refused::validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        ));
    }
    if asked.is_some_and(|seconds| seconds > role.max_session_seconds) {
        return Err(Refused::validation(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    Ok(SignedDuration::from_secs(i64::from(
        asked.unwrap_or(DEFAULT_SECONDS),
    )))
}

/// Tags of the new session: those of the request and the caller's transitive ones, which cannot
/// be overridden.
fn session_tags(
    aws: &Aws,
    caller: &Principal,
    parameters: &Parameters,
) -> Result<(BTreeMap<String, String>, BTreeSet<String>), Refused> {
    let mut transitive = aws
        .credentials
        .session(&caller.access_key_id)
        .map(|session| session.transitive_tags)
        .unwrap_or_default();
    let mut tags = parameters.tags.clone();
    for key in &transitive {
        if let Some(value) = caller.tags.get(key)
            && tags.insert(key.clone(), value.clone()).is_some()
        {
            return Err(Refused::validation(format!(
                "tag {key} is transitive and cannot be set again"
            )));
        }
    }
    for key in &parameters.transitive_tags {
        if !tags.contains_key(key) {
            return Err(Refused::validation(format!(
                "transitive tag key {key} is not among the tags"
            )));
        }
    }
    transitive.extend(parameters.transitive_tags.iter().cloned());
    Ok((tags, transitive))
}

fn answer(role: &Role, session: &Session, parameters: &Parameters) -> AwsReply {
    let credentials = &session.credentials;
    let expiration = session
        .expires_at
        .map(|at| at.to_string())
        .unwrap_or_default();
    let packed = if parameters.policy.is_some() || parameters.packed_policy_percent > 0 {
        format!(
            "<PackedPolicySize>{}</PackedPolicySize>",
            parameters.packed_policy_percent
        )
    } else {
        String::new()
    };
    let source_identity = parameters
        .source_identity
        .as_deref()
        .map(|identity| format!("<SourceIdentity>{}</SourceIdentity>", xml_escape(identity)))
        .unwrap_or_default();
    refusal::xml(
        StatusCode::OK,
        &format!(
            "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
             <AssumedRoleUser><AssumedRoleId>{}:{}</AssumedRoleId><Arn>{}</Arn></AssumedRoleUser>\
             <Credentials><AccessKeyId>{}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey>\
             <SessionToken>{}</SessionToken><Expiration>{expiration}</Expiration></Credentials>\
             {packed}{source_identity}</AssumeRoleResult>\
             <ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></AssumeRoleResponse>",
            role.unique_id(),
            xml_escape(&parameters.session_name),
            xml_escape(&session.principal.arn),
            credentials.access_key_id,
            credentials.secret_access_key,
            credentials.session_token.as_deref().unwrap_or_default(),
            uuid::Uuid::new_v4(),
        ),
    )
}
