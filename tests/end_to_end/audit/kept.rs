//! What is recorded stays as it was recorded, whoever of us tries.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use sandbox::Sandbox;
use sandbox_aws::ExpectedDenial;
use sandbox_core::{REGION, VENDOR_ACCOUNT};
use serde_json::json;
use tributary::sign;
use url::Url;

use crate::common;

/// The functions' roles, and whether they may add records.
const ROLES: [(&str, bool); 5] = [
    ("FlowsRole", true),
    ("QueriesRole", true),
    ("OauthCallbackRole", true),
    ("RunEventsRole", false),
    ("TokenRefreshRole", false),
];

/// What none of them may do to a record or to the bucket.
const REFUSED: [&str; 10] = [
    "s3:GetObject",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:PutObject",
    "s3:PutObjectRetention",
    "s3:PutBucketVersioning",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutBucketPolicy",
    "s3:DeleteBucket",
];

/// Somebody who asks S3.
struct Asker<'a> {
    sandbox: &'a Sandbox,
    aws: SdkConfig,
}

impl<'a> Asker<'a> {
    fn new(sandbox: &'a Sandbox, credentials: &sandbox_aws::Credentials) -> Self {
        let credentials = Credentials::new(
            credentials.access_key_id.clone(),
            credentials.secret_access_key.clone(),
            credentials.session_token.clone(),
            None,
            "test",
        );
        let aws = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(REGION))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        Self { sandbox, aws }
    }

    async fn ask(&self, method: Method, rest: &str, only_if_new: bool) -> StatusCode {
        let bucket = self.sandbox.audit_bucket();
        let url: Url = self
            .sandbox
            .aws_url
            .join(&format!("/{bucket}{rest}"))
            .unwrap();
        let body = if method == Method::PUT { "{}" } else { "" };
        let mut headers = HeaderMap::new();
        if only_if_new {
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static("*"));
        }
        sign::add_signature(&self.aws, ("s3", REGION), &method, &url, &mut headers, body)
            .await
            .unwrap();
        let request = reqwest::Client::new().request(method, url);
        let answer = request.headers(headers).body(body).send().await;
        answer.unwrap().status()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a8_no_role_of_ours_can_change_or_delete_a_record() {
    let sandbox = common::start().await;
    let tenant = common::tenant(&sandbox, "Blue", &[("frank", "admin")]).await;
    let refused = tenant.api("frank").post("/v1/flows", &json!({})).await;
    let id = refused.unwrap().headers["x-request-id"].clone();
    let trail = sandbox.audit_trail().await;
    let kept = trail
        .iter()
        .find(|kept| kept.record["requestId"] == id.to_str().unwrap())
        .unwrap();
    let version = sandbox.audit_versions(&kept.key).await.remove(0);
    let object = format!("/{}", kept.key);
    for (role, adds) in ROLES {
        for action in REFUSED {
            sandbox.aws.expect_denial(ExpectedDenial {
                role: role.to_owned(),
                action: action.to_owned(),
            });
        }
        let arn = sandbox.stack.resources[role].arn().unwrap();
        let credentials = sandbox.aws.assume_for_function(arn, "audit-test").unwrap();
        let role_asks = Asker::new(&sandbox, &credentials);
        for (method, rest) in [
            (Method::GET, object.clone()),
            (Method::DELETE, object.clone()),
            (Method::DELETE, format!("{object}?versionId={version}")),
            (Method::PUT, object.clone()),
            (Method::PUT, format!("{object}?retention")),
            (Method::PUT, "?versioning".to_owned()),
            (Method::PUT, "?object-lock".to_owned()),
            (Method::PUT, "?lifecycle".to_owned()),
            (Method::PUT, "?policy".to_owned()),
            (Method::DELETE, String::new()),
        ] {
            let status = role_asks.ask(method.clone(), &rest, false).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{role}: {method} {rest}");
        }
        let again = role_asks.ask(Method::PUT, &object, true).await;
        let expected = if adds {
            StatusCode::PRECONDITION_FAILED
        } else {
            StatusCode::FORBIDDEN
        };
        assert_eq!(again, expected, "{role}");
    }
    // Nor can the account's administrator, before its time is over.
    let admin = sandbox.aws.admin_credentials(VENDOR_ACCOUNT);
    let deleted = Asker::new(&sandbox, &admin)
        .ask(
            Method::DELETE,
            &format!("{object}?versionId={version}"),
            false,
        )
        .await;
    assert_eq!(deleted, StatusCode::FORBIDDEN);
    assert_eq!(sandbox.audit_versions(&kept.key).await, [version]);
    let after = sandbox.audit_trail().await;
    let after = after.iter().find(|other| other.key == kept.key).unwrap();
    assert_eq!(after.record, kept.record);
}
