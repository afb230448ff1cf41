//! JSON bodies: size, media type and shape are checked before a handler sees a value.

mod object;
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

pub use object::{object, optional_object};

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
    // Serde takes a list for an object, member by member: nobody else would read it so.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(malformed(
            String::new(),
            "It is a list; an object is expected.".to_owned(),
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
    use proptest::prelude::*;
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

    #[derive(Debug, Deserialize)]
    struct Optional {
        #[expect(dead_code, reason = "read by the test's parser only")]
        fresh: Option<bool>,
    }

    #[test]
    fn a4_a_list_is_not_read_as_an_object_in_order() {
        for body in ["[]", " [true]", "\n[\"eu-west-1\"]"] {
            let error = parse::<Optional>(body.as_bytes()).unwrap_err();
            assert_eq!(error.code(), "malformed_body", "{body}");
            assert!(parse::<Account>(body.as_bytes()).is_err(), "{body}");
        }
    }

    /// Anything at all, and JSON that looks like a body.
    fn texts() -> impl Strategy<Value = Vec<u8>> {
        let json = prop::string::string_regex(
            r#"[\{\[ ]{0,3}("region"|"a"|"\\u[0-9a-f]{4}"|:|,|\{|\}|\[|\]|-?[0-9.eE]{1,9}|null|true){0,24}"#,
        );
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            json.unwrap().prop_map(String::into_bytes),
        ]
    }

    proptest! {
        /// A4: whatever comes, the reader answers: a value of ours, or a fault of the caller's.
        #[test]
        fn a4_any_bytes_are_read_or_refused(bytes in texts()) {
            match parse::<Account>(&bytes) {
                Ok(_) => prop_assert!(serde_json::from_slice::<Account>(&bytes).is_ok()),
                Err(error) => prop_assert_eq!(error.code(), "malformed_body"),
            }
        }

        /// A4: what is taken is what every reader of JSON takes, whatever is damaged in it.
        #[test]
        fn a4_a_damaged_body_is_never_read_as_something_else(
            at in 0_usize..22, byte in any::<u8>(), cut in 0_usize..22,
        ) {
            let mut bytes = br#"{"region":"eu-west-1"}"#.to_vec();
            bytes[at] = byte;
            let cut = &bytes[..cut];
            prop_assert!(parse::<Account>(cut).is_err());
            let ours = parse::<Account>(&bytes).is_ok();
            prop_assert_eq!(ours, serde_json::from_slice::<Account>(&bytes).is_ok());
        }
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
