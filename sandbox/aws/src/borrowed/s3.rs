//! S3: uploads in `aws-chunked` framing, and the owner's account id. Objects are never touched.

use bytes::Bytes;
use http::header;
use sandbox_core::{AwsCall, AwsReply};
use winterbaume_core::DEFAULT_ACCOUNT_ID;
use winterbaume_s3::S3Service;

use crate::refusal::Protocol;

pub(super) async fn handle(service: &S3Service, call: &AwsCall) -> AwsReply {
    let mut call = call.clone();
    let mut body = call.body.clone();
    if is_chunked(&call) {
        let Some(decoded) = unchunk(&body) else {
            return Protocol::S3.error(
                http::StatusCode::BAD_REQUEST,
                "IncompleteBody",
                "the request body is not in aws-chunked framing",
            );
        };
        call.headers.remove(header::CONTENT_ENCODING);
        call.headers
            .insert(header::CONTENT_LENGTH, decoded.len().into());
        body = decoded;
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
