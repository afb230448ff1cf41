//! Who signed, and which account answers.

use http::Method;
use serde_json::json;

use super::support::{CUSTOMER, VENDOR, World, element};

#[tokio::test]
async fn an_unknown_key_is_refused_in_each_protocol() {
    let world = World::start().await;
    let mut stranger = world.aws.admin_credentials(VENDOR);
    stranger.access_key_id = "AKIANOBODY".into();
    let (status, body) = world
        .json(&stranger, "dynamodb", "ListTables", json!({}))
        .await;
    assert_eq!(
        (status, body["__type"].as_str()),
        (403, Some("UnrecognizedClientException"))
    );
    let (status, xml) = world
        .form(&stranger, &[("Action", "GetCallerIdentity")])
        .await;
    assert_eq!(
        (status, element(&xml, "Code")),
        (403, "InvalidClientTokenId")
    );
    let s3 = world
        .request(&stranger, "s3", Method::GET, "/bucket/key")
        .send()
        .await
        .unwrap();
    assert_eq!(s3.status(), 403);
    assert_eq!(
        element(&s3.text().await.unwrap(), "Code"),
        "InvalidAccessKeyId"
    );
    let rest = world
        .request(&stranger, "appflow", Method::POST, "/create-flow")
        .send()
        .await
        .unwrap();
    assert_eq!(
        rest.headers()["x-amzn-errortype"],
        "UnrecognizedClientException"
    );
}

#[tokio::test]
async fn a_session_needs_its_token_and_ends() {
    let world = World::start().await;
    let session = world.function();
    world.ok(&session, "sqs", "ListQueues", json!({})).await;
    let mut without = session.clone();
    without.session_token = None;
    let mut wrong = session.clone();
    wrong.session_token = world.function().session_token;
    for credentials in [&without, &wrong] {
        let (status, body) = world
            .json(credentials, "sqs", "ListQueues", json!({}))
            .await;
        assert_eq!(
            (status, body["__type"].as_str()),
            (403, Some("UnrecognizedClientException"))
        );
    }
    world.aws.expire_credentials(&session.access_key_id);
    let (status, body) = world.json(&session, "sqs", "ListQueues", json!({})).await;
    assert_eq!(
        (status, body["__type"].as_str()),
        (403, Some("ExpiredTokenException"))
    );
    let (_, xml) = world
        .form(&session, &[("Action", "GetCallerIdentity")])
        .await;
    assert_eq!(element(&xml, "Code"), "ExpiredToken");
}

#[tokio::test]
async fn an_unsigned_call_is_refused_and_written_down() {
    let world = World::start().await;
    let response = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .post(format!("http://{}/", world.address))
        .header("x-amz-target", "DynamoDB_20120810.ListTables")
        .body("{}")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 403);
    assert_eq!(world.aws.options.journal.count("unsigned", "ListTables"), 1);
}

#[tokio::test]
async fn accounts_do_not_see_each_other_and_arns_name_the_real_account() {
    let world = World::start().await;
    let vendor = world.aws.admin_credentials(VENDOR);
    let customer = world.aws.admin_credentials(CUSTOMER);
    let secret = json!({
        "Name": "app", "ClientRequestToken": uuid::Uuid::new_v4(),
        "SecretString": "arn:aws:iam::123456789012:role/kept-as-it-is",
    });
    let created = world
        .ok(&vendor, "secretsmanager", "CreateSecret", secret)
        .await;
    let arn = created["ARN"].as_str().unwrap();
    assert!(
        arn.starts_with("arn:aws:secretsmanager:us-east-1:111111111111:secret:app-"),
        "{arn}"
    );
    let get = json!({ "SecretId": arn });
    let read = world
        .ok(&vendor, "secretsmanager", "GetSecretValue", get.clone())
        .await;
    assert_eq!(
        read["SecretString"],
        "arn:aws:iam::123456789012:role/kept-as-it-is"
    );
    assert_eq!(read["ARN"], arn);
    let (status, body) = world
        .json(&customer, "secretsmanager", "GetSecretValue", get)
        .await;
    assert_eq!(status, 400);
    assert!(
        body["__type"]
            .as_str()
            .unwrap()
            .contains("ResourceNotFoundException"),
        "{body}"
    );
}

#[tokio::test]
async fn glue_answers_for_the_real_account() {
    let world = World::start().await;
    let vendor = world.aws.admin_credentials(VENDOR);
    let database = json!({"DatabaseInput": {"Name": "sales"}});
    world.ok(&vendor, "glue", "CreateDatabase", database).await;
    let found = world
        .ok(&vendor, "glue", "GetDatabase", json!({"Name": "sales"}))
        .await;
    assert_eq!(found["Database"]["Name"], "sales");
    assert_eq!(
        found["Database"]["CatalogId"].as_str().unwrap_or(VENDOR),
        VENDOR
    );
}
