//! Signature version 4, for the few calls that are made without an SDK client (docs/adr/0008).

use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials;
use aws_lc_rs::digest::{SHA256, digest};
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, Method, header};
use reqwest::Url;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// PutBucketPolicy takes a body only with a checksum.
pub fn add_checksum(headers: &mut HeaderMap, body: &str) {
    let sum = STANDARD.encode(digest(&SHA256, body.as_bytes()));
    headers.insert(
        "x-amz-sdk-checksum-algorithm",
        HeaderValue::from_static("SHA256"),
    );
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    if let Ok(sum) = HeaderValue::from_str(&sum) {
        headers.insert("x-amz-checksum-sha256", sum);
    }
}

/// Signs a request to a service with the credentials of a configuration.
pub async fn add_signature(
    config: &SdkConfig,
    (service, region): (&str, &str),
    method: &Method,
    url: &Url,
    headers: &mut HeaderMap,
    body: &str,
) -> Result<(), Cause> {
    let provider = config
        .credentials_provider()
        .ok_or("there are no credentials")?;
    let identity = provider.provide_credentials().await?.into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(SystemTime::now())
        .settings(settings())
        .build()?
        .into();
    let given = headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let signable = SignableRequest::new(
        method.as_str(),
        url.as_str(),
        given,
        SignableBody::Bytes(body.as_bytes()),
    )?;
    let (instructions, _) = sign(signable, &params)?.into_parts();
    for (name, value) in instructions.headers() {
        headers.insert(
            http::HeaderName::from_bytes(name.as_bytes())?,
            HeaderValue::from_str(value)?,
        );
    }
    Ok(())
}

/// S3 signs paths as they are, and wants the hash of the body as a header; the others do not mind.
fn settings() -> SigningSettings {
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    settings
}

#[cfg(test)]
mod tests {
    use aws_config::BehaviorVersion;
    use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};

    use super::*;

    #[tokio::test]
    async fn a_request_is_signed_whole_and_carries_the_session() {
        let credentials = Credentials::new(
            "AKIDEXAMPLE",
            "secret",
            Some("session".to_owned()),
            None,
            "test",
        );
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        let url = Url::parse("https://s3.us-east-1.amazonaws.com/bucket?policy=").unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(
            "x-amz-expected-bucket-owner",
            HeaderValue::from_static("222222222222"),
        );
        add_checksum(&mut headers, "{}");
        add_signature(
            &config,
            ("s3", "us-east-1"),
            &Method::PUT,
            &url,
            &mut headers,
            "{}",
        )
        .await
        .unwrap();
        let signature = headers["authorization"].to_str().unwrap();
        for part in [
            "Credential=AKIDEXAMPLE/",
            "/us-east-1/s3/aws4_request",
            "x-amz-expected-bucket-owner",
            "x-amz-checksum-sha256",
            "x-amz-security-token",
        ] {
            assert!(signature.contains(part), "{signature}");
        }
        assert_eq!(headers["x-amz-security-token"], "session");
        assert!(headers.contains_key("x-amz-content-sha256"));
        // printf '{}' | openssl dgst -sha256 -binary | base64
        assert_eq!(
            headers["x-amz-checksum-sha256"],
            "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o="
        );
    }

    #[tokio::test]
    async fn without_credentials_nothing_is_sent() {
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .build();
        let url = Url::parse("https://s3.us-east-1.amazonaws.com/").unwrap();
        let signed = add_signature(
            &config,
            ("s3", "us-east-1"),
            &Method::GET,
            &url,
            &mut HeaderMap::new(),
            "",
        )
        .await;
        assert!(signed.is_err());
    }
}
