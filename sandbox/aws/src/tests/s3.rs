//! Buckets and objects.

use http::Method;

use super::support::{VENDOR, World, element};

#[tokio::test]
async fn an_object_comes_back_byte_by_byte() {
    let world = World::start().await;
    let vendor = world.aws.admin_credentials(VENDOR);
    let create = world
        .request(&vendor, "s3", Method::PUT, "/landing")
        .send()
        .await
        .unwrap();
    assert_eq!(create.status(), 200);
    let data = "<ID>123456789012</ID> arn:aws:sqs:us-east-1:123456789012:q";
    let path = "/landing/out%20put/a%2Bb.json";
    let put = world
        .request(&vendor, "s3", Method::PUT, path)
        .body(data)
        .send()
        .await
        .unwrap();
    assert_eq!(put.status(), 200);
    let got = world
        .request(&vendor, "s3", Method::GET, path)
        .send()
        .await
        .unwrap();
    assert_eq!(got.text().await.unwrap(), data);
    let head = world
        .request(&vendor, "s3", Method::HEAD, path)
        .send()
        .await
        .unwrap();
    assert_eq!(
        head.headers()["content-length"],
        data.len().to_string().as_str()
    );
    let list = world
        .request(
            &vendor,
            "s3",
            Method::GET,
            "/landing?list-type=2&prefix=out",
        )
        .send()
        .await
        .unwrap();
    assert_eq!(
        element(&list.text().await.unwrap(), "Key"),
        "out put/a+b.json"
    );
    let missing = world
        .request(&vendor, "s3", Method::GET, "/landing/none")
        .send()
        .await
        .unwrap();
    assert_eq!(missing.status(), 404);
    assert_eq!(element(&missing.text().await.unwrap(), "Code"), "NoSuchKey");
    let buckets = world
        .request(&vendor, "s3", Method::GET, "/")
        .send()
        .await
        .unwrap();
    assert_eq!(element(&buckets.text().await.unwrap(), "ID"), VENDOR);
}

#[tokio::test]
async fn a_chunked_upload_is_stored_without_its_framing() {
    let world = World::start().await;
    let vendor = world.aws.admin_credentials(VENDOR);
    world
        .request(&vendor, "s3", Method::PUT, "/landing")
        .send()
        .await
        .unwrap();
    let put = world
        .request(&vendor, "s3", Method::PUT, "/landing/k")
        .header("content-encoding", "aws-chunked")
        .header("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
        .body("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n")
        .send()
        .await
        .unwrap();
    assert_eq!(put.status(), 200);
    let got = world
        .request(&vendor, "s3", Method::GET, "/landing/k")
        .send()
        .await
        .unwrap();
    assert_eq!(got.text().await.unwrap(), "hello");
}
