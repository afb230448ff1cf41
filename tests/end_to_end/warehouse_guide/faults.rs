//! Breaking what the script made, one thing at a time.

use sandbox::{APP_CLIENT_ID, STACK_NAME, Sandbox};
use sandbox_core::VENDOR_ACCOUNT;
use serde_json::{Value, json};

use super::{Guide, ask, present};
use crate::common::{self, Tenant};

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The check asks for each group; one is enough here.
const ONE_GROUP: &str = "--groups amer-sales";

/// What is broken: the call that does it, what the check says, and what a person is answered.
struct Broken {
    operation: &'static str,
    body: Value,
    said: &'static str,
    /// Status and code of `POST /v1/identity`.
    identity: (u16, &'static str),
    /// The call that makes it whole again.
    mended_by: (&'static str, Value),
}

async fn admin(sandbox: &Sandbox, operation: &str, body: &Value) -> Value {
    let aws = &sandbox.aws;
    let admin = aws.admin(VENDOR_ACCOUNT);
    let service = if operation == "GetGroupId" {
        "identitystore"
    } else {
        "sso"
    };
    let reply = aws.call(&admin, service, operation, body).await;
    assert!(reply.status.is_success(), "{operation}: {reply:?}");
    serde_json::from_slice(&reply.body).unwrap()
}

async fn list(sandbox: &Sandbox, operation: &str, member: &str) -> Vec<Value> {
    let instances = admin(sandbox, "ListInstances", &json!({})).await;
    let asked = json!({ "InstanceArn": instances["Instances"][0]["InstanceArn"] });
    let listed = admin(sandbox, operation, &asked).await;
    listed[member].as_array().unwrap().clone()
}

/// Each fault is named by the check, and answered to a person as the guide says.
pub(super) async fn each_is_named(sandbox: &Sandbox, tenant: &Tenant, guide: &Guide) {
    let applications = list(sandbox, "ListApplications", "Applications").await;
    let arn = |name: &str| {
        let found = applications.iter().find(|found| found["Name"] == name);
        found.unwrap()["ApplicationArn"].clone()
    };
    let application = arn(STACK_NAME);
    let redshift = arn(&format!("{STACK_NAME}-warehouse"));
    let issuers = list(sandbox, "ListTrustedTokenIssuers", "TrustedTokenIssuers").await;
    let store =
        admin(sandbox, "ListInstances", &json!({})).await["Instances"][0]["IdentityStoreId"]
            .clone();
    let group = admin(
        sandbox,
        "GetGroupId",
        &json!({ "IdentityStoreId": store, "AlternateIdentifier": {
            "UniqueAttribute": { "AttributePath": "displayName", "AttributeValue": "amer-sales" },
        } }),
    )
    .await["GroupId"]
        .clone();

    let grant = |audience: &str| {
        json!({
            "ApplicationArn": application, "GrantType": JWT_BEARER,
            "Grant": { "JwtBearer": { "AuthorizedTokenIssuers": [{
                "TrustedTokenIssuerArn": issuers[0]["TrustedTokenIssuerArn"], "AuthorizedAudiences": [audience],
            }] } },
        })
    };
    let of_group = |application: &Value| {
        json!({
            "ApplicationArn": application, "PrincipalType": "GROUP", "PrincipalId": group,
        })
    };
    let cases = [
        Broken {
            operation: "UpdateApplication",
            body: json!({ "ApplicationArn": application, "Status": "DISABLED" }),
            said: "FAULT  application is enabled: is 'DISABLED'",
            identity: (500, "identity_config"),
            mended_by: (
                "UpdateApplication",
                json!({ "ApplicationArn": application, "Status": "ENABLED" }),
            ),
        },
        Broken {
            operation: "PutApplicationGrant",
            body: grant("another"),
            said: "does not list our issuer with the audience",
            identity: (401, "reauthenticate"),
            mended_by: ("PutApplicationGrant", grant(APP_CLIENT_ID)),
        },
        Broken {
            operation: "DeleteApplicationAssignment",
            body: of_group(&application),
            said: "FAULT  amer-sales is not assigned to our application",
            identity: (403, "not_assigned"),
            mended_by: ("CreateApplicationAssignment", of_group(&application)),
        },
        Broken {
            operation: "DeleteApplicationAssignment",
            body: of_group(&redshift),
            said: "FAULT  amer-sales is not assigned to Redshift's application",
            identity: (200, ""),
            mended_by: ("CreateApplicationAssignment", of_group(&redshift)),
        },
        Broken {
            operation: "DeleteApplicationAccessScope",
            body: json!({ "ApplicationArn": application, "Scope": "redshift:connect" }),
            said: "FAULT  scope redshift:connect does not lead to Redshift's application",
            identity: (200, ""),
            mended_by: (
                "PutApplicationAccessScope",
                json!({
                    "ApplicationArn": application, "Scope": "redshift:connect", "AuthorizedTargets": [redshift],
                }),
            ),
        },
    ];
    for broken in cases {
        admin(sandbox, broken.operation, &broken.body).await;
        let checked = guide.script("--check", ONE_GROUP).await;
        assert_eq!(checked.status, 1, "{}", checked.told);
        checked.must_say(broken.said);
        checked.must_say("1 faults");
        let (api, answer) = present(sandbox, &tenant.people["frank"]).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            broken.identity,
            "{}: {}",
            broken.said,
            answer.body
        );
        if broken.identity.0 == 200 {
            // Redshift does not let the person in; the first answer may ask for another try.
            common::eventually("the refusal", || async {
                let refused = ask(&api, "SELECT 1").await;
                let status = refused.status.as_u16();
                assert!([502, 503].contains(&status), "{}", refused.body);
                (refused.code() == "query_start_failed").then_some(())
            })
            .await;
        }
        let (operation, body) = broken.mended_by;
        admin(sandbox, operation, &body).await;
    }
}
