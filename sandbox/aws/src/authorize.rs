//! Whether a role's session may do what it asks for, as IAM decides it.
//!
//! `table` says which actions, resources and condition keys a request needs; `decision` evaluates
//! them: an explicit deny wins, then an identity policy of the role (or, in the same account, the
//! resource's own policy) must allow, then the session's policy if it has one. Whether a role trusts
//! its caller is STS's question (`sts::trust`), asked after this one. `record` keeps which permission
//! was used, and what was missing.

mod ask;
mod decision;
mod record;
mod refusal;
mod table;

use http::StatusCode;
use sandbox_core::{AwsCall, AwsReply};

pub use record::{ExpectedDenial, RoleUnderTest, record_permissions};

pub(crate) use ask::{Ask, Need, Unmapped};
pub(crate) use decision::Denied;
pub(crate) use record::Watch;

use crate::{Aws, credentials::Session, refusal::Protocol};

/// Something that a service does with a role, outside of any request that the role signed.
#[derive(Debug, Clone, Copy)]
pub struct Act<'a> {
    /// The action, as `sqs:ReceiveMessage`.
    pub action: &'a str,
    /// ARN of the resource.
    pub resource: &'a str,
    /// Condition keys that the service sets, besides those of the principal.
    pub keys: &'a [(&'a str, &'a str)],
}

/// A role may not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAuthorized(pub String);

impl Aws {
    /// Whether a service may act under a role, as its identity policies say. The role's trust in the
    /// service is another question ([`Aws::assume_for_function`]).
    pub fn authorize_role(&self, role_arn: &str, act: &Act<'_>) -> Result<(), NotAuthorized> {
        let mut need = Need::new(act.action, act.resource);
        for (key, value) in act.keys {
            need = need.key(key, [(*value).to_owned()]);
        }
        let principal = decision::Asker::of_role(role_arn);
        self.decide(&principal, &need)
            .map_err(|why| NotAuthorized(refusal::message(&principal.arn, &need, why)))
    }

    /// Whether a service may use the key of an encrypted queue or topic under a role.
    pub(crate) fn authorize_key(
        &self,
        role_arn: &str,
        resource_arn: &str,
        operations: &[&str],
    ) -> Result<(), NotAuthorized> {
        let principal = decision::Asker::of_role(role_arn);
        for need in self.encrypted(resource_arn, operations) {
            self.decide(&principal, &need)
                .map_err(|why| NotAuthorized(refusal::message(&principal.arn, &need, why)))?;
        }
        Ok(())
    }

    /// Whether the signer of a request may do what it asks for, in the shape of its protocol.
    pub(crate) async fn authorize(
        &self,
        session: &Session,
        call: &AwsCall,
        operation: &str,
    ) -> Result<(), AwsReply> {
        // The accounts' administrators may do everything; they provision, and play the customer.
        let Some(asker) = decision::Asker::of_session(session, &call.region) else {
            return Ok(());
        };
        let protocol = Protocol::of(Some(&call.service), &call.headers);
        let needs = match Ask::of(self, call, operation) {
            Ok(ask) => table::needs(&ask).await,
            Err(unmapped) => Err(unmapped),
        };
        let needs = match needs {
            Ok(needs) => needs,
            Err(Unmapped::Operation) => {
                let action = format!("{}:{operation}", call.service);
                let need = Need::new(&action, "*");
                self.watch
                    .denied(&asker, &need, "the table of permissions does not know it");
                return Err(refusal::reply(
                    call,
                    protocol,
                    &format!(
                        "User: {} is not authorized to perform: {action}: no entry of the table of \
                         permissions (sandbox/aws/src/authorize/table) says what this operation needs",
                        asker.arn
                    ),
                ));
            }
            Err(Unmapped::Malformed(what)) => {
                let code = match protocol {
                    Protocol::Query | Protocol::S3 => "ValidationError",
                    _ => "SerializationException",
                };
                return Err(protocol.error(StatusCode::BAD_REQUEST, code, &what));
            }
        };
        for need in &needs {
            self.decide(&asker, need).map_err(|why| {
                refusal::reply(call, protocol, &refusal::message(&asker.arn, need, why))
            })?;
        }
        Ok(())
    }

    /// Decides one need, and keeps what came out.
    fn decide(&self, asker: &decision::Asker, need: &Need) -> Result<(), Denied> {
        let role = self.roles.get(&asker.role_arn);
        let policies = role
            .as_ref()
            .map_or(&[][..], |role| &role.identity_policies);
        match decision::decide(asker, policies, need) {
            Ok(Some((policy, permission))) => {
                self.watch.used(asker, policies, policy, &permission);
                Ok(())
            }
            // The resource's own policy allowed it.
            Ok(None) => Ok(()),
            Err(why) => {
                self.watch.denied(asker, need, why.clause());
                Err(why)
            }
        }
    }
}
