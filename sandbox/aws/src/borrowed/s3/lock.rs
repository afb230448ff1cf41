//! Object Lock: a version that a bucket's default retention protects in compliance mode is deleted by
//! nobody. That its time passes is not played: nothing here runs for days.

use bytes::Bytes;
use http::Method;
use sandbox_core::AwsCall;
use winterbaume_s3::S3Service;

/// Whether a call would delete a protected version.
pub(super) async fn forbids(service: &S3Service, call: &AwsCall) -> bool {
    let names_version = call
        .query
        .split('&')
        .any(|pair| pair.starts_with("versionId="));
    if call.method != Method::DELETE || !names_version {
        return false;
    }
    let Some(bucket) = super::bucket(call) else {
        return false;
    };
    let mut look = call.clone();
    look.method = Method::GET;
    look.path = format!("/{bucket}");
    "object-lock".clone_into(&mut look.query);
    let reply = super::super::hand_over(service, &look, Bytes::new()).await;
    reply.status.is_success()
        && String::from_utf8_lossy(&reply.body).contains("<Mode>COMPLIANCE</Mode>")
}
