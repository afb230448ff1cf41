//! S3: uploads in `aws-chunked` framing, the owner's account id, policies that are none, and
//! Object Lock. A bucket has one owner among all accounts; nobody else gets in, whatever its
//! policy says.

mod lock;
mod policy;

use bytes::Bytes;
use http::{Method, StatusCode, header};
use sandbox_core::{AwsCall, AwsReply};
use winterbaume_core::DEFAULT_ACCOUNT_ID;
use winterbaume_s3::S3Service;

use crate::refusal::Protocol;

/// The bucket that a request names.
pub(super) fn bucket(call: &AwsCall) -> Option<&str> {
    let path = call.path.trim_start_matches('/');
    let bucket = path.split('/').next().unwrap_or_default();
    (!bucket.is_empty()).then_some(bucket)
}

/// Whether an account has a bucket.
pub(super) async fn has(service: &S3Service, call: &AwsCall, bucket: &str) -> bool {
    let mut head = call.clone();
    head.method = Method::HEAD;
    head.path = format!("/{bucket}");
    head.query = String::new();
    head.body = Bytes::new();
    let reply = super::hand_over(service, &head, Bytes::new()).await;
    reply.status.is_success()
}

/// The answer to somebody who asks for another account's bucket, or wants its name.
pub(super) fn not_yours(call: &AwsCall) -> AwsReply {
    let creates = call.method == Method::PUT
        && call.query.is_empty()
        && call.path.trim_matches('/').split('/').count() == 1;
    let mut reply = if creates {
        Protocol::S3.error(
            StatusCode::CONFLICT,
            "BucketAlreadyExists",
            "The requested bucket name is not available. The bucket namespace is shared by all \
             users of the system. Please select a different name and try again.",
        )
    } else {
        Protocol::S3.error(StatusCode::FORBIDDEN, "AccessDenied", "Access Denied")
    };
    if call.method == Method::HEAD {
        reply.body = Bytes::new();
    }
    reply
}

/// Whether this is PutBucketPolicy.
fn puts_policy(call: &AwsCall) -> bool {
    let mut names = call
        .query
        .split('&')
        .filter_map(|pair| pair.split('=').next());
    call.method == Method::PUT && names.any(|name| name == "policy")
}

pub(super) async fn handle(service: &S3Service, call: &AwsCall) -> AwsReply {
    let mut call = call.clone();
    let mut body = call.body.clone();
    if is_chunked(&call) {
        let Some(decoded) = unchunk(&body) else {
            return Protocol::S3.error(
                StatusCode::BAD_REQUEST,
                "IncompleteBody",
                "the request body is not in aws-chunked framing",
            );
        };
        call.headers.remove(header::CONTENT_ENCODING);
        call.headers
            .insert(header::CONTENT_LENGTH, decoded.len().into());
        body = decoded;
    }
    let policed = bucket(&call)
        .filter(|_| puts_policy(&call))
        .map(str::to_owned);
    if let Some(bucket) = policed
        && has(service, &call, &bucket).await
        && let Some(fault) = policy::fault(&body, &bucket)
    {
        return Protocol::S3.error(StatusCode::BAD_REQUEST, "MalformedPolicy", fault);
    }
    if lock::forbids(service, &call).await {
        return Protocol::S3.error(
            StatusCode::FORBIDDEN,
            "AccessDenied",
            "Access Denied because object protected by object lock.",
        );
    }
    let mut reply = super::hand_over(service, &call, body).await;
    let names_object = call
        .path
        .trim_start_matches('/')
        .split_once('/')
        .is_some_and(|(_, key)| !key.is_empty());
    if !names_object {
        reply.body = with_owner(&reply.body, &call.principal.account);
    }
    reply
}

fn with_owner(body: &Bytes, account: &str) -> Bytes {
    let fixed = format!("<ID>{DEFAULT_ACCOUNT_ID}</ID>");
    match std::str::from_utf8(body) {
        Ok(text) if text.contains(&fixed) => {
            Bytes::from(text.replace(&fixed, &format!("<ID>{account}</ID>")))
        }
        _ => body.clone(),
    }
}

fn is_chunked(call: &AwsCall) -> bool {
    let has = |name: &str, part: &str| {
        call.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|text| text.contains(part))
    };
    has("content-encoding", "aws-chunked") || has("x-amz-content-sha256", "STREAMING-")
}

/// Joins the chunks: `<hex length>[;chunk-signature=...]\r\n<data>\r\n`, up to one of length 0.
fn unchunk(mut rest: &[u8]) -> Option<Bytes> {
    let mut whole = Vec::with_capacity(rest.len());
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
        let line = std::str::from_utf8(&rest[..end]).ok()?;
        let length = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
        rest = &rest[end + 2..];
        if length == 0 {
            return Some(Bytes::from(whole));
        }
        whole.extend_from_slice(rest.get(..length)?);
        rest = rest.get(length..)?.strip_prefix(b"\r\n")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined_and_a_cut_body_is_refused() {
        let framed =
            b"5;chunk-signature=ab\r\nhello\r\n1\r\n!\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n";
        assert_eq!(unchunk(framed).as_deref(), Some(b"hello!".as_slice()));
        assert_eq!(unchunk(b"5\r\nhel"), None);
        assert_eq!(unchunk(b"x\r\nhello\r\n0\r\n"), None);
    }
}
