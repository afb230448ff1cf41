//! The event that each function sees most, and what its answer must be.

mod event;
mod person;

use bytes::Bytes;
use sandbox_core::{CUSTOMER_ACCOUNT, VENDOR_ACCOUNT};
use serde_json::{Value, json};

use super::Error;
use crate::Sandbox;

/// Ids that the events name; the table knows the tenant, the member and the flow.
const TENANT: &str = "ten_0197b3f0c0de7000800000000000be7c";
const FLOW: &str = "flw_0197b3f0c0de7000800000000000be7d";
const ACCOUNT: &str = "acc_0197b3f0c0de7000800000000000be7e";
const SUBJECT: &str = "0197b3f0-c0de-7000-8000-00000000be7f";
/// A query of somebody else.
const FOREIGN_QUERY: &str = "qry_0197b3f0c0de7000800000000000be80";

/// One function and its event.
pub(super) struct Case {
    /// Logical id in the template.
    pub(super) function: &'static str,
    /// What happens, in a few words.
    pub(super) event: &'static str,
    /// The payload of the invocation with this number.
    pub(super) payload: Box<dyn Fn(u64) -> Value>,
    /// What must come back.
    pub(super) answer: Answer,
}

/// What must come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Anything but an error.
    Success,
    /// An HTTP answer with one of these statuses.
    Status(&'static [u16]),
    /// A JSON answer that has something here.
    Has(&'static str),
}

impl Answer {
    pub(super) fn fits(self, answer: &Bytes) -> bool {
        let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
        match self {
            Self::Success => true,
            Self::Status(wanted) => answer["statusCode"]
                .as_u64()
                .is_some_and(|status| wanted.iter().any(|wanted| u64::from(*wanted) == status)),
            Self::Has(pointer) => answer
                .pointer(pointer)
                .is_some_and(|found| !found.is_null()),
        }
    }
}

/// A case or two for each function of the template, after filling the table.
pub(super) async fn all(sandbox: &Sandbox) -> Result<Vec<Case>, Error> {
    fill(sandbox).await?;
    let caller = event::Caller::of(sandbox);
    let me = event::http(sandbox, "GET /v1/me", "/v1/me", Some(&caller));
    let path = format!("/v1/queries/{FOREIGN_QUERY}");
    let mut query = event::http(sandbox, "GET /v1/queries/{id}", &path, Some(&caller));
    query["pathParameters"] = json!({ "id": FOREIGN_QUERY });
    let mut login = event::http(sandbox, "GET /auth/login", "/auth/login", None);
    let back = format!("{}/", sandbox.app_origin);
    let encoded: String = url::form_urlencoded::byte_serialize(back.as_bytes()).collect();
    login["rawQueryString"] = json!(format!("return_to={encoded}"));
    login["queryStringParameters"] = json!({ "return_to": back });
    Ok(vec![
        Case {
            function: "OauthCallbackFunction",
            event: "GET /auth/login",
            payload: always(login),
            answer: Answer::Status(&[302, 303]),
        },
        Case {
            function: "FlowsFunction",
            event: "GET /v1/me",
            payload: always(me),
            answer: Answer::Status(&[200]),
        },
        Case {
            function: "TokenRefreshFunction",
            event: "a tick that finds nothing due",
            payload: always(event::tick()),
            answer: Answer::Success,
        },
        Case {
            function: "RunEventsFunction",
            event: "the end of a run, with its notification",
            payload: Box::new(|number| event::run_ended(CUSTOMER_ACCOUNT, TENANT, FLOW, number)),
            answer: Answer::Success,
        },
        Case {
            function: "QueriesFunction",
            event: "GET /v1/queries/{id} of somebody else",
            payload: always(query),
            answer: Answer::Status(&[404]),
        },
        Case {
            function: "QueriesFunction",
            event: "POST /v1/queries, answered with 50 rows; CPU time is ours alone",
            payload: always(person::query(sandbox).await?),
            answer: Answer::Status(&[200]),
        },
        Case {
            function: "TokenClaimsFunction",
            event: "sign-in of a member",
            payload: always(event::sign_in(SUBJECT)),
            answer: Answer::Has(
                "/response/claimsAndScopeOverrideDetails/accessTokenGeneration/claimsToAddOrOverride/tenant_id",
            ),
        },
    ])
}

fn always(event: Value) -> Box<dyn Fn(u64) -> Value> {
    Box::new(move |_| event.clone())
}

/// Puts into the table what the events are about.
async fn fill(sandbox: &Sandbox) -> Result<(), Error> {
    let table = sandbox.stack.resources.get("Table");
    let table = table.ok_or_else(|| Error::Table("the template has none".to_owned()))?;
    let text = |value: &str| json!({ "S": value });
    let flow_name = format!("tributary-{TENANT}-{FLOW}");
    let items = [
        json!({
            "pk": text("OPERATOR"), "sk": text(&format!("TENANT#{TENANT}")),
            "id": text(TENANT), "tenant_id": text(TENANT), "name": text("bench"),
            "hosting": text("customer"), "state": text("active"),
            "created_at": text("2026-11-20T00:00:00Z"),
        }),
        json!({
            "pk": text(&format!("SUBJECT#{SUBJECT}")), "sk": text("MEMBER"),
            "tenant_id": text(TENANT), "roles": { "L": [text("editor")] },
        }),
        json!({
            "pk": text(&format!("FLOWNAME#{CUSTOMER_ACCOUNT}#{flow_name}")), "sk": text("FLOW"),
            "tenant_id": text(TENANT), "flow_id": text(FLOW), "account_id": text(ACCOUNT),
        }),
    ];
    let admin = sandbox.aws.admin(VENDOR_ACCOUNT);
    for item in items {
        let put = json!({ "TableName": table.physical_id(), "Item": item });
        let reply = sandbox.aws.call(&admin, "dynamodb", "PutItem", &put).await;
        if !reply.status.is_success() {
            return Err(Error::Table(
                String::from_utf8_lossy(&reply.body).into_owned(),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_fits_only_as_the_event_is_answered() {
        let found = Bytes::from_static(br#"{"statusCode":404,"body":"{}"}"#);
        assert!(Answer::Status(&[404]).fits(&found));
        assert!(!Answer::Status(&[200]).fits(&found));
        assert!(!Answer::Status(&[404]).fits(&Bytes::from_static(b"null")));
        assert!(Answer::Has("/body").fits(&found));
        assert!(!Answer::Has("/headers").fits(&found));
        assert!(Answer::Success.fits(&Bytes::from_static(b"null")));
    }
}
