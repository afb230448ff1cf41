//! Turning replies into HTTP answers, also broken ones.

use std::io;

use bytes::Bytes;
use futures::stream;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::body::Frame;
use sandbox_core::{AwsReply, Fault};

pub(super) type Body = BoxBody<Bytes, io::Error>;

/// The whole reply.
pub(super) fn whole(reply: AwsReply) -> Response<Body> {
    let body = Full::new(reply.body.clone())
        .map_err(|never| match never {})
        .boxed();
    response(reply, body)
}

/// Half of the reply's body under the length of the whole; then the connection closes.
pub(super) fn truncated(mut reply: AwsReply) -> Response<Body> {
    let whole = reply.body.len();
    reply
        .headers
        .insert(header::CONTENT_LENGTH, HeaderValue::from(whole));
    let half = reply.body.slice(..whole / 2);
    let broken = io::Error::new(io::ErrorKind::ConnectionAborted, "truncated on demand");
    let frames = stream::iter([Ok(Frame::data(half)), Err(broken)]);
    let body = BodyExt::boxed(StreamBody::new(frames));
    response(reply, body)
}

/// A status on demand, with its body as it is.
pub(super) fn on_demand(status: u16, retry_after: Option<u32>, body: &str) -> AwsReply {
    let mut headers = HeaderMap::new();
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    AwsReply {
        status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        headers,
        body: Bytes::from(body.to_owned()),
    }
}

/// What the journal says of a fault.
pub(super) fn note(fault: &Fault) -> String {
    match fault {
        Fault::Status { status, .. } => format!("fault: status {status}"),
        Fault::DropBefore => "fault: dropped before the effect".to_owned(),
        Fault::DropAfter => "fault: dropped after the effect".to_owned(),
        Fault::Truncate => "fault: truncated".to_owned(),
        Fault::Delay(millis) => format!("fault: delayed by {millis} ms"),
    }
}

fn response(reply: AwsReply, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    if let Ok(id) = HeaderValue::from_str(&uuid::Uuid::new_v4().to_string()) {
        response
            .headers_mut()
            .entry("x-amzn-requestid")
            .or_insert(id);
    }
    response
}
