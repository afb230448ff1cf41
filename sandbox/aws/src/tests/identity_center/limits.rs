//! What the administrators' APIs refuse.

use serde_json::{Value, json};

use super::{
    JWT_BEARER,
    set_up::{Center, token_issuer},
};
use crate::tests::support::CUSTOMER;

const STORE: &str = "d-1111aaaa22";

#[tokio::test]
async fn every_wrong_call_has_its_exception() {
    let center = Center::whole().await;
    let application = json!(center.application);
    let grant = |kind: &str, grant: Value| json!({ "ApplicationArn": application, "GrantType": kind, "Grant": grant });
    let issuers = |list: Value| {
        grant(
            JWT_BEARER,
            json!({ "JwtBearer": { "AuthorizedTokenIssuers": list } }),
        )
    };
    let unknown_issuer = json!([{
        "TrustedTokenIssuerArn": "arn:aws:sso::111111111111:trustedTokenIssuer/x", "AuthorizedAudiences": ["a"],
    }]);
    let mut bad_path = token_issuer("https://x.example", "x");
    bad_path["TrustedTokenIssuerConfiguration"]["OidcJwtConfiguration"]["ClaimAttributePath"] =
        json!("a.b.c.d");
    let mut bad_attribute = token_issuer("https://x.example", "x");
    bad_attribute["TrustedTokenIssuerConfiguration"]["OidcJwtConfiguration"]["IdentityStoreAttributePath"] =
        json!("displayName");
    let scope = |name: &str, targets: Value| json!({ "ApplicationArn": application, "Scope": name, "AuthorizedTargets": targets });
    let user = |name: &str, address: &str| {
        json!({
            "IdentityStoreId": STORE, "UserName": name, "DisplayName": "N N",
            "Name": { "GivenName": "N", "FamilyName": "N" }, "Emails": [{ "Value": address }],
        })
    };
    let cases = [
        (
            "sso",
            "CreateTrustedTokenIssuer",
            token_issuer(&center.issuer.url, "again"),
            "ConflictException",
        ),
        (
            "sso",
            "CreateTrustedTokenIssuer",
            token_issuer("no address", "x"),
            "ValidationException",
        ),
        (
            "sso",
            "CreateTrustedTokenIssuer",
            token_issuer("https://x.example", "a name"),
            "ValidationException",
        ),
        (
            "sso",
            "CreateTrustedTokenIssuer",
            bad_path,
            "ValidationException",
        ),
        (
            "sso",
            "CreateTrustedTokenIssuer",
            bad_attribute,
            "ValidationException",
        ),
        (
            "sso",
            "DescribeTrustedTokenIssuer",
            json!({ "TrustedTokenIssuerArn": "x" }),
            "ResourceNotFoundException",
        ),
        (
            "sso",
            "DescribeApplication",
            json!({ "ApplicationArn": "x" }),
            "ResourceNotFoundException",
        ),
        (
            "sso",
            "ListApplications",
            json!({ "InstanceArn": "x" }),
            "ResourceNotFoundException",
        ),
        (
            "sso",
            "PutApplicationGrant",
            grant("authorization_code", json!({ "AuthorizationCode": {} })),
            "ValidationException",
        ),
        (
            "sso",
            "PutApplicationGrant",
            grant("refresh_token", json!({ "TokenExchange": {} })),
            "ValidationException",
        ),
        (
            "sso",
            "PutApplicationGrant",
            issuers(json!([])),
            "ValidationException",
        ),
        (
            "sso",
            "PutApplicationGrant",
            issuers(unknown_issuer),
            "ResourceNotFoundException",
        ),
        (
            "sso",
            "GetApplicationGrant",
            grant(
                "urn:ietf:params:oauth:grant-type:token-exchange",
                json!(null),
            ),
            "ResourceNotFoundException",
        ),
        (
            "sso",
            "PutApplicationAccessScope",
            scope("redshift:connect", json!([])),
            "ValidationException",
        ),
        (
            "sso",
            "PutApplicationAccessScope",
            scope("a b", json!([application])),
            "ValidationException",
        ),
        (
            "sso",
            "PutApplicationAccessScope",
            scope("redshift:connect", json!(["x"])),
            "ResourceNotFoundException",
        ),
        (
            "sso",
            "GetApplicationAccessScope",
            scope("s3:read", json!(null)),
            "ResourceNotFoundException",
        ),
        (
            "sso",
            "CreateApplicationAssignment",
            center.assignment(&center.application),
            "ConflictException",
        ),
        (
            "sso",
            "DeleteApplicationAssignment",
            json!({
                "ApplicationArn": application, "PrincipalType": "USER", "PrincipalId": "x",
            }),
            "ResourceNotFoundException",
        ),
        (
            "sso",
            "CreateApplicationAssignment",
            json!({
                "ApplicationArn": application, "PrincipalType": "USER", "PrincipalId": "x",
            }),
            "ResourceNotFoundException",
        ),
        (
            "sso",
            "DeleteInstance",
            json!({}),
            "UnknownOperationException",
        ),
        (
            "identitystore",
            "CreateUser",
            user("ming", "new@sports.example"),
            "ConflictException",
        ),
        (
            "identitystore",
            "CreateUser",
            user("new", "ming@sports.example"),
            "ConflictException",
        ),
        (
            "identitystore",
            "CreateUser",
            json!({ "IdentityStoreId": STORE, "UserName": "x" }),
            "ValidationException",
        ),
        (
            "identitystore",
            "CreateGroup",
            json!({ "IdentityStoreId": STORE, "DisplayName": "apac-sales" }),
            "ConflictException",
        ),
        (
            "identitystore",
            "ListUsers",
            json!({ "IdentityStoreId": "d-0000000000" }),
            "ResourceNotFoundException",
        ),
        (
            "identitystore",
            "GetUserId",
            json!({ "IdentityStoreId": STORE, "AlternateIdentifier": { "UniqueAttribute": {
            "AttributePath": "emails.value", "AttributeValue": "nobody@sports.example",
        } } }),
            "ResourceNotFoundException",
        ),
        (
            "redshift-serverless",
            "CreateWorkgroup",
            json!({ "workgroupName": "wg1", "namespaceName": "none" }),
            "ResourceNotFoundException",
        ),
        (
            "redshift-serverless",
            "CreateNamespace",
            json!({
                "namespaceName": "ns1", "redshiftIdcApplicationArn": "x",
            }),
            "ValidationException",
        ),
        (
            "redshift-serverless",
            "UpdateWorkgroup",
            json!({
                "workgroupName": "wg1", "configParameters": [{ "parameterKey": "max_query_execution_time", "parameterValue": "long" }],
            }),
            "ValidationException",
        ),
    ];
    for (service, operation, body, exception) in cases {
        let refused = center.call(service, operation, &body).await;
        assert_eq!(refused, Err(exception.to_owned()), "{operation} {body}");
    }
    let refused = center.create_redshift("Not A Name").await;
    assert!(refused.contains("InvalidParameterValue"), "{refused}");
}

/// Ten issuers are the most, and lists come in pages.
#[tokio::test]
async fn an_instance_has_ten_issuers_in_pages() {
    let center = Center::whole().await;
    for number in 1..10 {
        let url = format!("https://issuer-{number}.example");
        let issuer = token_issuer(&url, &format!("issuer-{number}"));
        center
            .sso("CreateTrustedTokenIssuer", issuer)
            .await
            .unwrap();
    }
    let eleventh = token_issuer("https://eleventh.example", "eleventh");
    let refused = center.sso("CreateTrustedTokenIssuer", eleventh).await;
    assert_eq!(refused, Err("ServiceQuotaExceededException".to_owned()));

    let mut ask = json!({
        "InstanceArn": "arn:aws:sso:::instance/ssoins-1111aaaa2222bbbb", "MaxResults": 4,
    });
    let mut names = std::collections::BTreeSet::new();
    for expected in [4, 4, 2] {
        let page = center
            .sso("ListTrustedTokenIssuers", ask.clone())
            .await
            .unwrap();
        let found = page["TrustedTokenIssuers"].as_array().unwrap();
        assert_eq!(found.len(), expected);
        names.extend(found.iter().map(|issuer| issuer["Name"].to_string()));
        ask["NextToken"] = page["NextToken"].clone();
    }
    assert_eq!((names.len(), &ask["NextToken"]), (10, &Value::Null));
}

/// The instance is the vendor's: another account sees none and administers nothing.
#[tokio::test]
async fn another_account_sees_no_instance() {
    let center = Center::whole().await;
    let aws = &center.world.aws;
    let stranger = aws.admin(CUSTOMER);
    let reply = aws
        .call(&stranger, "sso", "ListInstances", &json!({}))
        .await;
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(body["Instances"], json!([]));
    let ask = json!({ "ApplicationArn": center.application });
    let reply = aws
        .call(&stranger, "sso", "DescribeApplication", &ask)
        .await;
    assert_eq!(reply.status, 400, "{reply:?}");
}
