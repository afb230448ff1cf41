//! Buckets, their policies and their owners, over the wire.

use http::{Method, StatusCode};
use serde_json::json;

use super::support::{CUSTOMER, VENDOR, World, element};
use crate::Credentials;

struct Got {
    status: StatusCode,
    body: String,
}

impl Got {
    fn code(&self) -> String {
        element(&self.body, "Code").to_owned()
    }
}

async fn s3(world: &World, who: &Credentials, method: Method, path: &str, body: String) -> Got {
    let request = world.request(who, "s3", method, path).body(body);
    let response = request.send().await.unwrap();
    Got {
        status: response.status(),
        body: response.text().await.unwrap(),
    }
}

fn policy(bucket: &str) -> String {
    json!({ "Version": "2012-10-17", "Statement": [{
        "Sid": "AllowAppFlow", "Effect": "Allow",
        "Principal": { "Service": "appflow.amazonaws.com" }, "Action": ["s3:PutObject"],
        "Resource": [format!("arn:aws:s3:::{bucket}"), format!("arn:aws:s3:::{bucket}/*")],
    }] })
    .to_string()
}

#[tokio::test]
async fn a_policy_is_put_read_and_deleted() {
    let world = World::start().await;
    let owner = world.aws.admin_credentials(CUSTOMER);
    let ask =
        async |method, path, body: &str| s3(&world, &owner, method, path, body.to_owned()).await;
    assert_eq!(ask(Method::PUT, "/landing", "").await.status, 200);
    let none = ask(Method::GET, "/landing?policy", "").await;
    assert_eq!(
        (none.status.as_u16(), none.code().as_str()),
        (404, "NoSuchBucketPolicy")
    );
    let text = policy("landing");
    assert_eq!(ask(Method::PUT, "/landing?policy", &text).await.status, 204);
    let read = ask(Method::GET, "/landing?policy", "").await;
    assert_eq!((read.status.as_u16(), read.body), (200, text));
    for broken in ["{", "{}", &policy("another")] {
        let refused = ask(Method::PUT, "/landing?policy", broken).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code().as_str()),
            (400, "MalformedPolicy")
        );
    }
    assert_eq!(ask(Method::DELETE, "/landing?policy", "").await.status, 204);
    assert_eq!(ask(Method::GET, "/landing?policy", "").await.status, 404);
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let missing = ask(method, "/missing?policy", &policy("missing")).await;
        assert_eq!(
            (missing.status.as_u16(), missing.code().as_str()),
            (404, "NoSuchBucket")
        );
    }
    let location = ask(Method::GET, "/landing?location", "").await;
    assert_eq!(location.status, 200);
    assert!(
        location.body.contains("LocationConstraint"),
        "{}",
        location.body
    );
    assert_eq!(ask(Method::HEAD, "/landing", "").await.status, 200);
    assert_eq!(ask(Method::HEAD, "/missing", "").await.status, 404);
}

#[tokio::test]
async fn another_accounts_bucket_is_denied_and_not_listed_and_its_name_is_taken() {
    let world = World::start().await;
    let owner = world.aws.admin_credentials(CUSTOMER);
    let other = world.aws.admin_credentials(VENDOR);
    s3(&world, &owner, Method::PUT, "/landing", String::new()).await;
    s3(&world, &other, Method::PUT, "/vendors", String::new()).await;
    for (method, path) in [
        (Method::GET, "/landing?policy"),
        (Method::PUT, "/landing?policy"),
        (Method::DELETE, "/landing?policy"),
        (Method::GET, "/landing?location"),
        (Method::GET, "/landing?list-type=2"),
        (Method::GET, "/landing/key"),
    ] {
        let denied = s3(&world, &other, method.clone(), path, policy("landing")).await;
        assert_eq!(
            (denied.status.as_u16(), denied.code().as_str()),
            (403, "AccessDenied"),
            "{method} {path}"
        );
    }
    let head = s3(&world, &other, Method::HEAD, "/landing", String::new()).await;
    assert_eq!(head.status, 403);
    let taken = s3(&world, &other, Method::PUT, "/landing", String::new()).await;
    assert_eq!(
        (taken.status.as_u16(), taken.code().as_str()),
        (409, "BucketAlreadyExists")
    );
    let listed = s3(&world, &owner, Method::GET, "/", String::new()).await;
    assert!(listed.body.contains("<Name>landing</Name>") && !listed.body.contains("vendors"));
    assert_eq!(element(&listed.body, "ID"), CUSTOMER);
}
