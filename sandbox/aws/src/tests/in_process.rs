//! What other stand-ins do inside an account.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, StatusCode};
use sandbox_core::{AwsCall, AwsReply, AwsService, BoxFuture};
use serde_json::json;

use super::support::{CUSTOMER, World};

#[tokio::test]
async fn objects_are_put_only_where_the_bucket_lets_appflow() {
    let world = World::start().await;
    let aws = &world.aws;
    let admin = aws.admin(CUSTOMER);
    let put = || {
        aws.put_object(
            CUSTOMER,
            "landing",
            "out/a b.json",
            Bytes::from_static(b"{}"),
        )
    };
    assert_eq!(put().await, Err("NoSuchBucket".to_owned()));
    let reply = aws
        .call_rest(&admin, "s3", Method::PUT, "/landing", Bytes::new())
        .await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(put().await, Err("AccessDenied".to_owned()));
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "appflow.amazonaws.com"},
        "Action": ["s3:PutObject", "s3:GetBucketAcl"],
        "Resource": ["arn:aws:s3:::landing", "arn:aws:s3:::landing/*"],
        "Condition": {"StringEquals": {"aws:SourceAccount": CUSTOMER}},
    }]});
    let reply = aws
        .call_rest(
            &admin,
            "s3",
            Method::PUT,
            "/landing?policy",
            Bytes::from(policy.to_string()),
        )
        .await;
    assert!(reply.status.is_success(), "{reply:?}");
    assert_eq!(
        aws.bucket_policy(CUSTOMER, "landing").await,
        Ok(Some(policy))
    );
    put().await.unwrap();
    assert_eq!(
        aws.get_object(CUSTOMER, "landing", "out/a b.json")
            .await
            .unwrap(),
        "{}"
    );
    assert_eq!(
        aws.list_objects(CUSTOMER, "landing", "out/").await.unwrap(),
        ["out/a b.json"]
    );
    assert_eq!(
        aws.get_object(CUSTOMER, "landing", "none").await,
        Err("NoSuchKey".to_owned())
    );
}

#[tokio::test]
async fn more_objects_than_a_page_holds_are_all_listed_in_order() {
    let world = World::start().await;
    let admin = world.aws.admin(CUSTOMER);
    world
        .aws
        .call_rest(&admin, "s3", Method::PUT, "/many", Bytes::new())
        .await;
    for n in 0..1003 {
        let path = format!("/many/k%26{n:04}");
        world
            .aws
            .call_rest(&admin, "s3", Method::PUT, &path, Bytes::new())
            .await;
    }
    let keys = world.aws.list_objects(CUSTOMER, "many", "k").await.unwrap();
    assert_eq!(
        (keys.len(), keys[0].as_str(), keys[1002].as_str()),
        (1003, "k&0000", "k&1002")
    );
}

#[tokio::test]
async fn secrets_are_created_replaced_read_and_gone() {
    let world = World::start().await;
    let aws = &world.aws;
    let arn = aws
        .put_secret(CUSTOMER, "appflow!profile", "one".into())
        .await
        .unwrap();
    assert!(
        arn.contains(":222222222222:secret:appflow!profile"),
        "{arn}"
    );
    assert_eq!(
        aws.put_secret(CUSTOMER, "appflow!profile", "two".into())
            .await
            .as_ref(),
        Ok(&arn)
    );
    assert_eq!(aws.get_secret(CUSTOMER, &arn).await.as_deref(), Ok("two"));
    aws.delete_secret(CUSTOMER, &arn).await.unwrap();
    assert_eq!(
        aws.get_secret(CUSTOMER, &arn).await,
        Err("ResourceNotFoundException".to_owned())
    );
    aws.put_secret(CUSTOMER, "appflow!profile", "three".into())
        .await
        .unwrap();
}

struct Echo;

impl AwsService for Echo {
    fn signing_names(&self) -> &'static [&'static str] {
        &["appflow"]
    }

    fn handle(&self, call: AwsCall) -> BoxFuture<'_, AwsReply> {
        Box::pin(async move {
            let body = json!({"path": call.path, "account": call.principal.account});
            AwsReply::json(StatusCode::OK, "application/json", &body)
        })
    }
}

#[tokio::test]
async fn a_registered_service_gets_the_calls_signed_for_it() {
    let world = World::start().await;
    world.aws.register(Arc::new(Echo));
    let customer = world.aws.admin_credentials(CUSTOMER);
    let answer = world
        .request(&customer, "appflow", Method::POST, "/create-flow")
        .send()
        .await
        .unwrap();
    assert_eq!(
        answer.json::<serde_json::Value>().await.unwrap(),
        json!({"path": "/create-flow", "account": CUSTOMER})
    );
    assert_eq!(
        world.aws.options.journal.count("appflow", "/create-flow"),
        1
    );
}
