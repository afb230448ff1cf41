//! Redshift's applications of Identity Center (`redshift`, the query protocol).

use std::collections::BTreeMap;

use http::StatusCode;
use sandbox_core::{AwsCall, AwsReply, VENDOR_ACCOUNT};
use uuid::Uuid;
use winterbaume_core::xml_escape;

use super::state::{Application, INSTANCE_ARN, INSTANCE_ID, REDSHIFT, RedshiftApplication, State};
use crate::{
    Act, Aws,
    policy::{self, Caller, Context, Request},
    refusal::{Protocol, xml},
};

/// The services that assume the connection role.
const SERVICES: [&str; 2] = [
    "redshift.amazonaws.com",
    "redshift-serverless.amazonaws.com",
];
/// Prefix of the form's members that say whether sessions may connect.
const CONNECT: &str = "ServiceIntegrations.member.";

/// Status, code and message.
type Refused = (StatusCode, &'static str, String);
type Form = BTreeMap<String, String>;

/// Answers one request with signing name `redshift`.
pub(super) fn handle(aws: &Aws, call: &AwsCall) -> AwsReply {
    let form: Form = url::form_urlencoded::parse(&call.body)
        .into_owned()
        .collect();
    let operation = form.get("Action").cloned().unwrap_or_default();
    let answer = aws.identity.change(|state| match operation.as_str() {
        "CreateRedshiftIdcApplication" => create(aws, state, call, &form).map(|made| {
            format!(
                "<RedshiftIdcApplication>{}</RedshiftIdcApplication>",
                shown(&made)
            )
        }),
        "DescribeRedshiftIdcApplications" => describe(state, &form),
        _ => Err((
            StatusCode::BAD_REQUEST,
            "InvalidAction",
            format!("{operation} is not an operation of this stand-in"),
        )),
    });
    match answer {
        Ok(result) => xml(
            StatusCode::OK,
            &format!(
                "<{operation}Response xmlns=\"http://redshift.amazonaws.com/doc/2012-12-01/\">\
                 <{operation}Result>{result}</{operation}Result>\
                 <ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></{operation}Response>",
                Uuid::new_v4()
            ),
        ),
        Err((status, code, message)) => Protocol::Query.error(status, code, &message),
    }
}

fn create(
    aws: &Aws,
    state: &mut State,
    call: &AwsCall,
    form: &Form,
) -> Result<RedshiftApplication, Refused> {
    let text = |member: &str| form.get(member).map_or("", String::as_str);
    let invalid = |what: &str| {
        let message = format!("{what} is missing or invalid");
        (StatusCode::BAD_REQUEST, "InvalidParameterValue", message)
    };
    let name = text("RedshiftIdcApplicationName");
    if !is_identifier(name) {
        return Err(invalid("RedshiftIdcApplicationName"));
    }
    let display_name = text("IdcDisplayName");
    if display_name.is_empty() || !super::refusal::is_name(display_name) {
        return Err(invalid("IdcDisplayName"));
    }
    if text("IdcInstanceArn") != INSTANCE_ARN || call.principal.account != VENDOR_ACCOUNT {
        return Err(denied("the instance cannot be reached"));
    }
    if state.redshift.values().any(|made| made.name == name) {
        return Err((
            StatusCode::BAD_REQUEST,
            "RedshiftIdcApplicationAlreadyExists",
            format!("{name} exists"),
        ));
    }
    let managed_arn = new_managed_arn();
    let role_arn = text("IamRoleArn");
    check_role(aws, role_arn, &managed_arn)?;
    let connect = form.iter().any(|(member, value)| {
        member.starts_with(CONNECT)
            && member.ends_with(".Connect.Authorization")
            && value == "Enabled"
    });
    let made = RedshiftApplication {
        arn: format!(
            "arn:aws:redshift:{}:{VENDOR_ACCOUNT}:redshiftidcapplication:{}",
            call.region,
            Uuid::new_v4()
        ),
        name: name.to_owned(),
        display_name: display_name.to_owned(),
        namespace: form
            .get("IdentityNamespace")
            .cloned()
            .unwrap_or_else(|| "AWSIDC".to_owned()),
        role_arn: role_arn.to_owned(),
        managed_arn,
        connect,
    };
    state.connect_redshift(made.clone());
    Ok(made)
}

/// Redshift must get in as the role, and with it look the application and the instance up.
fn check_role(aws: &Aws, role_arn: &str, managed_arn: &str) -> Result<(), Refused> {
    let role = aws
        .role(role_arn)
        .ok_or_else(|| denied("the role does not exist"))?;
    let mut context = Context::with_known_keys(&["aws:SourceAccount"]);
    context.set("aws:SourceAccount", [VENDOR_ACCOUNT.to_owned()]);
    for service in SERVICES {
        for action in ["sts:AssumeRole", "sts:SetContext"] {
            let request = Request {
                caller: Some(&Caller::service(service)),
                action,
                resource: None,
                context: &context,
            };
            if !policy::allows(&role.trust_policy, &request) {
                return Err(denied(&format!(
                    "the role does not trust {service} with {action}"
                )));
            }
        }
    }
    for (action, resource) in [
        ("sso:DescribeInstance", INSTANCE_ARN),
        ("sso:DescribeApplication", managed_arn),
    ] {
        let act = Act {
            action,
            resource,
            keys: &[],
        };
        aws.authorize_role(role_arn, &act)
            .map_err(|why| denied(&why.to_string()))?;
    }
    Ok(())
}

fn denied(why: &str) -> Refused {
    (
        StatusCode::FORBIDDEN,
        "DependentServiceAccessDenied",
        format!("Redshift has no access to Identity Center: {why}"),
    )
}

fn describe(state: &State, form: &Form) -> Result<String, Refused> {
    let wanted = form.get("RedshiftIdcApplicationArn");
    let found = state
        .redshift
        .values()
        .filter(|made| wanted.is_none_or(|arn| *arn == made.arn));
    let members: Vec<String> = found
        .map(|made| format!("<member>{}</member>", shown(made)))
        .collect();
    if wanted.is_some() && members.is_empty() {
        return Err((
            StatusCode::NOT_FOUND,
            "RedshiftIdcApplicationNotExists",
            "The application does not exist".to_owned(),
        ));
    }
    Ok(format!(
        "<RedshiftIdcApplications>{}</RedshiftIdcApplications>",
        members.concat()
    ))
}

fn shown(made: &RedshiftApplication) -> String {
    let members = [
        ("IdcInstanceArn", INSTANCE_ARN),
        ("RedshiftIdcApplicationName", &made.name),
        ("RedshiftIdcApplicationArn", &made.arn),
        ("IdentityNamespace", &made.namespace),
        ("IdcDisplayName", &made.display_name),
        ("IamRoleArn", &made.role_arn),
        ("IdcManagedApplicationArn", &made.managed_arn),
    ];
    let members =
        members.map(|(member, value)| format!("<{member}>{}</{member}>", xml_escape(value)));
    let mut text = members.concat();
    if made.connect {
        text.push_str(
            "<ServiceIntegrations><member><Redshift><member><Connect><Authorization>Enabled\
             </Authorization></Connect></member></Redshift></member></ServiceIntegrations>",
        );
    }
    text
}

/// `[a-z][a-z0-9]*(-[a-z0-9]+)*`, at most 63 characters.
fn is_identifier(name: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.split('-').all(is_word)
}

/// ARN for the application that a service makes for itself.
fn new_managed_arn() -> String {
    let id = Uuid::new_v4().simple().to_string();
    format!(
        "arn:aws:sso::{VENDOR_ACCOUNT}:application/{INSTANCE_ID}/apl-{}",
        &id[..16]
    )
}

impl State {
    /// Registers an application of Redshift, with its side in Identity Center.
    pub(super) fn connect_redshift(&mut self, made: RedshiftApplication) {
        let managed = Application::new(made.managed_arn.clone(), REDSHIFT, &made.display_name);
        self.applications.insert(made.managed_arn.clone(), managed);
        self.redshift.insert(made.arn.clone(), made);
    }
}
