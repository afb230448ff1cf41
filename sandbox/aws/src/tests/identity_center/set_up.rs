//! An application that is set up call by call, and what the token endpoint makes of each piece.

use http::Method;
use serde_json::{Value, json};

use super::{JWT_BEARER, create_token, issuer::Issuer};
use crate::{
    Credentials, Role,
    tests::support::{FUNCTION_ROLE, VENDOR, World},
};

const CONNECTION_ROLE: &str = "arn:aws:iam::111111111111:role/tributary/connection";
const INSTANCE: &str = "arn:aws:sso:::instance/ssoins-1111aaaa2222bbbb";
const STORE: &str = "d-1111aaaa22";

/// An instance in which the administrator works.
pub(super) struct Center {
    pub(super) world: World,
    pub(super) issuer: Issuer,
    pub(super) function: Credentials,
    pub(super) application: String,
    token_issuer: String,
    group: String,
    redshift: String,
}

impl Center {
    /// Everything that a person needs, made by calls.
    pub(super) async fn whole() -> Self {
        let world = World::start().await;
        let issuer = Issuer::start().await;
        let mut center = Self {
            function: world.function(),
            world,
            issuer,
            application: String::new(),
            token_issuer: String::new(),
            group: String::new(),
            redshift: String::new(),
        };
        center.make().await;
        center
    }

    /// Calls as the administrator; the body, or the exception.
    pub(super) async fn call(
        &self,
        service: &str,
        operation: &str,
        body: &Value,
    ) -> Result<Value, String> {
        let admin = self.world.aws.admin(VENDOR);
        let reply = self.world.aws.call(&admin, service, operation, body).await;
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        if reply.status.is_success() {
            Ok(body)
        } else {
            Err(body["__type"].as_str().unwrap().to_owned())
        }
    }

    pub(super) async fn sso(&self, operation: &str, body: Value) -> Result<Value, String> {
        self.call("sso", operation, &body).await
    }

    async fn make(&mut self) {
        let text = |answer: &Value, member: &str| answer[member].as_str().unwrap().to_owned();
        let made = self
            .sso(
                "CreateTrustedTokenIssuer",
                token_issuer(&self.issuer.url, "pool"),
            )
            .await
            .unwrap();
        self.token_issuer = text(&made, "TrustedTokenIssuerArn");
        let made = self
            .sso(
                "CreateApplication",
                json!({
                    "InstanceArn": INSTANCE, "Name": "tributary",
                    "ApplicationProviderArn": "arn:aws:sso::aws:applicationProvider/custom",
                }),
            )
            .await
            .unwrap();
        self.application = text(&made, "ApplicationArn");
        self.put_policy(FUNCTION_ROLE).await.unwrap();
        self.put_grant("client").await.unwrap();
        self.sso("PutApplicationGrant", json!({
            "ApplicationArn": self.application, "GrantType": "refresh_token", "Grant": { "RefreshToken": {} },
        }))
        .await
        .unwrap();
        self.redshift = self.make_redshift().await;
        self.sso("PutApplicationAccessScope", json!({
            "ApplicationArn": self.application, "Scope": "redshift:connect", "AuthorizedTargets": [self.redshift],
        }))
        .await
        .unwrap();
        let user = self
            .call(
                "identitystore",
                "CreateUser",
                &json!({
                    "IdentityStoreId": STORE, "UserName": "ming", "DisplayName": "Ming Li",
                    "Name": { "GivenName": "Ming", "FamilyName": "Li" },
                    "Emails": [{ "Value": "ming@sports.example", "Primary": true }],
                }),
            )
            .await
            .unwrap();
        let group = self
            .call(
                "identitystore",
                "CreateGroup",
                &json!({
                    "IdentityStoreId": STORE, "DisplayName": "apac-sales",
                }),
            )
            .await
            .unwrap();
        self.group = text(&group, "GroupId");
        self.call("identitystore", "CreateGroupMembership", &json!({
            "IdentityStoreId": STORE, "GroupId": self.group, "MemberId": { "UserId": user["UserId"] },
        }))
        .await
        .unwrap();
        for application in [&self.application, &self.redshift] {
            self.sso("CreateApplicationAssignment", self.assignment(application))
                .await
                .unwrap();
        }
    }

    pub(super) fn assignment(&self, application: &str) -> Value {
        json!({
            "ApplicationArn": application, "PrincipalType": "GROUP", "PrincipalId": self.group,
        })
    }

    pub(super) async fn put_policy(&self, role: &str) -> Result<Value, String> {
        self.sso("PutApplicationAuthenticationMethod", json!({
            "ApplicationArn": self.application, "AuthenticationMethodType": "IAM",
            "AuthenticationMethod": { "Iam": { "ActorPolicy": { "Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": { "AWS": role },
                "Action": "sso-oauth:CreateTokenWithIAM", "Resource": self.application,
            }] } } },
        }))
        .await
    }

    async fn put_grant(&self, audience: &str) -> Result<Value, String> {
        self.sso(
            "PutApplicationGrant",
            json!({
                "ApplicationArn": self.application, "GrantType": JWT_BEARER,
                "Grant": { "JwtBearer": { "AuthorizedTokenIssuers": [{
                    "TrustedTokenIssuerArn": self.token_issuer, "AuthorizedAudiences": [audience],
                }] } },
            }),
        )
        .await
    }

    /// Registers Redshift's application through the query protocol, and answers its managed ARN.
    async fn make_redshift(&self) -> String {
        let trust = json!({ "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": ["redshift.amazonaws.com", "redshift-serverless.amazonaws.com"] },
            "Action": ["sts:AssumeRole", "sts:SetContext"],
        }] });
        let role = |permissions: Value| Role {
            arn: CONNECTION_ROLE.into(),
            trust_policy: trust.clone(),
            identity_policies: vec![permissions],
            max_session_seconds: 3600,
        };
        let refused = self.create_redshift("warehouse").await;
        assert!(
            refused.contains("DependentServiceAccessDenied"),
            "{refused}"
        );
        self.world.aws.put_role(role(json!({ "Statement": [] })));
        let refused = self.create_redshift("warehouse").await;
        assert!(
            refused.contains("DependentServiceAccessDenied"),
            "{refused}"
        );
        self.world.aws.put_role(role(json!({ "Statement": [{
            "Effect": "Allow", "Action": ["sso:DescribeApplication", "sso:DescribeInstance"], "Resource": "*",
        }] })));
        let made = self.create_redshift("warehouse").await;
        let again = self.create_redshift("warehouse").await;
        assert!(
            again.contains("RedshiftIdcApplicationAlreadyExists"),
            "{again}"
        );
        crate::tests::support::element(&made, "IdcManagedApplicationArn").to_owned()
    }

    pub(super) async fn create_redshift(&self, name: &str) -> String {
        let admin = self.world.aws.admin_credentials(VENDOR);
        let form = [
            ("Action", "CreateRedshiftIdcApplication"),
            ("Version", "2012-12-01"),
            ("IdcInstanceArn", INSTANCE),
            ("RedshiftIdcApplicationName", name),
            ("IdcDisplayName", name),
            ("IamRoleArn", CONNECTION_ROLE),
            (
                "ServiceIntegrations.member.1.Redshift.member.1.Connect.Authorization",
                "Enabled",
            ),
        ];
        let request = self.world.request(&admin, "redshift", Method::POST, "/");
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        request.send().await.unwrap().text().await.unwrap()
    }

    /// Exchanges a fresh token: the status, the exception and the body.
    pub(super) async fn exchange(&self, jti: &str) -> (u16, String, Value) {
        let token = self.issuer.token(&self.issuer.claims(jti));
        let ask = json!({
            "clientId": self.application, "grantType": JWT_BEARER, "assertion": token,
        });
        create_token(&self.world, &self.function, ask).await
    }

    async fn refresh(&self, token: &Value) -> (u16, String, Value) {
        let ask = json!({
            "clientId": self.application, "grantType": "refresh_token", "refreshToken": token,
        });
        create_token(&self.world, &self.function, ask).await
    }
}

pub(super) fn token_issuer(url: &str, name: &str) -> Value {
    json!({
        "InstanceArn": INSTANCE, "Name": name, "TrustedTokenIssuerType": "OIDC_JWT",
        "TrustedTokenIssuerConfiguration": { "OidcJwtConfiguration": {
            "IssuerUrl": url, "ClaimAttributePath": "email", "IdentityStoreAttributePath": "emails.value",
            "JwksRetrievalOption": "OPEN_ID_DISCOVERY",
        } },
    })
}

/// Each piece that is taken away has its exception, and the whole works before and after.
#[tokio::test]
async fn each_piece_that_is_missing_has_its_exception() {
    let center = Center::whole().await;
    let (status, _, answer) = center.exchange("whole").await;
    assert_eq!(status, 200, "{answer}");
    assert!(answer["scope"].to_string().contains("redshift:connect"));
    let application = json!(center.application);
    let with = |member: &str, value: Value| {
        let mut body = json!({ "ApplicationArn": application });
        body[member] = value;
        body
    };
    let grant = center
        .sso("GetApplicationGrant", with("GrantType", json!(JWT_BEARER)))
        .await
        .unwrap();
    let mut put_back = with("GrantType", json!(JWT_BEARER));
    put_back["Grant"] = grant["Grant"].clone();
    let other = center
        .sso(
            "CreateTrustedTokenIssuer",
            token_issuer("https://other.example", "other"),
        )
        .await
        .unwrap();
    let mut only_other = put_back.clone();
    only_other["Grant"]["JwtBearer"]["AuthorizedTokenIssuers"][0]["TrustedTokenIssuerArn"] =
        other["TrustedTokenIssuerArn"].clone();
    let mut other_audience = put_back.clone();
    other_audience["Grant"]["JwtBearer"]["AuthorizedTokenIssuers"][0]["AuthorizedAudiences"] =
        json!(["other"]);

    let cases = [
        (
            ("UpdateApplication", with("Status", json!("DISABLED"))),
            ("UpdateApplication", with("Status", json!("ENABLED"))),
            "InvalidClientException",
        ),
        (
            (
                "DeleteApplicationGrant",
                with("GrantType", json!(JWT_BEARER)),
            ),
            ("PutApplicationGrant", put_back.clone()),
            "UnsupportedGrantTypeException",
        ),
        (
            ("PutApplicationGrant", only_other),
            ("PutApplicationGrant", put_back.clone()),
            "InvalidRequestException",
        ),
        (
            ("PutApplicationGrant", other_audience),
            ("PutApplicationGrant", put_back),
            "InvalidGrantException",
        ),
        (
            (
                "DeleteApplicationAssignment",
                center.assignment(&center.application),
            ),
            (
                "CreateApplicationAssignment",
                center.assignment(&center.application),
            ),
            "AccessDeniedException",
        ),
    ];
    for (at, ((breaks, broken), (mends, mended), exception)) in cases.into_iter().enumerate() {
        center.sso(breaks, broken).await.unwrap();
        let (status, kind, answer) = center.exchange(&format!("broken-{at}")).await;
        assert_eq!(kind, exception, "{status} {answer}");
        center.sso(mends, mended).await.unwrap();
        let (status, _, answer) = center.exchange(&format!("mended-{at}")).await;
        assert_eq!(status, 200, "{exception}: {answer}");
    }
    // Without assignments, everybody in the directory may.
    center
        .sso(
            "DeleteApplicationAssignment",
            center.assignment(&center.application),
        )
        .await
        .unwrap();
    center
        .sso(
            "PutApplicationAssignmentConfiguration",
            with("AssignmentRequired", json!(false)),
        )
        .await
        .unwrap();
    assert_eq!(center.exchange("unassigned").await.0, 200);
}

/// The application's policy decides besides the caller's own rights, and a principal must exist.
#[tokio::test]
async fn the_actor_policy_names_who_may_exchange() {
    let center = Center::whole().await;
    let nobody = center
        .put_policy("arn:aws:iam::111111111111:role/nobody")
        .await;
    assert_eq!(nobody.unwrap_err(), "ValidationException");
    assert_eq!(center.exchange("still").await.0, 200);
    center.put_policy(CONNECTION_ROLE).await.unwrap();
    let (status, kind, answer) = center.exchange("another").await;
    assert_eq!((status, kind.as_str()), (400, "AccessDeniedException"));
    assert!(answer.get("error").is_none(), "{answer}");
}

/// Q7: a refresh token is good once, for eight hours from the exchange, and only with the grant.
#[tokio::test]
async fn q7_a_refresh_token_dies_with_the_session_and_with_the_person() {
    let center = Center::whole().await;
    let (_, _, first) = center.exchange("first").await;
    let (status, _, second) = center.refresh(&first["refreshToken"]).await;
    assert_eq!(status, 200, "{second}");
    center.world.aws.end_identity_center_sessions();
    let (_, kind, _) = center.refresh(&second["refreshToken"]).await;
    assert_eq!(kind, "ExpiredTokenException");

    let (_, _, third) = center.exchange("third").await;
    center
        .sso(
            "DeleteApplicationAssignment",
            center.assignment(&center.application),
        )
        .await
        .unwrap();
    let (_, kind, _) = center.refresh(&third["refreshToken"]).await;
    assert_eq!(kind, "AccessDeniedException");
    center
        .sso(
            "CreateApplicationAssignment",
            center.assignment(&center.application),
        )
        .await
        .unwrap();
    let (_, kind, _) = center.refresh(&third["refreshToken"]).await;
    assert_eq!(kind, "InvalidGrantException", "it is used up");

    let (_, _, fourth) = center.exchange("fourth").await;
    let found = center
        .call(
            "identitystore",
            "ListUsers",
            &json!({ "IdentityStoreId": STORE }),
        )
        .await
        .unwrap();
    let gone = json!({ "IdentityStoreId": STORE, "UserId": found["Users"][0]["UserId"] });
    center
        .call("identitystore", "DeleteUser", &gone)
        .await
        .unwrap();
    let (_, kind, _) = center.refresh(&fourth["refreshToken"]).await;
    assert_eq!(kind, "InvalidGrantException");
    assert_eq!(center.exchange("gone").await.1, "InvalidGrantException");
}

/// Without the refresh grant an exchange gives no refresh token.
#[tokio::test]
async fn without_the_grant_there_is_no_refresh_token() {
    let center = Center::whole().await;
    center
        .sso(
            "DeleteApplicationGrant",
            json!({
                "ApplicationArn": center.application, "GrantType": "refresh_token",
            }),
        )
        .await
        .unwrap();
    let (status, _, answer) = center.exchange("no-refresh").await;
    assert_eq!(status, 200);
    assert!(answer.get("refreshToken").is_none(), "{answer}");
    let (_, kind, _) = center.refresh(&json!("aor-any")).await;
    assert_eq!(kind, "UnsupportedGrantTypeException");
}
