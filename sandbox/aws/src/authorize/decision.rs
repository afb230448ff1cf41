//! The decision itself: identity policies, the resource's policy, the session's policy.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Need;
use crate::{
    credentials::Session,
    policy::{self, Caller, Context, Permission, Request, Verdict},
};

/// Condition keys that a request of a session may carry. A key that belongs to another service's
/// requests counts as absent; one that is not listed is not understood.
const KEYS: &[&str] = &[
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalIsAWSService",
    "aws:PrincipalOrgID",
    "aws:PrincipalTag/",
    "aws:PrincipalType",
    "aws:RequestedRegion",
    "aws:RequestTag/",
    "aws:ResourceAccount",
    "aws:ResourceTag/",
    "aws:SecureTransport",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:TagKeys",
    "aws:ViaAWSService",
    "dynamodb:EnclosingOperation",
    "dynamodb:LeadingKeys",
    "events:detail-type",
    "events:source",
    "iam:PassedToService",
    "kms:EncryptionContext:",
    "kms:EncryptionContextKeys",
    "kms:SigningAlgorithm",
    "kms:MessageType",
    "kms:ViaService",
    "s3:delimiter",
    "s3:if-match",
    "s3:if-none-match",
    "s3:object-lock-mode",
    "s3:prefix",
    "s3:VersionId",
    "s3:x-amz-server-side-encryption",
    "secretsmanager:Name",
    "secretsmanager:ResourceTag/",
    "secretsmanager:SecretId",
    "sts:ExternalId",
    "sts:RequestContextProviders",
    "sts:RoleSessionName",
    "sts:TransitiveTagKeys",
];

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    /// ARN of the session, or of the role that a service acts under.
    pub(crate) arn: String,
    pub(crate) role_arn: String,
    account: String,
    region: String,
    tags: BTreeMap<String, String>,
    session_policy: Option<Value>,
    by_service: bool,
}

impl Asker {
    /// The session of a role; `None` for a user.
    pub(crate) fn of_session(session: &Session, region: &str) -> Option<Self> {
        let principal = &session.principal;
        // STS lets no text pass that is not JSON; were it one, it would deny everything.
        let policy = session
            .policy
            .as_deref()
            .map(|text| serde_json::from_str(text).unwrap_or_default());
        Some(Self {
            arn: principal.arn.clone(),
            role_arn: principal.role_arn.clone()?,
            account: principal.account.clone(),
            region: region.to_owned(),
            tags: principal.tags.clone(),
            session_policy: policy,
            by_service: false,
        })
    }

    /// A role that a service acts under.
    pub(crate) fn of_role(role_arn: &str) -> Self {
        Self {
            arn: role_arn.to_owned(),
            role_arn: role_arn.to_owned(),
            account: role_arn.split(':').nth(4).unwrap_or_default().to_owned(),
            region: sandbox_core::REGION.to_owned(),
            tags: BTreeMap::new(),
            session_policy: None,
            by_service: true,
        }
    }

    fn context(&self, need: &Need) -> Context {
        let mut context = Context::with_known_keys(KEYS);
        let text = |flag: bool| [flag.to_string()];
        context.set("aws:PrincipalArn", [self.role_arn.clone()]);
        context.set("aws:PrincipalAccount", [self.account.clone()]);
        // Each account is an organisation of its own.
        context.set("aws:PrincipalOrgID", [format!("o-{}", self.account)]);
        context.set("aws:PrincipalType", ["AssumedRole".to_owned()]);
        context.set("aws:PrincipalIsAWSService", text(false));
        context.set("aws:SecureTransport", text(true));
        context.set("aws:RequestedRegion", [self.region.clone()]);
        let called = need.keys.iter().any(|(name, _)| name == "aws:CalledVia");
        context.set("aws:ViaAWSService", text(called || self.by_service));
        context.set("aws:ResourceAccount", [self.owner(&need.resource)]);
        for (key, value) in &self.tags {
            context.set(&format!("aws:PrincipalTag/{key}"), [value.clone()]);
        }
        for (name, values) in &need.keys {
            context.set(name, values.clone());
        }
        context
    }

    /// The account that an ARN names; one that names none is the caller's own, unless the table
    /// says otherwise.
    fn owner(&self, arn: &str) -> String {
        arn.split(':')
            .nth(4)
            .filter(|account| !account.is_empty())
            .unwrap_or(&self.account)
            .to_owned()
    }
}

/// Why a need is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    /// A statement denies it, in this kind of policy.
    Explicitly(&'static str),
    /// No statement allows it, in this kind of policy.
    Silently(&'static str),
}

const IDENTITY: &str = "identity-based";
const RESOURCE: &str = "resource-based";
const SESSION: &str = "session";

impl Denied {
    /// For the record: what was wrong, in a few words.
    pub(crate) fn clause(self) -> &'static str {
        match self {
            Self::Explicitly(_) => "explicit deny",
            Self::Silently(SESSION) => "no session policy allows it",
            Self::Silently(_) => "no identity policy allows it",
        }
    }
}

/// Decides. Answers which identity policy allowed and where, `None` if the resource's own did.
pub(crate) fn decide(
    asker: &Asker,
    identity_policies: &[Value],
    need: &Need,
) -> Result<Option<(usize, Permission)>, Denied> {
    let context = asker.context(need);
    let caller = Caller {
        account: asker.account.clone(),
        arn: asker.arn.clone(),
        role_arn: Some(asker.role_arn.clone()),
        service: None,
    };
    let request = |caller| Request {
        caller,
        action: &need.action,
        resource: Some(&need.resource),
        context: &context,
    };
    let mut identity = None;
    for (at, policy) in identity_policies.iter().enumerate() {
        match policy::evaluate(policy, &request(None)) {
            Verdict::Denied => return Err(Denied::Explicitly(IDENTITY)),
            Verdict::Allowed(permission) => {
                identity.get_or_insert((at, permission));
            }
            Verdict::Silent => {}
        }
    }
    let resource = need
        .resource_policy
        .as_ref()
        .map(|policy| policy::evaluate(policy, &request(Some(&caller))));
    if resource == Some(Verdict::Denied) {
        return Err(Denied::Explicitly(RESOURCE));
    }
    let session = asker
        .session_policy
        .as_ref()
        .map(|policy| policy::evaluate(policy, &request(None)));
    if session == Some(Verdict::Denied) {
        return Err(Denied::Explicitly(SESSION));
    }
    if identity.is_none() && !matches!(resource, Some(Verdict::Allowed(_))) {
        return Err(Denied::Silently(IDENTITY));
    }
    if session == Some(Verdict::Silent) {
        return Err(Denied::Silently(SESSION));
    }
    Ok(identity)
}
