//! JSON bodies: size, media type and shape are checked before a handler sees a value.

mod unique;

use axum::{
    body::to_bytes,
    extract::{FromRequest, Request},
};
use bytes::Bytes;
use http::header;
use serde::de::DeserializeOwned;

use super::layers::BODY_LIMIT;
use crate::error::{Error, Fault, Kind};

/// Deepest nesting that a body may have.
const DEPTH_LIMIT: usize = 32;

/// A JSON body, read whole: the value, and the bytes for an idempotency hash.
#[derive(Debug)]
pub struct Json<T> {
    /// The value.
    pub value: T,
    /// The body as it came.
    pub bytes: Bytes,
}

impl<S, T> FromRequest<S> for Json<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        check_media_type(&request)?;
        let bytes = to_bytes(request.into_body(), BODY_LIMIT)
            .await
            .map_err(|_| {
                Error::new(
                    Kind::TooLarge,
                    "body_too_large",
                    format!("A body may have {BODY_LIMIT} bytes at most."),
                )
            })?;
        let value = parse(&bytes)?;
        Ok(Self { value, bytes })
    }
}

fn check_media_type(request: &Request) -> Result<(), Error> {
    let media_type = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(|value| value.trim().to_ascii_lowercase());
    if media_type.as_deref() == Some("application/json") {
        return Ok(());
    }
    Err(Error::new(
        Kind::UnsupportedMediaType,
        "unsupported_media_type",
        "Send the body as application/json.",
    ))
}

/// Reads a body as a value; the fault names where it went wrong.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let malformed = |pointer: String, detail: String| {
        Error::malformed(
            "malformed_body",
            "The body cannot be read.",
            vec![Fault::new(pointer, "malformed", detail)],
        )
    };
    if depth(bytes) > DEPTH_LIMIT {
        return Err(malformed(
            String::new(),
            format!("It is nested deeper than {DEPTH_LIMIT} levels."),
        ));
    }
    if let Some(repeated) = unique::first_repeated(bytes) {
        return Err(malformed(
            repeated,
            "This key stands in its object more than once.".to_owned(),
        ));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value: T = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = pointer(error.path());
        malformed(pointer, error.inner().to_string())
    })?;
    reader
        .end()
        .map_err(|error| malformed(String::new(), error.to_string()))?;
    Ok(value)
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold(String::new(), |mut pointer, segment| {
        let part = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => escaped(key),
            Segment::Enum { variant } => variant.clone(),
            Segment::Unknown => return pointer,
        };
        pointer.push('/');
        pointer.push_str(&part);
        pointer
    })
}

/// A key as a part of a JSON pointer (RFC 6901).
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Deepest nesting of arrays and objects, without parsing.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0usize, 0usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Account {
        #[expect(dead_code, reason = "read by the test's parser only")]
        region: String,
    }

    #[test]
    fn o2_an_unknown_field_is_named() {
        let error = parse::<Account>(br#"{"region":"eu-west-1","externalId":"mine"}"#).unwrap_err();
        assert_eq!(error.faults()[0].pointer, "/externalId");
        assert!(
            error.faults()[0].detail.contains("unknown field"),
            "{error:?}"
        );
    }

    #[test]
    fn a4_deep_truncated_and_trailing_bodies_are_refused_without_a_panic() {
        for body in [
            "[".repeat(100_000),
            "{\"region\":".to_owned(),
            "{\"region\":\"a\"} x".to_owned(),
            "\u{0}".to_owned(),
        ] {
            assert_eq!(
                parse::<Account>(body.as_bytes()).unwrap_err().code(),
                "malformed_body"
            );
        }
        assert!(parse::<Account>(b"{\"region\":\"\xff\"}").is_err());
        assert!(parse::<Account>(br#"{"region":"a","region":"b"}"#).is_err());
    }
}
