//! The self-test: every action that the role needs, tried (O7).

use std::{collections::BTreeMap, sync::Arc};

use aws_config::SdkConfig;
use jiff::Timestamp;
use tokio::{
    task::JoinSet,
    time::{Instant, timeout_at},
};
use tributary::{
    error::Error,
    tenancy::{Account, Permission, PermissionOutcome, Warning},
};
use uuid::Uuid;

use super::{
    ask::{Answer, Asked, Call},
    needs::{self, Need, Trial},
};
use crate::{
    App,
    cloudwatch::CloudWatch,
    glue::Glue,
    s3::{BucketName, S3},
};

/// Calls that are under way at the same time.
const CONCURRENCY: usize = 6;

/// What the self-test found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) permissions: Vec<Permission>,
    pub(super) warnings: Vec<Warning>,
}

/// Tries everything with these credentials of the role, until a deadline. What the event of the
/// verification proves is left out here.
pub(super) async fn self_test(
    app: &App,
    account: &Account,
    config: &SdkConfig,
    deadline: Instant,
) -> Result<Found, Error> {
    let asked = asked(app, account, config)?;
    let calls = needs::of(account.hosting).filter_map(|need| match need.trial {
        Trial::Call(call) => Some(call),
        Trial::Event | Trial::None(_) => None,
    });
    let mut calls = calls.chain([Call::DescribeForeignFlow]);
    let mut under_way = JoinSet::new();
    let mut answers: Vec<(Call, Option<Answer>, Timestamp)> = Vec::new();
    loop {
        while under_way.len() < CONCURRENCY
            && let Some(call) = calls.next()
        {
            let asked = asked.clone();
            under_way.spawn(async move {
                let answer = timeout_at(deadline, asked.ask(call)).await;
                (call, answer.ok().and_then(Result::ok), Timestamp::now())
            });
        }
        match under_way.join_next().await {
            Some(Ok(answer)) => answers.push(answer),
            // Nothing that is said of a call that broke is also an answer: inconclusive.
            Some(Err(_)) => {}
            None => break,
        }
    }
    Ok(judge(account, &answers))
}

fn asked(app: &App, account: &Account, config: &SdkConfig) -> Result<Asked, Error> {
    let random = Uuid::new_v4().simple();
    let name = format!("tributary-{}-selftest-{random}", account.tenant_id);
    let partition = account.role_arn.partition();
    let (region, id) = (&account.region, &account.aws_account_id);
    let bucket: BucketName =
        format!("tributary-landing-{id}-{region}")
            .parse()
            .map_err(|error| {
                Error::internal("landing_bucket", "the landing bucket's name is none")
                    .with_source(error)
            })?;
    let nothing = name.parse().map_err(|error| {
        Error::internal("selftest_name", "a name of the self-test is none").with_source(error)
    })?;
    Ok(Asked {
        glue: Arc::new(Glue::new(&app.buckets, config.clone(), account)),
        cloudwatch: Arc::new(CloudWatch::new(&app.buckets, config.clone(), account)),
        nothing,
        appflow: aws_sdk_appflow::Client::new(config),
        s3: Arc::new(S3::new(&app.buckets, config.clone(), account)),
        foreign_name: format!("selftest-{random}"),
        flow_arn: format!("arn:{partition}:appflow:{region}:{id}:flow/{name}"),
        name,
        bucket,
    })
}

/// What the answers mean.
fn judge(account: &Account, answers: &[(Call, Option<Answer>, Timestamp)]) -> Found {
    let of = |call: Call| answers.iter().find(|(asked, ..)| *asked == call);
    // IAM names the action that it missed: one call may need two.
    let named: BTreeMap<&str, (Option<String>, Timestamp)> = answers
        .iter()
        .filter_map(|(_, answer, at)| {
            let Some(Answer::Refused(refusal)) = answer else {
                return None;
            };
            let action = refusal
                .is_access_denied()
                .then(|| named_action(refusal.message.as_deref()?))??;
            Some((action, (refusal.request_id.clone(), *at)))
        })
        .collect();
    let permissions = needs::of(account.hosting).filter_map(|need| match need.trial {
        Trial::Event => None,
        Trial::None(why) => Some(match named.get(need.action) {
            Some((request_id, at)) => missing(need, request_id.clone(), *at),
            None => row(
                need,
                PermissionOutcome::NotProbed,
                Some(why),
                None,
                Timestamp::now(),
            ),
        }),
        Trial::Call(call) => Some(match of(call) {
            Some((_, Some(answer), at)) => one(need, answer, *at),
            _ => unclear(need, None, Timestamp::now()),
        }),
    });
    let permissions = permissions.collect();
    let is_broad = of(Call::DescribeForeignFlow).is_some_and(|(_, answer, _)| match answer {
        Some(Answer::Through { .. }) => true,
        Some(Answer::Refused(refusal)) => refusal.is("ResourceNotFoundException"),
        None => false,
    });
    Found {
        permissions,
        warnings: is_broad.then(too_broad).into_iter().collect(),
    }
}

fn too_broad() -> Warning {
    Warning {
        code: "role_too_broad".to_owned(),
        detail: "The role may look at flows outside the prefix tributary-. Limit it to what the template allows."
            .to_owned(),
    }
}

/// What the answer to a call proves about its action. Only `AccessDenied` says that it is missing,
/// and only an answer of the service behind IAM that it is not.
fn one(need: &Need, answer: &Answer, at: Timestamp) -> Permission {
    let refusal = match answer {
        Answer::Through { request_id } => {
            return row(
                need,
                PermissionOutcome::Allowed,
                None,
                request_id.clone(),
                at,
            );
        }
        Answer::Refused(refusal) => refusal,
    };
    let request_id = refusal.request_id.clone();
    if refusal.is_access_denied() {
        let another = refusal
            .message
            .as_deref()
            .and_then(named_action)
            .is_some_and(|named| named != need.action && needs::knows(named));
        if another {
            // IAM came as far as the other action: this one it had let through.
            return row(need, PermissionOutcome::Allowed, None, request_id, at);
        }
        return missing(need, request_id, at);
    }
    if refusal.is("NoSuchBucket") {
        let why = "The landing bucket that the template makes is not there.";
        return row(
            need,
            PermissionOutcome::NotProbed,
            Some(why),
            request_id,
            at,
        );
    }
    let is_the_services = refusal.code.is_some()
        && !refusal.is_throttle()
        && !refusal.is_unknown()
        && refusal.status.is_some_and(|status| status != 403);
    if is_the_services && !BEFORE_IAM.iter().any(|code| refusal.is(code)) {
        return row(need, PermissionOutcome::Allowed, None, request_id, at);
    }
    unclear(need, request_id, at)
}

/// Refusals that come before IAM was asked, or instead of it.
const BEFORE_IAM: [&str; 7] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "SerializationException",
];

fn missing(need: &Need, request_id: Option<String>, at: Timestamp) -> Permission {
    row(need, PermissionOutcome::Missing, None, request_id, at)
}

fn unclear(need: &Need, request_id: Option<String>, at: Timestamp) -> Permission {
    let why = "AWS gave no answer that proves anything. Try again.";
    row(
        need,
        PermissionOutcome::Inconclusive,
        Some(why),
        request_id,
        at,
    )
}

fn row(
    need: &Need,
    outcome: PermissionOutcome,
    detail: Option<&str>,
    request_id: Option<String>,
    at: Timestamp,
) -> Permission {
    Permission {
        action: need.action.to_owned(),
        outcome,
        detail: detail.map(str::to_owned),
        request_id,
        at,
    }
}

/// The action in IAM's "... is not authorized to perform: appflow:StartFlow on resource: ...".
fn named_action(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("not authorized to perform: ")?;
    rest.split_whitespace().next()
}

/// What the event of the verification proves about its action.
pub(super) fn of_event(
    outcome: PermissionOutcome,
    request_id: Option<String>,
    at: Timestamp,
) -> Permission {
    let detail = (outcome == PermissionOutcome::Inconclusive)
        .then(|| "AWS gave no answer that proves anything. Try again.".to_owned());
    Permission {
        action: "events:PutEvents".to_owned(),
        outcome,
        detail,
        request_id,
        at,
    }
}

#[cfg(test)]
mod tests {
    use tributary::{aws::Refusal, tenancy::HostingMode};

    use super::*;
    use crate::accounts::inspect::sample_account;

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    fn refusal(code: Option<&str>, status: Option<u16>, message: &str) -> Answer {
        Answer::Refused(Refusal {
            code: code.map(str::to_owned),
            message: Some(message.to_owned()),
            status,
            request_id: Some("r-1".to_owned()),
        })
    }

    fn start_flow() -> &'static Need {
        needs::of(HostingMode::Customer)
            .find(|need| need.action == "appflow:StartFlow")
            .unwrap()
    }

    #[test]
    fn o7_only_access_denied_is_missing_and_only_the_service_says_allowed() {
        use PermissionOutcome::{Allowed, Inconclusive, Missing, NotProbed};
        for (code, status, outcome) in [
            (Some("AccessDeniedException"), Some(403), Missing),
            (Some("AccessDenied"), Some(403), Missing),
            (Some("ResourceNotFoundException"), Some(404), Allowed),
            (Some("ValidationException"), Some(400), Allowed),
            (Some("ConflictException"), Some(409), Allowed),
            (Some("ServiceQuotaExceededException"), Some(402), Allowed),
            (Some("ThrottlingException"), Some(400), Inconclusive),
            (Some("SlowDown"), Some(503), Inconclusive),
            (Some("InternalServerException"), Some(500), Inconclusive),
            (Some("ExpiredTokenException"), Some(403), Inconclusive),
            (Some("UnrecognizedClientException"), Some(400), Inconclusive),
            (Some("SerializationException"), Some(400), Inconclusive),
            (Some("NoSuchBucket"), Some(404), NotProbed),
            (None, Some(403), Inconclusive),
            (None, None, Inconclusive),
        ] {
            let found = one(start_flow(), &refusal(code, status, ""), AT);
            assert_eq!(found.outcome, outcome, "{code:?}");
            assert_eq!(found.request_id.as_deref(), Some("r-1"));
        }
    }

    #[test]
    fn o7_the_action_that_iam_names_is_the_one_that_is_missing() {
        let account = sample_account(HostingMode::Customer);
        let denied = refusal(
            Some("AccessDeniedException"),
            Some(403),
            "User: arn:aws:sts::222222222222:assumed-role/TributaryAccess/ten_1 is not authorized to \
             perform: appflow:UseConnectorProfile on resource: arn:aws:appflow:us-east-1:222222222222:connectorprofile/x",
        );
        let found = judge(&account, &[(Call::CreateFlow, Some(denied), AT)]);
        let outcome = |action: &str| {
            let row = found.permissions.iter().find(|row| row.action == action);
            row.unwrap().outcome
        };
        assert_eq!(outcome("appflow:CreateFlow"), PermissionOutcome::Allowed);
        assert_eq!(
            outcome("appflow:UseConnectorProfile"),
            PermissionOutcome::Missing
        );
        assert_eq!(
            outcome("appflow:StartFlow"),
            PermissionOutcome::Inconclusive
        );
        assert_eq!(outcome("s3:PutBucketPolicy"), PermissionOutcome::NotProbed);
        assert!(found.warnings.is_empty());
    }

    #[test]
    fn a_role_that_sees_foreign_flows_is_too_broad() {
        let account = sample_account(HostingMode::Customer);
        for (code, is_broad) in [
            ("ResourceNotFoundException", true),
            ("AccessDeniedException", false),
            ("ThrottlingException", false),
        ] {
            let answer = refusal(Some(code), Some(400), "");
            let found = judge(&account, &[(Call::DescribeForeignFlow, Some(answer), AT)]);
            assert_eq!(!found.warnings.is_empty(), is_broad, "{code}");
        }
    }
}
