//! Whether a session that carries a person gets into the warehouse, which Redshift asks Identity Center
//! each time somebody connects.

use http::StatusCode;
use sandbox_core::{AwsCall, AwsReply, DirectoryUser};
use serde_json::json;
use uuid::Uuid;

use super::{
    Directory,
    state::{CONNECT, State},
};
use crate::Aws;

/// Operations that open a database connection, and how each refuses.
const CONNECTING: [(&str, &str); 6] = [
    ("BatchExecuteStatement", "BatchExecuteStatementException"),
    ("DescribeTable", "DatabaseConnectionException"),
    ("ExecuteStatement", "ExecuteStatementException"),
    ("ListDatabases", "DatabaseConnectionException"),
    ("ListSchemas", "DatabaseConnectionException"),
    ("ListTables", "DatabaseConnectionException"),
];

/// Why somebody does not get in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Closed {
    #[error("IAM Identity Center is not enabled for this workgroup")]
    NotEnabled,
    #[error("the application's tokens are not good for Redshift")]
    NoScope,
    #[error("the user is not assigned to the Redshift application")]
    NotAssigned,
}

/// Lets a person's session through with the groups of this moment, or answers why not. Calls that do
/// not connect, and callers that are no person's session, pass as they are.
pub(crate) fn admit(aws: &Aws, mut call: AwsCall) -> Result<AwsCall, Box<AwsReply>> {
    let operation = call.target_operation().unwrap_or_default();
    let Some((_, exception)) = CONNECTING.iter().find(|(name, _)| *name == operation) else {
        return Ok(call);
    };
    // Calls from within the process have no session; they play somebody on purpose.
    let session = aws.credentials.session(&call.principal.access_key_id);
    let Some((person, application)) =
        session.and_then(|session| session.principal.on_behalf_of.zip(session.application))
    else {
        return Ok(call);
    };
    let body = call.json().unwrap_or_default();
    let workgroup = body["WorkgroupName"].as_str().unwrap_or_default();
    match aws.identity.admit(workgroup, &application, &person) {
        Ok(current) => {
            call.principal.on_behalf_of = Some(current);
            Ok(call)
        }
        Err(why) => Err(Box::new(refused(exception, why))),
    }
}

impl Directory {
    fn admit(
        &self,
        workgroup: &str,
        application: &str,
        person: &DirectoryUser,
    ) -> Result<DirectoryUser, Closed> {
        self.read(|state| admits(state, workgroup, application, &person.user_id))
    }
}

/// Whether the person is enabled is not asked: credentials that were issued live until they end.
fn admits(
    state: &State,
    workgroup: &str,
    application: &str,
    user_id: &str,
) -> Result<DirectoryUser, Closed> {
    let redshift = state.connected_to(workgroup).ok_or(Closed::NotEnabled)?;
    let leads_there = state
        .applications
        .get(application)
        .is_some_and(|from| from.leads_to(CONNECT, &redshift.managed_arn));
    if !redshift.connect || !leads_there {
        return Err(Closed::NoScope);
    }
    state
        .applications
        .get(&redshift.managed_arn)
        .filter(|managed| state.is_assigned(managed, user_id))
        .and_then(|_| state.directory_user(user_id))
        .ok_or(Closed::NotAssigned)
}

fn refused(exception: &'static str, why: Closed) -> AwsReply {
    let mut body = json!({ "__type": exception, "Message": why.to_string() });
    if exception.contains("ExecuteStatement") {
        body["StatementId"] = Uuid::new_v4().to_string().into();
    }
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    let mut reply = AwsReply::json(status, super::refusal::CONTENT_TYPE, &body);
    reply.headers.insert(
        "x-amzn-errortype",
        http::HeaderValue::from_static(exception),
    );
    reply
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity_center::{
        DirectoryEntry, IdentityCenter, configure,
        state::{Namespace, Workgroup},
    };

    const APPLICATION: &str =
        "arn:aws:sso::111111111111:application/ssoins-1111aaaa2222bbbb/apl-3333cccc4444dddd";

    fn whole() -> State {
        configure::state(IdentityCenter {
            application_arn: APPLICATION.into(),
            issuer: "https://issuer.example".into(),
            audiences: vec!["client".into()],
            jwks_url: String::new(),
            users: vec![DirectoryEntry {
                user: DirectoryUser {
                    user_id: "u1".into(),
                    user_name: "ming".into(),
                    groups: vec!["apac-sales".into()],
                },
                email: "ming@sports.example".into(),
                assigned: true,
                enabled: false,
            }],
        })
    }

    #[test]
    fn a_person_gets_in_with_the_groups_of_this_moment_also_when_disabled_since() {
        let mut state = whole();
        let groups = |state: &State| {
            admits(state, "any", APPLICATION, "u1")
                .map(|user| user.groups)
                .unwrap()
        };
        assert_eq!(groups(&state), ["apac-sales"]);
        for group in state.groups.values_mut() {
            group.members.clear();
        }
        assert!(groups(&state).is_empty());
    }

    #[test]
    fn each_thing_that_is_missing_keeps_everybody_out() {
        let refused = |change: &dyn Fn(&mut State)| {
            let mut state = whole();
            change(&mut state);
            admits(&state, "analytics", APPLICATION, "u1").unwrap_err()
        };
        assert_eq!(
            refused(&|state| state.other_workgroups = None),
            Closed::NotEnabled
        );
        assert_eq!(
            refused(&|state| {
                let namespace = Namespace {
                    name: "n".into(),
                    id: "n".into(),
                    database: "dev".into(),
                    application: None,
                };
                let workgroup = Workgroup {
                    name: "analytics".into(),
                    namespace: "n".into(),
                    parameters: std::collections::BTreeMap::new(),
                };
                state.namespaces.insert("n".into(), namespace);
                state.workgroups.insert("analytics".into(), workgroup);
            }),
            Closed::NotEnabled
        );
        assert_eq!(
            refused(&|state| {
                let application = state.applications.get_mut(APPLICATION);
                application.unwrap().scopes.clear();
            }),
            Closed::NoScope
        );
        assert_eq!(
            refused(&|state| {
                for redshift in state.redshift.values_mut() {
                    redshift.connect = false;
                }
            }),
            Closed::NoScope
        );
        assert_eq!(
            refused(&|state| {
                let managed = &state.redshift.values().next().unwrap().managed_arn;
                let managed = state.applications.get_mut(managed).unwrap();
                managed.assigned.clear();
            }),
            Closed::NotAssigned
        );
        assert_eq!(refused(&|state| state.people.clear()), Closed::NotAssigned);
    }
}
