//! `Idempotency-Key`: every POST that creates or acts takes one.

use std::future::Future;

use axum::{
    body::{Body, to_bytes},
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header, request::Parts};
use jiff::{SignedDuration, Timestamp};
use utoipa::{
    IntoParams,
    openapi::{
        Required,
        path::{Parameter, ParameterBuilder, ParameterIn},
        schema::{ObjectBuilder, Type},
    },
};

use crate::{
    error::{Error, Fault},
    store::{
        Key, Store,
        idempotency::{Acquired, StoredAnswer, acquire},
    },
};

/// Longest that a request with a key may be worked on before another attempt may take over.
const WORK_LIMIT: SignedDuration = SignedDuration::from_secs(30);

/// The value of the `Idempotency-Key` header, if the caller sent one.
#[derive(Debug, Clone)]
pub struct IdempotencyKey(Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let Some(value) = parts.headers.get("idempotency-key") else {
            return Ok(Self(None));
        };
        let usable = value.to_str().ok().filter(|text| {
            (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
        });
        match usable {
            Some(text) => Ok(Self(Some(text.to_owned()))),
            None => Err(Error::malformed(
                "malformed_header",
                "A header cannot be read.",
                vec![Fault::new(
                    "header:idempotency-key",
                    "malformed",
                    "1 to 255 printable ASCII characters without blanks.",
                )],
            )),
        }
    }
}

/// For the `params(...)` of handlers that take one.
impl IntoParams for IdempotencyKey {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(255))
            .examples([serde_json::json!("5f0a4c1e-7d0b-4b52-9a3e-0c8f7f6f1a11")]);
        let described = "Names this request: a repeat with the same key and body gets the first \
                         answer again, another body is refused (422). Kept for a day.";
        let header = ParameterBuilder::new()
            .name("idempotency-key")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(described))
            .schema(Some(text));
        vec![header.build()]
    }
}

impl IdempotencyKey {
    /// The key as the caller sent it.
    pub fn value(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// Does `work` once for this key: a repeat with the same body gets the first answer again.
    ///
    /// `scope` is the partition of the caller's tenant (or the operator's), `operation` a name that
    /// is unique to the route and its path parameters. Successes are kept; a
    /// failure gives the key back, so that the caller may correct the request and retry with it.
    pub async fn once<F>(
        &self,
        store: &Store,
        scope: &str,
        operation: &str,
        subject: &str,
        body: &[u8],
        work: F,
    ) -> Result<Response, Error>
    where
        F: Future<Output = Result<Response, Error>>,
    {
        let Some(value) = &self.0 else {
            return work.await;
        };
        let key = Key::idempotency(scope, operation, subject, value);
        let deadline = Timestamp::now()
            .saturating_add(WORK_LIMIT)
            .unwrap_or(Timestamp::MAX);
        let lease = match acquire(store, key, body, deadline).await? {
            Acquired::Replay(answer) => return replay(answer),
            Acquired::Fresh(lease) => lease,
        };
        let response = match work.await {
            Ok(response) if response.status().is_success() => response,
            other => {
                lease.release().await?;
                return other;
            }
        };
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.map_err(|error| {
            Error::internal("answer_lost", "an answer could not be read back").with_source(error)
        })?;
        let text = |name| {
            parts
                .headers
                .get(name)
                .and_then(|value: &HeaderValue| value.to_str().ok())
                .map(str::to_owned)
        };
        let answer = StoredAnswer {
            status: parts.status.as_u16(),
            body: String::from_utf8_lossy(&bytes).into_owned(),
            location: text(header::LOCATION),
            etag: text(header::ETAG),
        };
        lease.complete(&answer).await?;
        Ok(Response::from_parts(parts, Body::from(bytes)))
    }
}

fn replay(answer: StoredAnswer) -> Result<Response, Error> {
    let status = StatusCode::from_u16(answer.status).map_err(|error| {
        Error::internal("answer_lost", "a stored answer has no status").with_source(error)
    })?;
    let mut response = (status, answer.body).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
    for (name, value) in [
        (header::LOCATION, answer.location),
        (header::ETAG, answer.etag),
    ] {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(name, value);
        }
    }
    Ok(response)
}
